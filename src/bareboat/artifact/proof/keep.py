"""Slimmed packs + files that a proof found needed -> packs that have them as they were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from bareboat.packaging.interpreters import Interpreter
from bareboat.packaging.packs import Contents, Member, Pack, PackReader, make_packs, with_members
from bareboat.packaging.slim import Removed
from bareboat.packaging.used import normalised


def with_kept(
    packs: Sequence[Pack],
    before: Sequence[Pack],
    kept: frozenset[str],
    interpreter: Interpreter | None,
    scratch: Path,
) -> tuple[Pack, ...]:
    """Put files back, and with a module the `__init__.py` of the packages that it lies in, where they are gone too.

    Args:
        packs: of packages, slimmed.
        before: packs of the same packages with what slimming took away or changed; the first that has a path wins.
        kept: normalised paths.
        interpreter: for the bytecode of what has none.
        scratch: a folder for the new packs.
    Raises:
        PackagingError: the disk is full, or a pack went away.
    """
    if not kept:
        return tuple(packs)
    with PackReader() as reader:
        return tuple(
            _put_back(pack, [one for one in before if one.name == pack.name], kept, interpreter, scratch, reader)
            for pack in packs
        )


def _put_back(
    pack: Pack,
    before: Sequence[Pack],
    kept: frozenset[str],
    interpreter: Interpreter | None,
    scratch: Path,
    reader: PackReader,
) -> Pack:
    now = {member.path: member.sha256 for member in pack.members}
    above = _packages_above(kept) - now.keys()
    found: dict[str, tuple[Member, Pack]] = {}
    for source in before:
        for member in source.members:
            if not member.path.endswith(".pyc") and (normalised(member.path) in kept or member.path in above):
                found.setdefault(member.path, (member, source))
    changed = {path: entry for path, entry in found.items() if now.get(path) != entry[0].sha256}
    if not changed:
        return pack
    files: dict[str, Path | bytes] = {path: reader.unpacked(source, m) for path, (m, source) in changed.items()}
    folder = scratch / f"kept-{pack.name}"
    folder.mkdir()
    (more,) = make_packs([Contents(pack.name, pack.version, files)], interpreter, folder)
    return _joined(pack, more, folder / "joined")


def _packages_above(paths: Iterable[str]) -> set[str]:
    found = set()
    for path in paths:
        if path.endswith((".py", ".so")):
            parents = path.split("/")[:-1]
            found |= {"/".join([*parents[:end], "__init__.py"]) for end in range(1, len(parents) + 1)}
    return found


def _joined(pack: Pack, more: Pack, file: Path) -> Pack:
    """Return `pack` with the members of `more` in place of its own of the same paths."""
    replaced = {member.path for member in more.members}

    def stays(path: str) -> bool:  # bytecode goes with its source
        return path not in replaced and not (path.endswith(".pyc") and normalised(path) in replaced)

    removed = (
        Removed(one.reason, {path: size for path, size in one.paths.items() if stays(path)}) for one in pack.removed
    )
    rest = msgspec.structs.replace(
        pack,
        members=tuple(member for member in pack.members if stays(member.path)),
        elves={**{path: elf for path, elf in pack.elves.items() if stays(path)}, **more.elves},
        removed=tuple(one for one in removed if one.paths),
        not_compiled=tuple(sorted({*pack.not_compiled, *more.not_compiled})),
    )
    return with_members(rest, more, (), file)
