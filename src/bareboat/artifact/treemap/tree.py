"""An artifact -> its files as a tree: packages, folders, files, and what was left out of each package."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

from bareboat.artifact.model import Artifact, LayerArtifact
from bareboat.artifact.report import PackageRow, package_rows
from bareboat.packaging.sizes import PROJECT

Tree = dict[str, Any]
"""name; size and zipped in bytes; kind of a file, or the entries of a folder."""


def tree_of(artifact: Artifact | LayerArtifact) -> Tree:
    """Return the tree of an artifact or a layer: name, size, zipped, and kind or entries.

    The kinds are native, python, bytecode, data and left (out), the last by reason. A package stands at the top; of a
    ready-made zip, whose packages are not known, its folders do.
    """
    rows = {row.name: row for row in package_rows(artifact.manifest)}
    owners = {root: row.name for row in rows.values() for root in row.roots}
    packages: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(artifact.path) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                file = {"size": info.file_size, "zipped": info.compress_size, "kind": _kind(info.filename)}
                folder = packages.setdefault(_owner(info.filename, owners) if rows else "", {})
                *parents, name = info.filename.split("/")
                for parent in parents:
                    folder = folder.setdefault(parent + "/", {})
                folder[name] = file
    if not rows:
        return _folder(artifact.path.name, packages.get("", {}))
    entries = [_package(name, files, rows.get(name)) for name, files in packages.items()]
    return _summed(name_of(artifact), entries)


def name_of(artifact: Artifact | LayerArtifact) -> str:
    """Return what a person calls it: its functions, or `layer NAME`."""
    return f"layer {artifact.name}" if isinstance(artifact, LayerArtifact) else ", ".join(artifact.functions)


def _owner(path: str, owners: Mapping[str, str]) -> str:
    while path:
        if path in owners:
            return owners[path]
        path = path.rpartition("/")[0]
    return PROJECT


def _kind(path: str) -> str:
    name = path.rpartition("/")[2]
    if name.endswith((".py", ".pyi")):
        return "python"
    if name.endswith(".pyc"):
        return "bytecode"
    if name.endswith((".so", ".dylib", ".pyd", ".dll")) or ".so." in name:
        return "native"
    return "data"


def _package(name: str, files: Mapping[str, Any], row: PackageRow | None) -> Tree:
    tree = _folder(f"{name} {row.version}".strip() if row else name, files)
    if row is None or not row.left_out:
        return tree
    left = [
        {
            "name": f"{one.reason} ({one.files} {'file' if one.files == 1 else 'files'})",
            "size": one.size_bytes,
            "zipped": 0,
            "kind": "left",
        }
        for one in row.left_out
        if one.size_bytes > 0
    ]
    return {**tree, "entries": [*tree.get("entries", ()), {**_summed("left out", left), "left": True}]}


def _folder(name: str, files: Mapping[str, Any]) -> Tree:
    """Make a tree of nested mappings; a folder with one folder in it is drawn as one."""
    while len(files) == 1 and name.endswith("/") and (only := next(iter(files))).endswith("/"):
        name, files = name + only, files[only]
    entries = [
        _folder(key, value) if key.endswith("/") else {"name": key, **value} for key, value in sorted(files.items())
    ]
    return _summed(name, entries)


def _summed(name: str, entries: Iterable[Tree]) -> Tree:
    ordered = sorted(entries, key=lambda one: (-one["size"], one["name"]))
    size, zipped = (sum(one[what] for one in ordered) for what in ("size", "zipped"))
    return {"name": name, "size": size, "zipped": zipped, "entries": ordered}
