"""An image of a registry -> an image layout: the documents verified, the layers that are missing fetched, in parallel.

Nothing is named before all of it is there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

import msgspec

from bareboat.container.documents import (
    AS_OCI_LAYER,
    INDEXES,
    Descriptor,
    Index,
    Manifest,
    Platform,
    read_config,
    read_index,
    read_manifest,
)
from bareboat.container.download import blob_blocks
from bareboat.container.layout import Damaged, Layout
from bareboat.container.reference import Reference, parse_reference
from bareboat.container.registry import Document, Registry
from bareboat.container.transfer import Meter, each_at_once
from bareboat.errors import ArtifactError, RemoteError

log = logging.getLogger(__name__)


def pull(
    reference: str | Reference,
    layout: Layout,
    *,
    platforms: Sequence[Platform] | None = None,
    on_step: Callable[[str], None] = lambda _: None,
    insecure: bool = False,
    registry: Registry | None = None,
) -> Descriptor:
    """Fetch an image with all of its layers into a layout; it gets no name there.

    Args:
        platforms: the machines to fetch it for; None fetches it for every one that it has.
        insecure: take any certificate, and plain HTTP.
        registry: to use in place of a new connection.
    Returns:
        The image for the one platform; for several an index, the registry's own where all of it is wanted.
    Raises:
        ConfigurationError: that is no reference.
        RemoteError: the registry refuses, does not have it, or sends something else.
        ArtifactError: the image is of a kind that bareboat does not know.
        PackagingError: the disk is full.
    """
    image = parse_reference(reference) if isinstance(reference, str) else reference
    if registry is not None:
        return _Pull(registry, image, layout, on_step).fetch(platforms)
    with Registry(image.registry, insecure=insecure) as opened:
        return _Pull(opened, image, layout, on_step).fetch(platforms)


class _Pull:
    def __init__(self, registry: Registry, image: Reference, layout: Layout, on_step: Callable[[str], None]) -> None:
        self._registry = registry
        self._image = image
        self._layout = layout
        self._on_step = on_step
        self._where = str(image)

    def fetch(self, platforms: Sequence[Platform] | None) -> Descriptor:
        self._on_step(f"looking for {self._image}")
        top = self._registry.manifest(self._image)
        if top.descriptor.media_type not in INDEXES:
            manifest = read_manifest(top.data, self._where)
            self._fetch_blobs([manifest])
            platform = self._platform(manifest)
            if platforms is not None and not any(fits(platform, wanted) for wanted in platforms):
                raise self._no_platform(platforms, [platform])
            return msgspec.structs.replace(self._keep(top), platform=platform)
        index = read_index(top.data, self._where)
        chosen = self._chosen(index, platforms)
        children = [self._child(one) for one in chosen]
        self._fetch_blobs([read_manifest(child.data, self._where) for child in children])
        for child in children:
            self._keep(child)
        if platforms is not None and len(platforms) == 1:
            return chosen[0]
        if platforms is None:
            return self._keep(top)
        kind = top.descriptor.media_type
        return self._layout.add_document(Index(2, tuple(chosen), kind, index.annotations), kind)

    def _child(self, one: Descriptor) -> Document:
        """Fetch one manifest of an index; or read it where it is here already."""
        if self._layout.has_blob(one):
            return Document(one, self._layout.read_blob(one))
        child = self._registry.manifest(self._image.with_digest(one.digest))
        if child.descriptor.media_type != one.media_type:
            raise RemoteError(
                f"{self._where} holds {one.digest} as {one.media_type}, which is {child.descriptor.media_type}"
            )
        return child

    def _chosen(self, index: Index, platforms: Sequence[Platform] | None) -> list[Descriptor]:
        images = [one for one in index.manifests if one.platform is None or one.platform.os != "unknown"]
        if platforms is None:
            return list(index.manifests)  # attestations too, so that the index is whole
        chosen = []
        for wanted in platforms:
            found = choose(images, wanted)
            if found is None:
                raise self._no_platform([wanted], [one.platform for one in images if one.platform is not None])
            chosen.append(found)
        return list({one.digest: one for one in chosen}.values())

    def _fetch_blobs(self, manifests: Iterable[Manifest]) -> None:
        blobs: dict[str, Descriptor] = {}
        for manifest in manifests:
            for layer in manifest.layers:
                if "foreign" in layer.media_type or "nondistributable" in layer.media_type:
                    raise ArtifactError(
                        f"{self._where} has a layer that no registry has: {layer.media_type}",
                        expected="layers like " + next(iter(AS_OCI_LAYER)),
                    )
            blobs |= {blob.digest: blob for blob in (manifest.config, *manifest.layers)}
        missing = [blob for blob in blobs.values() if not self._layout.has_blob(blob)]
        meter = Meter(sum(blob.size for blob in missing), self._on_step, self._registry.transport.end)
        each_at_once(sorted(missing, key=lambda blob: -blob.size), lambda blob: self._fetch(blob, meter), meter)
        log.info("%s: %d of %d blobs fetched", self._image, len(missing), len(blobs))

    def _fetch(self, blob: Descriptor, meter: Meter) -> None:
        done = 0

        def count(size_bytes: int) -> None:
            nonlocal done
            done += size_bytes
            meter.done(blob, done)

        try:
            blocks = blob_blocks(self._registry, self._image.repository, blob)
            self._layout.add_blob(blocks, expected=blob, on_bytes=count)
        except Damaged as error:
            raise RemoteError(
                f"{self._registry.host} sends another layer than promised: {blob.digest} {error.found}",
                expected=f"{blob.size:,} bytes of that digest",
                fix="try again; if it stays so, the registry or a proxy in between is damaged",
            ) from error

    def _keep(self, document: Document) -> Descriptor:
        self._layout.add_blob(document.data, expected=document.descriptor)
        return document.descriptor

    def _platform(self, manifest: Manifest) -> Platform:
        config = read_config(self._layout.read_blob(manifest.config), self._where)
        words = (str(config.get(key) or "") for key in ("architecture", "os", "variant"))
        return Platform(*words)

    def _no_platform(self, wanted: Sequence[Platform], there: Sequence[Platform]) -> RemoteError:
        known = ", ".join(sorted({str(one) for one in there}))
        return RemoteError(
            f"{self._image} is not there for {', '.join(map(str, wanted))}",
            expected=f"one of {known}" if known else "an image that says what it is for",
        )


def choose(images: Iterable[Descriptor], wanted: Platform) -> Descriptor | None:
    """Return the image of an index that suits a machine: that of its variant, else of the plainest."""
    suited = [one for one in images if one.platform is not None and fits(one.platform, wanted)]
    return min(suited, key=lambda one: one.platform is None or one.platform.variant != wanted.variant, default=None)


def fits(platform: Platform, wanted: Platform) -> bool:
    """Tell whether an image for a platform runs on the machine that is wanted; arm64 is v8 where it does not say."""
    same = (platform.os, platform.architecture) == (wanted.os, wanted.architecture)
    return same and (platform.variant == wanted.variant or not platform.variant or not wanted.variant)
