"""The JSON documents that make up an image, and the names of their kinds, OCI's and Docker's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from bareboat.errors import ArtifactError

# OCI image specification 1.1, media-types.md
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
# Docker image manifest version 2, schema 2
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"

INDEXES = frozenset({INDEX, DOCKER_INDEX})
MANIFESTS = frozenset({MANIFEST, DOCKER_MANIFEST})
# annotations.md
REF_NAME = "org.opencontainers.image.ref.name"  # the name of an image in a layout
BASE_NAME = "org.opencontainers.image.base.name"  # the image that it was made from; every one built here has it
BASE_DIGEST = "org.opencontainers.image.base.digest"
NO_DATE = "1970-01-01T00:00:00Z"  # of all that is made here, so that it is the same at any time
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # of a base that sets none, as engines do

# What a layer's blob is, in OCI's words; foreign and non-distributable layers are Microsoft's and are refused.
AS_OCI_LAYER = {
    LAYER: LAYER,
    LAYER_GZIP: LAYER_GZIP,
    LAYER_ZSTD: LAYER_ZSTD,
    DOCKER_LAYER: LAYER,
    DOCKER_LAYER_GZIP: LAYER_GZIP,
    "application/vnd.docker.image.rootfs.diff.tar.zstd": LAYER_ZSTD,
}

_LAMBDA_WORDS = {"amd64": "x86_64", "arm64": "arm64"}
_OCI_WORDS = {"x86_64": "amd64", "amd64": "amd64", "arm64": "arm64", "aarch64": "arm64"}


class Platform(msgspec.Struct, frozen=True, omit_defaults=True):
    """The machine that an image is for, in OCI's words (Go's): `amd64`, `arm64`."""

    architecture: str
    os: str
    variant: str = ""

    def __str__(self) -> str:
        return f"{self.os}/{self.architecture}" + (f"/{self.variant}" if self.variant else "")

    @property
    def lambda_architecture(self) -> str:
        """The architecture in Lambda's words: `x86_64` for amd64; any other as it is."""
        return _LAMBDA_WORDS.get(self.architecture, self.architecture)


def linux_platform(architecture: str) -> Platform:
    """Return Linux on a CPU, named as anybody names it: amd64, x86_64, arm64, aarch64, linux/arm64/v8.

    Raises:
        ArtifactError: bareboat makes no images for it.
    """
    system, _, rest = architecture.rpartition("linux/")
    name = rest.partition("/")[0] if not system else architecture
    if name not in _OCI_WORDS:
        raise ArtifactError(f"{architecture!r} is no platform of ours", expected="x86_64 (amd64) or arm64 (aarch64)")
    return Platform(_OCI_WORDS[name], "linux")


class Descriptor(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What points at a blob.

    Args:
        digest: `sha256:` and 64 hexadecimal digits.
        size: bytes.
    """

    media_type: str
    digest: str
    size: int
    platform: Platform | None = None
    annotations: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The name that a layout has it by, "" for none."""
        return self.annotations.get(REF_NAME, "")

    @property
    def is_index(self) -> bool:
        """Whether it points at several images, one for each platform."""
        return self.media_type in INDEXES


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One image for one platform."""

    schema_version: int
    config: Descriptor
    layers: tuple[Descriptor, ...]
    media_type: str = ""
    annotations: dict[str, str] = {}
    artifact_type: str = ""


class Index(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Images: those of a layout, or one image for several platforms."""

    schema_version: int
    manifests: tuple[Descriptor, ...] = ()
    media_type: str = ""
    annotations: dict[str, str] = {}


def new_manifest(
    config: Descriptor, layers: Iterable[Descriptor], annotations: Mapping[str, str] | None = None
) -> Manifest:
    """Return the manifest of an image in OCI's form."""
    return Manifest(2, config, tuple(layers), MANIFEST, dict(annotations or {}))


def encode(document: Any) -> bytes:
    """Return a document as the bytes that are stored: keys in a fixed order, no spaces."""
    return msgspec.json.encode(msgspec.to_builtins(document), order="sorted")


def read_index(data: bytes, where: str) -> Index:
    """Read an index.

    Raises:
        ArtifactError: it is none.
    """
    found: Index = _read(data, Index, "image index", where)
    return found


def read_manifest(data: bytes, where: str) -> Manifest:
    """Read an image's manifest.

    Raises:
        ArtifactError: it is none, or Docker's first schema, which nobody writes since 2015.
    """
    try:
        if msgspec.json.decode(data).get("schemaVersion") == 1:
            raise ArtifactError(
                "this is an image of Docker's schema 1",
                expected="schema 2 or OCI",
                fix="pull and push it once with a newer docker, podman or skopeo",
                where=where,
            )
    except (msgspec.MsgspecError, AttributeError):
        pass
    found: Manifest = _read(data, Manifest, "image manifest", where)
    return found


def read_config(data: bytes, where: str) -> dict[str, Any]:
    """Read an image's configuration.

    Raises:
        ArtifactError: it is none.
    """
    found: dict[str, Any] = _read(data, dict[str, Any], "image configuration", where)
    return found


def _read(data: bytes, kind: Any, called: str, where: str) -> Any:
    try:
        found = msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ArtifactError(f"this is no {called}: {error}", where=where) from error
    return found
