"""Names, links and rights of files -> what of them Lambda could not unpack or read."""

from __future__ import annotations

import posixpath
from collections import Counter

from bareboat.artifact.contents import Contents, Entry
from bareboat.errors import Problem
from bareboat.service.model import Note

_SHOWN = 3


Kinds = tuple[tuple[str, list[str], str, str], ...]


def name_problems(contents: Contents) -> list[Problem]:
    """Return what Lambda could not unpack or read, one problem for each kind."""
    paths = [entry.path for entry in contents.entries]
    folders = {parent for path in set(paths) for parent in _parents(path)}
    kinds: Kinds = (
        ("would be unpacked outside of the function's folder", [path for path in paths if _leads_out(path)],
         "relative names without ..", "make the zip from inside of the folder"),
        ("has a backslash or a control character in its name", [path for path in paths if _is_odd(path)],
         "/ between folders", "make the zip with another tool"),
        ("is a file and a folder", sorted(folders & set(paths)), "one of them", ""),
        ("is a link that leads out of the artifact", [one.path for one in contents.entries if _leaves(one)],
         "links to files of the artifact", "put the file itself there"),
        ("can be read by its owner only, who is not Lambda's user",
         [one.path for one in contents.entries if one.mode and not one.mode & 0o004 and not one.link],
         "mode 644", "chmod -R a+rX before the zip is made"),
        ("is a folder that its owner only may enter",
         [path for path, mode in contents.folders if mode and not mode & 0o001], "mode 755",
         "chmod -R a+rX before the zip is made"),
        ("cannot be read here", sorted(contents.unreadable), "files that can be read", ""),
    )  # fmt: skip
    return [Problem(f"{some(who)} {what}", expected=expected, fix=fix) for what, who, expected, fix in kinds if who]


def name_notes(contents: Contents) -> list[Note]:
    """Return what Lambda bears and other systems may not."""
    counts = Counter(entry.path for entry in contents.entries)
    lower = Counter(path.lower() for path in counts)
    there = {*counts, *(parent for path in counts for parent in _parents(path))}
    kinds = (
        ("is in the zip more than once; the last one counts", [path for path, count in counts.items() if count > 1]),
        ("differs from another name by upper and lower case only: macOS and Windows unpack one of them",
         [path for path in counts if lower[path.lower()] > 1]),
        ("is a link to nothing", [entry.path for entry in contents.entries if _dangles(entry, there)]),
    )  # fmt: skip
    return [Note("warning", f"{some(who)} {what}") for what, who in kinds if who]


def some(paths: list[str]) -> str:
    """Return the first paths, and how many more there are."""
    shown = ", ".join(path.encode("utf-8", "backslashreplace").decode() for path in paths[:_SHOWN])
    return shown + (f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else "")


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def _leads_out(path: str) -> bool:
    return path.startswith("/") or ".." in path.split("/") or not path or path[1:3] in {":/", ":\\"}


def _is_odd(path: str) -> bool:
    return "\\" in path or any(ord(letter) < 32 for letter in path)


def _target(entry: Entry) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(entry.path), entry.link))


def _leaves(entry: Entry) -> bool:
    return bool(entry.link) and (entry.link.startswith("/") or _target(entry).startswith(".."))


def _dangles(entry: Entry, paths: set[str]) -> bool:
    return bool(entry.link) and not _leaves(entry) and _target(entry) not in paths | {"."}
