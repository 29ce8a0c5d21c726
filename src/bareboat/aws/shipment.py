"""What of a service's code goes to AWS, and where it lies there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bareboat.service.model import Architecture


@dataclass(frozen=True, slots=True)
class ZipCode:
    """An archive in the deployment bucket, named by its content.

    Args:
        key: `serverless/SERVICE/STAGE/code/SHA256.zip`.
        sha256: of the zip, hex.
    """

    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ImageCode:
    """An image in ECR.

    Args:
        uri: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:...`, or as serverless.yml has it.
        sha256: of the manifest, hex; "" where only AWS knows it.
        command, entry_point, working_directory: what overrides those of the image.
    """

    uri: str
    sha256: str = ""
    command: tuple[str, ...] = ()
    entry_point: tuple[str, ...] = ()
    working_directory: str = ""


@dataclass(frozen=True, slots=True)
class FunctionCode:
    """What one function runs.

    Args:
        handler, runtime: "" for images.
        runtime: as AWS is told: `python3.13`, whatever serverless.yml said.
        permissions: IAM statements that the artifact itself needs, such as reading its own model at a cold start.
        models: file name or store address -> sha256 of the models, hex, for `list`.
    """

    code: ZipCode | ImageCode
    architecture: Architecture
    handler: str = ""
    runtime: str = ""
    permissions: tuple[Mapping[str, object], ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shipment:
    """The code of a service.

    Args:
        bucket: the name of a bucket that the stack does not make (`provider.deploymentBucket`); "" for the stack's own.
        functions: by the name in serverless.yml, image functions included.
        layers: by the key in `layers`.
    """

    functions: Mapping[str, FunctionCode]
    layers: Mapping[str, ZipCode] = field(default_factory=dict)
    bucket: str = ""
