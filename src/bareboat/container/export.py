"""An image of the store -> a layout folder, or a tar that docker, podman and skopeo load."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from bareboat.container.documents import INDEX, REF_NAME, Descriptor, Index, Platform, encode
from bareboat.container.layout import Layout
from bareboat.packaging.cache import cannot_write, scratch_folder

_CONTAINERD_NAME = "io.containerd.image.name"  # what docker's containerd store and nerdctl read the name from


def export_image(layout: Layout, image: Descriptor, names: Sequence[str], output: Path) -> Path:
    """Write an image to a file whose name ends in .tar, or to a folder; whole or not at all.

    Raises:
        ArtifactError: the image is incomplete, or the folder holds something else.
        PackagingError: the disk is full.
    """
    if output.suffix == ".tar":
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            with scratch_folder(output.parent) as scratch:
                with (scratch / "image.tar").open("wb") as file:
                    write_tar(layout, image, names, file)
                (scratch / "image.tar").replace(output)
        except OSError as error:
            raise cannot_write(output, error) from error
        return output
    other = Layout.create(output)
    for blob in _blobs(layout, image):
        if not other.has_blob(blob):
            with layout.open_blob(blob) as file:
                other.add_blob(file, expected=blob)
    for name in names or ("",):
        other.tag(name, image)
    return output


def write_tar(
    layout: Layout, image: Descriptor, names: Sequence[str], stream: BinaryIO, *, platform: Platform | None = None
) -> None:
    """Write an image as a tar: an OCI layout, and beside it docker's manifest.json, so that anybody loads it.

    The same image gives the same bytes.

    Args:
        names: its names, with tags.
        platform: of several machines' images the one that manifest.json names; None is the first. Docker's older form
            knows one only.
    """
    plain = msgspec.structs.replace(image, annotations={})
    named = [
        msgspec.structs.replace(plain, annotations={REF_NAME: name, _CONTAINERD_NAME: name}) for name in names
    ] or [plain]
    images = layout.images(image)
    single = next((one for one in images if platform is not None and one.platform == platform), images[0])
    manifest = layout.manifest(single)
    docker = [
        {
            "Config": _path(manifest.config),
            "RepoTags": list(names),
            "Layers": [_path(layer) for layer in manifest.layers],
        }
    ]
    documents = {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": encode(Index(2, tuple(named), INDEX)),
        "manifest.json": json.dumps(docker, separators=(",", ":"), sort_keys=True).encode(),
    }
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        _add_documents(tar, documents)
        for folder in ("blobs", "blobs/sha256"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        for blob in sorted({blob.digest: blob for blob in _blobs(layout, image)}.values(), key=lambda one: one.digest):
            info = tarfile.TarInfo(_path(blob))
            info.size, info.mode = blob.size, 0o644
            with layout.open_blob(blob) as file:
                tar.addfile(info, file)


def _add_documents(tar: tarfile.TarFile, documents: Mapping[str, bytes]) -> None:
    import io

    for name, data in documents.items():
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o644
        tar.addfile(info, io.BytesIO(data))


def _path(blob: Descriptor) -> str:
    return f"blobs/{blob.digest.replace(':', '/')}"


def _blobs(layout: Layout, image: Descriptor) -> Iterator[Descriptor]:
    """Yield everything that an image is made of."""
    yield image
    if image.is_index:
        for one in layout.nested(image).manifests:
            if layout.has_blob(one):
                yield from _blobs(layout, one)
        return
    manifest = layout.manifest(image)
    yield manifest.config
    yield from manifest.layers
