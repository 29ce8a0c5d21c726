"""What docs/other-tools.md gives other tools: the contract of bareboat.json, and each snippet, run on a real folder."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from bareboat.artifact.contract import contract, schema
from bareboat.artifact.model import Artifact, LayerArtifact
from bareboat.cli.root import bareboat
from bareboat.packaging.target import Target
from bareboat.service import load_service

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "other-tools.md").read_text()
IRIS = ROOT / "src" / "bareboat" / "templates" / "lightgbm-iris"

# Format 1. A key may be added to the schema, and then here; one that goes or changes its meaning makes format 2.
TOP = {"format", "service", "stage", "region", "functions", "layers"}
ARCHIVE = {"name", "path", "sha256", "sha256_base64", "size_bytes", "unzipped_bytes"}
FUNCTION = ARCHIVE | {
    "handler", "runtime", "architecture", "memory_mb", "timeout_s", "ephemeral_storage_mb", "reserved_concurrency",
    "description", "environment", "environment_unresolved", "layers", "permissions", "routes",
    "reports_batch_item_failures",
}  # fmt: skip
LAYER = ARCHIVE | {"runtimes", "architectures", "description"}


def snippet(language: str, having: str = "") -> str:
    """Return the block of the page that is in a language and has a text."""
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    (found,) = [block for block in blocks if having in block]
    return str(found)


def closed() -> dict[str, Any]:
    """Return the schema with every key that it does not name forbidden."""
    document = schema()
    for part in (document, document["$defs"]["function"], document["$defs"]["layer"]):
        part["additionalProperties"] = False
    return document


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that `bareboat package --out` wrote, of a model function."""
    project = tmp_path_factory.mktemp("tools") / "iris"
    shutil.copytree(IRIS, project)
    folder = project / "dist"
    with pytest.raises(SystemExit) as ended:
        bareboat.main(["package", "-c", str(project), "--out", str(folder)])
    assert ended.value.code == 0
    return folder


@pytest.fixture
def said(dist: Path) -> dict[str, Any]:
    return dict(json.loads((dist / "bareboat.json").read_text()))


def test_the_keys_of_format_1_are_all_there() -> None:
    document = schema()

    assert set(document["required"]) == set(document["properties"]) == TOP
    function, layer = document["$defs"]["function"], document["$defs"]["layer"]
    assert set(function["required"]) == set(function["properties"]) == FUNCTION
    assert set(layer["required"]) == set(layer["properties"]) == LAYER
    assert document["properties"]["format"] == {"const": 1}


def test_what_package_writes_is_what_the_schema_says(dist: Path, said: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(closed()).validate(said)

    one = said["functions"]["predict"]
    archive = (dist / one["path"]).read_bytes()
    digest = hashlib.sha256(archive).digest()
    assert (one["sha256"], one["sha256_base64"]) == (digest.hex(), base64.b64encode(digest).decode())
    assert one["size_bytes"] == len(archive)
    assert one["routes"] == ["POST /predict"]
    assert str(dist.parent) not in json.dumps(said)


def test_the_page_shows_what_the_schema_says() -> None:
    jsonschema.Draft202012Validator(closed()).validate(json.loads(snippet("json")))


def test_variables_layers_and_permissions_are_told(tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text("")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "x.py").write_text("")
    (tmp_path / "serverless.yml").write_text(
        "service: told\n"
        "provider: {name: aws, runtime: python3.13}\n"
        "layers: {shared: {path: shared}}\n"
        "functions:\n"
        "  f:\n"
        "    handler: handler.f\n"
        "    layers: [{Ref: SharedLambdaLayer}, 'arn:aws:lambda:us-east-1:123456789012:layer:theirs:1']\n"
        "    environment: {PLAIN: text, TABLE: {Ref: Table}, SECRET: '${ssm:/key}'}\n"
        "    reservedConcurrency: 3\n"
    )
    service = load_service(tmp_path, env={})
    target = Target("3.13", "x86_64")
    asked = {"permissions": {"f": [{"action": "s3:GetObject", "resource": "arn:aws:s3:::models/iris.txt"}]}}
    artifact = Artifact(tmp_path / "a.zip", "0" * 64, ("f",), target, {"f": "handler.f"}, 9, 9, asked)
    layer = LayerArtifact("shared", tmp_path / "out" / "a.zip", "1" * 64, target, 9, 9, {})

    document = contract(service, [artifact], [layer])

    jsonschema.Draft202012Validator(closed()).validate(document)
    one = document["functions"]["f"]
    assert one["environment"] == {"PLAIN": "text"}
    assert one["environment_unresolved"] == {"TABLE": {"Ref": "Table"}, "SECRET": "${ssm:/key}"}
    assert one["layers"] == [{"layer": "shared"}, {"arn": "arn:aws:lambda:us-east-1:123456789012:layer:theirs:1"}]
    assert one["permissions"] == [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::models/iris.txt"]}]
    assert one["reserved_concurrency"] == 3
    names = {one["path"], document["layers"]["shared"]["path"]}
    assert names == {"a-000000000000.zip", "a-111111111111.zip"}  # both are called a.zip


def test_export_writes_a_template_that_names_the_archives(dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = dist.parent
    with pytest.raises(SystemExit) as ended:
        bareboat.main(["export", "-c", str(project), "--sam", "-o", str(project / "template.yaml")])

    assert ended.value.code == 0
    assert "sam deploy --template-file" in capsys.readouterr().err
    template = yaml.safe_load((project / "template.yaml").read_text())
    code = template["Resources"]["PredictLambdaFunction"]["Properties"]["CodeUri"]
    assert (project / code).read_bytes() == next(dist.glob("*.zip")).read_bytes()


def test_export_wants_to_know_for_whom(dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bareboat.main(["export", "-c", str(dist.parent)])

    assert ended.value.code == 2
    assert "--sam or --cloudformation" in capsys.readouterr().err


def test_schema_prints_that_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bareboat.main(["schema", "--package"])

    assert json.loads(capsys.readouterr().out) == schema()


def evaluated(value: Any, each: dict[str, Any], local: dict[str, Any]) -> Any:
    """Return an expression of HCL that takes values out of what it is given, and texts with such; others as they are.

    Raises:
        KeyError: it names what is not there.
    """
    if isinstance(value, list):
        return [evaluated(one, each, local) for one in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\{((?:each|local)\.[\w.]+)\}", value)
    if whole:
        return reached(whole[1], each, local)
    return re.sub(r"\$\{((?:each|local)\.[\w.]+)\}", lambda match: str(reached(match[1], each, local)), value).strip(
        '"'
    )


def reached(path: str, each: dict[str, Any], local: dict[str, Any]) -> Any:
    found: Any = {"each": each, "local": local}
    for name in path.split("."):
        found = found[name]
    return found


def test_terraform_finds_in_the_file_all_that_it_asks_for(dist: Path, said: dict[str, Any]) -> None:
    hcl2 = pytest.importorskip("hcl2")
    text = snippet("hcl")
    parsed = hcl2.loads(text)

    local = {"bareboat": said, "dist": str(dist)}
    assert set(re.findall(r"local\.bareboat\.(\w+)", text)) <= TOP
    assert set(re.findall(r"\bfunction\.(\w+) :", text)) <= FUNCTION
    resources = {
        kind.strip('"'): body
        for block in parsed["resource"]
        for kind, named in block.items()
        for body in named.values()
    }
    (function,) = (
        {
            name: evaluated(value, {"key": "predict", "value": one}, local)
            for name, value in resources["aws_lambda_function"].items()
        }
        for one in said["functions"].values()
    )
    assert Path(function["filename"]).is_file()
    code = Path(function["filename"]).read_bytes()
    assert function["source_code_hash"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
    assert function["function_name"] == "lightgbm-iris-dev-predict"
    assert (function["handler"], function["runtime"]) == ("bareboat.runtime.handler.handle", "python3.13")
    assert (function["architectures"], function["memory_size"], function["timeout"]) == (["arm64"], 1024, 6)
    for kind, keys in (("aws_lambda_function", FUNCTION), ("aws_lambda_layer_version", LAYER)):
        asked = set(re.findall(r"each\.value\.(\w+)", json.dumps(resources[kind])))
        assert asked
        assert asked <= keys
    policy = json.dumps(resources["aws_iam_role_policy"])
    assert set(re.findall(r"\bone\.(\w+)", policy)) == {"actions", "resources"}


def test_terraform_refers_to_nothing_that_it_does_not_have() -> None:
    text = snippet("hcl")
    made = {f"{kind}.{name}" for kind, name in re.findall(r'resource "(\w+)" "(\w+)"', text)}
    named = set(re.findall(r"\b(aws_\w+\.\w+)(?=[.\[\],])", text))

    assert named <= made


def test_cdk_asks_only_for_keys_that_there_are() -> None:
    import ast

    keys = {
        node.slice.value
        for node in ast.walk(ast.parse(snippet("python", "aws_cdk")))
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
    }

    assert {"path", "handler", "runtime", "memory_mb", "timeout_s"} <= keys
    assert keys <= TOP | FUNCTION | LAYER | {"layer", "arn", "actions", "resources"}


@pytest.mark.skipif("BAREBOAT_CDK" not in os.environ, reason="CDK unpacks 207 MB for 20 s: BAREBOAT_CDK=1 runs it")
def test_cdk_makes_the_function_of_it(dist: Path, said: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("aws_cdk")
    if shutil.which("node") is None:
        pytest.skip("CDK needs node, which is not there")
    app = tmp_path / "app.py"
    app.write_text(snippet("python", "aws_cdk"))
    (tmp_path / "dist").symlink_to(dist)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CDK_OUTDIR": str(tmp_path / "out"),
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }

    done = subprocess.run(
        [sys.executable, str(app)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "out" / "Models.template.json").read_text())
    properties = {one["Type"]: one["Properties"] for one in template["Resources"].values()}
    function, one = properties["AWS::Lambda::Function"], said["functions"]["predict"]
    assert function["FunctionName"] == one["name"]
    assert (function["Handler"], function["Runtime"]) == (one["handler"], one["runtime"])
    assert (function["Architectures"], function["MemorySize"], function["Timeout"]) == (["arm64"], 1024, 6)
    assert properties["AWS::ApiGatewayV2::Route"]["RouteKey"] == "POST /predict"
    assets = json.loads((tmp_path / "out" / "Models.assets.json").read_text())["files"].values()
    zips = [tmp_path / "out" / each["source"]["path"] for each in assets if each["source"]["path"].endswith(".zip")]
    assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in zips] == [one["sha256"]]


def test_a_template_of_sams_may_hold_the_export(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("samtranslator")
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    text = snippet("yaml", "AWS::Serverless::Application")
    template = yaml_parse(text)
    application = template["Resources"]["Models"]["Properties"]
    application["Location"] = "https://packages.s3.amazonaws.com/iris.yaml"  # where `sam deploy` puts it

    class NoPolicies:
        def load(self) -> dict[str, str]:
            return {}

    made = transform(template, {}, NoPolicies())

    assert made["Resources"]["Models"]["Type"] == "AWS::CloudFormation::Stack"


# What the actions take: action.yml of each, as read on 2026-11-22.
INPUTS = {
    "actions/checkout": {"ref", "fetch-depth"},
    "actions/upload-artifact": {"name", "path", "retention-days", "if-no-files-found"},
    "astral-sh/setup-uv": {"python-version", "enable-cache", "version"},
    "aws-actions/configure-aws-credentials": {"role-to-assume", "aws-region", "role-duration-seconds", "audience"},
}
WORKFLOW = yaml.safe_load((ROOT / "docs" / "ci" / "github-actions.yml").read_text())
STEPS = [(name, step) for name, job in WORKFLOW["jobs"].items() for step in job["steps"]]


def test_the_workflow_uses_what_its_actions_take() -> None:
    for _, step in STEPS:
        if "uses" in step:
            action, _, version = step["uses"].partition("@")
            assert re.fullmatch(r"v\d+", version)
            assert set(step.get("with", {})) <= INPUTS[action]
    assert all(set(job) >= {"runs-on", "steps", "timeout-minutes"} for job in WORKFLOW["jobs"].values())
    assert all(job.get("needs", "check") in WORKFLOW["jobs"] for job in WORKFLOW["jobs"].values())


def test_the_workflow_has_no_key_and_asks_for_the_token() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read", "id-token": "write"}
    text = (ROOT / "docs" / "ci" / "github-actions.yml").read_text()
    assert "secrets." not in text
    assert set(re.findall(r"vars\.(\w+)", text)) == {"AWS_DEPLOY_ROLE", "AWS_PLAN_ROLE", "AWS_REGION"}


def test_the_workflow_types_commands_that_there_are() -> None:
    lines = [step["run"].split() for _, step in STEPS if step.get("run", "").startswith("bareboat ")]

    assert {words[1] for words in lines} == {"check", "package", "deploy", "smoke"}
    for words in lines:
        command = bareboat.get_command(click.Context(bareboat), words[1])
        assert command is not None, f"there is no bareboat {words[1]}"
        flags = {flag for parameter in command.params for flag in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= flags


def test_the_roles_are_for_one_repository_and_one_environment() -> None:
    template = role_template()

    assert not [match for match in linted(template) if match[0].startswith("E")]
    conditions = {
        name: one["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::IAM::Role"
    }
    subject = "token.actions.githubusercontent.com:sub"
    audience = "token.actions.githubusercontent.com:aud"
    assert {one[audience] for one in conditions.values()} == {"sts.amazonaws.com"}
    assert conditions["PlanRole"][subject] == {"Fn::Sub": "repo:${Repository}:pull_request"}
    assert conditions["DeployRole"][subject] == {"Fn::Sub": "repo:${Repository}:environment:${Environment}"}
    assert WORKFLOW["jobs"]["deploy"]["environment"] == template["Parameters"]["Environment"]["Default"]
    assert "environment" not in WORKFLOW["jobs"]["plan"]  # its subject would be another one


def test_the_role_that_plans_changes_nothing_but_change_sets() -> None:
    policy = role_template()["Resources"]["PlanRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    actions = {action for one in policy["Statement"] for action in one["Action"]}

    writes = {one for one in actions if not re.search(r":(Describe|Get|List|Validate)", one)}
    assert writes == {
        "cloudformation:CreateChangeSet",
        "cloudformation:DeleteChangeSet",
        "s3:PutObject",
    }  # large templates


def role_template() -> dict[str, Any]:
    pytest.importorskip("samtranslator")
    from samtranslator.yaml_helper import yaml_parse

    return json.loads(json.dumps(yaml_parse((ROOT / "docs" / "ci" / "github-role.yml").read_text())))  # type: ignore[no-any-return]


def linted(template: dict[str, Any]) -> list[tuple[str, str]]:
    api = pytest.importorskip("cfnlint.api")
    found = api.lint(json.dumps(template), config=api.ManualArgs(regions=["us-east-1"]))
    return [(match.rule.id, match.message) for match in found]
