"""A stack that Serverless deployed -> its state as a version that `rollback` can go back to."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from typing import Any

from bareboat.aws.bucket import Bucket
from bareboat.aws.client import Aws
from bareboat.aws.record import Record, Records, live_record
from bareboat.aws.shipment import FunctionCode, ImageCode, Shipment, ZipCode
from bareboat.aws.template import naming
from bareboat.service.model import Service


def record_live(
    aws: Aws, service: Service, bucket: Bucket, template: Mapping[str, Any], *, clock: Callable[[], float] = time.time
) -> tuple[Record, bool]:
    """Write down what a stack runs as a version of its own, of the action `adopt`; once.

    Nothing of the stack changes. Serverless keeps the templates of its last deployments beside their code, which
    `rollback` reads too; this one stays whatever Serverless prunes, and `list` shows who took the stack over and when.

    Returns:
        the record, and whether it is new.
    Raises:
        AwsError: S3 refuses.
    """
    records = Records(aws, bucket, clock=clock)
    there = live_record(records.read(), template)
    if there is not None:
        return there, False
    begun = records.begin(template, service, contents_of(service, template), action="adopt", live=template)
    return records.finish(begun), True


def contents_of(service: Service, template: Mapping[str, Any]) -> Shipment:
    """Return the code that a template names, by the names of serverless.yml where it has them."""
    bodies = template.get("Resources") or {}
    digests = _digests(bodies)
    names = {naming.function_id(name): name for name in (*service.functions, *service.image_functions)}
    functions: dict[str, FunctionCode] = {}
    layers: dict[str, ZipCode] = {}
    for logical_id, body in bodies.items():
        properties = body.get("Properties") or {}
        if body.get("Type") == "AWS::Lambda::Function":
            code = _code(properties.get("Code") or {}, digests.get(logical_id, ""))
            architectures = properties.get("Architectures") or ["x86_64"]
            if code is not None:
                functions[names.get(logical_id, logical_id)] = FunctionCode(
                    code,
                    architectures[0],
                    handler=str(properties.get("Handler", "")),
                    runtime=str(properties.get("Runtime", "")),
                )
        elif body.get("Type") == "AWS::Lambda::LayerVersion":
            key = (properties.get("Content") or {}).get("S3Key")
            if isinstance(key, str):
                layers[logical_id] = ZipCode(key, "")
    return Shipment(functions, layers)


def _code(said: Mapping[str, Any], digest: str) -> ZipCode | ImageCode | None:
    key, image = said.get("S3Key"), said.get("ImageUri")
    if isinstance(key, str):
        return ZipCode(key, digest)
    if isinstance(image, str):
        return ImageCode(image, image.rpartition("@sha256:")[2] if "@sha256:" in image else "")
    return None


def _digests(bodies: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each function's code as its version has it, hex."""
    found = {}
    for body in bodies.values():
        properties = body.get("Properties") or {}
        function = properties.get("FunctionName")
        if body.get("Type") != "AWS::Lambda::Version" or not isinstance(function, Mapping):
            continue
        try:
            found[str(function.get("Ref"))] = base64.b64decode(
                str(properties.get("CodeSha256", "")), validate=True
            ).hex()
        except (binascii.Error, ValueError):
            continue
    return found
