"""A service -> the files that it is made from, and what of them has changed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bareboat.packaging.folder import NEVER_FOLDERS, NEVER_SUFFIXES
from bareboat.service.model import Function, RemoteModel, Service

IGNORED_FOLDERS = NEVER_FOLDERS | {".venv", "venv", ".idea", ".vscode", "__MACOSX", ".direnv"}
IGNORED_NAMES = frozenset({".DS_Store", "4913", "Thumbs.db"})  # 4913: vim's test whether it may write
_ENDINGS = (
    *NEVER_SUFFIXES, ".log", ".sqlite-wal", ".sqlite-shm", ".db-wal", ".db-shm", "-journal", "~",
    ".swp", ".swx", ".swo", ".tmp", ".part", ".crswap", "___jb_tmp___", "___jb_old___",
)  # fmt: skip
_BEGINNINGS = (".#", "#", ".goutputstream-", ".nfs", ".~lock.", "~$", ".watchman-cookie")
MOST = 4000
"""Files and folders beyond which nobody looks at all of them before a request; the watcher still tells of each."""

_Stat = tuple[int, int, int]
_Folder = tuple[_Stat | None, frozenset[str] | None]


def is_ignored(name: str) -> bool:
    """Return whether a file of this name is some program's own, never a part of the project."""
    return name in IGNORED_NAMES or name.endswith(_ENDINGS) or name.startswith(_BEGINNINGS)


@dataclass(frozen=True, slots=True)
class Watched:
    """The files of a project as they were at one moment.

    Args:
        files: path -> what the system says of it; None where there is none.
        folders: each folder that is looked at -> the names in it that count, where any new name does; None where only
            `files` count.
        trees: the roots below which every file counts.
        own: those of `files` that count by their name: serverless.yml, models, requirements.
        not_followed: paths that changed too often.
    """

    files: dict[str, _Stat | None]
    folders: dict[str, _Folder]
    trees: tuple[str, ...]
    own: frozenset[str] = frozenset()
    not_followed: frozenset[str] = frozenset()

    def counts(self, path: str) -> bool:
        """Return whether a change of a path may change the service."""
        if path in self.not_followed:
            return False
        if path in self.files:
            return True
        if is_ignored(os.path.basename(path)):  # noqa: PTH119 - paths of events are texts
            return False
        for tree in self.trees:
            if path.startswith(tree + os.sep):
                return IGNORED_FOLDERS.isdisjoint(Path(path[len(tree) + 1 :]).parts)
        return False

    def changed(self) -> set[str]:
        """Look at everything, and return what is new, gone or different."""
        found = {path for path, before in self.files.items() if _stat(path) != before}
        for folder, (before, names) in self.folders.items():
            if names is not None and _stat(folder) != before:
                found |= {f"{folder}{os.sep}{name}" for name in _names(folder) ^ names}
        return found - self.not_followed if self.not_followed else found

    def differs(self, path: str) -> bool:
        """Return whether a path is not as it was; one that was never seen differs when it is there."""
        if path in self.files:
            return _stat(path) != self.files[path]
        if path in self.folders:
            return bool(self.folders[path][1] is not None and _names(path) != self.folders[path][1])
        return _stat(path) is not None

    def refreshed(self) -> Watched:
        """Look at the same files and folders as they are now."""
        folders: dict[str, _Folder] = {
            folder: (None, None) if names is None else (_stat(folder), _names(folder))
            for folder, (_, names) in self.folders.items()
        }
        return replace(self, files={path: _stat(path) for path in self.files}, folders=folders)

    def as_seen(self, earlier: Watched) -> Watched:
        """Return this with what an earlier look saw, so that nothing between the two is missed."""
        return replace(
            self,
            files={path: earlier.files.get(path, state) for path, state in self.files.items()},
            folders={folder: earlier.folders.get(folder, state) for folder, state in self.folders.items()},
            not_followed=self.not_followed | earlier.not_followed,
        )

    @property
    def size(self) -> int:
        """How many files and folders there are to look at."""
        return len(self.files) + len(self.folders)


def watched(service: Service) -> Watched:
    """Return what a service is made from, as it is now."""
    own = frozenset(str(path) for path in _own_files(service))
    files = set(own)
    trees: list[str] = []
    for tree in _trees(service):
        if not any(tree == other or tree.startswith(other + os.sep) for other in trees):
            trees.append(tree)
    folders: dict[str, _Folder] = {}
    for tree in trees:
        for folder in _below(tree):
            state = _stat(folder)
            names = _names(folder)
            folders[folder] = (state, names)
            files |= {f"{folder}{os.sep}{name}" for name in names}
    files -= folders.keys()
    for path in files:
        parent = os.path.dirname(path)  # noqa: PTH120
        if parent not in folders:
            folders[parent] = (None, None)
    output = frozenset(path for path in files - own if _is_output(path))
    return Watched({path: _stat(path) for path in sorted(files - output)}, folders, tuple(trees), own, output)


def _is_output(path: str) -> bool:
    """Return whether this process writes its own output there: `bareboat serve > out.txt`."""
    for stream in (1, 2):
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(stream), os.stat(path)):  # noqa: PTH116
                return True
    return False


def _own_files(service: Service) -> Iterator[Path]:
    from bareboat.artifact.dependencies import requirement_rules
    from bareboat.artifact.proof.events import sample_files
    from bareboat.packaging.lock import LOCK
    from bareboat.packaging.requirements import source_files

    folder = service.folder
    yield service.path
    yield from service.read
    yield folder / LOCK
    if any(_ships_project(one) for one in service.functions.values()):
        yield from source_files(folder, requirement_rules(service))
    for function in service.functions.values():
        yield from sample_files(service, function)
        if function.package.artifact is not None:
            yield function.package.artifact
        for model in function.served_models:
            for file in model.files:
                if not isinstance(file, RemoteModel):
                    yield from _files_of(file)
    if service.package.artifact is not None:
        yield service.package.artifact
    for layer in service.layers.values():
        if layer.artifact is not None:
            yield layer.artifact
        if isinstance(layer.requirements, Path):
            yield layer.requirements


def _files_of(model: Path) -> Iterable[Path]:
    if not model.is_dir():
        return (model,)
    return (path for path in model.rglob("*") if path.is_file())  # an MLflow model


def _trees(service: Service) -> Iterator[str]:
    """Yield the folders of which every file may ship."""
    patterns = [*service.package.patterns]
    for function in service.functions.values():
        patterns += function.package.patterns
    if any(_ships_project(one) for one in service.functions.values()) or any(p[:1] != "!" for p in patterns):
        yield str(service.folder)
    else:  # modules of the user's own that a model needs lie beside it
        for function in service.functions.values():
            if function.engine != "compiled":
                yield from _folders_of_modules(service, function)
    for layer in service.layers.values():
        if layer.path is not None:
            yield str(layer.path)


def _folders_of_modules(service: Service, function: Function) -> Iterator[str]:
    for model in function.served_models:
        for file in model.files:
            if not isinstance(file, RemoteModel) and file.suffix in {".pkl", ".joblib", ".skops", ".cloudpickle"}:
                yield str(service.folder)


def _ships_project(function: Function) -> bool:
    return not function.serves_models or function.before is not None or function.after is not None


def _below(tree: str) -> Iterator[str]:
    """Yield a folder and those below it that count."""
    for folder, below, names in os.walk(tree, followlinks=False):
        if folder != tree and ("pyvenv.cfg" in names or "conda-meta" in below):
            below[:] = []
            continue
        below[:] = [name for name in below if name not in IGNORED_FOLDERS]
        yield folder


def _names(folder: str) -> frozenset[str]:
    try:
        with os.scandir(folder) as entries:
            names = frozenset(entry.name for entry in entries)
    except OSError:
        return frozenset()
    return frozenset(name for name in names - IGNORED_FOLDERS if not is_ignored(name))


def _stat(path: str) -> _Stat | None:
    try:
        stat = os.stat(path)  # noqa: PTH116 - thousands of files
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
