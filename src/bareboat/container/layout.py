"""A folder of an image's parts, the OCI image layout: blobs named by their digests, written whole or not at all.

oci-layout              {"imageLayoutVersion": "1.0.0"}
index.json              which images there are, by name
blobs/sha256/DIGEST     layers, configurations, manifests
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from bareboat.container.documents import (
    INDEX,
    INDEXES,
    REF_NAME,
    Descriptor,
    Index,
    Manifest,
    Platform,
    encode,
    read_config,
    read_index,
    read_manifest,
)
from bareboat.errors import ArtifactError
from bareboat.packaging.cache import cannot_write, write_whole
from bareboat.packaging.exclusive import exclusive

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z|sha512:[0-9a-f]{128}\Z")
_BLOCK = 1 << 20
DOCUMENT_BYTES = 8 << 20  # a manifest, index or configuration; registries take at most 4 MiB


class Damaged(ArtifactError):  # noqa: N818 - as `Missing` of a registry
    """A blob is not what its descriptor says.

    Args:
        found: what it is instead: "ends after 5 of 9 bytes".
    """

    def __init__(self, blob: Descriptor, place: Path, found: str) -> None:
        super().__init__(
            f"a part of the image is damaged: {blob.digest} {found}",
            expected=f"{blob.size:,} bytes of that digest",
            fix="pull or build the image again",
            where=str(place),
        )
        self.found = found


class Layout:
    """An OCI image layout.

    Args:
        path: its folder. `Layout.create` makes one, `Layout.open` looks first.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Layout({str(self.path)!r})"

    @classmethod
    def create(cls, path: Path) -> Layout:
        """Return the layout at `path`, made if it is not there.

        Raises:
            ArtifactError: the folder holds something else.
            PackagingError: it cannot be written to.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not (path / "oci-layout").exists() and any(not one.name.startswith(".") for one in path.iterdir()):
                raise ArtifactError("this folder holds something else", expected="no folder, or an image layout",
                                    where=str(path))  # fmt: skip
            (path / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(path, error) from error
        if not (path / "index.json").exists():
            with exclusive(path / ".lock"):
                if not (path / "index.json").exists():
                    write_whole(path / "index.json", encode(Index(2, (), INDEX)))
        if not (path / "oci-layout").exists():
            write_whole(path / "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Layout:
        """Return the layout at `path`.

        Raises:
            ArtifactError: there is none, or one of another version.
        """
        where = str(path / "oci-layout")
        try:
            said = read_config((path / "oci-layout").read_bytes(), where)
        except OSError as error:
            raise ArtifactError(
                f"this is no image layout: {error.strerror}", expected="a folder with oci-layout and index.json",
                where=where,
            ) from error  # fmt: skip
        if said.get("imageLayoutVersion") != "1.0.0":
            raise ArtifactError(
                f"imageLayoutVersion is {said.get('imageLayoutVersion')!r}", expected="1.0.0", where=where
            )
        return cls(path)

    # --- blobs

    def blob_path(self, digest: str) -> Path:
        """Return where a blob lies, or would.

        Raises:
            ArtifactError: that is no digest.
        """
        if not _DIGEST.match(digest):
            raise ArtifactError(
                f"{digest[:100]!r} is no digest", expected="sha256: and 64 hexadecimal digits", where=str(self.path)
            )
        kind, _, digits = digest.partition(":")
        return self.path / "blobs" / kind / digits

    def has_blob(self, blob: Descriptor) -> bool:
        """Tell whether a blob is there in its full size."""
        try:
            return self.blob_path(blob.digest).stat().st_size == blob.size
        except OSError:
            return False

    def add_blob(
        self,
        source: bytes | BinaryIO | Iterable[bytes],
        media_type: str = "",
        *,
        expected: Descriptor | None = None,
        on_bytes: Callable[[int], None] = lambda _: None,
    ) -> Descriptor:
        """Write a blob under its digest. A stream that ends early or differs leaves nothing behind.

        Args:
            source: the bytes, a file, or blocks of bytes.
            media_type: for the descriptor; that of `expected` when that is given.
            expected: what the bytes must turn out to be.
            on_bytes: told the size of each block that was written.
        Raises:
            ArtifactError: the bytes are not what was expected.
            PackagingError: the disk is full, or the folder cannot be written to.
        """
        if expected is not None:
            self.blob_path(expected.digest)
        with self.new_blob(media_type, expected=expected) as blob:
            for block in _blocks(source):
                blob.write(block)
                on_bytes(len(block))
        return blob.descriptor

    @contextmanager
    def new_blob(self, media_type: str = "", *, expected: Descriptor | None = None) -> Iterator[NewBlob]:
        """Yield a file to write a blob to; afterwards its `descriptor` says what it became."""
        folder = self.path / "blobs"
        part = folder / f".tmp-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        try:
            file = part.open("xb")
        except OSError as error:
            raise cannot_write(part, error) from error
        try:
            with file:
                blob = NewBlob(file, media_type, expected, part)
                yield blob
                blob.finish()
            place = self.blob_path(blob.descriptor.digest)
            try:
                place.parent.mkdir(exist_ok=True)
                part.replace(place)
            except OSError as error:
                raise cannot_write(place, error) from error
        finally:
            part.unlink(missing_ok=True)

    def open_blob(self, blob: Descriptor) -> BinaryIO:
        """Open a blob to read it; whoever needs to know that it is undamaged calls `check_blob`.

        Raises:
            ArtifactError: it is missing or cut off.
        """
        place = self.blob_path(blob.digest)
        try:
            file = place.open("rb")
        except OSError as error:
            raise ArtifactError(
                f"a part of the image is missing: {blob.digest}", fix="pull or build the image again", where=str(place)
            ) from error
        size = os.fstat(file.fileno()).st_size
        if size != blob.size:
            file.close()
            raise Damaged(blob, place, f"has {size} bytes")
        return file

    def check_blob(self, blob: Descriptor) -> None:
        """Read a blob and compare its digest.

        Raises:
            ArtifactError: it is missing or damaged.
        """
        with self.open_blob(blob) as file:
            digest = _digest_of(blob.digest)
            while block := file.read(_BLOCK):
                digest.update(block)
        if digest.hexdigest() != blob.digest.partition(":")[2]:
            raise Damaged(blob, self.blob_path(blob.digest), f"has the digest {digest.hexdigest()}")

    def read_blob(self, blob: Descriptor) -> bytes:
        """Return a document's bytes, verified.

        Raises:
            ArtifactError: it is missing, damaged, or too large for a document.
        """
        if blob.size > DOCUMENT_BYTES:
            raise ArtifactError(
                f"{blob.digest} has {blob.size:,} bytes", expected=f"a document of at most {DOCUMENT_BYTES:,} bytes",
                where=str(self.path),
            )  # fmt: skip
        with self.open_blob(blob) as file:
            data = file.read()
        if _digest_of(blob.digest, data).hexdigest() != blob.digest.partition(":")[2]:
            raise Damaged(blob, self.blob_path(blob.digest), "was changed")
        return data

    # --- documents

    def add_document(self, document: Any, media_type: str, *, platform: Platform | None = None) -> Descriptor:
        """Write a manifest, an index or a configuration."""
        descriptor = self.add_blob(encode(document), media_type)
        return msgspec.structs.replace(descriptor, platform=platform)

    def manifest(self, image: Descriptor) -> Manifest:
        """Read an image's manifest.

        Raises:
            ArtifactError: it is missing or damaged, or is none.
        """
        return read_manifest(self.read_blob(image), str(self.blob_path(image.digest)))

    def nested(self, image: Descriptor) -> Index:
        """Read the index of an image for several platforms."""
        return read_index(self.read_blob(image), str(self.blob_path(image.digest)))

    def config(self, manifest: Manifest) -> dict[str, Any]:
        """Read the configuration of an image."""
        return read_config(self.read_blob(manifest.config), str(self.blob_path(manifest.config.digest)))

    def images(self, descriptor: Descriptor) -> tuple[Descriptor, ...]:
        """Return the single images that a descriptor stands for: itself, or those of its index.

        What an index holds beside images for a platform (BuildKit's attestations, "unknown/unknown") is left out.
        """
        if descriptor.media_type not in INDEXES:
            return (descriptor,)
        found: list[Descriptor] = []
        for one in self.nested(descriptor).manifests:
            if one.platform is not None and "unknown" in {one.platform.os, one.platform.architecture}:
                continue
            found += self.images(one) if one.media_type in INDEXES else [one]
        return tuple(found)

    # --- the index

    def index(self) -> Index:
        """Read index.json.

        Raises:
            ArtifactError: it cannot be read or is no index.
        """
        place = self.path / "index.json"
        try:
            return read_index(place.read_bytes(), str(place))
        except OSError as error:
            raise ArtifactError(f"cannot be read: {error.strerror}", where=str(place)) from error

    def manifests(self) -> tuple[Descriptor, ...]:
        """Return the images of the layout, in the order in which they were added."""
        return self.index().manifests

    def find(self, name: str) -> Descriptor | None:
        """Return the image that has a name, None when there is none."""
        return next((one for one in self.manifests() if one.name == name), None)

    def tag(self, name: str, image: Descriptor) -> Descriptor:
        """Give an image a name; whichever had it before loses it."""
        named = msgspec.structs.replace(image, annotations={**image.annotations, REF_NAME: name})

        def change(manifests: tuple[Descriptor, ...]) -> tuple[Descriptor, ...]:
            left = [one for one in manifests if one.name != name and (one.name or one.digest != image.digest)]
            return (*left, named)

        self._change(change)
        return named

    def untag(self, name: str) -> None:
        """Take a name away. Blobs stay."""
        self._change(lambda manifests: tuple(one for one in manifests if one.name != name))

    def _change(self, change: Callable[[tuple[Descriptor, ...]], tuple[Descriptor, ...]]) -> None:
        with exclusive(self.path / ".lock"):
            index = self.index()
            write_whole(
                self.path / "index.json", encode(msgspec.structs.replace(index, manifests=change(index.manifests)))
            )


class NewBlob:
    """A blob that is being written."""

    def __init__(self, file: BinaryIO, media_type: str, expected: Descriptor | None, place: Path) -> None:
        self._file = file
        self._media_type = media_type
        self._expected = expected
        self._place = place
        self._digest = _digest_of(expected.digest if expected is not None else "sha256:")
        self.size = 0
        self.descriptor = Descriptor(media_type, "", 0)

    def write(self, data: bytes) -> int:
        """Write a block.

        Raises:
            ArtifactError: there are more bytes than expected.
        """
        try:
            self._file.write(data)
        except OSError as error:
            raise cannot_write(self._place, error) from error
        self._digest.update(data)
        self.size += len(data)
        if self._expected is not None and self.size > self._expected.size:
            raise Damaged(self._expected, self._place, f"has more than {self._expected.size:,} bytes")
        return len(data)

    def finish(self) -> None:
        """Make sure that the bytes are on the disk and are what was expected."""
        expected = self._expected
        found = f"{self._digest.name}:{self._digest.hexdigest()}"
        if expected is not None:
            if self.size != expected.size:
                raise Damaged(expected, self._place, f"ends after {self.size:,} of {expected.size:,} bytes")
            if found != expected.digest:
                raise Damaged(expected, self._place, f"has the digest {found}")
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise cannot_write(self._place, error) from error
        self.descriptor = expected or Descriptor(self._media_type, found, self.size)


def _blocks(source: bytes | BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
    elif hasattr(source, "read"):
        while block := source.read(_BLOCK):
            yield block
    else:
        yield from source


def _digest_of(digest: str, data: bytes = b"") -> Any:
    return (hashlib.sha512 if digest.startswith("sha512:") else hashlib.sha256)(data)
