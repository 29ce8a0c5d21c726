"""What the first deployment makes of stacks that hold more than serverless.yml says."""

from pathlib import Path
from typing import Any

import pytest

from bareboat.aws.adoption import Adoption, adoption_of_template
from bareboat.aws.preview import preview_shipment
from bareboat.aws.template.build import make_template
from bareboat.service import load_service
from bareboat.service.model import Service

YML = """\
service: shop
provider: {name: aws, runtime: python3.13}
functions: {list: {handler: handler.f}}
"""


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return loaded(tmp_path)


def loaded(folder: Path, more: str = "") -> Service:
    (folder / "handler.py").write_text("def f(event, context): ...\n")
    (folder / "serverless.yml").write_text(YML + more)
    return load_service(folder, env={})


def adopt(service: Service, resources: dict[str, Any], **sections: Any) -> Adoption:
    """Adopt a stack that has our own template and these resources (None takes one away)."""
    template = make_template(service, preview_shipment(service))
    bodies = {**template["Resources"], **resources}
    return adoption_of_template(
        service,
        {**template, **sections, "Resources": {name: body for name, body in bodies.items() if body is not None}},
    )


def test_a_stack_of_the_same_template_stays_as_it_is(service: Service) -> None:
    found = adopt(service, {})

    assert (found.changes, found.write, found.is_safe) == ((), {}, True)
    assert "ListLambdaFunction" in [one.logical_id for one in found.kept]


def test_a_table_that_only_the_stack_has_would_be_lost_and_can_be_written_down(service: Service) -> None:
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST"}}

    found = adopt(service, {"Table": table})

    assert [change.logical_id for change in found.losses] == ["Table"]
    assert not found.is_safe
    assert found.write == {"resources": {"Resources": {"Table": table}}}


def test_what_is_to_be_written_down_makes_the_stack_stay(tmp_path: Path, service: Service) -> None:
    import yaml

    table = {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST"}}
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/lambda/other"}}
    written = adopt(service, {"Table": table, "OtherLogGroup": group}).write

    after = adopt(loaded(tmp_path, yaml.safe_dump(written)), {"Table": table, "OtherLogGroup": group})

    assert (after.changes, after.write, after.is_safe) == ((), {}, True)


def test_a_replaced_resource_is_held_by_an_extension(tmp_path: Path, service: Service) -> None:
    import yaml

    template = make_template(service, preview_shipment(service))
    group = template["Resources"]["ListLogGroup"]
    old = {**group, "Properties": {**group["Properties"], "LogGroupName": "/aws/lambda/older"}}

    found = adopt(service, {"ListLogGroup": old})

    assert [change.logical_id for change in found.losses] == ["ListLogGroup"]
    assert found.write == {
        "resources": {"extensions": {"ListLogGroup": {"Properties": {"LogGroupName": "/aws/lambda/older"}}}}
    }
    assert adopt(loaded(tmp_path, yaml.safe_dump(found.write)), {"ListLogGroup": old}).is_safe


def test_what_refers_to_something_that_goes_cannot_be_written_down(service: Service) -> None:
    alarm = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {"Dimensions": [{"Name": "FunctionName", "Value": {"Ref": "GoneLambdaFunction"}}]},
    }
    gone = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Key": "x"}}}

    found = adopt(service, {"Alarm": alarm, "GoneLambdaFunction": gone})

    assert found.write == {}
    assert found.is_safe
    assert sorted(found.leftovers) == ["Alarm", "GoneLambdaFunction"]


@pytest.mark.parametrize(
    ("logical_id", "kind", "whose"),
    [
        ("ListLambdaVersionAbc", "AWS::Lambda::Version", "Serverless"),
        ("ApiGatewayDeployment1700000000000", "AWS::ApiGateway::Deployment", "Serverless"),
        ("ShopCanaryDeploymentsApplication", "AWS::CodeDeploy::Application", "canary"),
        ("CodeDeployServiceRole", "AWS::IAM::Role", "canary"),
        ("ListLambdaAliasLive", "AWS::Lambda::Alias", "canary"),
        ("WarmUpPluginLambdaFunction", "AWS::Lambda::Function", "warmup"),
        ("ListLogsSubscriptionFilterX", "AWS::Logs::SubscriptionFilter", "forwards logs"),
        ("ListFunctionErrorsAlarm", "AWS::CloudWatch::Alarm", "alerts"),
        ("ListIamRoleLambdaExecution", "AWS::IAM::Role", "roles-per-function"),
        ("Machine", "AWS::StepFunctions::StateMachine", "step-functions"),
        ("pathmapping", "AWS::ApiGateway::BasePathMapping", "domain-manager"),
    ],
)
def test_leftovers_of_plugins_are_named(service: Service, logical_id: str, kind: str, whose: str) -> None:
    found = adopt(service, {logical_id: {"Type": kind, "Properties": {}}})

    assert whose in found.leftovers[logical_id].whose


def test_outputs_that_the_new_template_lacks_are_told_with_their_exports(service: Service) -> None:
    outputs = {"DomainName": {"Value": "a.example.com"}, "Mine": {"Value": "1", "Export": {"Name": "shared"}}}

    found = adopt(service, {}, Outputs=outputs)

    assert [(one.name, one.export) for one in found.outputs] == [("DomainName", ""), ("Mine", "shared")]


def test_another_stack_name_is_a_problem_that_the_file_can_mend(service: Service) -> None:
    template = make_template(service, preview_shipment(service))

    found = adoption_of_template(service, template, "older-name")

    assert not found.is_safe
    assert found.write == {"provider": {"stackName": "older-name"}}


def test_plugins_that_worked_outside_of_the_stack_are_told(tmp_path: Path) -> None:
    service = loaded(tmp_path, "plugins: [serverless-prune-plugin, serverless-offline]\n")

    assert [name for name, _ in adopt(service, {}).plugins] == ["serverless-prune-plugin"]
