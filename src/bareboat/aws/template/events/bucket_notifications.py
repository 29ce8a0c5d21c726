"""Tells a bucket that is none of the stack's of its functions: runs on Lambda, as the custom resource Custom::S3."""

from __future__ import annotations

import hashlib
import json
import re
import time
import urllib.request
from typing import Any


def handle(
    event: Any, context: Any, s3: Any = None, pause: Any = time.sleep, send: Any = urllib.request.urlopen
) -> None:
    """Set or take away what a bucket tells a function, and answer CloudFormation."""
    s3 = s3 or __import__("boto3").client("s3")
    reason = ""
    try:
        _change(event, context.invoked_function_arn.partition(":function:")[0], s3, pause)
    except Exception as error:  # noqa: BLE001  CloudFormation would wait an hour for an answer
        reason = f"{type(error).__name__}: {error}"[:1000]
    answer = {
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
        "PhysicalResourceId": event.get("PhysicalResourceId") or "CustomResourceExistingS3",
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": reason,
    }
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")  # noqa: S310
    send(request, timeout=30).close()


def _change(event: Any, arn: str, s3: Any, pause: Any) -> None:
    now, old = event["ResourceProperties"], event.get("OldResourceProperties") or {}
    if event["RequestType"] == "Delete":
        _forget(s3, now)
        return
    qualifier = now.get("FunctionQualifier")
    target = f"{arn}:function:{now['FunctionName']}" + (f":{qualifier}" if qualifier else "")
    entries = []
    for config in now["BucketConfigs"]:
        rules = [{"Name": key.lower(), "Value": rule[key]} for rule in config.get("Rules") or () for key in rule]
        digest = hashlib.md5(json.dumps(config, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
        entry = {"Id": f"{now['FunctionName']}-{digest}", "LambdaFunctionArn": target, "Events": [config["Event"]]}
        entries.append({**entry, "Filter": {"Key": {"FilterRules": rules}}} if rules else entry)
    owners = {now["FunctionName"], old.get("FunctionName", now["FunctionName"])}
    for left in range(5, -1, -1):
        try:
            _put(s3, now["BucketName"], owners, entries)
            break
        except Exception as error:
            if "Unable to validate" not in str(error) or not left:
                raise
            pause(3)  # the permission to invoke is a few seconds old at most
    if old.get("BucketName", now["BucketName"]) != now["BucketName"]:
        _forget(s3, old)


def _forget(s3: Any, properties: Any) -> None:
    try:
        _put(s3, properties["BucketName"], {properties["FunctionName"]}, [])
    except Exception as error:
        if not any(code in str(error) for code in ("NoSuchBucket", "AccessDenied")):
            raise
        print(error)  # noqa: T201  a stack whose bucket is gone must go too


def _put(s3: Any, bucket: str, owners: set[str], entries: list[Any]) -> None:
    said = s3.get_bucket_notification_configuration(Bucket=bucket)
    said.pop("ResponseMetadata", None)
    others = [each for each in said.get("LambdaFunctionConfigurations") or () if not _is_own(each, owners)]
    said["LambdaFunctionConfigurations"] = others + entries
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=said)


def _is_own(entry: Any, owners: set[str]) -> bool:
    name, _, digest = entry.get("Id", "").rpartition("-")
    return name in owners and re.fullmatch("[a-f0-9]{32}", digest) is not None
