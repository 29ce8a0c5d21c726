"""What of two stages counts as a difference."""

from __future__ import annotations

from typing import Any

from bareboat.aws.compare import Row, StageState, compare, masked


def template(stage: str, *, memory: int = 1024, variables: Any = None, sha: str = "aaa", **more: Any) -> Any:
    properties = {
        "FunctionName": f"shop-{stage}-go",
        "MemorySize": memory,
        "Code": {"S3Key": f"serverless/shop/{stage}/code/{sha}.zip"},
        **({"Environment": {"Variables": variables}} if variables is not None else {}),
    }
    return {
        "Resources": {
            "GoLambdaFunction": {"Type": "AWS::Lambda::Function", "Properties": properties},
            f"GoLambdaVersion{sha}": {
                "Type": "AWS::Lambda::Version",
                "Properties": {"CodeSha256": sha, "FunctionName": {"Ref": "GoLambdaFunction"}},
            },
            **more,
        },
        "Outputs": {"Arn": {"Value": {"Ref": f"GoLambdaVersion{sha}"}, "Export": {"Name": f"sls-shop-{stage}-Arn"}}},
    }


def state(stage: str, said: Any, **more: Any) -> StageState:
    region = {"dev": "us-east-1", "prod": "eu-central-1"}[stage]
    plain: dict[str, Any] = {
        "stage": stage, "region": region, "account": "123456789012", "stack": f"shop-{stage}",
        "status": "UPDATE_COMPLETE", "deployed": 0.0, "record": None, "code": {}, "models": {},
        "template": masked(said, stage, region), "tags": {}, "parameters": {},
    }  # fmt: skip
    return StageState(**plain | more)


def rows(one: Any, other: Any, of_one: Any = None, of_other: Any = None) -> list[Row]:
    return list(compare(state("dev", one, **of_one or {}), state("prod", other, **of_other or {})).rows)


def test_names_of_the_stage_and_code_are_no_difference_of_the_template():
    assert rows(template("dev"), template("prod", sha="bbb")) == []


def test_a_setting_is_named_with_both_values():
    assert rows(template("dev"), template("prod", memory=2048)) == [
        Row("AWS::Lambda::Function", "GoLambdaFunction", "MemorySize", "1024", "2048")
    ]


def test_values_of_variables_are_not_shown():
    found = rows(
        template("dev", variables={"TOKEN": "hush", "SAME": "x", "STAGE": "dev"}),
        template("prod", variables={"TOKEN": "other", "SAME": "x", "STAGE": "prod"}),
    )
    alone = rows(template("dev", variables={"TOKEN": "hush"}), template("prod"))

    assert found == [
        Row("AWS::Lambda::Function", "GoLambdaFunction", "Environment.Variables.TOKEN", "(not shown)", "(not shown)")
    ]
    assert alone == [
        Row("AWS::Lambda::Function", "GoLambdaFunction", "Environment", '{"Variables": {"TOKEN": "(not shown)"}}', "")
    ]


def test_a_name_of_the_other_stage_is_a_difference():
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "orders-dev"}}

    found = rows(template("dev", Orders=table), template("prod", Orders=table))

    assert found == [Row("AWS::DynamoDB::Table", "Orders", "TableName", "orders-<stage>", "orders-dev")]


def test_a_resource_of_one_stage_alone_is_named():
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "secret"}}

    assert rows(template("dev", Jobs=queue), template("prod")) == [Row("AWS::SQS::Queue", "Jobs", "", "there", "")]


def test_code_models_and_tags_are_compared():
    found = rows(
        template("dev"),
        template("prod"),
        {"code": {"go": "a" * 40, "same": "s"}, "models": {"lgb.model": "1" * 64}, "tags": {"team": "x"}},
        {"code": {"go": "b" * 40, "same": "s"}, "models": {"lgb.model": "2" * 64}},
    )

    assert found == [
        Row("code", "go", "", "a" * 12, "b" * 12),
        Row("model", "lgb.model", "", "1" * 12, "2" * 12),
        Row("tag", "team", "", "x", ""),
    ]
