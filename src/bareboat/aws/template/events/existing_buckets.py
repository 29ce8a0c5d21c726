"""`s3` with `existing: true` -> a custom resource that tells a bucket of somebody else's of the function.

CloudFormation cannot change a bucket that is none of the stack's. Serverless has a Lambda function of Node.js do it;
this one is of Python (bucket_notifications.py), stands in the template itself, and may read and write the notifications
of these buckets, and nothing else. So it is part of the deployment: rolled back with it and taken away with the stack.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from bareboat.aws.template import naming, words
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.events.buckets import CREATED, PRINCIPAL, rules_of
from bareboat.aws.template.events.sources import compact, permit, settings, sourced
from bareboat.errors import ConfigurationError
from bareboat.service.model import Function

ROLE = "IamRoleCustomResourcesLambdaExecution"
FUNCTION = "custom-resource-existing-s3"
RUNTIME = "python3.13"
TIMEOUT_S = 180
_SOURCE = Path(__file__).with_name("bucket_notifications.py")


def add_existing_buckets(draft: Draft) -> None:
    """Add what tells the buckets, one after the other, since each change of a bucket's notifications writes all.

    Raises:
        ConfigurationError: a function listens to two such buckets.
    """
    told: dict[str, tuple[Function, Any, list[Json]]] = {}
    for function, _, event in sourced(draft, "s3"):
        config = settings(event, "bucket")
        if not config.get("existing"):
            continue
        bucket = config["bucket"]
        entry = {
            "Event": config.get("event") or CREATED,
            "Rules": [{words.start_case(key): value} for key, value in rules_of(event)],
        }
        if function.name in told and told[function.name][1] != bucket:
            raise ConfigurationError(
                f"functions.{function.name} has events of two buckets that are there already",
                expected="one such bucket a function, as in Serverless",
                fix="a function for each, with the same handler",
                where=str(event.where),
            )
        told.setdefault(function.name, (function, bucket, []))[2].append(entry)
    last = ""
    for function, bucket, entries in told.values():
        last = _add(draft, function, bucket, entries, last)
    if told:
        _add_helper(draft, [bucket for _, bucket, _ in told.values()])


def _add(draft: Draft, function: Function, bucket: Any, entries: list[Json], after: str) -> str:
    logical_id = f"{words.normal(function.name)}CustomS31"
    permission = naming.bucket_permission_id(function.name, _name(bucket))
    source = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", bucket]]}
    permit(draft, permission, function, PRINCIPAL, source, SourceAccount={"Ref": "AWS::AccountId"})
    properties: Json = {
        "ServiceToken": {"Fn::GetAtt": [naming.function_id(FUNCTION), "Arn"]},
        "FunctionName": function.full_name,
        "BucketName": bucket,
        "BucketConfigs": entries,
    }
    before = [naming.function_id(function.name), permission]
    if function.name in draft.aliases:
        alias, properties["FunctionQualifier"] = draft.aliases[function.name]
        before.append(alias)
    draft.add(
        logical_id,
        "Custom::S3",
        properties,
        DependsOn=[*before, *([after] if after else [])],
        Condition=draft.resources[permission].get("Condition"),
    )
    return logical_id


def _name(bucket: Any) -> str:
    return bucket if isinstance(bucket, str) else hashlib.sha256(compact(bucket).encode()).hexdigest()[:8]


def _add_helper(draft: Draft, buckets: list[Any]) -> None:
    """Add the function that does it, and its role. It has no log group: what fails is told by CloudFormation."""
    resources = []
    for bucket in buckets:
        arn = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", bucket]]}
        if arn not in resources:
            resources.append(arn)
    statement = {
        "Effect": "Allow",
        "Action": ["s3:PutBucketNotification", "s3:GetBucketNotification"],
        "Resource": resources,
    }
    trust = {"Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com"]}, "Action": ["sts:AssumeRole"]}
    name = {"Fn::Join": ["-", [draft.stage, draft.service.name, "custom-resources-lambda"]]}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    draft.add(
        ROLE,
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": name, "PolicyDocument": document}],
        },
    )
    full_name = f"{draft.service.name}-{draft.stage}-{FUNCTION}"
    if len(full_name) > 64:
        full_name = full_name[:32] + hashlib.md5(full_name.encode(), usedforsecurity=False).hexdigest()
    draft.add(
        naming.function_id(FUNCTION),
        "AWS::Lambda::Function",
        {
            "Code": {"ZipFile": helper_source()},
            "FunctionName": full_name,
            "Handler": "index.handle",
            "MemorySize": 128,
            "Runtime": RUNTIME,
            "Timeout": TIMEOUT_S,
            "Role": {"Fn::GetAtt": [ROLE, "Arn"]},
        },
    )


@cache
def helper_source() -> str:
    """Return the helper's code, without docstrings and without what is said to the linters."""
    from bareboat.artifact.shipping import lean

    lines = lean(_SOURCE.read_bytes()).decode().splitlines()
    return "\n".join(line.partition("  # ")[0].rstrip() for line in lines if line.strip() != '""') + "\n"
