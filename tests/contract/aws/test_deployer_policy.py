"""The policy of docs/deploy.md against what CloudFormation's own schemas say that each type needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

# What a plain service does without; docs/deploy.md names what to add.
BEYOND = {
    "billing": "budgets",
    "budgets": "custom.bareboat.alarms with a budget",
    "codedeploy": "aliases that CodeDeploy moves",
    "ec2": "functions in a VPC",
    "elasticfilesystem": "functions with a file system",
    "firehose": "streams of Firehose as a destination of logs",
    "kinesis": "streams of Kinesis as a source",
    "kms": "keys of one's own",
    "route53": "a domain of one's own",
    "s3files": "functions with a file system",
    "s3tables": "tables of metadata of a bucket",
}
_TYPE = re.compile(r'"(AWS::[A-Za-z0-9]+::[A-Za-z0-9]+)"')


@pytest.fixture(scope="module")
def allowed(repository: Path) -> tuple[str, ...]:
    policy = json.loads((repository / "docs" / "ci" / "deployer-policy.json").read_text())
    actions = [statement["Action"] for statement in policy["Statement"] if statement["Effect"] == "Allow"]
    return tuple(one for each in actions for one in ([each] if isinstance(each, str) else each))


def schemas() -> Path:
    spec = find_spec("cfnlint")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / "schemas"


def made(repository: Path) -> set[str]:
    """Return the types of resources that the template can hold without `resources`."""
    files = (repository / "src" / "bareboat" / "aws" / "template").rglob("*.py")
    return {kind for path in files for kind in _TYPE.findall(path.read_text())}


def needed(kind: str, index: dict[str, str]) -> Iterator[str]:
    schema: dict[str, Any] = json.loads((schemas() / "resources" / f"{index[kind]}.json").read_text())
    for name, handler in schema.get("handlers", {}).items():
        if name != "list":
            yield from handler.get("permissions", ())


def test_all_that_the_template_makes_may_be_made(repository: Path, allowed: tuple[str, ...]) -> None:
    index = json.loads((schemas() / "providers" / "us-east-1.json").read_text())
    kinds = sorted(kind for kind in made(repository) if kind in index)
    assert len(kinds) > 30

    missing = {
        f"{kind}: {action}"
        for kind in kinds
        for action in needed(kind, index)
        if action.partition(":")[0] not in BEYOND and not any(fnmatchcase(action, pattern) for pattern in allowed)
    }

    assert not missing


def test_what_is_left_out_is_named_in_the_documentation(repository: Path) -> None:
    page = (repository / "docs" / "deploy.md").read_text()

    assert not [
        service
        for service in BEYOND
        if service not in ("billing", "firehose", "s3tables") and f"`{service}:" not in page
    ]


FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:SERVICE-dev-f"
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/SERVICE-dev/1"
BUCKET = "arn:aws:s3:::SERVICE-dev-serverlessdeploymentbucket-1"
OBJECT = f"{BUCKET}/serverless/SERVICE/dev/code/1.zip"
LOGS = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/SERVICE-dev-f"
ROLE = "arn:aws:iam::123456789012:role/SERVICE-dev-us-east-1-lambdaRole"
REPOSITORY = "arn:aws:ecr:us-east-1:123456789012:repository/serverless-SERVICE-dev"
# IAM's actions that are not called as the operation, and what an operation is on: Service Authorization Reference
ACTIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:DeleteObjects": "s3:DeleteObjectVersion",
    "apigatewayv2:GetApi": "apigateway:GET",
}
# Actions that IAM knows no resource for, so that they need '*'; DescribeStacks without a name is one.
OF_NOTHING = (
    "sts:GetCallerIdentity",
    "cloudformation:ListStacks",
    "cloudformation:ListImports",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:GetMetricData",
    "lambda:GetAccountSettings",
    "ecr:GetAuthorizationToken",
    "logs:DescribeLogGroups",
)
ON = {
    "cloudformation": STACK,
    "lambda": FUNCTION,
    "logs": LOGS,
    "iam": ROLE,
    "ecr": REPOSITORY,
    "apigateway": "arn:aws:apigateway:us-east-1::/apis/abc",
}
FURTHER = (  # what no scenario of calls.json does
    "cloudformation:ContinueUpdateRollback",
    "cloudformation:DeleteChangeSet",
    "apigateway:GET",
    "apigateway:PATCH",
    "apigateway:PUT",
    "cloudformation:DescribeEvents",
    "cloudformation:DescribeStackResource",
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "ecr:GetAuthorizationToken",
    "lambda:GetAccountSettings",
    "lambda:GetAlias",
)


def is_allowed(statements: list[dict[str, Any]], action: str, resource: str) -> bool:
    """Decide as IAM does, conditions aside."""

    def fits(statement: dict[str, Any]) -> bool:
        actions, resources = (
            [one] if isinstance(one, str) else one for one in (statement["Action"], statement["Resource"])
        )
        return any(fnmatchcase(action, one) for one in actions) and any(fnmatchcase(resource, one) for one in resources)

    effects = {statement["Effect"] for statement in statements if fits(statement)}
    return effects == {"Allow"}


@pytest.fixture(scope="module")
def statements(repository: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((repository / "docs" / "ci" / "deployer-policy.json").read_text())[
        "Statement"
    ]
    return found


def test_every_call_may_be_made_on_what_it_is_made_on(repository: Path, statements: list[dict[str, Any]]) -> None:
    scenarios = json.loads((repository / "tests" / "integration" / "aws" / "calls.json").read_text())
    operations = sorted({name for calls in scenarios.values() for name in calls} | set(FURTHER))

    def on(action: str, operation: str) -> str:
        if action in OF_NOTHING:
            return "*"
        if action.startswith("s3:"):
            return OBJECT if "Object" in operation and "List" not in operation else BUCKET
        return ON[action.partition(":")[0]]

    refused = [
        name
        for name in operations
        for action in [ACTIONS.get(name, name)]
        if not is_allowed(statements, action, on(action, name))
    ]

    assert not refused
    assert is_allowed(statements, "cloudformation:DescribeStacks", "*")  # `list`: all stacks


def test_roles_of_pipelines_and_of_others_are_out_of_reach(statements: list[dict[str, Any]]) -> None:
    for role in ("SERVICE-pipeline-deploy", "SERVICE-pay-pipeline-deploy", "other"):
        for action in ("iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:PassRole", "iam:CreateRole"):
            assert not is_allowed(statements, action, f"arn:aws:iam::123456789012:role/{role}")
    (passing,) = (one for one in statements if one["Action"] == "iam:PassRole")
    assert "lambda.amazonaws.com" in passing["Condition"]["StringEquals"]["iam:PassedToService"]


def test_the_role_of_the_pipeline_has_the_same_policy(repository: Path, statements: list[dict[str, Any]]) -> None:
    yaml_parse = pytest.importorskip("samtranslator.yaml_helper").yaml_parse
    template = json.loads(json.dumps(yaml_parse((repository / "docs" / "ci" / "github-role.yml").read_text())))
    policies = template["Resources"]["DeployRole"]["Properties"]["Policies"]
    said = policies[0]["PolicyDocument"]["Statement"]

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            if "Fn::Sub" in value:
                text = value["Fn::Sub"].replace("${AWS::Partition}", "aws").replace("${Service}", "SERVICE")
                return text.replace("${AWS::AccountId}", "123456789012")
            return {key: plain(child) for key, child in value.items()}
        return [plain(one) for one in value] if isinstance(value, list) else value

    assert [plain(one) for one in said if "Fn::If" not in one] == statements
    bounded = [one["Fn::If"][1] for one in said if "Fn::If" in one]
    assert {one["Effect"] for one in bounded} == {"Deny"}
    assert {one["Fn::If"][0] for one in said if "Fn::If" in one} == {"HasBoundary"}
    assert len(json.dumps(policies)) < 10_240  # IAM: all inline policies of a role
