"""Requests that a cold start signs for S3, against botocore's own signer and endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from bareboat.runtime.signed import signature, signed_address

ENV = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalr/K7MDENG+bPxRfiCYEXAMPLEKEY"}
NOW = "20261122T081500Z"


def client(region: str, endpoint: str | None = None) -> Any:
    from botocore.config import Config
    from botocore.session import get_session

    return get_session().create_client(
        "s3",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(
            s3={"us_east_1_regional_endpoint": "regional", **({"addressing_style": "path"} if endpoint else {})}
        ),
    )


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"])
@pytest.mark.parametrize("bucket", ["our-models", "our.models"])
@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:9000"])
def test_the_address_is_the_one_that_botocore_asks(region: str, bucket: str, endpoint: str | None) -> None:
    key, version = "iris/größe a+b~(1)&x=%2F.forest", "3HL4kq+tJ/=l.cp_X-"
    asked: list[str] = []

    def instead(request: Any, **_: Any) -> None:
        asked.append(request.url)
        raise InterruptedError

    asking = client(region, endpoint)
    asking.meta.events.register("before-send.s3.GetObject", instead)
    with pytest.raises(InterruptedError):
        asking.get_object(Bucket=bucket, Key=key, VersionId=version)
    env = {**ENV, "AWS_REGION": region, **({"AWS_ENDPOINT_URL_S3": endpoint} if endpoint else {})}

    found = signed_address(f"s3://{bucket}/{key}", version, env)

    assert found is not None
    assert [found.source] == asked


@pytest.mark.parametrize("token", ["", "FwoGZXIvYXdzEBY//+session=="])
@pytest.mark.parametrize("key", ["m.forest", "a b/größe+~(1).bin"])
@pytest.mark.parametrize("version", ["", "3HL4kq+tJ/=l.cp_X-"])
def test_the_signature_is_botocores(token: str, key: str, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import datetime

    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    env = {**ENV, "AWS_REGION": "eu-central-1", "AWS_SESSION_TOKEN": token}
    found = signed_address(f"s3://our-models/{key}", version, env)
    assert found is not None
    then = datetime.datetime(2026, 11, 22, 8, 15, tzinfo=datetime.UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda **_: then, raising=False)
    request = AWSRequest("GET", found.source, headers={})
    request.context["payload_signing_enabled"] = True
    secret = ENV["AWS_SECRET_ACCESS_KEY"]
    signer = botocore.auth.S3SigV4Auth(Credentials("AKIDEXAMPLE", secret, token or None), "s3", "eu-central-1")
    signer.add_auth(request)

    ours = signature(found.source, ("AKIDEXAMPLE", secret, token), "eu-central-1", NOW)

    theirs = {name.lower(): value for name, value in request.headers.items()}
    assert theirs["x-amz-date"] == NOW
    assert {name.lower(): value for name, value in ours.items()} == theirs


@pytest.mark.parametrize(
    "env",
    [
        {"AWS_ACCESS_KEY_ID": ""},
        {"AWS_REGION": ""},
        {"AWS_REGION": "us-iso-east-1"},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
    ],
)
def test_what_only_boto3_knows_is_left_to_it(env: dict[str, str]) -> None:
    assert signed_address("s3://b/k", "", {**ENV, "AWS_REGION": "us-east-1", **env}) is None
