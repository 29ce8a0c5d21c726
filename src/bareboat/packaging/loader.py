"""The native files of an artifact -> which library the dynamic loader would find for each name that they need.

Source:
    ld.so(8); glibc's elf/dl-load.c, _dl_map_object: a library of that name that is loaded already, DT_RPATH of the
    file and of those that loaded it (as long as they have no DT_RUNPATH), LD_LIBRARY_PATH, DT_RUNPATH of the file, the
    system's folders.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bareboat.packaging.elf import Elf
from bareboat.packaging.lambda_image import TASK_ROOT

# Of Lambda's own LD_LIBRARY_PATH, the folders that an artifact or a layer can fill.
LIBRARY_PATH = (TASK_ROOT, f"{TASK_ROOT}/lib", "/opt/lib")


@dataclass(slots=True)
class Loaded:
    """What the loader finds.

    Args:
        found: (file, library) -> the file that its search ends at.
        ordered: (file, library) -> a file of that name that no search of `file` ends at, but that of another file
            does: it is there once that other file was loaded first.
        stranded: (file, library) -> a file of that name that no search at all ends at: it is there only if Python
            code loads it by its path first.
        missing: (file, library) of which there is no file.
    """

    found: dict[tuple[str, str], str] = field(default_factory=dict)
    ordered: dict[tuple[str, str], str] = field(default_factory=dict)
    stranded: dict[tuple[str, str], str] = field(default_factory=dict)
    missing: list[tuple[str, str]] = field(default_factory=list)


def load(elves: Mapping[str, Elf], names: Iterable[str], provided: frozenset[str], machine: str) -> Loaded:
    """Search as the dynamic loader does.

    Args:
        elves: path in the artifact -> headers; a path that begins with "/" is of a layer ("/opt/lib/libx.so").
        names: further paths of files.
        provided: names that the image has.
        machine: whose files count; the loader passes over others.
    """
    files = {_absolute(path): path for path in (*names, *elves)}
    users = {path: elf for path, elf in elves.items() if elf.machine == machine}
    usable = {place: path for place, path in files.items() if path not in elves or path in users}
    loaded = Loaded()
    open_needs: dict[str, list[str]] = {}
    for path, elf in users.items():
        for library in elf.needed:
            if library in provided:
                continue
            place = _searched(path, library, _folders(path, elf), usable)
            if place:
                loaded.found[path, library] = place
            else:
                open_needs.setdefault(path, []).append(library)
    _by_inheritance(users, open_needs, usable, loaded)
    _by_name(users, open_needs, usable, loaded)
    return loaded


def _folders(path: str, elf: Elf) -> list[str]:
    return [*_own_folders(path, elf), *LIBRARY_PATH]


def _own_folders(path: str, elf: Elf) -> list[str]:
    origin = posixpath.dirname(_absolute(path))
    return [_expanded(folder, origin) for folder in elf.search]


def _expanded(folder: str, origin: str) -> str:
    for name, value in (("ORIGIN", origin), ("LIB", "lib64")):
        folder = folder.replace("${" + name + "}", value).replace("$" + name, value)
    return posixpath.normpath(posixpath.join(TASK_ROOT, folder))


def _absolute(path: str) -> str:
    return path if path.startswith("/") else f"{TASK_ROOT}/{path}"


def _searched(path: str, library: str, folders: Iterable[str], usable: Mapping[str, str]) -> str:
    if "/" in library:
        return usable.get(_expanded(library, posixpath.dirname(_absolute(path))), "")
    return next((usable[place] for folder in folders if (place := f"{folder}/{library}") in usable), "")


def _by_inheritance(
    users: Mapping[str, Elf], open_needs: dict[str, list[str]], usable: Mapping[str, str], loaded: Loaded
) -> None:
    """Search along DT_RPATH of whoever loads a file, until nothing more is found."""
    if not any(elf.inherits and elf.search for elf in users.values()):
        return
    changed = True
    while changed and open_needs:
        changed = False
        handed = _handed_down(users, loaded)
        for path in list(open_needs):
            if not users[path].inherits or path not in handed:
                continue
            for library in list(open_needs[path]):
                place = _searched(path, library, handed[path], usable)
                if place:
                    loaded.found[path, library] = place
                    open_needs[path].remove(library)
                    changed = True
            if not open_needs[path]:
                del open_needs[path]


def _handed_down(users: Mapping[str, Elf], loaded: Loaded) -> dict[str, set[str]]:
    below: dict[str, list[str]] = {}
    for (path, _), place in loaded.found.items():
        below.setdefault(path, []).append(place)
    handed: dict[str, set[str]] = {}
    for path, elf in users.items():
        if not (elf.inherits and elf.search):
            continue
        folders = set(_own_folders(path, elf))
        todo, seen = list(below.get(path, ())), {path}
        while todo:
            one = todo.pop()
            if one in seen:
                continue
            seen.add(one)
            handed.setdefault(one, set()).update(folders)
            todo += below.get(one, ())
    return handed


def _by_name(
    users: Mapping[str, Elf], open_needs: dict[str, list[str]], usable: Mapping[str, str], loaded: Loaded
) -> None:
    if not open_needs:
        return
    mapped = set(loaded.found.values())
    called: dict[str, list[str]] = {}
    for name, path in _names(users, usable):
        called.setdefault(name, []).append(path)
    for path, libraries in open_needs.items():
        for library in libraries:
            holders = called.get(library, [])
            first = next((one for one in holders if one in mapped), "")
            if first:
                loaded.ordered[path, library] = first
            elif holders:
                loaded.stranded[path, library] = holders[0]
            else:
                loaded.missing.append((path, library))


def _names(users: Mapping[str, Elf], usable: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield by which name the loader would know each file once it is loaded."""
    for path in sorted(usable.values()):
        yield posixpath.basename(path), path
        elf = users.get(path)
        if elf is not None and elf.soname and elf.soname != posixpath.basename(path):
            yield elf.soname, path
