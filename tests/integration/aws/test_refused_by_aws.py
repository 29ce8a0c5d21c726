"""Deployments that CloudFormation, Lambda or Budgets refuse unless they are made the right way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from bareboat.aws.client import Aws
from bareboat.cli.root import bareboat

if TYPE_CHECKING:
    from aws_cloud.cloud import AwsCloud

NAME = "own-dev-hello"
YML = """
service: own
provider:
  name: aws
  runtime: python3.11
functions:
  hello:
    handler: handler.hello
    memorySize: 256
"""


class Project:
    """A service in a folder, and commands typed there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.write(YML)
        self.code(1)

    def write(self, text: str) -> None:
        (self.home / "serverless.yml").write_text(text)

    def code(self, answer: int) -> None:
        (self.home / "handler.py").write_text(f"def hello(event, context):\n    return {{'answer': {answer}}}\n")

    def run(self, command: str, *words: str) -> Result:
        return CliRunner().invoke(bareboat, [command, "-c", str(self.home), *words], prog_name="bareboat")

    def done(self, command: str, *words: str) -> Result:
        found = self.run(command, *words)
        assert found.exit_code == 0, found.output
        return found


@pytest.fixture
def project(aws_cloud: AwsCloud, tmp_path: Path) -> Project:
    del aws_cloud
    home = tmp_path / "project"
    home.mkdir()
    return Project(home)


def configuration(aws: Aws, **more: Any) -> tuple[int, str]:
    said = aws.call("lambda", "get_function_configuration", FunctionName=NAME, **more)
    return said["MemorySize"], said["CodeSha256"]


def test_code_is_put_back_before_a_version_of_other_settings_is_published(project: Project, aws: Aws) -> None:
    project.done("deploy", "--yes")
    _, first = configuration(aws)
    project.code(2)
    project.done("deploy", "-f", "hello")
    project.code(1)
    project.write(YML.replace("256", "512"))

    project.done("deploy", "--yes")

    assert configuration(aws) == (512, first)
    assert configuration(aws, Qualifier="2") == (512, first)
    project.code(3)
    project.done("deploy", "-f", "hello")
    project.done("rollback", "--to", "1", "--yes")
    assert configuration(aws) == (256, first)


def test_what_a_failed_deployment_made_is_not_in_the_way_of_the_next(project: Project, aws: Aws) -> None:
    table = """resources:
  Resources:
    Kept: {Type: 'AWS::S3::Bucket', DeletionPolicy: Retain, Properties: {BucketName: own-fixed-name}}
    Bad: {Type: 'AWS::SQS::Queue', DependsOn: [Kept, HelloLambdaFunction], Properties: {QueueName: 'BAD'}}
"""
    project.write(YML + table.replace("BAD", "bad name!"))
    failed = project.run("deploy", "--yes")
    assert failed.exit_code == 3
    assert "own-fixed-name" not in [one["Name"] for one in aws.call("s3", "list_buckets")["Buckets"]]

    project.write(YML + table.replace("BAD", "good"))
    project.done("deploy", "--yes")

    assert [one["Version"] for one in aws.call("lambda", "list_versions_by_function", FunctionName=NAME)["Versions"]]


def test_who_a_budget_tells_can_change(project: Project, aws: Aws) -> None:
    alarms = "custom: {bareboat: {alarms: {email: [a@example.com], spend: 20}}}\n"
    project.write(YML + alarms)
    project.done("deploy", "--yes")

    project.write(YML + alarms.replace("a@", "b@"))
    project.done("deploy", "--yes")

    (budget,) = aws.call("budgets", "describe_budgets", AccountId="123456789012")["Budgets"]
    assert budget["BudgetName"].startswith("own-dev-us-east-1-spend-")


@pytest.mark.parametrize(
    ("function", "changed", "why"),
    [
        pytest.param("provisionedConcurrency: 1", "memorySize: 512", "provisioned concurrency", id="provisioned"),
        pytest.param("timeout: 6", "role: 'arn:aws:iam::123456789012:role/other'", "role is another", id="role"),
    ],
)
def test_what_cannot_be_tried_is_deployed_at_once(
    project: Project, aws: Aws, function: str, changed: str, why: str
) -> None:
    text = YML + f"    {function}\ncustom: {{bareboat: {{canary: 10%/1s}}}}\n"
    project.write(text)
    project.done("deploy", "--yes")
    project.write(text.replace("memorySize: 256", changed) if "mem" in changed else text.replace(function, changed))

    done = project.done("deploy", "--yes")

    assert "hello is deployed at once: " in done.stderr
    assert why in done.stderr
    (alias,) = aws.call("lambda", "list_aliases", FunctionName=NAME)["Aliases"]
    assert alias["FunctionVersion"] == "2"
    assert not (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights")


def test_options_of_a_url_is_answered_by_lambda_itself(project: Project, aws: Aws) -> None:
    project.write(YML + "    url: {cors: {allowedMethods: [GET, OPTIONS]}}\n")

    project.done("deploy", "--yes")

    assert aws.call("lambda", "get_function_url_config", FunctionName=NAME)["Cors"]["AllowMethods"] == ["GET"]
    notes = json.loads(project.done("check", "--json").stdout)["notes"]
    assert any("OPTIONS is left out" in one["text"] for one in notes)


REST = (
    YML.replace("runtime: python3.11", "runtime: python3.11\n  tags: {team: a}\n  tracing: {apiGateway: true}")
    + "    events:\n      - http: GET /hello\n"
)


def stage_of(aws: Aws) -> dict[str, Any]:
    (api,) = aws.call("apigateway", "get_rest_apis")["items"]
    return dict(aws.call("apigateway", "get_stage", restApiId=api["id"], stageName="dev"))


def test_the_stage_has_the_new_settings_and_after_a_rollback_the_old(project: Project, aws: Aws) -> None:
    project.write(REST)
    project.done("deploy", "--yes")
    assert stage_of(aws)["tags"]["team"] == "a"

    project.write(REST.replace("team: a", "team: b") + "      - http: GET /two\n")
    project.done("deploy", "--yes")

    assert stage_of(aws)["tags"]["team"] == "b"
    assert "nothing changes" in project.done("deploy", "--yes").output
    project.done("rollback", "--yes")
    assert stage_of(aws)["tags"]["team"] == "a"
    assert stage_of(aws)["tracingEnabled"] is True


def test_what_a_crash_left_unset_of_a_stage_is_set_by_the_next(project: Project, aws: Aws) -> None:
    text = REST.replace("  tracing: {apiGateway: true}\n", "")
    project.write(text)
    project.done("deploy", "--yes")
    project.write(REST.replace("team: a", "team: c"))
    project.done("deploy", "--yes")
    (api,) = aws.call("apigateway", "get_rest_apis")["items"]
    patch = {"op": "replace", "path": "/tracingEnabled", "value": "false"}
    aws.call("apigateway", "update_stage", restApiId=api["id"], stageName="dev", patchOperations=[patch])

    done = project.done("deploy", "--yes")

    assert "stage dev of the REST API: tracingEnabled" in done.output
    assert stage_of(aws)["tracingEnabled"] is True
