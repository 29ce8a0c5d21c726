"""What a person names as base -> a Base in the store: from a registry, a layout, a saved image, a root folder's tar."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import msgspec

from bareboat.container.compression import unpacked
from bareboat.container.documents import (
    AS_OCI_LAYER,
    BASE_NAME,
    CONFIG,
    DEFAULT_PATH,
    INDEX,
    LAYER,
    LAYER_GZIP,
    LAYER_ZSTD,
    MANIFEST,
    NO_DATE,
    Descriptor,
    Index,
    Manifest,
    Platform,
    new_manifest,
    read_index,
)
from bareboat.container.layer import add_tar
from bareboat.container.layout import DOCUMENT_BYTES, Layout
from bareboat.container.store import Store
from bareboat.container.tree import Tree
from bareboat.errors import ArtifactError, RemoteError

_ROOT_FOLDERS = frozenset({"bin", "etc", "lib", "opt", "usr", "var", "root", "home"})
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.zst")
_HERE = "one of `bareboat image list`, or a folder or tar of an image (--base, or base in image.yml)"
_EXPECTED = (
    "an image in a registry (python:3.13-slim), one of `bareboat image list`, a folder or tar of an OCI layout, "
    "a tar of docker save, a tar of a root folder, or scratch"
)


@dataclass(frozen=True)
class Base:
    """An image to build on; its blobs lie in the layout.

    Args:
        name: as a person knows it.
        reference: where a registry has it, "" when none is known.
    """

    name: str
    layout: Layout
    platform: Platform
    descriptor: Descriptor | None
    manifest: Manifest | None
    config: Mapping[str, Any] = field(default_factory=dict)
    reference: str = ""

    @property
    def layers(self) -> tuple[Descriptor, ...]:
        """Its layers, from the lowest, in OCI's words."""
        if self.manifest is None:
            return ()
        return tuple(msgspec.structs.replace(one, media_type=AS_OCI_LAYER[one.media_type])
                     for one in self.manifest.layers)  # fmt: skip

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """The digests of its layers' tars."""
        return tuple(self.config.get("rootfs", {}).get("diff_ids", ()))

    @property
    def settings(self) -> Mapping[str, Any]:
        """How it is run: Env, Entrypoint, Cmd, WorkingDir, User and so on."""
        said = self.config.get("config")
        return said if isinstance(said, dict) else {}

    @property
    def env(self) -> dict[str, str]:
        """Its environment variables."""
        pairs = (line.partition("=") for line in self.settings.get("Env") or () if isinstance(line, str))
        return {name: value for name, _, value in pairs}

    @cached_property
    def tree(self) -> Tree:
        """Its files."""
        return Tree(self.layout, self.layers)


def open_base(
    text: str,
    platform: Platform,
    store: Store,
    *,
    on_step: Callable[[str], None] = lambda _: None,
    insecure: bool = False,
    pull: bool = False,
) -> Base:
    """Find a base and bring it into the store's layout; call it within `store.adding()`.

    Args:
        text: as a person names it. A path is looked for on the disk first, then a name among the images here.
        pull: ask the registry even when an image of that name is here.
    Raises:
        ArtifactError: there is none, it is damaged, or for another machine.
        RemoteError: its registry does not give it.
    """
    layout = store.layout
    if text == "scratch":
        return Base("scratch", layout, platform, None, None)
    path, name = _path_and_name(text)
    reference, called = "", text
    if path is not None:
        on_step(f"Reading {path}")
        image = _from_disk(path, name, layout, platform)
        called = f"{path.name}:{name}" if name else path.name  # the rest of the path is this machine's
    else:
        image, reference = _by_name(text, store, platform, on_step, insecure, pull)
    return _chosen(called, image, layout, platform, reference)


def _by_name(
    text: str, store: Store, platform: Platform, on_step: Callable[[str], None], insecure: bool, pull: bool
) -> tuple[Descriptor, str]:
    from bareboat.container.reference import parse_reference

    if text.startswith(("./", "../", "/", "~")) or text.endswith(_TARS):
        raise ArtifactError(f"there is no {text}", expected=_EXPECTED)
    found = None if pull else store.find(text)
    here = None if found is None else _for_platform(found, store.layout, platform)
    if found is not None and here is not None and _is_whole(store.layout, here):
        return found, _origin(store.layout, found, text)
    from bareboat.container.pull import pull as fetch

    reference = parse_reference(text)
    try:
        image = fetch(text, store.layout, platforms=(platform,), on_step=on_step, insecure=insecure)
    except RemoteError as error:
        said = error.problems[0]
        ways = [said.fix, f"or a base that is on this machine: {_HERE}"]
        raise RemoteError(
            f"the base {text} cannot be fetched: {said.found}",
            expected=said.expected,
            fix="; ".join(filter(None, ways)),
        ) from error
    store.tag(text, _beside(store.find(reference.familiar), image, store.layout, platform))
    return image, str(reference)


def _beside(before: Descriptor | None, image: Descriptor, layout: Layout, platform: Platform) -> Descriptor:
    """Return what a pulled image's name stands for: it and what is here for other machines, so that none is lost."""
    if before is None or _is_ours(layout, before):
        return image
    others = [one for one in layout.images(before) if one.platform and not _fits(one.platform, platform)]
    others = [one for one in others if _is_whole(layout, one)]
    if not others or image.is_index:
        return image
    ordered = sorted([image, *others], key=lambda one: str(one.platform))
    return layout.add_document(Index(2, tuple(ordered), INDEX), INDEX)


def _is_whole(layout: Layout, image: Descriptor) -> bool:
    return layout.has_blob(image) and all(layout.has_blob(one) for one in layout.manifest(image).layers)


def _is_ours(layout: Layout, image: Descriptor) -> bool:
    return any(layout.has_blob(one) and BASE_NAME in layout.manifest(one).annotations for one in layout.images(image))


def _origin(layout: Layout, image: Descriptor, text: str) -> str:
    """Return where a registry has an image that lies here; "" for one that was built here."""
    from bareboat.container.reference import parse_reference

    return "" if _is_ours(layout, image) else str(parse_reference(text))


def _path_and_name(text: str) -> tuple[Path | None, str]:
    """Split `FOLDER:NAME`; the path is None when there is nothing on the disk."""
    if Path(text).exists():
        return Path(text), ""
    head, colon, name = text.rpartition(":")
    if colon and head and Path(head).exists() and (head.endswith(".tar") or (Path(head) / "oci-layout").exists()):
        return Path(head), name
    return None, ""


def _from_disk(path: Path, name: str, layout: Layout, platform: Platform) -> Descriptor:
    if path.is_dir():
        if not (path / "oci-layout").exists():
            raise ArtifactError("the folder holds no image", expected=_EXPECTED, where=str(path))
        other = Layout.open(path)
        return _copied(_named(other.index(), name, str(path)), other.open_blob, layout, platform)
    try:
        with path.open("rb") as file, ExitStack() as stack:
            head = file.read(512)
            file.seek(0)
            kind = _kind(head)
            stream: BinaryIO = file
            if kind != LAYER:
                stream = _seekable(stack, file, kind, path)
            return _from_tar(stream, path, name, layout, platform)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise ArtifactError(f"this is no image: {error}", expected=_EXPECTED, where=str(path)) from error
    except OSError as error:
        raise ArtifactError(f"cannot be read: {error.strerror or error}", where=str(path)) from error


def _kind(head: bytes) -> str:
    if head[:2] == b"\x1f\x8b":
        return LAYER_GZIP
    return LAYER_ZSTD if head[:4] == b"\x28\xb5\x2f\xfd" else LAYER


def _seekable(stack: ExitStack, file: BinaryIO, kind: str, path: Path) -> BinaryIO:
    """Unpack a compressed tar into a temporary file: its members are needed in another order than they come."""
    from tempfile import TemporaryFile

    plain = stack.enter_context(TemporaryFile())  # noqa: SIM115 - closed by the stack
    with unpacked(file, kind, str(path)) as stream:
        while block := stream.read(1 << 20):
            plain.write(block)
    plain.seek(0)
    return cast("BinaryIO", plain)


def _from_tar(stream: BinaryIO, path: Path, name: str, layout: Layout, platform: Platform) -> Descriptor:
    with tarfile.open(fileobj=stream, mode="r:") as tar:
        members = {member.name.removeprefix("./"): member for member in tar}

        def opened(member_name: str) -> IO[bytes]:
            member = members.get(member_name)
            file = tar.extractfile(member) if member is not None and (member.isreg() or member.issym()) else None
            if file is None:
                raise ArtifactError(f"{member_name} is missing from the image", where=str(path))
            return file

        if "index.json" in members and "oci-layout" in members:
            index = read_index(_small(opened("index.json")), str(path))

            def open_blob(blob: Descriptor) -> IO[bytes]:
                return opened(f"blobs/{blob.digest.replace(':', '/')}")

            return _copied(_named(index, name, str(path)), open_blob, layout, platform)
        if "manifest.json" in members:
            return _saved(_small(opened("manifest.json")), opened, path, name, layout)
        tops = {one.split("/")[0] for one in members}
        if len(tops & _ROOT_FOLDERS) < 2:
            shown = ", ".join(sorted(tops)[:5]) or "nothing"
            raise ArtifactError(f"this tar is no image: it holds {shown}", expected=_EXPECTED, where=str(path))
    stream.seek(0)
    return _root_folder(stream, path, layout, platform)


def _root_folder(stream: BinaryIO, path: Path, layout: Layout, platform: Platform) -> Descriptor:
    layer = add_tar(layout, stream, name=path.name)
    _refuse_other_machine(Tree(layout, [layer.descriptor]), platform, str(path))
    config = {
        "architecture": platform.architecture,
        "config": {"Env": [f"PATH={DEFAULT_PATH}"]},
        "created": NO_DATE,
        "history": [{"created": NO_DATE, "created_by": f"bareboat: {path.name}"}],
        "os": platform.os,
        "rootfs": {"diff_ids": [layer.diff_id], "type": "layers"},
    }
    manifest = new_manifest(layout.add_document(config, CONFIG), [layer.descriptor])
    return layout.add_document(manifest, MANIFEST, platform=platform)


def _refuse_other_machine(tree: Tree, platform: Platform, where: str) -> None:
    """A root folder says nowhere what machine it is for; its programs do."""
    from bareboat.packaging.elf import read_elf

    words = {"x86_64": "amd64", "aarch64": "arm64"}
    for name in ("bin/sh", "bin/bash", "usr/bin/env", "bin/ls"):
        data = tree.read(name)
        if data is None or data[:4] != b"\x7fELF":
            continue
        elf = read_elf(data)
        machine = words.get(elf.machine, elf.machine) if elf is not None else platform.architecture
        if machine != platform.architecture:
            raise ArtifactError(
                f"the root folder's /{name} is for linux/{machine}", expected=str(platform), where=where,
                fix="name a base of that architecture, or build for the base's",
            )  # fmt: skip
        return


def _saved(data: bytes, opened: Callable[[str], IO[bytes]], path: Path, name: str, layout: Layout) -> Descriptor:
    """Read a tar of `docker save` in its old form: manifest.json names the configuration and the layers' tars."""
    try:
        images = json.loads(data)
        if name:
            images = [one for one in images if name in [tag.rpartition(":")[2] for tag in one["RepoTags"] or ()]
                      or name in (one["RepoTags"] or ())]  # fmt: skip
        if len(images) != 1:
            tags = ", ".join(tag for one in json.loads(data) for tag in one["RepoTags"] or ()) or "none with a name"
            raise ArtifactError(f"the tar holds {len(json.loads(data))} images: {tags}", expected="one, or its name",
                                fix=f"{path}:NAME", where=str(path))  # fmt: skip
        config_name, layer_names = str(images[0]["Config"]), [str(one) for one in images[0]["Layers"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"manifest.json of the tar cannot be read: {error!r}", where=str(path)) from error
    config = layout.add_blob(_small(opened(config_name)), CONFIG)
    layers = []
    for layer_name in layer_names:
        with opened(layer_name) as layer:
            stream = cast("BinaryIO", layer)
            kind = _kind(layer.read(4))
            layer.seek(0)
            layers.append(
                layout.add_blob(stream, kind) if kind != LAYER else add_tar(layout, stream, name="").descriptor
            )
    return layout.add_document(new_manifest(config, layers), MANIFEST)


def _small(file: IO[bytes]) -> bytes:
    with file:
        return file.read(DOCUMENT_BYTES)


def _named(index: Index, name: str, where: str) -> Descriptor:
    """Return the image of a layout: the one with the name, or the only one; several without names are platforms."""
    images = [one for one in index.manifests if not name or name in {one.name, one.name.rpartition(":")[2]}]
    if len(images) == 1:
        return images[0]
    shown = ", ".join(one.name or one.digest[:19] for one in index.manifests) or "none"
    raise ArtifactError(
        f"there is no image {name!r} in the layout, which holds {shown}"
        if name
        else f"the layout holds {len(index.manifests)} images: {shown}",
        expected="one of them",
        fix="name it: PATH:NAME",
        where=where,
    )


def _copied(
    image: Descriptor, opened: Callable[[Descriptor], IO[bytes]], layout: Layout, platform: Platform
) -> Descriptor:
    """Copy an image's blobs into the layout, each verified; of an index what is for the platform."""

    def copy(blob: Descriptor) -> None:
        if not layout.has_blob(blob):
            with opened(blob) as file:
                layout.add_blob(cast("BinaryIO", file), expected=blob)

    copy(image)
    if image.is_index:
        index = layout.nested(image)
        images = [one for one in index.manifests if one.is_index or _fits(one.platform, platform)]
        for one in images:
            _copied(one, opened, layout, platform)
        return image
    manifest = layout.manifest(image)
    for blob in (manifest.config, *manifest.layers):
        copy(blob)
    return image


def _fits(found: Platform | None, wanted: Platform) -> bool:
    return found is None or (found.os, found.architecture) == (wanted.os, wanted.architecture)


def _for_platform(image: Descriptor, layout: Layout, platform: Platform) -> Descriptor | None:
    """Return the one of an image's that is for the platform and that lies here."""
    for one in layout.images(image):
        if not layout.has_blob(one) or not _fits(one.platform, platform):
            continue
        config = layout.config(layout.manifest(one))
        if (config.get("os"), config.get("architecture")) == (platform.os, platform.architecture):
            return one
    return None


def _chosen(text: str, image: Descriptor, layout: Layout, platform: Platform, reference: str) -> Base:
    found = _for_platform(image, layout, platform)
    if found is None:
        raise ArtifactError(
            f"{text} is for {', '.join(_machines(image, layout)) or 'no machine'}",
            expected=str(platform),
            fix="name a base for that machine, or build for the base's",
        )
    manifest = layout.manifest(found)
    config = layout.config(manifest)
    diff_ids = config.get("rootfs", {}).get("diff_ids", ())
    if len(diff_ids) != len(manifest.layers):
        raise ArtifactError(
            f"{text} has {len(manifest.layers)} layers, and its configuration names {len(diff_ids)}",
            expected="as many", fix="pull or build it again",
        )  # fmt: skip
    unknown = [one.media_type for one in manifest.layers if one.media_type not in AS_OCI_LAYER]
    if unknown:
        raise ArtifactError(f"{text} has a layer of the kind {unknown[0]}", expected="a tar, plain, gzip or zstd")
    for one in manifest.layers:
        layout.open_blob(one).close()
    return Base(text, layout, platform, found, manifest, config, reference)


def _machines(image: Descriptor, layout: Layout) -> list[str]:
    found = []
    for one in layout.images(image):
        if one.platform is not None:
            found.append(str(one.platform))
        elif layout.has_blob(one):
            config = layout.config(layout.manifest(one))
            found.append(f"{config.get('os', '?')}/{config.get('architecture', '?')}")
    return found
