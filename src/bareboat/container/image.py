"""A base + layers + settings -> an image: configuration, manifest, and an index where it is for several machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bareboat.container.base import Base
from bareboat.container.documents import (
    BASE_DIGEST,
    BASE_NAME,
    CONFIG,
    INDEX,
    MANIFEST,
    NO_DATE,
    Descriptor,
    Index,
    new_manifest,
)
from bareboat.container.layer import Layer
from bareboat.container.layout import Layout
from bareboat.errors import ArtifactError

LAMBDA_BYTES = 10 * 1024**3  # AWS Lambda quotas: container image code package size, 10 GB uncompressed, layers included


@dataclass(frozen=True, slots=True)
class Settings:
    """How a container of an image is run, over what the base says; None leaves the base's.

    Args:
        env: added; a value of the same name is replaced.
        ports: "8080/tcp".
        labels: added.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    entrypoint: Sequence[str] | None = None
    cmd: Sequence[str] | None = None
    workdir: str | None = None
    user: str | None = None
    ports: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    volumes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """An image for one machine that was made.

    Args:
        layers: ours, above the base's.
        base_bytes: of the base's layers, compressed.
    """

    descriptor: Descriptor
    layers: tuple[Layer, ...]
    base: str
    base_bytes: int

    @property
    def digest(self) -> str:
        """The manifest's digest."""
        return self.descriptor.digest

    @property
    def size_bytes(self) -> int:
        """Of all layers, compressed."""
        return self.base_bytes + sum(layer.descriptor.size for layer in self.layers)


def make_image(base: Base, layers: Sequence[Layer], settings: Settings, *, title: str) -> Image:
    """Write the configuration and the manifest. The same base, layers and settings give the same digest anywhere.

    Args:
        title: for the annotations.
    """
    layout = base.layout
    whole = [layer for layer in layers if layer.files or layer.unpacked_bytes]
    config = _config(base, whole, settings)
    annotations = {BASE_NAME: base.reference or base.name, "org.opencontainers.image.title": title}
    if base.descriptor is not None:
        annotations[BASE_DIGEST] = base.descriptor.digest
    manifest = new_manifest(
        layout.add_document(config, CONFIG), [*base.layers, *(layer.descriptor for layer in whole)], annotations
    )
    descriptor = layout.add_document(manifest, MANIFEST, platform=base.platform)
    return Image(descriptor, tuple(whole), base.name, sum(layer.size for layer in base.layers))


def make_index(layout: Layout, images: Sequence[Image]) -> Descriptor:
    """Return one image for several machines; for a single one itself."""
    if len(images) == 1:
        return images[0].descriptor
    ordered = sorted((image.descriptor for image in images), key=lambda one: str(one.platform))
    return layout.add_document(Index(2, tuple(ordered), INDEX), INDEX)


def refuse_over_limit(base: Base, layers: Sequence[Layer]) -> None:
    """Raise when Lambda would refuse the image for its unpacked size.

    Raises:
        ArtifactError: with the largest of our layers.
    """
    own = sum(layer.unpacked_bytes for layer in layers)
    total = own + sum(node.size for path in base.tree.paths() if (node := base.tree.get(path)) and node.kind == "file")
    if total <= LAMBDA_BYTES:
        return
    largest = ", ".join(
        f"{layer.name} {layer.unpacked_bytes / 1e6:,.0f} MB"
        for layer in sorted(layers, key=lambda layer: -layer.unpacked_bytes)[:3]
    )
    raise ArtifactError(
        f"unpacked the image has {total:,} bytes, {own:,} of them ours: {largest}",
        expected=f"at most {LAMBDA_BYTES:,} bytes, Lambda's limit",
        fix="take out packages that the function never imports, or keep the model in S3 (load: cold-start)",
    )


def _config(base: Base, layers: Sequence[Layer], settings: Settings) -> dict[str, Any]:
    said: dict[str, Any] = dict(base.settings)
    env = {**base.env, **settings.env}
    if env:
        said["Env"] = [f"{name}={value}" for name, value in env.items()]
    if settings.entrypoint is not None:
        said["Entrypoint"] = list(settings.entrypoint)
        said.pop("Cmd", None)  # the base's was for the base's entry point
    for key, value in (("Cmd", settings.cmd), ("WorkingDir", settings.workdir), ("User", settings.user)):
        if value is not None:
            said[key] = value if isinstance(value, str) else list(value)
    for key, more in (("ExposedPorts", settings.ports), ("Volumes", settings.volumes)):
        if more:
            said[key] = {**(said.get(key) or {}), **{one: {} for one in more}}
    if settings.labels:
        said["Labels"] = {**(said.get("Labels") or {}), **settings.labels}
    created = str(base.config.get("created") or NO_DATE)
    ours = [{"created": NO_DATE, "created_by": f"bareboat: {layer.name}"} for layer in layers]
    return {
        **{key: base.config[key] for key in ("variant", "os.version", "os.features") if key in base.config},
        "architecture": base.platform.architecture,
        "os": base.platform.os,
        "created": created,
        "config": said,
        "rootfs": {"type": "layers", "diff_ids": [*base.diff_ids, *(layer.diff_id for layer in layers)]},
        "history": [*_history(base), *ours],
    }


def _history(base: Base) -> list[Any]:
    """Return the base's history; one that does not fit its layers is written anew, since podman refuses it."""
    found = base.config.get("history") or []
    if sum(not one.get("empty_layer", False) for one in found if isinstance(one, dict)) == len(base.layers):
        return list(found)
    return [{"created": NO_DATE, "created_by": f"base: {base.name}"} for _ in base.layers]
