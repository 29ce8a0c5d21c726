"""Files that an earlier unpacked copy has already: the packages' are linked, and only while they are as they were."""

from __future__ import annotations

import hashlib
import json
import os
import time
import zipfile
from pathlib import Path

import pytest

from bareboat.artifact.model import MANIFEST, Artifact
from bareboat.artifact.unpack import unpack
from bareboat.packaging.target import host_target

LIBRARY = b"def f():\n    return 1\n"


@pytest.fixture
def made(tmp_path: Path):
    """Make an archive of a package's files and the project's own."""

    def make(**own: bytes) -> Artifact:
        files = {"library/__init__.py": LIBRARY, "library/deep/a.py": b"a = 1\n"}
        files |= {f"{name}.py": data for name, data in own.items()}
        manifest = {
            "functions": {"f": {}},
            "sizes": [
                {"name": "library", "version": "1.0", "roots": ["library"]},
                {"name": "project", "version": "", "roots": []},
            ],
            "files": {
                path: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for path, data in files.items()
            },
        }
        path = tmp_path / ".bareboat" / f"{len(list(tmp_path.rglob('*.zip')))}.zip"
        path.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in [*files.items(), (MANIFEST, json.dumps(manifest).encode())]:
                archive.writestr(name, data)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return Artifact(
            path=path,
            digest=digest,
            functions=("f",),
            target=host_target("3.13"),
            handlers={"f": "handler.f"},
            size_bytes=path.stat().st_size,
            unzipped_bytes=sum(map(len, files.values())),
            manifest=manifest,
        )

    return make


def inode(path: Path) -> int:
    return path.stat().st_ino


def test_files_of_packages_are_linked_and_own_ones_are_not(made):
    first = unpack(made(handler=b"1", same=b"x"))
    second = unpack(made(handler=b"2", same=b"x"))

    assert inode(second / "library/deep/a.py") == inode(first / "library/deep/a.py")
    assert inode(second / "same.py") != inode(first / "same.py")
    assert (second / "handler.py").read_bytes() == b"2"
    assert (first / "handler.py").read_bytes() == b"1"


def test_files_have_the_date_of_the_archive(made):
    folder = unpack(made(handler=b"1"))

    dates = {path.stat().st_mtime for path in folder.rglob("*") if path.is_file()}

    assert [time.gmtime(date)[:6] for date in dates] == [(1980, 1, 1, 0, 0, 0)]


@pytest.mark.parametrize("path", ["library/__init__.py", MANIFEST])
def test_a_file_that_was_written_into_is_not_taken_over(made, path):
    first = unpack(made(handler=b"1"))
    data = (first / path).read_bytes()
    with (first / path).open("r+b") as file:  # as many bytes as before
        file.write(data[::-1] if path != MANIFEST else data.replace(b"1.0", b"1.1"))

    second = unpack(made(handler=b"2"))

    assert (second / "library/__init__.py").read_bytes() == LIBRARY
    assert inode(second / path) != inode(first / path)


def test_a_file_that_is_now_a_link_is_not_taken_over(made, tmp_path):
    first = unpack(made(handler=b"1"))
    (tmp_path / "other.py").write_bytes(LIBRARY)
    os.utime(tmp_path / "other.py", (315532800, 315532800))
    (first / "library/__init__.py").unlink()
    (first / "library/__init__.py").symlink_to(tmp_path / "other.py")

    second = unpack(made(handler=b"2"))

    assert not (second / "library/__init__.py").is_symlink()
    assert (second / "library/__init__.py").read_bytes() == LIBRARY


def test_a_copy_into_which_a_function_wrote_is_unpacked_again(made):
    archive = made(handler=b"1")
    folder = unpack(archive)
    (folder / "handler.py").write_bytes(b"2")

    assert (unpack(archive) / "handler.py").read_bytes() == b"1"


def test_without_links_all_is_unpacked(made, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    unpack(made(handler=b"1"))
    monkeypatch.setattr(os, "link", refuse)

    second = unpack(made(handler=b"2"))

    assert (second / "library/__init__.py").read_bytes() == LIBRARY
