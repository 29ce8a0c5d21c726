"""What is deployed to the test cloud answers: by Invoke, at its address, in its log."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from bareboat.aws.client import Aws, AwsError

if TYPE_CHECKING:
    from aws_cloud.cloud import AwsCloud

NAME = "own-dev-hello"
YML = """
service: own
provider: {name: aws, runtime: python3.11, architecture: x86_64, environment: {GREETING: hi}}
functions:
  hello:
    handler: handler.hello
    events:
      - httpApi: GET /hello
"""


@pytest.fixture
def deployed(aws: Aws, aws_cloud: AwsCloud, tmp_path: Path) -> dict[str, str]:
    """A service, built for this machine and deployed; its outputs."""
    from aws_cloud.by_hand import applied, created, settled

    from bareboat.artifact import build_here, targets_here
    from bareboat.aws.parcels import make_shipment
    from bareboat.aws.template.build import bucket_template, make_template
    from bareboat.service import load_service

    home = tmp_path / "project"
    home.mkdir()
    (home / "serverless.yml").write_text(YML)
    (home / "handler.py").write_text(
        "import os\ndef hello(event, context):\n    print('called')\n"
        "    return {'greeting': os.environ['GREETING'], 'version': context.function_version}\n"
    )
    service = load_service(home / "serverless.yml", env={})
    aws_cloud.serve(service)
    artifacts = build_here(service, targets_here(service)[0])
    created(aws, "own-dev", bucket_template(service))
    outputs = {one["OutputKey"]: one["OutputValue"] for one in settled(aws, "own-dev")["Outputs"]}
    shipment = make_shipment(service, list(artifacts.values()))
    aws.call(
        "s3",
        "put_object",
        Bucket=outputs["ServerlessDeploymentBucketName"],
        Key=shipment.functions["hello"].code.key,
        Body=artifacts["hello"].path.read_bytes(),
    )
    stack = applied(aws, "own-dev", make_template(service, shipment))
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def get(cloud: AwsCloud, url: str) -> tuple[int, bytes, str]:
    """Ask an address through the cloud's endpoint."""
    parts, place = urlsplit(url), urlsplit(cloud.endpoint)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
    try:
        connection.request("GET", parts.path, headers={"Host": parts.netloc})
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("x-answered-by", "")
    finally:
        connection.close()


def test_a_deployed_function_answers_and_logs(aws: Aws, aws_cloud: AwsCloud, deployed: dict[str, str]) -> None:
    said, payload = aws.whole("lambda", "invoke", "Payload", FunctionName=NAME, LogType="Tail", Payload=b"{}")

    assert json.loads(payload)["greeting"] == "hi"
    assert said["ExecutedVersion"] == "$LATEST"
    assert get(aws_cloud, deployed["HttpApiUrl"] + "/hello")[::2] == (200, "local cloud")
    assert get(aws_cloud, deployed["HttpApiUrl"] + "/other")[0] == 404
    aws_cloud.settle()
    events = aws.call("logs", "filter_log_events", logGroupName="/aws/lambda/own-dev-hello")["events"]
    assert [one["message"] for one in events].count("called") == 2
    with pytest.raises(AwsError, match="Function not found"):
        aws.call("lambda", "invoke", FunctionName=NAME, Qualifier="7")


def test_what_is_deleted_answers_no_more(aws: Aws, aws_cloud: AwsCloud, deployed: dict[str, str]) -> None:
    aws.call("lambda", "remove_permission", FunctionName=NAME, StatementId=_statement(aws))

    assert get(aws_cloud, deployed["HttpApiUrl"] + "/hello")[:2] == (500, b'{"message":"Internal Server Error"}')


def _statement(aws: Aws) -> str:
    policy = json.loads(aws.call("lambda", "get_policy", FunctionName=NAME)["Policy"])
    return policy["Statement"][0]["Sid"]


def test_code_is_swapped_only_at_the_revision_that_is_known(
    aws: Aws, aws_cloud: AwsCloud, deployed: dict[str, str]
) -> None:
    from aws_cloud.by_hand import archive

    revision = aws.call("lambda", "get_function_configuration", FunctionName=NAME)["RevisionId"]

    said = aws.call("lambda", "update_function_code", FunctionName=NAME, ZipFile=archive(""), RevisionId=revision)

    assert said["LastUpdateStatus"] == "InProgress"
    with pytest.raises(AwsError, match=r"in progress|does not match"):
        aws.call("lambda", "update_function_code", FunctionName=NAME, ZipFile=archive(""), RevisionId=revision)
