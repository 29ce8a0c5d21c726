"""What `package` shows of layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bareboat.cli.terminal import Terminal, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bareboat.artifact.model import Artifact, LayerArtifact


def layers_of(artifacts: Iterable[Artifact]) -> list[LayerArtifact]:
    """Return each layer of artifacts once, in the order in which they are first had."""
    return list({layer.path: layer for artifact in artifacts for layer in artifact.layers}.values())


def with_layers_bytes(artifact: Artifact) -> int:
    """Return what Lambda counts of an artifact and its layers."""
    return artifact.unzipped_bytes + sum(layer.unzipped_bytes for layer in artifact.layers)


def report_layers(terminal: Terminal, layers: Sequence[LayerArtifact], artifacts: Sequence[Artifact]) -> None:
    """Show the layers, and which functions have them."""
    if not layers:
        return
    terminal.write("")
    terminal.table(
        ("layer", "functions", "target", "size_mb", "unzipped_mb", "state", "artifact"),
        [
            (
                layer.name,
                ", ".join(_users(layer, artifacts)),
                layer.target,
                f"{layer.size_bytes / 1e6:.3f}",
                f"{layer.unzipped_bytes / 1e6:.3f}",
                "unchanged" if layer.reused else "built",
                shown(layer.path),
            )
            for layer in layers
        ],
    )


def layer_document(layer: LayerArtifact, artifacts: Sequence[Artifact]) -> dict[str, Any]:
    """Return what `--json` says of a layer."""
    from bareboat.artifact.report import package_rows

    return {
        "layer": layer.name,
        "artifact": str(layer.path),
        "sha256": layer.digest,
        "functions": _users(layer, artifacts),
        "target": str(layer.target),
        "size_bytes": layer.size_bytes,
        "unzipped_bytes": layer.unzipped_bytes,
        "reused": layer.reused,
        "packages": [row.document() for row in package_rows(layer.manifest)],
        "bundled": layer.manifest.get("bundled", {}),
        "notes": [{"level": note.level, "text": note.text, "where": note.where} for note in layer.notes],
    }


def _users(layer: LayerArtifact, artifacts: Sequence[Artifact]) -> list[str]:
    having = (artifact for artifact in artifacts if any(other.path == layer.path for other in artifact.layers))
    return [name for artifact in having for name in artifact.functions]
