"""Stacks that osls and Serverless 3 deploy are taken over: the first deployment replaces nothing and loses nothing.

The templates are those that record_osls.py recorded; what stays is judged by CloudFormation's own rule: a logical id
that both templates have, of the same type, without a change of a property that cannot change in place.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bareboat.aws.adoption import BY_NATURE, Adoption, adoption_of_template
from bareboat.aws.handover import contents_of
from bareboat.aws.shipment import ZipCode
from bareboat.aws.template.replacements import CREATE_ONLY
from bareboat.service import load_service
from bareboat.service.model import Service

CASES = Path(__file__).parent / "osls"
RECORDED = sorted(f"{path.parent.name}/{path.name}" for path in CASES.glob("*/*.json") if path.name != "bucket.json")
MOVES = (
    *BY_NATURE,
    *("AWS::IAM::Role", "AWS::Lambda::Function"),  # of Serverless's own custom resources
)


def case(recorded: str, folder: Path) -> tuple[Service, dict[str, Any]]:
    name, file = recorded.split("/")
    shutil.copytree(CASES / name, folder, dirs_exist_ok=True)
    if not (folder / "handler.py").exists():
        (folder / "handler.py").write_text("def handle(event, context): ...\ndef predict(event, context): ...\n")
    return load_service(folder, env={}), json.loads((CASES / name / file).read_text())


def adopted(recorded: str, folder: Path) -> Adoption:
    return adoption_of_template(*case(recorded, folder))


@pytest.mark.parametrize("recorded", RECORDED)
def test_nothing_is_lost_and_nothing_replaced(recorded: str, tmp_path: Path) -> None:
    found = adopted(recorded, tmp_path)

    assert found.is_safe, [str(change) for change in found.losses]
    assert found.origin == "serverless"
    assert not [one for one in found.of("replace", "maybe-replace") if one.type not in BY_NATURE]
    assert found.write == {}
    assert found.outputs == ()


@pytest.mark.parametrize("recorded", RECORDED)
def test_only_what_nothing_is_missing_without_is_taken_out_of_the_stack(recorded: str, tmp_path: Path) -> None:
    found = adopted(recorded, tmp_path)

    removed = found.of("remove")
    assert [one for one in removed if not found.leftovers[one.logical_id].belongs] == []
    assert {one.type for one in removed if not one.type.startswith("Custom::")} <= {*MOVES}


@pytest.mark.parametrize("recorded", RECORDED)
def test_every_function_that_serverless_deployed_can_be_recorded(recorded: str, tmp_path: Path) -> None:
    service, template = case(recorded, tmp_path)

    contents = contents_of(service, template)

    assert {*service.functions, *service.image_functions} <= set(contents.functions)
    versions = {
        body["Properties"]["FunctionName"]["Ref"]
        for body in template["Resources"].values()
        if body["Type"] == "AWS::Lambda::Version" and "CodeSha256" in body["Properties"]
    }
    zips = [one.code for one in contents.functions.values() if isinstance(one.code, ZipCode)]
    assert sum(len(code.sha256) == 64 for code in zips) >= min(len(versions), len(zips))


def test_an_api_that_serverless_yml_no_longer_has_would_be_lost(tmp_path: Path) -> None:
    _, template = case("http-api/template.json", tmp_path)
    text = (tmp_path / "serverless.yml").read_text()
    (tmp_path / "serverless.yml").write_text(
        text.split("functions:")[0] + "functions: {list: {handler: handler.handle}}\n"
    )

    found = adoption_of_template(load_service(tmp_path, env={}), template)

    assert "HttpApi" in [change.logical_id for change in found.losses]
    assert not found.is_safe


@pytest.mark.parametrize("kind", sorted(CREATE_ONLY))
def test_what_cannot_change_in_place_is_what_the_schemas_say(kind: str) -> None:
    manager = pytest.importorskip("cfnlint.schema.manager").PROVIDER_SCHEMA_MANAGER

    schema = manager.get_resource_schema("us-east-1", kind).schema

    said = [*schema.get("createOnlyProperties", ()), *schema.get("conditionalCreateOnlyProperties", ())]
    assert {one.removeprefix("/properties/").split("/")[0] for one in said} == CREATE_ONLY[kind]


@pytest.mark.parametrize("recorded", RECORDED)
def test_every_type_that_serverless_makes_is_known(recorded: str, tmp_path: Path) -> None:
    service, template = case(recorded, tmp_path)
    own = service.resources.get("Resources") or {}

    made = {body["Type"] for name, body in template["Resources"].items() if name not in own}

    assert {kind for kind in made if not kind.startswith("Custom::")} <= set(CREATE_ONLY)
