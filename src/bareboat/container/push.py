"""An image of a layout -> a registry: first the layers, in parallel, then the manifests, then the name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bareboat.container.documents import BASE_NAME, Descriptor, read_index, read_manifest
from bareboat.container.layout import Layout
from bareboat.container.reference import Reference, parse_reference
from bareboat.container.registry import Registry
from bareboat.container.transfer import Meter, each_at_once
from bareboat.container.upload import How, push_blob
from bareboat.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did.

    Args:
        reference: where the image is now, with its tag.
        digest: of its manifest or index: `reference@digest` stays what it is.
        how: blob's digest -> whether it was there, was mounted or was sent.
        sent_bytes: of the blobs that were sent.
        total_bytes: of all blobs.
    """

    reference: Reference
    digest: str
    how: dict[str, How]
    sent_bytes: int
    total_bytes: int

    def count(self, how: How) -> int:
        """Return how many blobs went that way."""
        return sum(one == how for one in self.how.values())


def push(
    layout: Layout,
    image: Descriptor,
    reference: str | Reference,
    *,
    on_step: Callable[[str], None] = lambda _: None,
    insecure: bool = False,
    chunk_bytes: int | None = None,
    registry: Registry | None = None,
) -> Pushed:
    """Bring an image, or an index of images, to a registry. What is there already is not sent again.

    Args:
        chunk_bytes: send layers in pieces of this size; None sends each whole, and in pieces after a break.
        insecure: take any certificate, and plain HTTP.
        registry: to use in place of a new connection.
    Raises:
        ConfigurationError: that is no reference.
        ArtifactError: a part of the image is missing or damaged.
        RemoteError: the registry refuses, or the connection breaks again and again.
    """
    there = parse_reference(reference) if isinstance(reference, str) else reference
    if there.digest and there.digest != image.digest:
        raise ConfigurationError(f"the image is {image.digest}", expected=there.digest, fix="give a tag")
    if registry is not None:
        return _push(layout, image, there, registry, on_step, chunk_bytes)
    with Registry(there.registry, insecure=insecure) as opened:
        return _push(layout, image, there, opened, on_step, chunk_bytes)


def destination(name: str, said: str | None) -> Reference:
    """Return where an image goes to: what was said, else what it is named.

    Raises:
        ConfigurationError: neither names a registry.
    """
    there = parse_reference(said or name)
    if not there.names_registry and said is None:
        raise ConfigurationError(
            f"{name} says no registry to push it to",
            expected="HOST/PATH/NAME:TAG (docker.io/YOU/NAME:TAG for Docker Hub)",
            fix=f"bareboat image push {name} HOST/{there.familiar.rpartition('/')[2]}",
        )
    return there


def _push(
    layout: Layout,
    image: Descriptor,
    there: Reference,
    registry: Registry,
    on_step: Callable[[str], None],
    chunk_bytes: int | None,
) -> Pushed:
    on_step(f"asking {registry.host}")
    registry.ping()
    documents: dict[str, tuple[Descriptor, bytes]] = {}
    blobs: dict[str, tuple[Descriptor, str]] = {}
    _gather(layout, image, registry.host, documents, blobs)
    total = sum(blob.size for blob, _ in blobs.values())
    meter = Meter(total, on_step, registry.transport.end)

    def bring(blob: Descriptor) -> How:
        how = push_blob(
            registry,
            there.repository,
            blob,
            lambda: layout.open_blob(blob),
            mount_from=blobs[blob.digest][1],
            chunk_bytes=chunk_bytes,
            on_bytes=lambda done: meter.done(blob, done),
        )
        meter.done(blob, blob.size)
        return how

    ordered = sorted((blob for blob, _ in blobs.values()), key=lambda blob: -blob.size)
    how = dict(zip((blob.digest for blob in ordered), each_at_once(ordered, bring, meter), strict=True))
    for descriptor, data in documents.values():  # what an index names comes before it
        is_top = descriptor.digest == image.digest
        name = there.tag if is_top and there.tag else descriptor.digest
        registry.put_manifest(there.repository, name, descriptor, data)
    sent = sum(blob.size for blob, _ in blobs.values() if how[blob.digest] == "sent")
    return Pushed(there, image.digest, how, sent, total)


def _gather(
    layout: Layout,
    image: Descriptor,
    host: str,
    documents: dict[str, tuple[Descriptor, bytes]],
    blobs: dict[str, tuple[Descriptor, str]],
) -> None:
    """Collect what an image is made of, each part once: documents below first, blobs with where to mount them from."""
    data = layout.read_blob(image)
    where = str(layout.blob_path(image.digest))
    if image.is_index:
        for one in read_index(data, where).manifests:
            _gather(layout, one, host, documents, blobs)
    else:
        manifest = read_manifest(data, where)
        mount_from = _repository_of_base(manifest.annotations.get(BASE_NAME, ""), host)
        for blob in (manifest.config, *manifest.layers):
            layout.open_blob(blob).close()  # a part that is missing is told before anything is sent
            blobs.setdefault(blob.digest, (blob, "" if blob is manifest.config else mount_from))
    documents[image.digest] = (image, data)


def _repository_of_base(name: str, host: str) -> str:
    """Return the repository of an image's base where that is in the same registry."""
    try:
        base = parse_reference(name) if name else None
    except ConfigurationError:
        return ""
    return base.repository if base is not None and base.registry == host else ""
