"""What an archive says of itself: `.bareboat/manifest.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bareboat import __version__
from bareboat.artifact.cold_start import permissions
from bareboat.artifact.model import MODEL_HANDLER
from bareboat.artifact.plan import Plan, handler_strings
from bareboat.artifact.reader import FORMAT
from bareboat.packaging.interpreters import Interpreter
from bareboat.packaging.packs import Member, Pack
from bareboat.packaging.sizes import PackageSize
from bareboat.service.model import Service

_TARGET = ("python", "architecture", "system", "image")


def make_manifest(
    plan: Plan,
    members: Sequence[tuple[Member, Pack]],
    sizes: Sequence[PackageSize],
    *,
    service: Service,
    interpreter: Interpreter | None,
    signature: Mapping[str, Any],
    bundled: Mapping[str, str],
    shed: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the manifest. It holds no date and no path of this machine, so that the same input gives the same bytes.

    Args:
        sizes: the report by package.
        signature: for each model function its features, labels and what its model is.
        bundled: libraries that bareboat added: path in the artifact -> what they come from.
        shed: packages whose bytecode was left out to stay under the limit.
    """
    packs = list({id(pack): pack for _, pack in members}.values())
    handlers = handler_strings(plan.functions, MODEL_HANDLER)
    return {
        "format": FORMAT,
        "service": service.name,
        "functions": {
            one.name: {"handler": handlers[one.name], "kind": "model" if one.serves_models else "handler"}
            for one in plan.functions
        },
        "target": {key: value for key, value in asdict(plan.target).items() if key in _TARGET},
        "versions": {
            "bareboat": __version__,
            "bytecode": interpreter.release if interpreter is not None else None,
            "packages": {pack.name: pack.version for pack in packs if pack.version},
        },
        "signature": dict(signature),
        **permissions(signature),
        "unzipped_bytes": sum(member.size for member, _ in members),
        "slim": service.slim,
        "sizes": [{**asdict(size), "roots": list(size.roots)} for size in sizes],
        "removed": [
            {"package": pack.name, "reason": removed.reason, "files": removed.files, "bytes": removed.size_bytes}
            for pack in sorted(packs, key=lambda pack: pack.name)
            for removed in pack.removed
        ],
        "bundled": dict(bundled),
        "bytecode_left_out": list(shed),
        "without_bytecode": sorted(path for pack in packs for path in pack.not_compiled),
        "files": {member.path: {"sha256": member.sha256, "size": member.size} for member, _ in members},
    }


def shipped(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a manifest goes into the archive: all but the machine that proved it, which may be any."""
    proof = manifest.get("proof")
    if not proof:
        return dict(manifest)
    return {**manifest, "proof": {key: value for key, value in proof.items() if key != "proved_on"}}


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """Return the manifest as it stands in the archive: one file a line, in order."""
    rest = {key: value for key, value in manifest.items() if key != "files"}
    head = json.dumps(rest, indent=1, ensure_ascii=False)
    lines = ",\n".join(
        f'  {json.dumps(path, ensure_ascii=False)}: {{"sha256": "{said["sha256"]}", "size": {said["size"]}}}'
        for path, said in manifest["files"].items()
    )
    return f'{head[:-2]},\n "files": {{\n{lines}\n }}\n}}\n'.encode()
