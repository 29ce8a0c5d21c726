"""`bareboat deploy` against the test cloud: what a person sees, and what is at AWS afterwards."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from bareboat.aws import cargo
from bareboat.aws.client import Aws
from bareboat.aws.stack import find_stack, resources, stack_template
from bareboat.cli.root import bareboat

if TYPE_CHECKING:
    from aws_cloud.cloud import AwsCloud

STACK = "own-dev"
NAME = "own-dev-hello"
YML = """
service: own
provider: {name: aws, runtime: python3.11}
functions:
  hello:
    handler: handler.hello
    memorySize: 256
    events:
      - httpApi: GET /hello
"""
HANDLER = "def hello(event, context):\n    return {'answer': 1}\n"


class Project:
    """A service in a folder, and the command typed there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.write(YML)
        self.code(1)

    def write(self, text: str) -> None:
        (self.home / "serverless.yml").write_text(text)

    def change(self, old: str, new: str) -> None:
        text = (self.home / "serverless.yml").read_text()
        assert old in text
        self.write(text.replace(old, new))

    def code(self, answer: int) -> None:
        (self.home / "handler.py").write_text(HANDLER.replace("1", str(answer)))

    def deploy(self, *words: str) -> Result:
        return CliRunner().invoke(
            bareboat, ["deploy", "-c", str(self.home), *words], prog_name="bareboat", catch_exceptions=True
        )

    def deployed(self, *words: str) -> dict[str, Any]:
        """Deploy, which must succeed, and return the document."""
        done = self.deploy("--yes", "--json", *words)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


def waiting(aws: Aws) -> list[str]:
    """Return the change sets that could still be carried out."""
    listed = aws.call("cloudformation", "list_change_sets", StackName=STACK)["Summaries"]
    return [one["ChangeSetName"] for one in listed if one["ExecutionStatus"] == "AVAILABLE"]


@pytest.fixture
def project(aws_cloud: AwsCloud, tmp_path: Path) -> Project:
    home = tmp_path / "project"
    home.mkdir()
    return Project(home)


def test_a_first_deployment_shows_everything_makes_it_and_prints_the_address(project: Project, aws: Aws) -> None:
    done = project.deploy("--yes")

    assert done.exit_code == 0, done.output
    assert "account 123456789012, region us-east-1, stage dev" in done.stderr
    assert "own-dev (new): 11 added" in done.stderr
    assert "+ HelloLambdaFunction  AWS::Lambda::Function" in done.stderr
    assert "own-dev is deployed, version 1: 11 added" in done.stdout
    (address,) = re.findall(r"^  GET  (https://\S+/hello)  hello  open$", done.stdout, re.MULTILINE)
    assert f"next: curl {address}\n      bareboat smoke " in done.stderr
    stack = find_stack(aws, STACK)
    assert stack is not None
    assert (stack.status, dict(stack.tags)) == ("UPDATE_COMPLETE", {"STAGE": "dev"})


@pytest.mark.parametrize("words", [["--plan"], ["--yes"]])
def test_a_bucket_that_was_emptied_is_filled_again(project: Project, aws: Aws, words: list[str]) -> None:
    from bareboat.aws.emptying import empty

    project.deployed()
    (bucket,) = [one.physical_id for one in resources(aws, STACK) if one.type == "AWS::S3::Bucket"]
    empty(aws, bucket)
    listed = CliRunner().invoke(bareboat, ["list", "-c", str(project.home)])
    assert f"the records of {STACK} are gone" in listed.stderr

    done = project.deploy(*words)

    assert done.exit_code == 0, done.output
    assert f"{STACK}: nothing changes" in done.stdout
    assert f"s3://{bucket} lack" in done.stderr
    assert "1 archive and the record of what runs" in done.stderr
    keys = [one["Key"] for one in aws.pages("s3", "list_objects_v2", "Contents", Bucket=bucket)]
    assert bool(keys) == (words == ["--yes"])
    if keys:
        assert json.loads(project.deploy("--yes", "--json").stdout)["changed"] is False
        assert "lack" not in project.deploy("--yes").stderr
        versions = CliRunner().invoke(bareboat, ["list", "--json", "-c", str(project.home)])
        assert [one["state"] for one in json.loads(versions.stdout)["versions"]] == ["live"]


def test_nothing_changed_says_so_with_four_calls_and_changes_nothing(project: Project, aws_cloud: AwsCloud) -> None:
    project.deployed()
    aws_cloud.calls.clear()

    done = project.deploy("--yes")

    assert (done.exit_code, done.stdout) == (0, "own-dev: nothing changes; it runs what is here\n")
    assert sorted(aws_cloud.calls.operations) == [
        "cloudformation:DescribeStacks",
        "cloudformation:GetTemplate",
        "lambda:GetFunctionConfiguration",
        "s3:ListObjectsV2",
    ]


def test_a_change_is_told_from_what_to_what_and_unchanged_code_is_not_sent(
    project: Project, aws_cloud: AwsCloud
) -> None:
    project.deployed()
    project.change("memorySize: 256", "memorySize: 512")
    aws_cloud.calls.clear()

    done = project.deployed()

    (function,) = (one for one in done["changes"] if one["logical_id"] == "HelloLambdaFunction")
    assert function["change"] == "modify"
    assert {"path": "MemorySize", "recreates": "Never", "before": 256, "after": 512} in function["properties"]
    assert done["version"] == 2
    sent = [call.target for call in aws_cloud.calls if call.operation == "s3:PutObject"]
    assert sent
    assert not [target for target in sent if "/code/" in target]


def test_new_code_is_uploaded_once_and_runs(project: Project, aws: Aws, aws_cloud: AwsCloud) -> None:
    project.deployed()
    before = aws.call("lambda", "get_function_configuration", FunctionName=NAME)["CodeSha256"]
    project.code(2)
    aws_cloud.calls.clear()

    project.deployed()

    after = aws.call("lambda", "get_function_configuration", FunctionName=NAME)["CodeSha256"]
    assert after != before
    sent = [call.target for call in aws_cloud.calls if call.operation == "s3:PutObject"]
    assert len([target for target in sent if "/code/" in target]) == 1


def test_a_plan_changes_nothing_and_leaves_no_change_set(project: Project, aws: Aws) -> None:
    project.deployed()
    project.change("memorySize: 256", "memorySize: 512")
    before = stack_template(aws, STACK)

    done = project.deploy("--plan")

    assert done.exit_code == 0, done.output
    assert "MemorySize  256 -> 512" in done.stdout
    assert stack_template(aws, STACK) == before
    assert not waiting(aws)


def test_a_plan_of_what_is_not_there_makes_no_stack(project: Project, aws: Aws) -> None:
    done = project.deploy("--plan", "--json")

    assert json.loads(done.stdout)["first"] is True
    assert find_stack(aws, STACK) is None


def test_without_a_terminal_and_without_yes_it_stops(project: Project, aws: Aws) -> None:
    done = project.deploy()

    assert done.exit_code == 2
    assert "nobody is there to ask" in done.stderr
    assert find_stack(aws, STACK) is None


TABLE = """
resources:
  Resources:
    Rows:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: own-rows
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
"""


def test_what_is_lost_is_asked_for_by_name_with_yes_too(project: Project, aws: Aws) -> None:
    project.write(YML + TABLE)
    project.deployed()
    project.write(YML)

    refused = project.deploy("--yes")

    assert refused.exit_code == 2
    assert "- Rows  AWS::DynamoDB::Table  removed; lost: the rows in it" in refused.stderr
    assert "--allow-loss Rows" in refused.stderr
    assert not waiting(aws)
    assert "Rows" in {one.logical_id for one in resources(aws, STACK)}

    mistyped = project.deploy("--yes", "--allow-loss", "Row")

    assert mistyped.exit_code == 2
    assert "--allow-loss Row: own-dev has no such resource" in mistyped.stderr
    assert "--allow-loss Rows" in mistyped.stderr

    done = project.deploy("--yes", "--allow-loss", "Rows")

    assert "Rows was removed; lost: the rows in it" in done.stdout
    assert "Rows" not in {one.logical_id for one in resources(aws, STACK)}


def test_what_cannot_be_replaced_under_its_name_is_told(project: Project) -> None:
    project.write(YML + TABLE)
    project.deployed()
    project.write(YML + TABLE.replace("AttributeName: id,", "AttributeName: key,"))

    done = project.deploy("--plan")

    assert "CloudFormation cannot replace it under the same TableName" in done.stdout


def test_a_function_s_own_logs_go_with_it(project: Project, aws: Aws) -> None:
    project.deployed()
    project.change("  hello:\n", "  other:\n")

    done = project.deploy("--yes")

    assert done.exit_code == 0, done.output
    assert "- HelloLogGroup  AWS::Logs::LogGroup  removed; its logs are lost" in done.stderr
    assert "HelloLogGroup" not in {one.logical_id for one in resources(aws, STACK)}


def test_new_code_is_one_change_and_one_new_version(project: Project) -> None:
    project.deployed()
    project.code(2)

    done = project.deploy("--plan")

    assert "own-dev: 1 changed, 1 new version\n" in done.stdout
    assert re.search(r"^\+ HelloLambdaVersion\w{6}…: a new version; the old one is kept$", done.stdout, re.MULTILINE)
    assert "follows from" not in done.stdout
    assert done.stdout.endswith("2 more resources name a part of what changes, and stay as they are\n")


def test_the_first_sample_is_a_curl_command_that_works(project: Project, aws_cloud: AwsCloud) -> None:
    import shlex

    project.change("GET /hello", "POST /hello")
    project.change("    memorySize", "    samples: [{body: '{\"a\": \"it''s\"}'}]\n    memorySize")
    project.write((project.home / "serverless.yml").read_text())

    done = project.deployed()

    words = shlex.split(done["next"][0])
    assert words[:5] == ["curl", "-H", "content-type: application/json", "-d", '{"a": "it\'s"}']
    assert done["routes"] == [{"method": "POST", "url": words[5], "function": "hello", "access": "open"}]


def test_a_flag_that_a_deployment_needs_stands_in_the_next_command(project: Project) -> None:
    project.change("python3.11", "python3.8")

    done = project.deploy("--plan", "--runtime", "python3.12")

    assert done.exit_code == 0, done.output
    assert "next: bareboat deploy -c" in done.stderr
    assert "--runtime python3.12" in done.stderr
    assert "retired" not in done.stderr


def test_the_first_cause_of_a_failure_is_told_and_the_next_deployment_goes_on(project: Project, aws: Aws) -> None:
    aws.call("logs", "create_log_group", logGroupName=f"/aws/lambda/{NAME}")

    failed = project.deploy("--yes")

    assert failed.exit_code == 3
    told = failed.stderr.partition("error: ")[2]
    assert "own-dev: HelloLogGroup (AWS::Logs::LogGroup)" in told
    assert "already exists" in told
    assert f"aws logs delete-log-group --log-group-name /aws/lambda/{NAME}" in told
    stack = find_stack(aws, STACK)
    assert stack is not None
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "what was made is deleted again, and the stack has its bucket alone" in told
    for command in ("list", "info"):
        after = CliRunner().invoke(bareboat, [command, "-c", str(project.home)], prog_name="bareboat")
        assert "own-dev has its bucket alone" in after.stderr
        assert "next: bareboat deploy" in after.stderr
        assert "somebody else" not in after.stderr
    back = CliRunner().invoke(bareboat, ["rollback", "-c", str(project.home)], prog_name="bareboat")
    assert "nothing of it has ever run" in back.stderr

    aws.call("logs", "delete_log_group", logGroupName=f"/aws/lambda/{NAME}")
    assert project.deployed()["version"] == 2


def test_a_stack_whose_creation_failed_is_cleared_away(project: Project, aws: Aws) -> None:
    from bareboat.aws.changes import Settings, create_change_set, execute
    from bareboat.aws.stack import settle

    taken = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/taken"}}
    aws.call("logs", "create_log_group", logGroupName="/taken")
    template = json.dumps({"Resources": {"Taken": taken}})
    change_set = create_change_set(aws, STACK, template, kind="CREATE", settings=Settings())
    execute(aws, change_set)
    assert settle(aws, change_set.stack_id, since=change_set.created).status == "ROLLBACK_COMPLETE"

    done = project.deploy("--yes")

    assert done.exit_code == 0, done.output
    assert "Deleting what is left of own-dev" in done.stderr


def test_a_change_set_that_was_never_carried_out_is_no_hindrance(project: Project, aws: Aws) -> None:
    from bareboat.aws.changes import Settings, create_change_set
    from bareboat.aws.template.build import bucket_template
    from bareboat.service import load_service

    template = json.dumps(bucket_template(load_service(project.home, env={})))
    create_change_set(aws, STACK, template, kind="CREATE", settings=Settings())
    stack = find_stack(aws, STACK)
    assert stack is not None
    assert stack.is_empty

    assert project.deployed()["first"] is True


def test_the_second_of_two_waits_or_refuses(project: Project, aws: Aws, aws_cloud: AwsCloud) -> None:
    from bareboat.aws.changes import Settings, create_change_set, execute

    project.deployed()
    template = stack_template(aws, STACK)
    assert template is not None
    template["Resources"]["More"] = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/more"}}
    change_set = create_change_set(aws, STACK, json.dumps(template), kind="UPDATE", settings=Settings())
    aws_cloud.world.pace_s = 1.0
    execute(aws, change_set)

    refused = project.deploy("--yes", "--no-wait")
    aws_cloud.world.pace_s = 0.0
    waited = project.deploy("--yes", "--allow-loss", "More")

    assert refused.exit_code == 3
    assert "somebody else is at work on own-dev" in refused.stderr
    assert waited.exit_code == 0, waited.output
    assert "Waiting for what somebody else does to own-dev" in waited.stderr
    assert "- More  AWS::Logs::LogGroup" in waited.stderr


def test_a_plan_that_somebody_overtakes_is_worked_out_again(project: Project, aws: Aws, aws_cloud: AwsCloud) -> None:
    from bareboat.aws.changes import Settings, create_change_set, execute
    from bareboat.aws.deploy import apply
    from bareboat.aws.live import look
    from bareboat.aws.plan import make_plan
    from bareboat.aws.stack import settle
    from bareboat.service import load_service

    project.deployed()
    service = load_service(project.home, env={})
    template = stack_template(aws, STACK)
    assert template is not None
    wanted = json.loads(json.dumps(template))
    wanted["Resources"]["HelloLambdaFunction"]["Properties"]["Description"] = "wanted"
    plan = make_plan(aws, service, wanted, look(aws, service))
    template["Resources"]["HelloLambdaFunction"]["Properties"]["Description"] = "overtaken"
    settings = Settings(tags={"STAGE": "dev"})
    other = create_change_set(aws, STACK, json.dumps(template), kind="UPDATE", settings=settings)
    execute(aws, other)
    settle(aws, other.stack_id, since=other.created)

    apply(aws, plan)

    assert aws.call("lambda", "get_function_configuration", FunctionName=NAME)["Description"] == "wanted"


def test_what_somebody_deploys_while_this_one_is_built_is_seen(
    project: Project, aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = project.deployed()
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Project(tmp_path / "elsewhere")
    elsewhere.code(2)
    load = cargo.load

    def slowly(*arguments: Any, **more: Any) -> Any:
        monkeypatch.setattr(cargo, "load", load)
        elsewhere.deployed()
        return load(*arguments, **more)

    monkeypatch.setattr(cargo, "load", slowly)
    monkeypatch.setattr("bareboat.cli.deployment.FRESH_S", 0.0)
    done = project.deployed()

    assert first["changed"]
    assert done["changed"]
    assert done["version"] == 3


def test_code_alone_is_swapped_and_the_next_deployment_puts_it_back(
    project: Project, aws: Aws, aws_cloud: AwsCloud
) -> None:
    def runs() -> str:
        return str(aws.call("lambda", "get_function_configuration", FunctionName=NAME)["CodeSha256"])

    project.deployed()
    first = runs()
    project.code(2)
    aws_cloud.calls.clear()

    swapped = project.deploy("-f", "hello")

    assert (swapped.exit_code, swapped.stdout) == (0, f"{NAME} runs the new code\n")
    assert "cloudformation:CreateChangeSet" not in aws_cloud.calls.operations
    assert runs() != first
    assert project.deploy("-f", "hello").stdout == f"{NAME} runs this code already\n"

    project.code(1)
    done = project.deployed()

    assert runs() == first
    assert done["swapped"] == [NAME]
    assert done["version"] is None


def test_code_of_what_is_not_deployed_cannot_be_swapped(project: Project) -> None:
    done = project.deploy("-f", "hello")

    assert done.exit_code == 3
    assert "own-dev is not deployed in us-east-1" in done.stderr
    assert "bareboat deploy without -f" in done.stderr


def test_an_account_that_is_not_listed_is_refused(project: Project, aws: Aws) -> None:
    project.write(YML + "custom: {bareboat: {accounts: {prod: '210987654321', default: ['111111111111']}}}\n")

    done = project.deploy("--yes")

    assert done.exit_code == 2
    assert "the credentials are of account 123456789012" in done.stderr
    assert "111111111111 for stage dev (custom.bareboat.accounts)" in done.stderr
    assert find_stack(aws, STACK) is None


def test_a_retired_runtime_is_refused_and_overridden(project: Project, aws: Aws) -> None:
    project.change("python3.11", "python3.8")

    refused = project.deploy("--yes")

    assert refused.exit_code == 2
    assert "AWS has retired the runtime of hello (python3.8)" in refused.stderr
    assert "--runtime python3.13 without an edit" in refused.stderr
    project.deployed("--runtime", "python3.11")
    assert aws.call("lambda", "get_function_configuration", FunctionName=NAME)["Runtime"] == "python3.11"


def test_settings_of_the_stack_are_set(project: Project, aws: Aws) -> None:
    project.change(
        "runtime: python3.11",
        "runtime: python3.11, stackTags: {team: ml}, deletionProtection: true, "
        "stackPolicy: [{Effect: Allow, Principal: '*', Action: 'Update:*', Resource: '*'}]",
    )

    project.deployed()

    stack = find_stack(aws, STACK)
    assert stack is not None
    assert dict(stack.tags) == {"STAGE": "dev", "team": "ml"}
    assert stack.protected
    assert not project.deployed()["changed"]


def test_a_bucket_that_somebody_deleted_is_made_again(project: Project, aws: Aws) -> None:
    project.deployed()
    bucket = next(one.physical_id for one in resources(aws, STACK) if one.type == "AWS::S3::Bucket")
    for one in aws.pages("s3", "list_object_versions", "Versions", Bucket=bucket):
        aws.call("s3", "delete_object", Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
    aws.call("s3", "delete_bucket", Bucket=bucket)
    project.code(2)

    done = project.deploy("--yes")

    assert done.exit_code == 0, done.output
    assert f"the bucket {bucket} was deleted: it is made again" in done.stderr


def test_an_interruption_says_what_goes_on_and_the_next_deployment_converges(
    project: Project, aws: Aws, aws_cloud: AwsCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.deployed()
    project.change("memorySize: 256", "memorySize: 512")

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("bareboat.aws.deploy.settle", interrupt)
        done = project.deploy("--yes")

    assert done.exit_code == 130
    assert "interrupted: CloudFormation goes on with own-dev by itself" in done.stderr
    assert "next: bareboat deploy" in done.stderr
    assert project.deploy("--yes").exit_code == 0
    assert aws.call("lambda", "get_function_configuration", FunctionName=NAME)["MemorySize"] == 512


def test_two_first_deployments_at_once_end_with_one_stack(project: Project, aws: Aws) -> None:
    command = [sys.executable, "-m", "bareboat", "deploy", "--yes", "-c", str(project.home)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]

    told = [one.communicate(timeout=60)[0] for one in both]

    assert 0 in {one.returncode for one in both}, told
    assert {one.returncode for one in both} <= {0, 3}, told
    again = project.deployed()
    stack = find_stack(aws, STACK)
    assert stack is not None
    assert (stack.status, again["changed"]) == ("UPDATE_COMPLETE", False)
