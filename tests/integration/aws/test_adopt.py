"""A stack that osls or Serverless 3 deployed is taken over: adopt, deploy, and the same resources run on."""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bareboat.aws.adoption import BY_NATURE, adoption_of_stack
from bareboat.aws.client import Aws
from bareboat.aws.deploy import apply
from bareboat.aws.handover import record_live
from bareboat.aws.live import Live, look
from bareboat.aws.parcels import code_key
from bareboat.aws.plan import make_plan
from bareboat.aws.preview import preview_shipment
from bareboat.aws.shipment import Shipment, ZipCode
from bareboat.aws.stack import resources, settle
from bareboat.aws.template.build import make_template
from bareboat.aws.versions import code_keys, read_versions, version_template
from bareboat.errors import RemoteError
from bareboat.service import load_service
from bareboat.service.model import Service

CASES = Path(__file__).parents[2] / "contract" / "aws" / "osls"


def archive(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(zipfile.ZipInfo("handler.py"), text)
    return buffer.getvalue()


THEIRS = archive("def handle(event, context): return 'theirs'\npredict = handle\n")
OURS = archive("def handle(event, context): return 'ours'\npredict = handle\n")


def service_of(case: str, folder: Path) -> Service:
    shutil.copytree(CASES / case, folder, dirs_exist_ok=True)
    if not (folder / "handler.py").exists():
        (folder / "handler.py").write_text("def handle(event, context): ...\ndef predict(event, context): ...\n")
    return load_service(folder, env={})


def change(aws: Aws, stack: str, template: Mapping[str, Any], kind: str) -> None:
    """Make or change a stack as Serverless does: a change set, carried out."""
    names = {"StackName": stack, "ChangeSetName": f"c-{kind.lower()}"}
    capabilities = ["CAPABILITY_NAMED_IAM"]
    body = json.dumps(template)
    aws.call(
        "cloudformation", "create_change_set", **names, ChangeSetType=kind, TemplateBody=body, Capabilities=capabilities
    )
    made = aws.client("cloudformation").get_waiter("change_set_create_complete")
    made.wait(**names, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
    aws.call("cloudformation", "execute_change_set", **names)
    settled = settle(aws, stack)
    assert settled.status.endswith("COMPLETE"), settled.cause
    assert "ROLLBACK" not in settled.status, settled.cause


def deploy_as_serverless(aws: Aws, case: str, stack: str, file: str) -> dict[str, Any]:
    """Deploy a recorded template in two steps, and return it as it was sent."""
    template = json.loads((CASES / case / file).read_text())
    digest = base64.b64encode(hashlib.sha256(THEIRS).digest()).decode()
    for body in template["Resources"].values():
        if body["Type"] == "AWS::Lambda::Version":
            body["Properties"]["CodeSha256"] = digest
    change(aws, stack, json.loads((CASES / case / "bucket.json").read_text()), "CREATE")
    bucket = physical(aws, stack)["ServerlessDeploymentBucket"]
    keys = code_keys(template)
    for key in keys:
        aws.call("s3", "put_object", Bucket=bucket, Key=key, Body=THEIRS)
    written = f"{min(keys).rpartition('/')[0]}/compiled-cloudformation-template.json"
    aws.call("s3", "put_object", Bucket=bucket, Key=written, Body=json.dumps(template))
    change(aws, stack, template, "UPDATE")
    return template


def deploy_as_bareboat(aws: Aws, service: Service) -> None:
    """Deploy with code that has been built."""
    digest = hashlib.sha256(OURS).hexdigest()
    unbuilt = preview_shipment(service)
    live = look(aws, service)
    assert live.bucket is not None
    code = ZipCode(code_key(live.bucket.folder, digest), digest)
    shipment = Shipment(
        {name: replace(one, code=code) for name, one in unbuilt.functions.items()},
        dict.fromkeys(unbuilt.layers, code),
        unbuilt.bucket,
    )

    def send(bucket: Any) -> None:
        aws.call("s3", "put_object", Bucket=bucket.name, Key=code.key, Body=OURS)

    plan = make_plan(aws, service, make_template(service, shipment), live)
    apply(aws, plan, send=send, shipment=shipment)


def physical(aws: Aws, stack: str) -> dict[str, str]:
    return {one.logical_id: one.physical_id for one in resources(aws, stack)}


@pytest.mark.parametrize(
    ("case", "file"),
    [
        ("seed", "template.json"),
        ("rest", "template.json"),
        ("several", "serverless-3.json"),
        ("url", "template.json"),
    ],
)
def test_the_first_deployment_keeps_every_resource(aws: Aws, tmp_path: Path, case: str, file: str) -> None:
    service = service_of(case, tmp_path)
    name = service.provider.stack_name
    deploy_as_serverless(aws, case, name, file)
    before = physical(aws, name)

    adoption, _ = adoption_of_stack(aws, service)
    deploy_as_bareboat(aws, service)

    assert adoption.is_safe
    assert adoption.asked
    assert not [one for one in adoption.of("replace", "maybe-replace") if one.type not in BY_NATURE]
    after = physical(aws, name)
    moved = {name for name in before if after.get(name) != before[name]}
    assert all("LambdaVersion" in name or "ApiGatewayDeployment" in name for name in moved)
    assert {one.logical_id: one.physical_id for one in adoption.kept}.items() <= after.items()
    again, _ = adoption_of_stack(aws, service)
    assert again.origin == "bareboat"


def test_the_plan_leaves_nothing_behind(aws: Aws, aws_cloud: Any, tmp_path: Path) -> None:
    service = service_of("seed", tmp_path)
    template = deploy_as_serverless(aws, "seed", service.provider.stack_name, "template.json")

    adoption_of_stack(aws, service)

    listed = aws.call("cloudformation", "list_change_sets", StackName=service.provider.stack_name)["Summaries"]
    assert not [one for one in listed if one["ChangeSetName"].startswith("bareboat-")]
    live = look(aws, service)
    assert live.template == template


def test_what_serverless_ran_is_recorded_once_as_a_version_to_go_back_to(aws: Aws, tmp_path: Path) -> None:
    service = service_of("seed", tmp_path)
    template = deploy_as_serverless(aws, "seed", service.provider.stack_name, "template.json")
    live = look(aws, service)
    assert live.bucket is not None

    first, is_new = record_live(aws, service, live.bucket, template)
    second, is_new_again = record_live(aws, service, live.bucket, template)

    assert (first.number, first.action, first.state, is_new) == (1, "adopt", "done", True)
    assert (second, is_new_again) == (first, False)
    assert first.functions["predict"].sha256 == hashlib.sha256(THEIRS).hexdigest()
    versions = read_versions(aws, live.bucket, template)
    assert versions.live is not None
    assert versions.live.name == "1"
    assert version_template(aws, live.bucket, versions.live) == template


def test_after_the_first_deployment_one_can_go_back_to_serverless(aws: Aws, tmp_path: Path) -> None:
    service = service_of("seed", tmp_path)
    name = service.provider.stack_name
    template = deploy_as_serverless(aws, "seed", name, "template.json")
    live = look(aws, service)
    assert live.bucket is not None
    record, _ = record_live(aws, service, live.bucket, template)
    before = physical(aws, name)
    deploy_as_bareboat(aws, service)

    live = look(aws, service)
    assert live.bucket is not None
    versions = read_versions(aws, live.bucket, live.template)
    older = versions.before_live()
    assert older is not None
    plan = make_plan(aws, service, version_template(aws, live.bucket, older), live)
    apply(aws, plan, shipment=older.record, action="rollback", restores=record.number)

    assert older.name == "1"
    after = physical(aws, name)
    assert after["HttpApi"] == before["HttpApi"]
    assert code(aws, "predict-dev-predict") == base64.b64encode(hashlib.sha256(THEIRS).digest()).decode()


def code(aws: Aws, function: str) -> str:
    return str(aws.call("lambda", "get_function_configuration", FunctionName=function)["CodeSha256"])


def test_a_table_that_a_plugin_made_is_told_as_lost(aws: Aws, tmp_path: Path) -> None:
    service = service_of("seed", tmp_path)
    name = service.provider.stack_name
    template = deploy_as_serverless(aws, "seed", name, "template.json")
    more = copy.deepcopy(template)
    more["Resources"]["Jobs"] = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs"}}
    aws.call(
        "cloudformation",
        "update_stack",
        StackName=name,
        TemplateBody=json.dumps(more),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    settle(aws, name)

    adoption, _ = adoption_of_stack(aws, service)

    assert [one.logical_id for one in adoption.losses] == ["Jobs"]
    assert adoption.write == {"resources": {"Resources": {"Jobs": more["Resources"]["Jobs"]}}}


def test_an_export_that_another_stack_imports_stops_the_deployment(aws: Aws, tmp_path: Path) -> None:
    service = service_of("seed", tmp_path)
    name = service.provider.stack_name
    template = deploy_as_serverless(aws, "seed", name, "template.json")
    more = {**template, "Outputs": {**template["Outputs"], "X": {"Value": "1", "Export": {"Name": "shared-x"}}}}
    aws.call(
        "cloudformation",
        "update_stack",
        StackName=name,
        TemplateBody=json.dumps(more),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    settle(aws, name)
    user = {
        "Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::ImportValue": "shared-x"}}}}
    }
    aws.call("cloudformation", "create_stack", StackName="user", TemplateBody=json.dumps(user))
    settle(aws, "user")

    adoption, _ = adoption_of_stack(aws, service)

    (lost,) = adoption.outputs
    assert (lost.name, lost.export, lost.imported_by) == ("X", "shared-x", ("user",))
    assert not adoption.is_safe


def test_a_stack_that_is_not_there_names_those_that_look_like_it(aws: Aws, tmp_path: Path) -> None:
    service = service_of("seed", tmp_path)
    change(aws, "predict-prod", json.loads((CASES / "seed" / "bucket.json").read_text()), "CREATE")

    with pytest.raises(RemoteError, match="there is no stack predict-dev in us-east-1") as caught:
        adoption_of_stack(aws, service)

    assert "--stack predict-prod" in str(caught.value)


def test_stacks_of_other_services_are_not_proposed(aws: Aws, tmp_path: Path) -> None:
    deploy_as_serverless(aws, "seed", "older", "template.json")
    service = service_of("seed", tmp_path)

    with pytest.raises(RemoteError) as another:
        adoption_of_stack(aws, replace(service, name="other"))
    with pytest.raises(RemoteError) as same:
        adoption_of_stack(aws, service)

    assert "--stack NAME" in str(another.value)
    assert "--stack older" in str(same.value)


def test_what_runs_is_recorded_where_something_would_be_lost(aws: Aws, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from bareboat.cli.root import bareboat

    service = service_of("seed", tmp_path)
    name = service.provider.stack_name
    template = deploy_as_serverless(aws, "seed", name, "template.json")
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    }
    more = {**template, "Resources": {**template["Resources"], "Rows": table}}
    aws.call(
        "cloudformation",
        "update_stack",
        StackName=name,
        TemplateBody=json.dumps(more),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    settle(aws, name)

    result = CliRunner().invoke(bareboat, ["adopt", "-c", str(tmp_path), "-r", "us-east-1", "--yes"])

    assert result.exit_code == 1
    assert "the first deployment would lose Rows" in result.stderr
    assert f"version 1 is what {name} runs" in result.stdout
    assert "bareboat deploy --allow-loss Rows  (and back: bareboat rollback --to 1" in result.stderr


def test_a_stack_of_another_name_is_looked_at_and_has_to_be_named_in_the_file(aws: Aws, tmp_path: Path) -> None:
    service = service_of("seed", tmp_path)
    deploy_as_serverless(aws, "seed", "older", "template.json")

    adoption, live = adoption_of_stack(aws, service, "older")

    assert isinstance(live, Live)
    assert adoption.write == {"provider": {"stackName": "older"}}
    assert not adoption.losses
    assert not adoption.is_safe


def test_the_command_plans_records_and_says_what_is_next(aws: Aws, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from bareboat.cli.root import bareboat

    service = service_of("seed", tmp_path)
    deploy_as_serverless(aws, "seed", service.provider.stack_name, "template.json")

    def typed(*words: str) -> Any:
        return CliRunner().invoke(bareboat, ["adopt", "-c", str(tmp_path), "-r", "us-east-1", *words])

    planned = typed("--plan")
    unasked = typed()
    done = typed("--yes")
    again = typed("--yes", "--json")

    assert planned.exit_code == 0, planned.output
    assert "CloudFormation says: no data, no address and no id is lost, and nothing is replaced" in planned.stdout
    assert "account 123456789012, region us-east-1, stage dev" in planned.stderr
    assert unasked.exit_code == 2
    assert done.exit_code == 0
    assert "version 1 is what predict-dev runs" in done.stdout
    assert "bareboat deploy  (and back: bareboat rollback --to 1)" in done.stderr
    document = json.loads(again.stdout)
    assert (document["recorded"], document["new"], document["safe"]) == (1, False, True)


def test_a_domain_that_a_plugin_made_is_not_made_again(aws: Aws, tmp_path: Path) -> None:
    deploy_as_serverless(aws, "seed", "predict-dev", "template.json")
    domain = {
        "domainName": "api.example.com",
        "endpointConfiguration": {"types": ["REGIONAL"]},
        "regionalCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1",
    }
    aws.call("apigateway", "create_domain_name", **domain)
    service_of("seed", tmp_path)
    text = (tmp_path / "serverless.yml").read_text()
    more = (
        "  bareboat: {domains: stack}\n"
        "  customDomain: {domainName: api.example.com, apiType: http, endpointType: regional,"
        " certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/1', createRoute53Record: false}\n"
    )
    (tmp_path / "serverless.yml").write_text(text.rstrip("\n") + "\n" + more)

    adoption, _ = adoption_of_stack(aws, load_service(tmp_path, env={}))

    (problem,) = adoption.problems
    assert "the domain api.example.com is there already" in problem
    assert not adoption.is_safe
