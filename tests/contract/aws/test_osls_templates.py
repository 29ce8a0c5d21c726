"""Our template of a serverless.yml against osls's, resource by resource: every difference has its reason.

The cases are the folders of `osls/`, recorded by record_osls.py. What differs must be explained by an entry of
EXPLAINED; an entry that explains nothing in any case has to go.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bareboat.aws.shipment import FunctionCode, ImageCode, Shipment, ZipCode
from bareboat.aws.template.difference import ABSENT, Difference, differences
from bareboat.service import load_service
from bareboat.service.model import Service

pytest.importorskip("bareboat.aws.template.build", reason="the template is not merged yet")
CASES = Path(__file__).parent / "osls"
NAMES = sorted(path.parent.name for path in CASES.glob("*/template.json"))

# Cases whose part of the template is not merged yet; they must fail, and leave this list as it is.
PENDING: dict[str, str] = {}


@dataclass(frozen=True)
class Explained:
    """Why our template differs there on purpose.

    Args:
        type: of the resource, or the section outside Resources (`Outputs`); a pattern of fnmatch.
        path: of the property, `Properties.X.Y`; a pattern in which `[` and `]` stand for themselves; "" is for whole
            entries that only one of the templates has.
        reason: one sentence.
        logical_id: a pattern.
        when: asked with osls's value and ours; ABSENT is what is not there.
    """

    type: str
    path: str
    reason: str
    logical_id: str = "*"
    when: Callable[[Any, Any], bool] = lambda osls, ours: True

    def fits(self, difference: Difference) -> bool:
        return (
            fnmatchcase(difference.type or difference.section, self.type)
            and fnmatchcase(difference.path, self.path.replace("[", "[[]"))
            and fnmatchcase(difference.logical_id, self.logical_id)
            and self.when(difference.old, difference.new)
        )


def only_ours(osls: Any, ours: Any) -> bool:
    return osls is ABSENT


def only_theirs(osls: Any, ours: Any) -> bool:
    return ours is ABSENT


def ours_is_exact(osls: Any, ours: Any) -> bool:
    """Whether ours names log groups one by one, or says nothing."""
    return ours is ABSENT or all("*" not in str(arn["Fn::Sub"]).removesuffix(":*") for arn in ours["Resource"])


def is_fewer(osls: Any, ours: Any) -> bool:
    """Whether ours waits for nothing that osls does not wait for."""
    return ours is ABSENT or set([ours] if isinstance(ours, str) else ours) < set(osls)


CUSTOM_ROLE = "the account's role for logs is a resource of the stack, and stays behind it; Serverless ships a function"


def only_more(osls: Any, ours: Any) -> bool:
    """Whether ours waits for all that osls's waits for."""
    return set(osls) < set(ours)


STATEMENTS = "Properties.Policies[0].PolicyDocument.Statement."

EXPLAINED: tuple[Explained, ...] = (
    Explained(
        "AWS::ApiGateway::Deployment",
        "Metadata",
        "settings of the stage: Serverless reads them from serverless.yml when it calls API Gateway after the stack",
        when=only_ours,
    ),
    Explained(
        "AWS::ApiGateway::Deployment",
        "DependsOn",
        "what is deployed must be there before it: gateway responses of resources, and the role for its logs",
        when=only_more,
    ),
    Explained(
        "AWS::ApiGateway::Method",
        "Properties.Integration.RequestTemplates.application/*",
        "our own words; tests/contract/aws/test_request_templates.py proves the same event",
    ),
    Explained(
        "AWS::ApiGateway::Method",
        "Properties.Integration.IntegrationResponses[0].ResponseTemplates.application/json",
        "our own words; tests/contract/aws/test_request_templates.py proves the same answer",
        "*Options",
    ),
    Explained(
        "AWS::ApiGateway::Method",
        "DependsOn",
        "the authorizer is referred to; Serverless's list of it takes the place of the permission's, ours does not",
        when=lambda osls, ours: str(osls).endswith("ApiGatewayAuthorizer']"),
    ),
    Explained(
        "AWS::ApiGateway::Method",
        "*method.response.header.Access-Control-Allow-Methods",
        "each method once, where ANY and a method are given together",
        "*Options",
        lambda osls, ours: set(osls.strip("'").split(",")) == set(ours.strip("'").split(",")),
    ),
    Explained("Custom::ApiGatewayAccountRole", "", CUSTOM_ROLE, when=only_theirs),
    Explained("AWS::Lambda::Function", "", CUSTOM_ROLE, "CustomDashresourceDashapigwDashcwDashrole*", only_theirs),
    Explained("AWS::IAM::Role", "", CUSTOM_ROLE, "IamRoleCustomResourcesLambdaExecution", only_theirs),
    Explained("AWS::IAM::Role", "", CUSTOM_ROLE, "ApiGatewayCloudWatchRole", only_ours),
    Explained("AWS::ApiGateway::Account", "", CUSTOM_ROLE, when=only_ours),
    Explained(
        "AWS::ApiGatewayV2::*",
        "DependsOn",
        "what is referred to is waited for without it (cfn-lint W3005)",
        "HttpApi*",
        only_theirs,
    ),
    Explained(
        "AWS::S3::Bucket",
        "Properties.VersioningConfiguration",
        "what was pruned or overwritten can be had back",
        "ServerlessDeploymentBucket",
        only_ours,
    ),
    Explained(
        "AWS::S3::Bucket",
        "Properties.LifecycleConfiguration",
        "old versions and abandoned uploads do not cost for ever",
        "ServerlessDeploymentBucket",
        only_ours,
    ),
    Explained(
        "AWS::S3::Bucket",
        "Properties.PublicAccessBlockConfiguration",
        "code is not public, whatever policy is put on the bucket",
        "ServerlessDeploymentBucket",
        only_ours,
    ),
    Explained(
        "AWS::Lambda::Function",
        "Properties.Architectures",
        "always said, so that taking architecture: arm64 out of the file changes it back",
        when=lambda osls, ours: osls is ABSENT and ours == ["x86_64"],
    ),
    Explained(
        "AWS::IAM::Role",
        STATEMENTS + "* logs:*",
        "functions write to their own log groups alone, which the stack makes",
        when=ours_is_exact,
    ),
    Explained(
        "AWS::IAM::Role",
        STATEMENTS + "Allow ec2:*",
        "what a network interface needs is allowed as such, not by a managed policy that allows all log groups too",
        when=only_ours,
    ),
    Explained("AWS::IAM::Role", "Properties.ManagedPolicyArns", "see ec2:*", when=only_theirs),
    Explained(
        "AWS::IAM::Role",
        STATEMENTS + "Allow sns:Publish.Resource",
        "osls allows an onError that is text alone; AWS refuses a function whose role may not send",
        when=lambda osls, ours: [*osls, {"Ref": "Failed"}] == ours,
    ),
    *(
        Explained(
            kind, "DependsOn", "a Ref or Fn::GetAtt to it is there, and cfn-lint calls it redundant", when=is_fewer
        )
        for kind in ("AWS::Lambda::Function", "AWS::Lambda::Alias", "AWS::Lambda::EventSourceMapping")
    ),
    Explained(
        "AWS::IAM::Role",
        STATEMENTS + "Allow *sqs:SendMessage",
        "a destination of failures is sent to; nobody lists the account's queues",
        when=lambda osls, ours: ABSENT in (osls, ours),
    ),
    Explained(
        "AWS::SNS::Topic",
        "Properties.DisplayName",
        "osls drops the name that a second function gives a topic",
        when=only_ours,
    ),
    Explained(
        "AWS::SQS::QueuePolicy",
        "Properties.PolicyDocument.Statement[0].Condition.ArnEquals.aws:SourceArn",
        "osls leaves the condition empty for a topic that the stack makes, so that no topic may send",
        when=only_ours,
    ),
    Explained(
        "AWS::Events::Rule",
        "Properties.Targets[0].Id",
        "AWS takes 64 characters",
        when=lambda osls, ours: len(osls) > 64 >= len(ours),
    ),
    Explained("Custom::S3", "Version", "an attribute that changes nothing", when=only_theirs),
    Explained("Custom::S3", "DependsOn", "the permission is a resource of its own, which must be there first"),
    Explained("AWS::Lambda::Permission", "", "see Custom::S3", "*LambdaPermissionSomebodysphotosS3", only_ours),
    Explained(
        "AWS::IAM::Role",
        STATEMENTS + "Allow lambda:AddPermission,lambda:RemovePermission",
        "see Custom::S3: the helper need not change the permissions of all functions of the account",
        "IamRoleCustomResourcesLambdaExecution",
        only_theirs,
    ),
    Explained(
        "AWS::IAM::Role",
        STATEMENTS + "Allow s3:*.Resource",
        "each bucket once",
        "IamRoleCustomResourcesLambdaExecution",
    ),
    Explained(
        "AWS::Lambda::Function",
        "Properties.*",
        "the helper is of Python, and its code stands in the template",
        "CustomDashresourceDashexistingDashs3LambdaFunction",
    ),
    Explained(
        "AWS::Lambda::LayerVersionPermission",
        "UpdateReplacePolicy",
        "as DeletionPolicy, which cfn-lint asks for (W3011)",
        when=lambda osls, ours: osls is ABSENT and ours == "Retain",
    ),
    Explained("Outputs", "Value", "a layer's digest is SHA-256, of the zip and its properties", "*LambdaLayerHash"),
)


def masked(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template in which code keys, and the digests and times in logical ids, are the same for everybody."""
    text = json.dumps(template)
    text = re.sub(r"(Lambda(?:Version|LayerPermission|Layer))[A-Za-z0-9]{32,64}\b", r"\1HASH", text)
    text = re.sub(r"(ApiGatewayDeployment)[A-Za-z0-9]{10,}\b", r"\1TIME", text)
    text = re.sub(r'("CodeSha256": )"[^"]*"', r'\1"SHA256"', text)
    text = re.sub(r'"[^"]*/(?:\d{13}-[^"/]*|code)/[^"]*\.zip"', '"CODE.zip"', text)
    found: dict[str, Any] = json.loads(text)
    for resource in found["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"].get("Policies", ()):
                document = policy["PolicyDocument"]
                document["Statement"] = by_action(document["Statement"])
    return found


def by_action(statements: list[dict[str, Any]]) -> dict[str, Any]:
    """Return statements by what they allow, so that their order and number do not matter."""
    found: dict[str, Any] = {}
    for statement in statements:
        action, resource = statement.get("Action"), statement.get("Resource")
        actions = [action] if isinstance(action, str) else action or ()
        key = f"{statement['Effect']} {','.join(sorted(actions))}"
        rest = {name: value for name, value in statement.items() if name not in ("Effect", "Action", "Resource")}
        entry = found.setdefault(key, {"Resource": [], **rest})
        entry["Resource"] += resource if isinstance(resource, list) else [resource]
    return found


def made_up(service: Service) -> Shipment:
    """Return code for a service as if it had been uploaded."""
    digest = "0123456789abcdef" * 4
    prefix = service.provider.options.get("deploymentPrefix", "serverless")
    code = ZipCode(f"{prefix}/{service.name}/{service.provider.stage}/code/{digest}.zip", digest)
    functions = {
        name: FunctionCode(code, function.architecture, handler=function.handler or "", runtime=function.runtime)
        for name, function in service.functions.items()
    }
    for name, function in service.image_functions.items():
        functions[name] = FunctionCode(image_of(service, function.options.get("image")), function.architecture)
    bucket = service.provider.options.get("deploymentBucket")
    named = bucket if isinstance(bucket, str) else bucket.get("name", "") if isinstance(bucket, dict) else ""
    return Shipment(functions, dict.fromkeys(service.layers, code), bucket=named)


def image_of(service: Service, image: Any) -> ImageCode:
    """Return the image of a function: an address, a name of `provider.ecr.images`, or a mapping with overrides."""
    said = image if isinstance(image, dict) else {"name": image} if ":" not in str(image) else {"uri": image}
    uri = said.get("uri")
    if uri is None:
        entry = service.provider.options["ecr"]["images"][said["name"]]
        uri = entry if isinstance(entry, str) else entry["uri"]
    return ImageCode(
        uri,
        uri.rpartition("@sha256:")[2],
        command=tuple(said.get("command", ())),
        entry_point=tuple(said.get("entryPoint", ())),
        working_directory=said.get("workingDirectory", ""),
    )


@cache
def case(name: str) -> Service:
    """Return the service of a case, with the handler that record_osls.py gives it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / name
        shutil.copytree(CASES / name, folder)
        if not (folder / "handler.py").exists():
            (folder / "handler.py").write_text("def handle(event, context): ...\ndef predict(event, context): ...\n")
        return load_service(folder, env={})


@cache
def found_in(name: str) -> tuple[Difference, ...]:
    """Return what differs in a case."""
    from bareboat.aws.template.build import make_template

    service = case(name)
    ours = json.loads(json.dumps(make_template(service, made_up(service))))
    theirs = json.loads((CASES / name / "template.json").read_text())
    return tuple(differences(masked(theirs), masked(ours)))


@pytest.mark.parametrize("name", NAMES)
def test_template_differs_from_osls_only_where_explained(name: str, request: pytest.FixtureRequest) -> None:
    if name in PENDING:
        request.applymarker(pytest.mark.xfail(strict=True, reason=PENDING[name]))

    unexplained = [found for found in found_in(name) if not any(entry.fits(found) for entry in EXPLAINED)]

    assert not unexplained, "\n" + "\n".join(map(str, unexplained))


@pytest.mark.parametrize("entry", EXPLAINED, ids=lambda entry: f"{entry.type}-{entry.path}-{entry.logical_id}")
def test_every_explanation_is_needed(entry: Explained) -> None:
    cases = [name for name in NAMES if name not in PENDING]

    assert any(entry.fits(found) for name in cases for found in found_in(name)), f"nothing needs it: {entry.reason}"


@pytest.mark.parametrize("name", [name for name in NAMES if (CASES / name / "bucket.json").exists()])
def test_template_of_the_bucket_differs_from_osls_only_where_explained(name: str) -> None:
    from bareboat.aws.template.build import bucket_template

    theirs = json.loads((CASES / name / "bucket.json").read_text())

    found = differences(theirs, json.loads(json.dumps(bucket_template(case(name)))))

    unexplained = [one for one in found if not any(entry.fits(one) for entry in EXPLAINED)]
    assert not unexplained, "\n" + "\n".join(map(str, unexplained))


# Rules of cfn-lint that a case breaks itself, in `resources` or by what it asks for.
OWN_RULES = {
    "functions": {"W3005"},  # dependsOn a table that the environment refers to
    "rest-shared": {"W6001"},  # an API that another stack exports
    "resources": {"W1001", "W7001"},  # a function on a condition, and a mapping that nothing uses
}


@pytest.mark.parametrize("name", NAMES)
def test_template_is_clean_to_cfn_lint(name: str) -> None:
    from cfnlint.api import ManualArgs, lint

    from bareboat.aws.template.build import make_template

    service = case(name)

    found = lint(
        json.dumps(make_template(service, made_up(service))), config=ManualArgs(regions=[service.provider.region])
    )

    said = [one for one in found if one.rule.id not in OWN_RULES.get(name, ())]
    assert not said, "\n".join(f"{one.rule.id} {'/'.join(map(str, one.path))}: {one.message}" for one in said)
