"""The layers of an image -> its files as a container sees them: removals carried out, links followed."""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

import msgspec

from bareboat.container.compression import unpacked
from bareboat.container.documents import AS_OCI_LAYER, Descriptor
from bareboat.container.layer import OPAQUE, WHITEOUT
from bareboat.container.layout import Layout
from bareboat.errors import ArtifactError
from bareboat.packaging.cache import cache_folder, write_whole

_MOST_LINKS = 40  # as many as Linux follows
_MOST_FILES = 5_000_000
_FORMAT = 2  # goes up whenever a layer would be listed in another way


class Node(msgspec.Struct, frozen=True, array_like=True):
    """A file of an image.

    Args:
        target: of a symbolic link, where it points to; of a hard link, the path of the other name.
        layer: the number of the layer that brings it.
        times: how often the layer's tar has the name; the last counts.
        member: its name in the tar, where that goes by a link of a lower layer; else "".
    """

    kind: Literal["file", "folder", "link", "hard", "other"]
    size: int
    mode: int
    target: str = ""
    layer: int = 0
    times: int = 1
    member: str = ""


class Tree:
    """The files of an image.

    Args:
        layers: from the lowest.
    """

    def __init__(self, layout: Layout, layers: Sequence[Descriptor]) -> None:
        self._layout = layout
        self._layers = tuple(layers)
        self._nodes: dict[str, Node] = {}
        for number, layer in enumerate(self._layers):
            self._lay(number, list_layer(layout, layer))

    def __contains__(self, path: str) -> bool:
        return self.get(path) is not None

    def paths(self) -> Iterable[str]:
        """Yield every path, without a leading slash."""
        return self._nodes

    def get(self, path: str) -> Node | None:
        """Return what lies at a path, links followed; None when nothing does."""
        return self._nodes.get(self.resolve(path))

    def resolve(self, path: str) -> str:
        """Return a path without links, as far as it exists; the rest as it is. It never leads out of the image."""
        done: list[str] = []
        waiting = [part for part in reversed(path.split("/")) if part not in {"", "."}]
        followed = 0
        while waiting:
            part = waiting.pop()
            if part == "..":
                del done[-1:]
                continue
            node = self._nodes.get("/".join([*done, part]))
            if node is None or node.kind != "link" or followed >= _MOST_LINKS:
                done.append(part)
                continue
            followed += 1
            if node.target.startswith("/"):
                done.clear()
            waiting += [part for part in reversed(node.target.split("/")) if part not in {"", "."}]
        return "/".join(done)

    def is_folder(self, path: str) -> bool:
        """Tell whether a folder lies at a path."""
        node = self.get(path)
        return node is not None and node.kind == "folder"

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted."""
        start = self.resolve(folder)
        start = f"{start}/" if start else ""
        return sorted({path[len(start) :] for path in self._nodes if path.startswith(start) and
                       "/" not in path[len(start) :]} - {""})  # fmt: skip

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes; None when there is no such file."""
        return self.read_many([path]).get(path)

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return files' bytes by the paths that were asked for; those that do not exist are left out.

        Raises:
            ArtifactError: a layer is damaged.
        """
        wanted: dict[int, dict[str, tuple[int, list[str]]]] = {}
        for path in paths:
            real = self.resolve(path)
            node = self._nodes.get(real)
            for _ in range(_MOST_LINKS):
                if node is None or node.kind != "hard":
                    break
                real, node = node.target, self._nodes.get(node.target)
            if node is not None and node.kind == "file":
                member = node.member or real
                wanted.setdefault(node.layer, {}).setdefault(member, (node.times, []))[1].append(path)
        found: dict[str, bytes] = {}
        for number, names in wanted.items():
            times = {member: often for member, (often, _) in names.items()}
            for member, data in _contents(self._layout, self._layers[number], times).items():
                found |= dict.fromkeys(names[member][1], data)
        return found

    def _lay(self, number: int, entries: Mapping[str, Node]) -> None:
        gone: set[str] = set()
        emptied: set[str] = set()
        for path in entries:
            folder, _, name = path.rpartition("/")
            if name == OPAQUE:
                emptied.add(self.resolve(folder))
            elif name.startswith(WHITEOUT):
                gone.add(posixpath.join(self.resolve(folder), name.removeprefix(WHITEOUT)))
        if gone or emptied:
            self._nodes = {
                path: node for path, node in self._nodes.items() if path not in gone and not _below(path, gone, emptied)
            }
        folders: dict[str, str] = {}  # as the tar names them -> where they lie, links of lower layers followed
        replaced: set[str] = set()
        for path, node in entries.items():
            folder, _, name = path.rpartition("/")
            if name.startswith(WHITEOUT):
                continue
            if folder not in folders:
                folders[folder] = self.resolve(folder)
            real = posixpath.join(folders[folder], name)
            before = self._nodes.get(real)
            if node.kind == "link" or (before is not None and before.kind == "link"):
                folders.clear()
            if node.kind != "folder" and before is not None and before.kind == "folder":
                replaced.add(real)
                if before.layer == number:
                    self._nodes = {one: kept for one, kept in self._nodes.items() if not one.startswith(f"{real}/")}
            target = self._resolve_folder(node.target) if node.kind == "hard" else node.target
            member = "" if real == path else path
            self._nodes[real] = msgspec.structs.replace(node, target=target, layer=number, member=member)
            above = real.rpartition("/")[0]
            while above and above not in self._nodes:  # folders that a tar leaves out are made when it is unpacked
                self._nodes[above] = Node("folder", 0, 0o755, layer=number)
                above = above.rpartition("/")[0]
        if replaced:
            self._nodes = {
                path: node
                for path, node in self._nodes.items()
                if node.layer == number or not _below(path, set(), replaced)
            }

    def _resolve_folder(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        return posixpath.join(self.resolve(folder), name)


def _below(path: str, gone: set[str], emptied: set[str]) -> bool:
    above = path
    while above:
        above = above.rpartition("/")[0]
        if above in gone or above in emptied:
            return True
    return False


def list_layer(layout: Layout, layer: Descriptor) -> dict[str, Node]:
    """Return what a layer's tar lists, removals included, by path.

    Kept by the layer's digest, since a large base takes seconds to read.

    Raises:
        ArtifactError: the layer is damaged, or names what lies outside of it.
    """
    place = cache_folder("layer-lists") / f"{layer.digest.replace(':', '-')}-{_FORMAT}.msgpack"
    try:
        return msgspec.msgpack.decode(place.read_bytes(), type=dict[str, Node])
    except (OSError, msgspec.MsgspecError):
        pass
    layout.check_blob(layer)
    found: dict[str, Node] = {}
    where = str(layout.blob_path(layer.digest))
    with _tar(layout, layer) as tar:
        for member in tar:
            path = _normal(member.name, where)
            if path:
                node = _node(member, where)
                before = found.pop(path, None)  # the last one counts, and comes after what came before it
                found[path] = node if before is None else msgspec.structs.replace(node, times=before.times + 1)
            if len(found) > _MOST_FILES:
                raise ArtifactError(f"a layer has more than {_MOST_FILES:,} files", where=where)
    write_whole(place, msgspec.msgpack.encode(found))
    return found


def _contents(layout: Layout, layer: Descriptor, wanted: Mapping[str, int]) -> dict[str, bytes]:
    """Read files of a layer: of each name in its tar as many as it has, of which the last one counts."""
    found: dict[str, bytes] = {}
    left = dict(wanted)
    where = str(layout.blob_path(layer.digest))
    with _tar(layout, layer) as tar:
        for member in tar:
            path = _normal(member.name, where)
            if path not in left:
                continue
            left[path] -= 1
            if not left[path]:
                del left[path]
                if (file := tar.extractfile(member)) is not None:
                    found[path] = file.read()
            if not left:
                break
    return found


@contextmanager
def _tar(layout: Layout, layer: Descriptor) -> Iterator[tarfile.TarFile]:
    """Open a layer's tar, which is read once from its beginning."""
    where = str(layout.blob_path(layer.digest))
    kind = AS_OCI_LAYER.get(layer.media_type, layer.media_type)
    with layout.open_blob(layer) as blob, unpacked(blob, kind, where) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                yield tar
        except tarfile.TarError as error:
            raise ArtifactError(
                f"a layer is no tar: {error}", fix="pull or build the image again", where=where
            ) from error


def _normal(name: str, where: str) -> str:
    path = posixpath.normpath(name.lstrip("/"))
    if path == ".." or path.startswith("../") or "\0" in path:
        raise ArtifactError(f"a layer has {name!r}, which leads out of it", expected="names below /", where=where)
    return "" if path == "." else path


def _node(member: tarfile.TarInfo, where: str) -> Node:
    if member.isdir():
        return Node("folder", 0, member.mode)
    if member.issym():
        return Node("link", 0, member.mode, member.linkname)
    if member.islnk():
        return Node("hard", 0, member.mode, _normal(member.linkname, where))
    return Node("file" if member.isreg() else "other", member.size, member.mode)
