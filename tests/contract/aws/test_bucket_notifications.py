"""The helper that tells somebody's bucket of a function, on moto's S3: what else is told stays."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from bareboat.aws.template.events.existing_buckets import helper_source

CONTEXT = SimpleNamespace(
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:s-dev-custom-resource-existing-s3"
)
TARGET = "arn:aws:lambda:us-east-1:123456789012:function:s-dev-f"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of moto's S3, with a bucket that has a notification of somebody else's."""
    moto = pytest.importorskip("moto")
    session = pytest.importorskip("botocore.session")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with moto.mock_aws():
        client = session.get_session().create_client("s3", region_name="us-east-1")
        for bucket in ("photos", "others"):
            client.create_bucket(Bucket=bucket)
        client.put_bucket_notification_configuration(
            Bucket="photos",
            NotificationConfiguration={
                "LambdaFunctionConfigurations": [
                    {"Id": "theirs", "LambdaFunctionArn": f"{TARGET}-theirs", "Events": ["s3:ObjectRemoved:*"]}
                ],
            },
        )
        yield client


def run(s3: Any, kind: str, old: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """Run the helper as it stands in the template; return what CloudFormation is told."""
    told: list[Any] = []

    def send(request: Any, timeout: float) -> io.BytesIO:
        told.append((request.get_method(), request.full_url, json.loads(request.data)))
        return io.BytesIO()

    scope: dict[str, Any] = {}
    exec(helper_source(), scope)
    event = {
        "RequestType": kind,
        "ResponseURL": "https://cloudformation-custom-resource-response.example/x?y",
        "StackId": "stack",
        "RequestId": "1",
        "LogicalResourceId": "FCustomS31",
        "ResourceProperties": {
            "FunctionName": "s-dev-f",
            "BucketName": "photos",
            "BucketConfigs": [{"Event": "s3:ObjectCreated:*", "Rules": [{"Prefix": "in/"}, {"Suffix": ".jpg"}]}],
            **properties,
        },
        **({"OldResourceProperties": old} if old else {}),
    }
    scope["handle"](event, CONTEXT, s3=s3, pause=lambda _: None, send=send)
    ((method, url, document),) = told
    assert (method, url) == ("PUT", event["ResponseURL"])
    assert document["PhysicalResourceId"] == "CustomResourceExistingS3"  # as Serverless's, so that taking over is calm
    return dict(document)


def told(s3: Any, bucket: str = "photos") -> dict[str, Any]:
    found = s3.get_bucket_notification_configuration(Bucket=bucket).get("LambdaFunctionConfigurations", [])
    return {each["LambdaFunctionArn"]: each for each in found}


def test_a_bucket_is_told_and_what_it_tells_others_stays(s3: Any) -> None:
    assert run(s3, "Create")["Status"] == "SUCCESS"

    found = told(s3)
    assert set(found) == {TARGET, f"{TARGET}-theirs"}
    assert found[TARGET]["Events"] == ["s3:ObjectCreated:*"]
    rules = {rule["Name"].lower(): rule["Value"] for rule in found[TARGET]["Filter"]["Key"]["FilterRules"]}
    assert rules == {"prefix": "in/", "suffix": ".jpg"}


def test_an_alias_is_told_where_there_is_one(s3: Any) -> None:
    run(s3, "Create", FunctionQualifier="provisioned")

    assert f"{TARGET}:provisioned" in told(s3)


def test_a_change_takes_what_was_there_away(s3: Any) -> None:
    run(s3, "Create")
    old = {"FunctionName": "s-dev-f", "BucketName": "photos"}
    assert run(s3, "Update", old, BucketConfigs=[{"Event": "s3:ObjectTagging:Put"}])["Status"] == "SUCCESS"
    assert told(s3)[TARGET]["Events"] == ["s3:ObjectTagging:Put"]

    run(s3, "Update", old, BucketName="others")
    assert set(told(s3)) == {f"{TARGET}-theirs"}
    assert set(told(s3, "others")) == {TARGET}


def test_removal_leaves_others_alone_and_does_not_fail_when_the_bucket_is_gone(s3: Any) -> None:
    run(s3, "Create")

    assert run(s3, "Delete")["Status"] == "SUCCESS"
    assert set(told(s3)) == {f"{TARGET}-theirs"}
    assert run(s3, "Delete", BucketName="gone")["Status"] == "SUCCESS"


def test_a_bucket_that_is_not_there_fails_the_deployment_with_its_reason(s3: Any) -> None:
    answer = run(s3, "Create", BucketName="gone")

    assert answer["Status"] == "FAILED"
    assert "NoSuchBucket" in answer["Reason"]


def test_a_permission_that_is_not_known_yet_is_waited_for() -> None:
    class Slow:
        tries = 0

        def get_bucket_notification_configuration(self, **_: Any) -> dict[str, Any]:
            return {}

        def put_bucket_notification_configuration(self, **_: Any) -> None:
            self.tries += 1
            if self.tries < 3:
                raise ValueError("Unable to validate the following destination configurations")

    slow = Slow()
    assert run(slow, "Create")["Status"] == "SUCCESS"
    assert slow.tries == 3
