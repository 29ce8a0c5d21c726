"""Native libraries of an archive: checked against Lambda's image, and completed where a copy may be passed on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from posixpath import basename

from bareboat.artifact.beside import Beside
from bareboat.artifact.contents import opened
from bareboat.artifact.plan import Plan
from bareboat.artifact.python_code import MembersCode
from bareboat.packaging.archive import chosen_members
from bareboat.packaging.elf import Elf
from bareboat.packaging.native import check_native, refuse
from bareboat.packaging.packs import Contents, Member, Pack, make_packs
from bareboat.packaging.redistributable import fetch_library, is_redistributable, origin, redistributable
from bareboat.packaging.target import Target
from bareboat.service.model import Note, Service


def complete_libraries(
    service: Service,
    plan: Plan,
    packs: Sequence[Pack],
    asked_for: Sequence[str],
    scratch: Path,
    on_step: Callable[[str], None],
    *,
    beside: Beside = Beside(),  # noqa: B008 - frozen
    refusing: bool = True,
) -> tuple[tuple[Pack, ...], dict[str, str], list[Note]]:
    """Check the native files and bundle what is missing and may be passed on.

    Args:
        beside: the layers of the function, whose libraries count, and whose own needs must be met too.
        refusing: whether what is missing in the end is an error; a layer's files may find it elsewhere.
    """
    if plan.target.system != "linux":
        return (), {}, []
    members, _ = chosen_members(packs)
    others, other_names = beside.elves(), beside.names()
    elves = {**others, **_elves(members)}
    if not elves and not asked_for:
        return (), {}, []
    names = [*(member.path for member, _ in members), *other_names]
    with ExitStack() as stack:
        code = MembersCode(members, [stack.enter_context(opened(layer.path)) for layer in beside.layers])
        report = check_native(elves, plan.target, names, code=code)
        inside = set(map(basename, names))
        wanted = {
            *report.missing,
            *(library for _, library, _ in report.out_of_reach if is_redistributable(library, plan.target)),
            *(name for pattern in asked_for for name in _asked(pattern, inside, plan.target)),
        }
        files: dict[str, Path | bytes] = {}
        bundled: dict[str, str] = {}
        notes: list[Note] = []
        for library in sorted(wanted):
            if is_redistributable(library, plan.target):
                data, notice = fetch_library(library, plan.target, on_step)
                files[f"lib/{library}"] = data
                files[f"lib/{library}.NOTICE.txt"] = notice.encode()
                bundled[f"lib/{library}"] = origin(library, plan.target)
            elif library not in report.missing:
                text = f"dockerExtraFiles names {library}; nothing in the archive needs it, and it is left out"
                notes.append(Note("warning", text, str(service.path)))
        more = make_packs([Contents("native libraries", "", files)], None, scratch) if files else ()
        notes += [
            Note("info", f"{path} does not load, since Lambda has no {library}: {why}")
            for path, library, why in report.optional
        ]
        if refusing:
            if more:
                everything, _ = chosen_members((*packs, *more))
                names = [*(member.path for member, _ in everything), *other_names]
                report = check_native({**others, **_elves(everything)}, plan.target, names, code=code)
            refuse(report, plan.target, where=str(service.path))
        return more, bundled, notes


def _asked(pattern: str, inside: set[str], target: Target) -> list[str]:
    """Return what an entry of `dockerExtraFiles` (`/usr/lib64/libgomp.so.*`) asks for that is not there."""
    name = PurePosixPath(pattern).name
    if any(fnmatchcase(one, name) for one in inside):
        return []
    return [one for one in redistributable(target) if fnmatchcase(one, name)] or [name]


def _elves(members: Sequence[tuple[Member, Pack]]) -> dict[str, Elf]:
    return {member.path: elf for member, pack in members if (elf := pack.elves.get(member.path)) is not None}
