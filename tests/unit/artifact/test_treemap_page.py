"""The page that draws an artifact: its tree of files, the limits, and nothing that leaves the page."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact.model import Artifact
from bareboat.artifact.report import package_rows
from bareboat.artifact.treemap.page import page, write_treemap
from bareboat.artifact.treemap.tree import tree_of
from bareboat.errors import BareboatError
from bareboat.packaging.target import Target

FILES = {
    "handler.py": 10,
    "a/__init__.py": 20,
    "a/x/y/z.so": 3000,
    "a/__pycache__/__init__.cpython-313.pyc": 40,
    "a.libs/libq.so.1": 500,
    "ns/one/data.json": 7,
    "ns/two.py": 8,
}


def size(name: str, version: str, *roots: str) -> dict[str, Any]:
    return {
        "name": name, "version": version, "files": 1, "unzipped_bytes": 10, "zipped_bytes": 5, "bytecode_bytes": 2,
        "removed_bytes": 0, "installed_bytes": 9, "roots": list(roots),
    }  # fmt: skip


def artifact(folder: Path, manifest: dict[str, Any] | None = None, *, name: str = "predict") -> Artifact:
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file, length in FILES.items():
            archive.writestr(file, b"x" * length)
    unzipped = sum(FILES.values())
    return Artifact(
        path, "0", (name,), Target("3.13", "arm64"), {}, path.stat().st_size, unzipped, manifest or {}
    )  # fmt: skip


MANIFEST = {
    "slim": "safe",
    "sizes": [size("a", "1.0", "a", "a.libs"), size("b", "2", "ns/one"), size("project", "")],
    "removed": [
        {"package": "a", "reason": "tests", "files": 2, "bytes": 900_000},
        {"package": "a", "reason": "headers", "files": 1, "bytes": 100_000},
        {"package": "a", "reason": "metadata", "files": 1, "bytes": 10},
    ],
}


def names(tree: dict[str, Any]) -> list[str]:
    return [one["name"] for one in tree["entries"]]


def test_files_stand_under_the_package_that_brought_them(tmp_path: Path) -> None:
    tree = tree_of(artifact(tmp_path, MANIFEST))

    assert names(tree) == ["a 1.0", "project", "b 2"]
    (package, project, other) = tree["entries"]
    assert names(package) == ["a/", "a.libs/", "left out"]
    assert [one["name"] for one in package["entries"][2]["entries"]] == [
        "tests (2 files)", "headers (1 file)", "metadata (1 file)",
    ]  # fmt: skip
    assert names(project) == ["handler.py", "ns/"]
    assert names(other) == ["ns/one/"]


def test_a_folder_in_a_folder_alone_is_one(tmp_path: Path) -> None:
    inner = tree_of(artifact(tmp_path, MANIFEST))["entries"][0]["entries"][0]

    assert names(inner) == ["x/y/", "__pycache__/", "__init__.py"]
    assert inner["entries"][0]["entries"] == [{"name": "z.so", "size": 3000, "zipped": 3000, "kind": "native"}]


def test_a_ready_made_zip_is_drawn_by_folders(tmp_path: Path) -> None:
    tree = tree_of(artifact(tmp_path))

    assert names(tree) == ["a/", "a.libs/", "ns/", "handler.py"]
    assert tree["size"] == sum(FILES.values())


def test_why_names_the_largest_reasons() -> None:
    rows = package_rows(MANIFEST)

    assert [row.why for row in rows] == ["tests 0.9, headers 0.1 and 1 more", "", ""]
    assert rows[0].document()["removed"][0] == {"reason": "tests", "files": 2, "bytes": 900_000}


def test_the_page_needs_nothing_else_and_escapes_names(tmp_path: Path) -> None:
    manifest = {**MANIFEST, "sizes": [size("</script><b>", "1", "a"), size("project", "")]}

    text = page([artifact(tmp_path, manifest, name="<i>f")])

    assert not re.search(r"https?://|<link|src=", text)
    assert "<i>f" not in text
    assert text.count("</script>") == 2
    data = re.search(r'<script type="application/json">(.*?)</script>', text)
    assert data is not None
    assert json.loads(data[1])[0] == "<i>f"
    assert "of 262,144,000 bytes" in text


def test_the_page_is_the_same_each_time(tmp_path: Path) -> None:
    one = artifact(tmp_path, MANIFEST)

    write_treemap([one], tmp_path / "new" / "map.html")

    assert (tmp_path / "new" / "map.html").read_text() == page([one])


def test_a_page_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(BareboatError, match="cannot be written"):
        write_treemap([artifact(tmp_path, MANIFEST)], tmp_path / "file" / "map.html")
