"""Templates for other tools: aws-sam-translator makes of the SAM template what the CloudFormation template says."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bareboat.artifact.model import MODEL_HANDLER, Artifact, LayerArtifact
from bareboat.aws.export import export
from bareboat.aws.template.difference import differences
from bareboat.errors import ConfigurationError
from bareboat.packaging.target import Target
from bareboat.service import load_service
from bareboat.service.model import Service

CASES = Path(__file__).parent / "osls"
NAMES = (
    "seed", "functions", "layers", "queues", "streams", "topics", "rest", "http-api", "schedules", "buckets",
    "existing-buckets", "destinations", "images", "resources", "roles", "versions",
)  # fmt: skip
DIGEST = "0123456789abcdef" * 4


def service_of(name: str, tmp_path: Path) -> Service:
    folder = tmp_path / name
    folder.mkdir()
    for path in (CASES / name).iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    for module in ("handler", "auth"):
        if not (folder / f"{module}.py").exists():
            (folder / f"{module}.py").write_text("def handle(event, context):\n    return {}\n")
    for layer in re.findall(r"path: (\w+)", (folder / "serverless.yml").read_text()):
        (folder / layer).mkdir(exist_ok=True)
        (folder / layer / "x.txt").write_text("")
    return load_service(folder, env={})


def boxes(service: Service) -> tuple[list[Artifact], list[LayerArtifact]]:
    target = Target("3.13", "x86_64")
    where = service.folder / ".bareboat"
    handlers = {name: one.handler or MODEL_HANDLER for name, one in service.functions.items()}
    artifact = Artifact(where / "a.zip", DIGEST, tuple(service.functions), target, handlers, 1, 1, {})
    layers = [
        LayerArtifact(name, where / f"{name}.zip", f"{number:064x}", target, 1, 1, {})
        for number, name in enumerate(service.layers)
    ]
    return [artifact], layers


def exported(service: Service, kind: Any, folder: Path) -> dict[str, Any]:
    artifacts, layers = boxes(service)
    made: dict[str, Any] = json.loads(json.dumps(export(service, artifacts, layers, kind=kind, folder=folder)))
    return made


def packaged(template: dict[str, Any]) -> dict[str, Any]:
    """Return a template as `sam package` leaves it: files are in a bucket."""
    done = copy.deepcopy(template)
    for resource in done["Resources"].values():
        properties = resource.get("Properties", {})
        if isinstance(properties.get("CodeUri"), str):
            properties["CodeUri"] = "s3://packages/code.zip"
        for key in ("Code", "Content"):
            if isinstance(properties.get(key), str):
                properties[key] = {"S3Bucket": "packages", "S3Key": "code.zip"}
    return done


def translated(template: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    pytest.importorskip("samtranslator")
    from samtranslator.translator.transform import transform

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    class NoPolicies:
        def load(self) -> dict[str, str]:
            return {}

    made: dict[str, Any] = transform(packaged(template), {}, NoPolicies())
    return made


def without_mark(template: dict[str, Any]) -> dict[str, Any]:
    """Return what SAM made, without the tag by which it marks its functions."""
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        tags = (
            [tag for tag in properties.get("Tags") or () if tag["Key"] != "lambda:createdBy"]
            if (resource["Type"] == "AWS::Lambda::Function")
            else None
        )
        if tags:
            properties["Tags"] = tags
        elif tags is not None:
            properties.pop("Tags", None)
    return template


@pytest.mark.parametrize("name", NAMES)
def test_sam_comes_back_as_the_template_of_cloudformation(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = service_of(name, tmp_path)
    sam = exported(service, "sam", service.folder)
    plain = exported(service, "cloudformation", service.folder)
    transforms = sam["Transform"] if isinstance(sam["Transform"], list) else [sam["Transform"]]
    assert transforms[-1] == "AWS::Serverless-2016-10-31"
    kinds = {resource["Type"] for resource in sam["Resources"].values()}
    assert "AWS::Serverless::Function" in kinds

    back = without_mark(translated(sam, monkeypatch))

    found = differences(packaged(plain), back)
    assert [str(one) for one in found if one.section != "Transform"] == []  # CloudFormation takes transforms away


def test_files_stand_where_the_bucket_did(tmp_path: Path) -> None:
    service = service_of("layers", tmp_path)
    plain = exported(service, "cloudformation", service.folder)

    text = json.dumps(plain)
    assert "ServerlessDeploymentBucket" not in text
    codes = {one["Properties"]["Code"] for one in plain["Resources"].values() if one["Type"] == "AWS::Lambda::Function"}
    contents = {
        one["Properties"]["Content"]
        for one in plain["Resources"].values()
        if one["Type"] == "AWS::Lambda::LayerVersion"
    }
    assert codes == {"./.bareboat/a.zip"}
    assert all(path.startswith("./.bareboat/") and path.endswith(".zip") for path in contents)


def test_paths_are_those_from_the_templates_folder(tmp_path: Path) -> None:
    service = service_of("seed", tmp_path)
    plain = exported(service, "cloudformation", service.folder / "deploy")

    (code,) = {one["Properties"]["Code"] for one in plain["Resources"].values() if "Code" in one.get("Properties", {})}
    assert code == "../.bareboat/a.zip"


def test_an_image_without_an_address_is_refused(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text(
        "service: pics\nprovider: {name: aws, ecr: {images: {here: {path: ./}}}}\n"
        "functions:\n  f:\n    image: {name: here}\n"
    )
    service = load_service(tmp_path, env={})

    with pytest.raises(ConfigurationError, match="has no address yet"):
        export(service, [], kind="sam", folder=tmp_path)


def test_yaml_has_no_anchors() -> None:
    from bareboat.cli.commands.export import _yaml

    shared = {"Ref": "A"}
    text = _yaml({"a": shared, "b": shared})

    assert "&" not in text
    assert yaml.safe_load(text) == {"a": shared, "b": shared}
