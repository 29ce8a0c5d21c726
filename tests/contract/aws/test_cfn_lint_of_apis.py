"""Templates of services with all kinds of APIs against the schemas of CloudFormation that cfn-lint has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bareboat.aws.shipment import FunctionCode, Shipment, ZipCode
from bareboat.aws.template.build import make_template
from bareboat.service import load_service

pytest.importorskip("cfnlint")
CASES = Path(__file__).parent / "osls"
DOMAINS = """
service: named
provider: {name: aws, runtime: python3.13, tags: {team: a}}
custom:
  bareboat: {domains: stack, throttle: {rate: 10, burst: 20, routes: {'GET /h': {rate: 1, burst: 2}}}}
  customDomains:
    - http: {domainName: h.example.com, basePath: v1, endpointType: regional, certificateArn: {Ref: Cert}}
    - {domainName: r.example.com, basePath: a/b, endpointType: regional, certificateArn: {Ref: Cert}, hostedZoneId: Z1}
    - {domainName: e.example.com, certificateArn: {Ref: Cert}, tlsTruststoreUri: s3://b/k}
functions:
  f: {handler: handler.handle, events: [{httpApi: GET /h}, {http: GET /r}]}
resources:
  Resources:
    Cert: {Type: AWS::CertificateManager::Certificate, Properties: {DomainName: '*.example.com', ValidationMethod: DNS}}
"""
KNOWN = {"W6001"}  # the endpoint of an API that is imported


@pytest.mark.parametrize("name", ["domains", "http-full", "rest-full", "rest-keys", "rest-lambda", "rest-shared"])
def test_templates_of_apis_are_clean(name, tmp_path):
    from cfnlint.api import ManualArgs, lint

    text = DOMAINS if name == "domains" else (CASES / name / "serverless.yml").read_text()
    (tmp_path / "serverless.yml").write_text(text)
    (tmp_path / "handler.py").write_text("")
    service = load_service(tmp_path, env={})
    code = ZipCode("serverless/a/dev/code/x.zip", "0" * 64)
    functions = {key: FunctionCode(code, "x86_64", "handler.handle", "python3.13") for key in service.functions}

    found = lint(json.dumps(make_template(service, Shipment(functions))), config=ManualArgs(regions=["us-east-1"]))

    assert [f"{one.rule.id} {one.message}" for one in found if one.rule.id not in KNOWN] == []
