"""The Python code of an archive -> which native libraries it names, and loads by their paths."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from bareboat.artifact.beside import OPT
from bareboat.artifact.contents import Contents
from bareboat.packaging.native import importable
from bareboat.packaging.packs import Member, Pack, PackReader

_LOADS = re.compile(rb"CDLL|LoadLibrary|load_library|dlopen|RTLD_GLOBAL|cdll")


class PythonCode:
    """Python files, read when they are asked for.

    Args:
        paths: of the files in the archive.
        read: returns the text of one.
    """

    def __init__(self, paths: Iterable[str], read: Callable[[str], bytes]) -> None:
        self._paths = [path for path in paths if path.endswith(".py")]
        self._read = read

    def loads(self, path: str) -> bool:
        """Whether a file opens libraries and either names this one or is of the package that holds it."""
        stem = _stem(path)
        for source in self._nearest_first(path):
            text = self._read(source)
            if _LOADS.search(text) is not None and (stem in text or _package(source) == _package(path) != ""):
                return True
        return False

    def names(self, path: str) -> bool:
        """Whether a file names this library."""
        stem = _stem(path)
        return any(stem in self._read(source) for source in self._nearest_first(path))

    def _nearest_first(self, path: str) -> Iterator[str]:
        package = _package(path)
        yield from (source for source in self._paths if _package(source) == package)
        yield from (source for source in self._paths if _package(source) != package)


class MembersCode(PythonCode):
    """The Python files of an archive that is being made, and of the layers beside it."""

    def __init__(self, members: Sequence[tuple[Member, Pack]], layers: Iterable[Contents] = ()) -> None:
        self._members = {member.path: (member, pack) for member, pack in members}
        self._layers = {OPT + entry.path: layer for layer in layers for entry in layer.entries}
        super().__init__([*self._members, *self._layers], self._text)

    def _text(self, path: str) -> bytes:
        if path in self._layers:
            return self._layers[path].read(path.removeprefix(OPT))
        member, pack = self._members[path]
        with PackReader() as reader:
            data = reader.read(pack, member)
        return zlib.decompress(data, -zlib.MAX_WBITS) if member.deflated else data


def _stem(path: str) -> bytes:
    return PurePosixPath(path).name.partition(".so")[0].encode()


def _package(path: str) -> str:
    first, slash, _ = importable(path).partition("/")
    return first.removesuffix(".libs") if slash and first not in {"lib", ""} else ""
