"""Artifacts -> bareboat.json, by which other tools deploy them: a versioned format, the same bytes for the same build.

Its schema is contract.schema.json, which `bareboat schema --package` prints; docs/other-tools.md tells how it is used.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bareboat.artifact.model import Artifact, LayerArtifact
from bareboat.service.model import Function, Service
from bareboat.service.triggers import HttpApiEvent, SourceEvent

FORMAT = 1
"""Raised when a key goes or changes its meaning; keys may be added without."""
NAME = "bareboat.json"


def contract(service: Service, artifacts: Iterable[Artifact], layers: Iterable[LayerArtifact]) -> dict[str, Any]:
    """Return what bareboat.json says.

    Args:
        artifacts: those that lie beside it.
        layers: likewise.
    """
    artifacts, layers = tuple(artifacts), sorted(layers, key=lambda layer: layer.name)
    names = file_names((*artifacts, *layers))
    functions = {
        name: _function(service, service.functions[name], artifact, names[artifact.path])
        for artifact in artifacts
        for name in artifact.functions
    }
    return {
        "format": FORMAT,
        "service": service.name,
        "stage": service.provider.stage,
        "region": service.provider.region,
        "functions": {name: functions[name] for name in service.functions if name in functions},
        "layers": {
            layer.name: _layer(service, layer, names[layer.path])
            for layer in sorted(layers, key=lambda layer: layer.name)
        },
    }


def schema() -> dict[str, Any]:
    """Return the JSON schema of bareboat.json."""
    text = Path(__file__).with_name("contract.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def text_of(document: Mapping[str, Any]) -> str:
    """Return a document as it is written to a file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def file_names(boxes: Iterable[Artifact | LayerArtifact]) -> dict[Path, str]:
    """Return each archive -> its name beside bareboat.json: its own, with its digest where two are called alike."""
    boxes = {one.path: one for one in boxes}.values()
    counts: dict[str, int] = {}
    for one in boxes:
        counts[one.path.name] = counts.get(one.path.name, 0) + 1
    return {
        one.path: one.path.name if counts[one.path.name] == 1 else f"{one.path.stem}-{one.digest[:12]}.zip"
        for one in boxes
    }


def _function(service: Service, function: Function, artifact: Artifact, path: str) -> dict[str, Any]:
    known, unknown = _environment(service, function)
    return {
        "name": function.full_name,
        **_archive(artifact, path),
        "handler": artifact.handlers[function.name],
        "runtime": f"python{artifact.target.image or artifact.target.python}",
        "architecture": artifact.target.architecture,
        "memory_mb": function.memory_mb,
        "timeout_s": function.timeout_s,
        "ephemeral_storage_mb": function.ephemeral_storage_mb,
        "reserved_concurrency": function.reserved_concurrency,
        "description": function.description,
        "environment": known,
        "environment_unresolved": unknown,
        "layers": [{"layer": ref.name} if ref.name else {"arn": ref.written} for ref in function.layers],
        "permissions": [
            {"actions": _list(one["action"]), "resources": _list(one["resource"])}
            for one in artifact.manifest.get("permissions", {}).get(function.name, ())
        ],
        "routes": [event.route_key for event in function.events if isinstance(event, HttpApiEvent)],
        "reports_batch_item_failures": function.serves_models
        or any(isinstance(event, SourceEvent) and event.reports_failures for event in function.events),
    }


def _environment(service: Service, function: Function) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the variables whose values are known, and those that only CloudFormation or AWS knows, as written."""
    written: Mapping[str, Any] = function.options.get("environment", {})
    known: dict[str, str] = {}
    unknown: dict[str, Any] = {}
    for name, text in function.environment.items():
        if name in written:
            unknown[name] = written[name]
        elif any(variable in text for variable in service.awaits):
            unknown[name] = text
        else:
            known[name] = text
    return known, unknown


def _layer(service: Service, layer: LayerArtifact, path: str) -> dict[str, Any]:
    declared = service.layers[layer.name]
    return {
        "name": declared.full_name,
        **_archive(layer, path),
        "runtimes": list(declared.runtimes) or [f"python{layer.target.image or layer.target.python}"],
        "architectures": list(declared.architectures) or [layer.target.architecture],
        "description": declared.description,
    }


def _archive(artifact: Artifact | LayerArtifact, path: str) -> dict[str, Any]:
    return {
        "path": path,
        "sha256": artifact.digest,
        "sha256_base64": base64.b64encode(bytes.fromhex(artifact.digest)).decode(),
        "size_bytes": artifact.size_bytes,
        "unzipped_bytes": artifact.unzipped_bytes,
    }


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
