"""The project's folder -> the files of it that ship."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bareboat.errors import PackagingError
from bareboat.packaging.own_output import is_image_folder, is_own_output
from bareboat.packaging.patterns import Matcher

# Left out whatever the patterns say.
NEVER_FOLDERS = frozenset(
    [
        ".git",
        ".hg",
        ".svn",
        "node_modules",
        ".serverless",
        ".bareboat",
        "__pycache__",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
        ".tox",
        ".nox",
        ".eggs",
        ".ipynb_checkpoints",
    ]
)
NEVER_SUFFIXES = (".pyc", ".pyo")
# Left out unless a pattern adds them: what configures tools and may hold secrets, as Serverless has it.
_USUALLY_NOT = frozenset({".gitignore", ".gitattributes", ".DS_Store", "npm-debug.log", "Thumbs.db"})
_NOT_IN_NAMES = re.compile(r"[\\\x00-\x1f]")
_USUALLY_NOT_FOLDERS = frozenset({".idea", ".vscode", ".github", ".serverless_plugins"})


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the project.

    Args:
        path: in the artifact, relative with `/`.
        place: where it lies.
    """

    path: str
    place: str
    size: int
    mtime_ns: int

    @property
    def source(self) -> Path:
        """Return where it lies; made when asked for, since 70,000 of them take half of the time of a walk."""
        return Path(self.place)


@dataclass(frozen=True, slots=True)
class Selection:
    """The files that ship, sorted by path, and what a person should know of those that do not."""

    files: tuple[Found, ...]
    notes: tuple[str, ...] = ()


def select_files(
    folder: Path,
    patterns: Sequence[str],
    *,
    whole: bool = True,
    also_not: frozenset[str] = frozenset(),
    key: str = "package.patterns",
) -> Selection:
    """Walk the project and choose.

    Args:
        folder: absolute.
        patterns: of the service, then of the function; the last one that matches a file decides.
        whole: whether everything ships that no pattern takes away; else only what patterns add.
        also_not: file names at the top that are left out unless a pattern adds them (serverless.yml).
        key: where patterns are written, for messages.
    Raises:
        PackagingError: a pattern or a symbolic link leads out of the project, a name is not Unicode, or a file cannot
            be read.
    """
    if not whole and not any(not pattern.startswith("!") for pattern in patterns):
        return Selection(())
    matcher = Matcher(patterns) if patterns else None
    walk = _Walk(folder, key)
    files: list[Found] = []
    for found in walk:
        said = matcher.last_match(found.path) if matcher is not None else None
        if said is None:
            said = whole and not _usually_not(found.path, also_not)
        if not said:
            continue
        walk.refuse_outside(found)
        if not _own_output(found, key):
            files.append(found)
    files.sort(key=lambda found: found.path)
    return Selection(tuple(files), tuple(walk.notes))


def _own_output(found: Found, key: str) -> bool:
    try:
        return is_own_output(found.place)
    except OSError as error:
        raise _unreadable(found.place, error, key) from error


def _usually_not(path: str, also_not: frozenset[str]) -> bool:
    folders, _, name = path.rpartition("/")
    if not folders and (name in also_not or name == ".env" or name.startswith(".env.")):
        return True
    return name in _USUALLY_NOT or not _USUALLY_NOT_FOLDERS.isdisjoint(folders.split("/"))


class _Walk:
    """Every file below a folder, symbolic links followed, each real folder at most once on a way down."""

    def __init__(self, folder: Path, key: str) -> None:
        self._root = folder
        self._key = key
        self._real_root = os.path.realpath(folder)
        self._outside: dict[str, str] = {}
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[Found]:
        return self._below(str(self._root), "", (self._real_root,))

    def refuse_outside(self, found: Found) -> None:
        """Raise if the file came in through a link that leads out of the project."""
        for link, target in self._outside.items():
            if found.path == link or found.path.startswith(link + "/"):
                raise PackagingError(
                    f"{link} is a link to {target}, outside of {self._root}",
                    expected="files of that folder",
                    fix=f"copy what it points to, or leave it out with {self._key}: ['!{link}', '!{link}/**']",
                    where=str(self._root / link),
                )

    def _below(self, folder: str, prefix: str, above: tuple[str, ...]) -> Iterator[Found]:
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise _unreadable(folder, error, self._key) from error
        names = {entry.name for entry in listed}
        if prefix and ("pyvenv.cfg" in names or "conda-meta" in names or is_image_folder(names)):
            return
        for entry in listed:
            path = prefix + entry.name
            try:
                yield from self._entry(entry, path, above)
            except OSError as error:
                raise _unreadable(entry.path, error, self._key) from error

    def _entry(self, entry: os.DirEntry[str], path: str, above: tuple[str, ...]) -> Iterator[Found]:
        if entry.is_symlink():
            if not os.path.exists(entry.path):  # noqa: PTH110 - a Path for each of 70,000 files costs seconds
                self.notes.append(f"{path} is a link to nothing; it is left out")
                return
            real = os.path.realpath(entry.path)
            if real != self._real_root and not real.startswith(self._real_root + os.sep):
                self._outside[path] = real
        if entry.is_dir():
            if entry.name in NEVER_FOLDERS:
                return
            real = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
            if entry.is_symlink() and (real in above or self._real_root == real):
                self.notes.append(f"{path} is a link to a folder that it lies in; it is left out")
                return
            yield from self._below(entry.path, path + "/", (*above, os.path.realpath(entry.path)))
        elif entry.is_file():
            if path.endswith(NEVER_SUFFIXES):
                return
            _refuse_name(path, entry.path, self._key)
            stat = entry.stat()
            yield Found(path, entry.path, stat.st_size, stat.st_mtime_ns)
        else:
            self.notes.append(f"{path} is neither a file nor a folder; it is left out")


def _refuse_name(path: str, where: str, key: str) -> None:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise PackagingError(
            f"the file name {path.encode('utf-8', 'backslashreplace').decode()!r} is not Unicode",
            fix=f"rename it, or leave its folder out with {key}",
            where=where.encode("utf-8", "backslashreplace").decode(),
        ) from error
    if _NOT_IN_NAMES.search(path):
        raise PackagingError(
            f"the file name {path!r} has a backslash or a control character", fix="rename it", where=repr(where)
        )


def _unreadable(path: str, error: OSError, key: str) -> PackagingError:
    return PackagingError(
        f"cannot be read: {error.strerror}", fix=f"mend its rights, or leave it out with {key}", where=path
    )
