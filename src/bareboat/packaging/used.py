"""What a traced run of the samples used of the packages -> packs without the rest.

Paths are compared in a form that holds for every machine (`normalised`), so that a trace on x86_64 says what an
artifact for arm64 needs.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from bareboat.packaging.packs import Member, Pack
from bareboat.packaging.patterns import Matcher
from bareboat.packaging.slim import LICENCE, UNUSED, Removed, matched

_EXTENSION = re.compile(r"(?:\.(?:cpython-|cp|pypy)[^./]*|\.abi3)?\.(?:so|pyd)$")
_HASH = re.compile(r"-[0-9a-f]{8}(?=[-.])")
_CACHED = re.compile(r"__pycache__/([^/.]+)\.[^/]*\.pyc$")


@dataclass(frozen=True, slots=True)
class Used:
    """What a run used.

    Args:
        files: normalised paths in the artifact, of files imported, opened or mapped.
        folders: paths of folders that code listed (`pkgutil.iter_modules`, `os.listdir`; not the importer itself):
            all that lies directly in them counts as used.
    """

    files: frozenset[str]
    folders: frozenset[str] = frozenset()

    @staticmethod
    def from_paths(paths: Iterable[str], folders: Iterable[str] = ()) -> Used:
        """Return it from paths as a run gave them, relative to the artifact's root."""
        return Used(frozenset(map(normalised, paths)), frozenset(folders))


def normalised(path: str) -> str:
    """Return a path of the artifact without what differs from machine to machine.

    `a/b.cpython-312-x86_64-linux-gnu.so` is `a/b.so`, `a.libs/libx-0123abcd.so.1` is `a.libs/libx.so.1`, bytecode is
    its source: `a/__pycache__/b.cpython-312.pyc` is `a/b.py`.
    """
    if path.endswith(".pyc"):
        return _CACHED.sub(r"\1.py", path)
    folder, _, name = path.rpartition("/")
    if folder.endswith((".libs", ".dylibs")):
        return f"{folder}/{_HASH.sub('', name)}"
    return _EXTENSION.sub(".so", path)


def without_unused(packs: Sequence[Pack], used: Used, patterns: Sequence[str] = ()) -> tuple[Pack, ...]:
    """Drop from packs of packages what no sample used.

    What is no package (the project, the model, bareboat's runtime, bundled libraries) stays whole. Of packages stay
    the used files, the `__init__.py` of every folder above a used module, what a kept library needs, metadata and
    licences.

    Args:
        patterns: `slimPatterns`; what one with `!` names stays too.
    """
    kept = _kept_paths([pack for pack in packs if pack.version], used, Matcher(patterns))
    return tuple(_only(pack, kept) if pack.version else pack for pack in packs)


def _kept_paths(packs: Sequence[Pack], used: Used, matcher: Matcher) -> frozenset[str]:
    """Return the paths that stay."""
    members = [member for pack in packs for member in pack.members]
    names = {normalised(member.path) for member in members}
    wanted = {name for name in names if name in used.files or posixpath.dirname(name) in used.folders}
    wanted |= {name for name in names if matched(matcher, name) is False}
    wanted |= {init for name in wanted for init in _inits(name) if init in names}
    kept = {m.path for m in members if normalised(m.path) in wanted or _always(m)}
    return frozenset(_with_libraries(packs, kept))


def _inits(name: str) -> Iterator[str]:
    folder = posixpath.dirname(name)
    while folder:
        yield f"{folder}/__init__.py"
        folder = posixpath.dirname(folder)


def _always(member: Member) -> bool:
    """Whether a file stays used or not: metadata that importlib.metadata reads, and licences."""
    first, _, rest = member.path.partition("/")
    return bool(rest and first.endswith(".dist-info")) or LICENCE.match(posixpath.basename(member.path)) is not None


def _with_libraries(packs: Sequence[Pack], kept: set[str]) -> set[str]:
    """Add the libraries that kept native files need, and what those need."""
    elves = {path: elf for pack in packs for path, elf in pack.elves.items()}
    provides: dict[str, list[str]] = {}
    for path, elf in elves.items():
        for name in {posixpath.basename(path), elf.soname} - {""}:
            provides.setdefault(name, []).append(path)
    found = set(kept)
    todo = [path for path in kept if path in elves]
    while todo:
        for library in elves[todo.pop()].needed:
            for path in provides.get(library, ()):
                if path not in found:
                    found.add(path)
                    todo.append(path)
    return found


def _only(pack: Pack, kept: Iterable[str]) -> Pack:
    kept = set(kept)
    dropped = {member.path: member.size for member in pack.members if member.path not in kept}
    if not dropped:
        return pack
    return msgspec.structs.replace(
        pack,
        members=tuple(member for member in pack.members if member.path in kept),
        elves={path: elf for path, elf in pack.elves.items() if path in kept},
        removed=(*pack.removed, Removed(UNUSED, dropped)),
    )
