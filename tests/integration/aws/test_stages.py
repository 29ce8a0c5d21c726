"""The settings of a REST API's stage through a service's life, on the test cloud."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from bareboat.aws.client import Aws
from bareboat.cli.root import bareboat

if TYPE_CHECKING:
    from aws_cloud.cloud import AwsCloud

PLAIN = """
service: own
provider: {name: aws, runtime: python3.11}
functions:
  hello: {handler: handler.hello, events: [{http: GET /hello}]}
"""
SET = (
    PLAIN.replace("python3.11}", "python3.11, tags: {team: red}, tracing: {apiGateway: true}}")
    + """
custom:
  bareboat:
    throttle: {rate: 10, burst: 20, routes: {GET /hello: {rate: 1, burst: 2}}}
    stageVariables: {colour: blue, shape: round}
"""
)


@pytest.fixture
def home(aws_cloud: AwsCloud, tmp_path: Path) -> Path:
    (tmp_path / "handler.py").write_text("def hello(event, context):\n    return {'statusCode': 200}\n")
    return tmp_path


def run(home: Path, command: str, *words: str) -> Result:
    return CliRunner().invoke(bareboat, [command, "-c", str(home), "--yes", *words], prog_name="bareboat")


def deployed(home: Path, text: str) -> Result:
    (home / "serverless.yml").write_text(text)
    done = run(home, "deploy")
    assert done.exit_code == 0, done.output
    return done


def stage(aws: Aws) -> dict[str, Any]:
    [api] = aws.call("apigateway", "get_rest_apis")["items"]
    return dict(aws.call("apigateway", "get_stage", restApiId=api["id"], stageName="dev"))


def limit(found: dict[str, Any], method: str) -> tuple[float, int]:
    settings = found["methodSettings"][method]
    return settings["throttlingRateLimit"], settings["throttlingBurstLimit"]


def test_settings_are_set_changed_rolled_back_and_removed(home: Path, aws: Aws) -> None:
    deployed(home, SET)
    first = stage(aws)
    assert first["variables"] == {"colour": "blue", "shape": "round"}
    assert first["tracingEnabled"] is True
    assert first["tags"] == {"team": "red"}
    assert limit(first, "*/*") == (10, 20)
    assert limit(first, "~1hello/GET") == (1, 2)

    changed = SET.replace("rate: 10", "rate: 30").replace("colour: blue, shape: round", "colour: green")
    deployed(home, changed.replace("{http: GET /hello}", "{http: GET /hello}, {http: GET /more}"))
    second = stage(aws)
    assert second["variables"] == {"colour": "green"}
    assert limit(second, "*/*") == (30, 20)
    assert second["deploymentId"] != first["deploymentId"]

    back = run(home, "rollback")
    assert back.exit_code == 0, back.output
    assert stage(aws)["variables"] == first["variables"]
    assert limit(stage(aws), "*/*") == (10, 20)

    deployed(home, PLAIN)
    last = stage(aws)
    assert (last["variables"], last["methodSettings"], last["tracingEnabled"]) == ({}, {}, False)
    assert not last.get("tags")


def test_settings_alone_make_no_new_deployment_of_the_api_and_the_plan_shows_them(home: Path, aws: Aws) -> None:
    deployed(home, SET)
    before = stage(aws)

    done = deployed(home, SET.replace("rate: 10", "rate: 30").replace("blue", "b1ue-secret"))

    assert "ApiGatewayDeployment" in done.output
    assert "b1ue-secret" not in done.output
    assert stage(aws)["deploymentId"] == before["deploymentId"]
    assert limit(stage(aws), "*/*") == (30, 20)


def test_what_kept_the_settings_from_being_set_is_mended_by_the_next_deployment(
    home: Path, aws: Aws, aws_cloud: AwsCloud
) -> None:
    (home / "serverless.yml").write_text(SET)
    aws_cloud.fail("apigateway:UpdateStage", "refuse", code="BadRequestException")
    failed = run(home, "deploy")
    assert failed.exit_code != 0
    assert "variables" not in stage(aws) or not stage(aws)["variables"]

    shown = deployed(home, SET)

    assert "stage dev of the REST API" in shown.output
    assert stage(aws)["variables"] == {"colour": "blue", "shape": "round"}
    calls = aws_cloud.calls.count("apigateway:UpdateStage")
    deployed(home, SET)
    assert aws_cloud.calls.count("apigateway:UpdateStage") == calls


def test_a_stage_that_serverless_made_is_taken_over_with_its_settings(home: Path, aws: Aws) -> None:
    deployed(home, PLAIN)  # a deployment with StageName alone, as Serverless writes it
    [api] = aws.call("apigateway", "get_rest_apis")["items"]
    patch = [{"op": "replace", "path": "/tracingEnabled", "value": "true"}]
    aws.call("apigateway", "update_stage", restApiId=api["id"], stageName="dev", patchOperations=patch)

    deployed(home, SET)

    assert stage(aws)["tracingEnabled"] is True
    assert stage(aws)["tags"] == {"team": "red"}


def test_cloudformation_refuses_a_description_of_a_stage_that_is_there(home: Path, aws: Aws) -> None:
    deployed(home, PLAIN)
    own = "resources: {extensions: {'ApiGatewayDeployment${sls:instanceId}': "
    (home / "serverless.yml").write_text(PLAIN + own + "{Properties: {StageDescription: {TracingEnabled: true}}}}}\n")

    failed = run(home, "deploy")

    assert failed.exit_code != 0
    assert "StageDescription cannot be specified when stage" in failed.output


def test_parameters_of_the_stack_are_for_its_template_and_not_for_the_bucket_before_it(home: Path, aws: Aws) -> None:
    text = PLAIN.replace("python3.11}", "python3.11, stackParameters: [{ParameterKey: A, ParameterValue: b}]}")
    deployed(home, text + "resources: {Parameters: {A: {Type: String}}, Outputs: {Own: {Value: {Ref: A}}}}\n")

    [stack] = aws.call("cloudformation", "describe_stacks", StackName="own-dev")["Stacks"]
    assert {"ParameterKey": "A", "ParameterValue": "b"} in stack["Parameters"]
