"""Artifacts and layers -> what is uploaded, and the Shipment that the template is made from; pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bareboat.artifact.model import Artifact, LayerArtifact
from bareboat.aws.bucket import bucket_name_of, folder_of
from bareboat.aws.shipment import FunctionCode, Shipment, ZipCode
from bareboat.service.model import Service

_MODELS = ".bareboat/models/"
# What a handler of one's own opens as a model: shown with its digest by `list`.
_MODEL_FILES = frozenset(
    [".model", ".forest", ".pipeline", ".ubj", ".bst", ".cbm", ".onnx", ".pkl", ".pickle", ".joblib", ".skops"]
)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One archive on its way to the bucket.

    Args:
        names: of the functions or layers that it is for.
        path: the zip, absolute.
        key: where it lies, by its content: `serverless/SERVICE/STAGE/code/SHA256.zip`.
        sha256: hex.
    """

    names: tuple[str, ...]
    path: Path
    key: str
    sha256: str
    size_bytes: int

    @property
    def code_sha256(self) -> str:
        """The digest as Lambda's CodeSha256 has it: base64."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


def code_key(folder: str, sha256: str) -> str:
    """Return where an archive of this content lies."""
    return f"{folder}/code/{sha256}.zip"


def parcels_of(
    service: Service, artifacts: Iterable[Artifact], layers: Iterable[LayerArtifact] = ()
) -> tuple[Parcel, ...]:
    """Return what has to be in the bucket, each content once."""
    folder = folder_of(service)
    found: dict[str, Parcel] = {}
    boxes: list[tuple[tuple[str, ...], Artifact | LayerArtifact]] = [(one.functions, one) for one in artifacts]
    boxes += [((f"layer {one.name}",), one) for one in layers]
    for names, one in boxes:
        known = found[one.digest].names if one.digest in found else ()
        key = code_key(folder, one.digest)
        found[one.digest] = Parcel((*known, *names), one.path, key, one.digest, one.size_bytes)
    return tuple(found.values())


def make_shipment(
    service: Service,
    artifacts: Iterable[Artifact],
    layers: Iterable[LayerArtifact] = (),
    images: Mapping[str, FunctionCode] | None = None,
) -> Shipment:
    """Return the code of a service as the template names it; nothing is uploaded.

    Args:
        layers: all that the service makes, those that no function has too.
        images: image functions by name; a function with both runs the image.
    """
    folder = folder_of(service)
    functions = {
        name: FunctionCode(
            code=ZipCode(code_key(folder, artifact.digest), artifact.digest),
            architecture=artifact.target.architecture,
            handler=artifact.handlers[name],
            runtime=f"python{artifact.target.image or artifact.target.python}",
            permissions=tuple(_statements(artifact.manifest, name)),
            models=models_of(artifact.manifest, name),
        )
        for artifact in artifacts
        for name in artifact.functions
    }
    return Shipment(
        functions={**functions, **(images or {})},
        layers={one.name: ZipCode(code_key(folder, one.digest), one.digest) for one in layers},
        bucket=bucket_name_of(service),
    )


def models_of(manifest: Mapping[str, Any], function: str) -> dict[str, str]:
    """Return the models that a function runs -> sha256, hex: those it serves, else the model files in its archive.

    Args:
        manifest: of the artifact; {} for a ready-made zip.
    """
    files: Mapping[str, Any] = manifest.get("files", {})
    served = manifest.get("signature", {}).get(function, {}).get("models", {})
    found = {}
    for model, versions in served.items():
        for version, about in versions.items():
            label = model if len(versions) == 1 else f"{model}@{version}"
            if "fetch" in about:
                found[about["fetch"]["source"]] = about["fetch"]["sha256"]
            else:
                digests = (said["sha256"] for path, said in files.items() if path.startswith(_MODELS))
                found[label] = next((one for one in digests if one.startswith(version)), version)
    if served:
        return found
    return {
        path: said["sha256"]
        for path, said in files.items()
        if PurePosixPath(path).suffix in _MODEL_FILES and not path.startswith(".bareboat/") and path.count("/") < 3
    }


def _statements(manifest: Mapping[str, Any], function: str) -> Iterator[Mapping[str, object]]:
    """Yield what the role must allow so that the function can start, as IAM has it."""
    for one in manifest.get("permissions", {}).get(function, ()):
        yield {"Effect": "Allow", "Action": one["action"], "Resource": one["resource"]}
