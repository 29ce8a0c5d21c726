"""What bareboat adds to templates of its own accord, or for its own keys, is clean to cfn-lint too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cfnlint.api import ManualArgs, lint

from bareboat.aws.shipment import FunctionCode, Shipment, ZipCode
from bareboat.aws.template.aliases import Rollout
from bareboat.aws.template.build import bucket_template, make_template
from bareboat.service import load_service
from bareboat.service.model import Service

EVERYTHING = """
service: own
provider:
  name: aws
  runtime: python3.13
  region: eu-central-1
  deploymentBucket:
    serverSideEncryption: aws:kms
    sseKMSKeyId: arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000
functions:
  one:
    handler: handler.handle
    memorySize: 512
    onError: !GetAtt Dead.Arn
    iamRoleStatements:
      - {Effect: Allow, Action: 's3:PutObject', Resource: 'arn:aws:s3:::results/*'}
  two:
    handler: handler.handle
    logs: {logGroup: !Ref OwnLogs}
resources:
  Resources:
    Dead: {Type: AWS::SQS::Queue}
    OwnLogs: {Type: AWS::Logs::LogGroup}
custom:
  bareboat:
    canary: 10%/5m
    alarms: {email: ops@example.com, errors: 3, spend: 10}
"""


@pytest.fixture
def service(tmp_path: Path) -> Service:
    (tmp_path / "handler.py").touch()
    (tmp_path / "serverless.yml").write_text(EVERYTHING)
    return load_service(tmp_path, env={})


def shipment() -> Shipment:
    code = ZipCode("serverless/own/dev/code/x.zip", "ab" * 32)
    need = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::models/lgb.model"}
    return Shipment(
        {name: FunctionCode(code, "arm64", "handler.handle", "python3.13", (need,)) for name in ("one", "two")}
    )


def complaints(template: object) -> list[str]:
    found = lint(json.dumps(template), config=ManualArgs(regions=["eu-central-1"]))
    return [f"{one.rule.id} {'/'.join(map(str, one.path))}: {one.message}" for one in found]


def test_roles_alarms_and_aliases_are_clean(service: Service) -> None:
    assert complaints(make_template(service, shipment())) == []


def test_a_rollout_is_clean(service: Service) -> None:
    assert complaints(make_template(service, shipment(), rollout=Rollout(0.1, {"one": "3"}))) == []


def test_the_bucket_alone_is_clean(service: Service) -> None:
    assert complaints(bucket_template(service)) == []
