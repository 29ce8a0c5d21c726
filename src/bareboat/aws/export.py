"""A service and its archives -> a template for other tools: CloudFormation, or SAM.

It is the template that `deploy` sends, with files in the place of what lies in bareboat's bucket, and without that
bucket: `aws cloudformation package`, `sam deploy` and the like upload the files to one of their own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from bareboat.artifact.model import Artifact, LayerArtifact
from bareboat.aws.parcels import code_key, make_shipment
from bareboat.aws.shipment import FunctionCode, ImageCode
from bareboat.aws.template import naming
from bareboat.aws.template.build import make_template
from bareboat.aws.template.draft import Json
from bareboat.errors import ConfigurationError
from bareboat.service.model import Service

Kind = Literal["cloudformation", "sam"]
TRANSFORM = "AWS::Serverless-2016-10-31"

# What AWS::Serverless::Function calls as AWS::Lambda::Function does. Source: AWS SAM developer guide,
# AWS::Serverless::Function. A function with another property stays what it is, which SAM takes too.
_SAME = frozenset(
    [
        "Architectures",
        "Description",
        "Environment",
        "EphemeralStorage",
        "FileSystemConfigs",
        "FunctionName",
        "Handler",
        "ImageConfig",
        "KmsKeyArn",
        "Layers",
        "LoggingConfig",
        "MemorySize",
        "PackageType",
        "RecursiveLoop",
        "ReservedConcurrentExecutions",
        "Role",
        "Runtime",
        "RuntimeManagementConfig",
        "SnapStart",
        "Timeout",
        "VpcConfig",
    ]
)


def export(
    service: Service,
    artifacts: Iterable[Artifact],
    layers: Iterable[LayerArtifact] = (),
    *,
    kind: Kind,
    folder: Path,
) -> Json:
    """Return the template.

    Args:
        folder: what the paths of archives are relative to: where the template will lie.
    Raises:
        ConfigurationError: the template cannot be made, or a function's image has no address.
    """
    artifacts, layers = tuple(artifacts), tuple(layers)
    shipment = make_shipment(service, artifacts, layers, _images(service))
    template = make_template(service, replace(shipment, bucket=""))
    resources: dict[str, Json] = template["Resources"]
    for bucket in (naming.BUCKET, naming.BUCKET_POLICY):
        resources.pop(bucket, None)
    template["Outputs"].pop(naming.BUCKET_OUTPUT, None)
    files = _files(service, (*artifacts, *layers), folder)
    for resource in resources.values():
        _localize(resource, files)
    if kind == "sam":
        template["Resources"] = {name: _as_sam(resource) for name, resource in resources.items()}
        own = template.pop("Transform", [])
        others = [own] if isinstance(own, str) else list(own)
        first = {
            "AWSTemplateFormatVersion": template["AWSTemplateFormatVersion"],
            "Transform": [*others, TRANSFORM] if others else TRANSFORM,  # AWS::LanguageExtensions must come first
        }
        return {**first, **template}
    return template


def _images(service: Service) -> dict[str, FunctionCode]:
    """Return the images of functions by their addresses in serverless.yml."""
    from bareboat.aws.preview import UNBUILT, preview_shipment

    found = {}
    for name, code in preview_shipment(service).functions.items():
        if name not in service.image_functions or not isinstance(code.code, ImageCode):
            continue
        if ".dkr.ecr." not in code.code.uri:
            function = service.image_functions[name]
            raise ConfigurationError(
                f"functions.{name} is an image that has no address yet",
                expected="the address of an image in ECR, with a digest",
                fix=f"bareboat image push, then functions.{name}.image: ADDRESS",
                where=str(function.where),
            )
        known = code.code.sha256 if code.code.sha256 != UNBUILT else ""
        found[name] = replace(code, code=replace(code.code, sha256=known))
    return found


def _files(service: Service, boxes: Iterable[Artifact | LayerArtifact], folder: Path) -> dict[str, str]:
    """Return the key of each archive in the bucket -> its path."""
    from bareboat.aws.bucket import folder_of

    where = folder_of(service)
    found = {}
    for one in boxes:
        path = Path(os.path.relpath(one.path, folder.resolve())).as_posix()
        found[code_key(where, one.digest)] = path if path.startswith("../") else f"./{path}"
    return found


def _localize(resource: Json, files: Mapping[str, str]) -> None:
    """Put a file where a place in the bucket stands."""
    properties: Json = resource.get("Properties", {})
    for key in ("Code", "Content"):
        place = properties.get(key)
        if isinstance(place, dict) and place.get("S3Key") in files:
            properties[key] = files[place["S3Key"]]


def _as_sam(resource: Json) -> Json:
    """Return a function as AWS::Serverless::Function, and everything else as it is."""
    properties: Json = dict(resource.get("Properties", {}))
    if resource["Type"] != "AWS::Lambda::Function":
        return resource
    made: Json = {}
    for name, value in properties.items():
        if name in _SAME:
            made[name] = value
        elif name == "Code" and isinstance(value, str):
            made["CodeUri"] = value
        elif name == "Code" and "ImageUri" in value:
            made["ImageUri"] = value["ImageUri"]
        elif name == "Tags":
            made["Tags"] = {tag["Key"]: tag["Value"] for tag in value}
        elif name == "TracingConfig":
            made["Tracing"] = value["Mode"]
        elif name == "DeadLetterConfig" and (kind := _queue_or_topic(value["TargetArn"])):
            made["DeadLetterQueue"] = {"Type": kind, "TargetArn": value["TargetArn"]}
        else:
            return resource
    return {**resource, "Type": "AWS::Serverless::Function", "Properties": made}


def _queue_or_topic(arn: Any) -> str:
    service = arn.split(":")[2:3] if isinstance(arn, str) else []
    return {"sqs": "SQS", "sns": "SNS"}.get(service[0], "") if service else ""
