"""The variables that need AWS, against moto's SSM, Secrets Manager, S3 and CloudFormation."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from bareboat.aws.client import Aws
from bareboat.aws.resolvers import resolvers
from bareboat.service.sources import AwsResolver, RefusedError

STACK = {
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Topic", "TopicName"]}}, "Plain": {"Value": "abc"}},
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, AwsResolver]]:
    """Resolvers of an AWS in this process, in two regions, which nobody's settings reach."""
    moto = pytest.importorskip("moto")
    nowhere = tmp_path_factory.mktemp("aws")
    with pytest.MonkeyPatch.context() as patch, moto.mock_aws():
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_CONFIG_FILE", str(nowhere / "no-config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "no-credentials"))
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        aws = Aws("eu-west-1")
        for region in ("eu-west-1", "us-east-1"):
            put = aws.client("ssm", region).put_parameter
            put(Name="/plain", Value=f"of {region}", Type="String")
        put = aws.client("ssm").put_parameter
        put(Name="/list", Value="a,b", Type="StringList")
        put(Name="/secure", Value=json.dumps({"a": 1}), Type="SecureString")
        aws.call("secretsmanager", "create_secret", Name="db/main", SecretString='{"user": "u"}')
        aws.call(
            "s3", "create_bucket", Bucket="my-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        aws.call("s3", "put_object", Bucket="my-bucket", Key="a/b.txt", Body=b"text")
        aws.call("cloudformation", "create_stack", StackName="base-dev", TemplateBody=json.dumps(STACK))
        yield resolvers(aws)


@pytest.mark.parametrize(
    ("source", "address", "params", "expected"),
    [
        ("ssm", "/plain", (), "of eu-west-1"),
        ("ssm", "/plain", ("us-east-1",), "of us-east-1"),
        ("ssm", "/list", (), ["a", "b"]),
        ("ssm", "/secure", (), {"a": 1}),
        ("ssm", "/secure", ("raw",), '{"a": 1}'),
        ("ssm", "/aws/reference/secretsmanager/db/main", (), {"user": "u"}),
        ("ssm", "/none", (), None),
        ("s3", "my-bucket/a/b.txt", (), "text"),
        ("s3", "my-bucket/none", (), None),
        ("cf", "base-dev.Plain", (), "abc"),
        ("cf", "base-dev.None", (), None),
        ("cf", "none.Plain", (), None),
        ("cf", "base-dev.Plain", ("us-east-1",), None),
        ("aws", "accountId", (), "123456789012"),
    ],
)
def test_resolvers_give_what_aws_holds(
    asked: Mapping[str, AwsResolver], source: str, address: str, params: tuple[str, ...], expected: Any
) -> None:
    assert asked[source](address, params) == expected


def test_a_bucket_that_is_not_there_is_refused(asked: Mapping[str, AwsResolver]) -> None:
    with pytest.raises(RefusedError, match=r"s3:none/key cannot be asked for: s3:GetObject.*NoSuchBucket"):
        asked["s3"]("none/key", ())
