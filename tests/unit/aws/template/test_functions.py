from __future__ import annotations

from typing import Any

import pytest

from bareboat.aws.template.aliases import Rollout
from bareboat.errors import ConfigurationError

ONE = "functions: {one: {handler: handler.handle}}\n"


def versions(template: dict[str, Any]) -> list[str]:
    return [name for name, one in template["Resources"].items() if one["Type"] == "AWS::Lambda::Version"]


def statements(template: dict[str, Any], role: str = "IamRoleLambdaExecution") -> list[Any]:
    (policy,) = template["Resources"][role]["Properties"]["Policies"]
    return policy["PolicyDocument"]["Statement"]


def logs_of(*names: str) -> dict[str, Any]:
    arn = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"
    return {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": [{"Fn::Sub": f"{arn}{name}:*"} for name in names],
    }


def test_the_same_input_gives_the_same_template(template_of):
    assert template_of(ONE) == template_of(ONE)


@pytest.mark.parametrize(
    "change",
    ["memorySize: 512", "environment: {LEVEL: debug}", "description: New", "role: 'arn:aws:iam::123456789012:role/r'"],
)
def test_a_changed_configuration_makes_a_new_version(template_of, change):
    before = versions(template_of(ONE))

    after = versions(template_of(f"functions: {{one: {{handler: handler.handle, {change}}}}}\n"))

    assert before != after


@pytest.mark.parametrize("change", ["tags: {a: b}", "reservedConcurrency: 3", "recursiveLoop: Allow"])
def test_what_is_of_no_version_makes_none(template_of, change):
    before = versions(template_of(ONE))

    after = versions(template_of(f"functions: {{one: {{handler: handler.handle, {change}}}}}\n"))

    assert before == after


def test_new_code_and_new_layers_make_a_new_version(template_of):
    text = "layers: {l: {path: shared}}\nfunctions: {one: {handler: handler.handle, layers: [l]}}\n"

    found = {
        *versions(template_of(text)),
        *versions(template_of(text, code={"one": "f" * 64})),
        *versions(template_of(text, layers={"l": "e" * 64})),
    }

    assert len(found) == 3


def test_a_retained_layer_is_referred_to_by_its_version(template_of):
    resources = template_of(
        "layers: {l: {path: shared, retain: true}}\nfunctions: {one: {handler: handler.handle, layers: [l]}}\n"
    )["Resources"]

    (layer,) = [name for name, one in resources.items() if one["Type"] == "AWS::Lambda::LayerVersion"]

    assert layer.startswith("LLambdaLayer")
    assert layer != "LLambdaLayer"
    assert resources["OneLambdaFunction"]["Properties"]["Layers"] == [{"Ref": layer}]


def test_a_role_allows_logs_and_what_the_artifact_needs_and_nothing_more(template_of):
    need = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::models/m.txt"}

    found = template_of(ONE, permissions=(need,))

    assert statements(found) == [logs_of("/aws/lambda/demo-dev-one"), need]


def test_a_function_with_statements_has_a_role_of_its_own(template_of):
    need = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::models/m.txt"}
    found = template_of(
        """
  iam: {role: {statements: [{Effect: Allow, Action: 'sqs:*', Resource: q}]}}
functions:
  one:
    handler: handler.handle
    iamRoleStatements: [{Effect: Allow, Action: 's3:PutObject', Resource: b}]
  two:
    handler: handler.handle
    iamRoleStatements: []
    iamRoleStatementsInherit: true
    iamRoleStatementsName: two-role
  three: {handler: handler.handle}
""",
        permissions=(need,),
    )

    roles = {name: one["Properties"] for name, one in found["Resources"].items() if one["Type"] == "AWS::IAM::Role"}
    shared, queue = "IamRoleLambdaExecution", {"Effect": "Allow", "Action": "sqs:*", "Resource": "q"}
    assert sorted(roles) == [shared, f"One{shared}", f"Two{shared}"]
    assert statements(found, f"One{shared}") == [
        logs_of("/aws/lambda/demo-dev-one"),
        need,
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "b"},
    ]
    assert statements(found, f"Two{shared}") == [logs_of("/aws/lambda/demo-dev-two"), need, queue]
    assert statements(found) == [logs_of("/aws/lambda/demo-dev-three"), queue, need]
    assert roles[f"Two{shared}"]["RoleName"] == "two-role"
    assert roles[f"One{shared}"]["RoleName"] == {
        "Fn::Join": ["-", ["demo", "dev", "one", {"Ref": "AWS::Region"}, "lambdaRole"]]
    }


def test_no_shared_role_is_made_that_nobody_takes(template_of):
    found = template_of(
        "functions: {one: {handler: handler.handle, iamRoleStatements: [{Effect: Allow, Action: a, Resource: r}]}}\n"
    )

    assert "IamRoleLambdaExecution" not in found["Resources"]


def test_an_own_role_with_a_name_that_is_too_long_is_refused(template_of):
    name = "a" * 50

    with pytest.raises(ConfigurationError) as caught:
        template_of(f"functions: {{{name}: {{handler: handler.handle, iamRoleStatements: []}}}}\n")

    assert caught.value.problems[0].fix == f"set functions.{name}.iamRoleStatementsName"


@pytest.mark.parametrize(
    ("target", "actions"),
    [
        ("arn:aws:sqs:us-east-1:123456789012:dead", ["sqs:SendMessage"]),
        ("arn:aws:sns:us-east-1:123456789012:dead", ["sns:Publish"]),
        ("!GetAtt Dead.Arn", ["sqs:SendMessage"]),
        ("!Ref Told", ["sns:Publish"]),
        ("!ImportValue somewhere", ["sqs:SendMessage", "sns:Publish"]),
    ],
)
def test_a_dead_letter_queue_may_be_sent_to(template_of, target, actions):
    found = template_of(
        f"""
functions: {{one: {{handler: handler.handle, onError: {target}}}}}
resources: {{Resources: {{Dead: {{Type: AWS::SQS::Queue}}, Told: {{Type: AWS::SNS::Topic}}}}}}
"""
    )

    assert statements(found)[1]["Action"] == actions


def test_a_destination_that_is_nothing_is_refused(template_of):
    with pytest.raises(ConfigurationError) as caught:
        template_of("functions: {one: {handler: handler.handle, destinations: {onSuccess: nobody}}}\n")

    (problem,) = caught.value.problems
    assert problem.found == "functions.one.destinations.onSuccess is nobody"
    assert problem.where.startswith("serverless.yml:5:")


CANARY = ONE + "custom: {bareboat: {canary: 10%/5m}}\n"


def test_a_canary_makes_an_alias_that_everything_calls_through(template_of):
    resources = template_of(CANARY)["Resources"]

    (version,) = versions({"Resources": resources})
    assert resources["OneLiveLambdaAlias"] == {
        "Type": "AWS::Lambda::Alias",
        "Properties": {
            "FunctionName": {"Ref": "OneLambdaFunction"},
            "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
            "Name": "live",
        },
    }


def test_a_rollout_gives_new_versions_their_share(template_of):
    resources = template_of(CANARY, rollout=Rollout(0.1, {"one": "7"}))["Resources"]

    (version,) = versions({"Resources": resources})
    alias = resources["OneLiveLambdaAlias"]["Properties"]
    weight = {"FunctionVersion": {"Fn::GetAtt": [version, "Version"]}, "FunctionWeight": 0.1}
    assert alias["FunctionVersion"] == "7"
    assert alias["RoutingConfig"] == {"AdditionalVersionWeights": [weight]}


def test_a_new_function_takes_no_part_in_a_rollout(template_of):
    resources = template_of(CANARY, rollout=Rollout(0.1, {}))["Resources"]

    assert "RoutingConfig" not in resources["OneLiveLambdaAlias"]["Properties"]


@pytest.mark.parametrize("section", ["Resources", "extensions"])
def test_what_resources_change_of_a_function_makes_a_new_version(template_of, section):
    change = f"resources: {{{section}: {{OneLambdaFunction: {{Properties: {{MemorySize: 2048}}}}}}}}\n"

    assert versions(template_of(ONE + change)) != versions(template_of(ONE))


def test_the_digest_of_a_version_stays_what_it_was(template_of):
    # AWS publishes no second version of the same code and configuration: another formula would fail every deployment
    assert versions(template_of(ONE)) == ["OneLambdaVersionjdSGvKG5DvjSSevOdiBHzgiNWBTH9eg1XH6zLEVP8ko"]


def test_a_service_without_functions_is_its_bucket_and_resources(template_of):
    found = template_of("resources: {Resources: {Topic: {Type: AWS::SNS::Topic}}}\n")

    assert sorted(found["Resources"]) == ["ServerlessDeploymentBucket", "ServerlessDeploymentBucketPolicy", "Topic"]


def test_everything_without_a_network_is_outside_of_the_provider_s(template_of):
    network = "  vpc: {securityGroupIds: [sg-1], subnetIds: [subnet-1]}\n"

    resources = template_of(
        network + "functions: {one: {handler: handler.handle, vpc: null}, two: {handler: handler.handle}}\n"
    )["Resources"]

    assert "VpcConfig" not in resources["OneLambdaFunction"]["Properties"]
    assert resources["TwoLambdaFunction"]["Properties"]["VpcConfig"] == {
        "SecurityGroupIds": ["sg-1"],
        "SubnetIds": ["subnet-1"],
    }


def test_two_functions_of_one_logical_id_are_refused(template_of):
    # Serverless lets the second take the place of the first
    with pytest.raises(ConfigurationError) as caught:
        template_of("functions: {my-one: {handler: handler.handle}, myDashone: {handler: handler.handle}}\n")

    (problem,) = caught.value.problems
    assert problem.found == "two parts of serverless.yml would both be MyDashoneLogGroup in CloudFormation"
