"""Which files of a project count, and what of them has changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bareboat.local.reload.watched import is_ignored, watched
from bareboat.service.model import Function, Place, Provider, Service

PLACE = Place("serverless.yml", 1, 1)


def project(folder: Path, **settings: object) -> Service:
    for name in ("serverless.yml", "handler.py", "model.txt", "notes.md"):
        (folder / name).write_text("x")
    settings = settings or {"handler": "handler.hello"}
    function = Function("hello", "hello", PLACE, "python3.13", "3.13", "arm64", **settings)
    return Service("hot", folder / "serverless.yml", folder, Provider(), {"hello": function})


@pytest.mark.parametrize("name", ["a.py~", ".a.py.swp", "4913", "a.pyc", ".#a.py", "a.log", "x.sqlite-wal"])
def test_what_programs_write_for_themselves_is_no_part_of_a_project(name):
    assert is_ignored(name)


@pytest.mark.parametrize("name", ["a.py", ".env", "model.txt", "serverless.yml", "data.sqlite"])
def test_everything_else_is(name):
    assert not is_ignored(name)


def test_of_a_handler_every_file_of_the_project_counts(tmp_path):
    seen = watched(project(tmp_path))

    assert seen.counts(f"{tmp_path}/notes.md")
    assert seen.counts(f"{tmp_path}/new/file.txt")
    assert not seen.counts(f"{tmp_path}/.git/index")
    assert not seen.counts(f"{tmp_path}/deep/node_modules/a.js")
    assert not seen.counts(f"{tmp_path.parent}/other.py")


def test_of_a_model_only_what_goes_into_it_counts(tmp_path):
    seen = watched(project(tmp_path, model=tmp_path / "model.txt", engine="compiled"))

    assert seen.counts(f"{tmp_path}/model.txt")
    assert seen.counts(f"{tmp_path}/serverless.yml")
    assert not seen.counts(f"{tmp_path}/notes.md")


def test_new_gone_and_changed_files_are_found(tmp_path):
    seen = watched(project(tmp_path))
    assert seen.changed() == set()

    (tmp_path / "handler.py").write_text("longer")
    (tmp_path / "notes.md").unlink()
    (tmp_path / "new.py").write_text("x")
    (tmp_path / "new.py~").write_text("x")

    assert seen.changed() == {f"{tmp_path}/{name}" for name in ("handler.py", "notes.md", "new.py")}
    assert seen.refreshed().changed() == set()


def test_a_file_of_the_same_size_that_was_renamed_into_place_differs(tmp_path):
    seen = watched(project(tmp_path))
    before = (tmp_path / "handler.py").stat()
    (tmp_path / "temporary").write_text("y")
    os.utime(tmp_path / "temporary", ns=(before.st_atime_ns, before.st_mtime_ns))

    (tmp_path / "temporary").rename(tmp_path / "handler.py")

    assert seen.differs(f"{tmp_path}/handler.py")


def test_what_an_earlier_look_saw_is_kept(tmp_path):
    service = project(tmp_path)
    earlier = watched(service)
    (tmp_path / "handler.py").write_text("longer")

    assert watched(service).as_seen(earlier).changed() == {f"{tmp_path}/handler.py"}
