"""Which files of a project ship."""

from __future__ import annotations

import hashlib
import os
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from bareboat.artifact.treemap.page import page
from bareboat.errors import PackagingError
from bareboat.packaging.folder import select_files
from bareboat.packaging.patterns import Matcher


def make(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    return folder


def chosen(folder: Path, *patterns: str, whole: bool = True) -> list[str]:
    found = select_files(folder, patterns, whole=whole, also_not=frozenset({"serverless.yml"}))
    return [file.path for file in found.files]


def test_the_whole_folder_ships_in_order(tmp_path: Path) -> None:
    make(tmp_path, "handler.py", "pkg/b.py", "pkg/a.txt", ".hidden/x", "requirements.txt")

    assert chosen(tmp_path) == [".hidden/x", "handler.py", "pkg/a.txt", "pkg/b.py", "requirements.txt"]


def test_what_never_ships_stays_out_even_when_a_pattern_adds_it(tmp_path: Path) -> None:
    make(
        tmp_path, "handler.py", ".git/config", "node_modules/x/y.js", ".serverless/z.zip", ".bareboat/z.zip",
        "__pycache__/handler.cpython-313.pyc", "old.pyc", "pkg/.git/HEAD", "pkg/node_modules/a", ".mypy_cache/x",
    )  # fmt: skip

    assert chosen(tmp_path, "**") == ["handler.py"]


def test_what_bareboat_wrote_into_the_project_never_ships(tmp_path: Path) -> None:
    make(tmp_path, "handler.py", "image/oci-layout", "image/index.json", "image/blobs/sha256/x")
    with zipfile.ZipFile(tmp_path / "renamed.zip", "w") as archive:
        archive.writestr(".bareboat/manifest.json", "{}")
    with zipfile.ZipFile(tmp_path / "layer.zip", "w") as archive:
        archive.writestr("python/x.py", "")
    digest = hashlib.sha256((tmp_path / "layer.zip").read_bytes()).hexdigest()
    (tmp_path / "layer.zip").rename(tmp_path / f"mine-layer-{digest[:12]}.zip")
    (tmp_path / "map.html").write_text(page(()))
    with tarfile.open(tmp_path / "image.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("oci-layout"))

    assert chosen(tmp_path, "**") == ["handler.py"]


def test_other_archives_and_pages_of_the_project_ship(tmp_path: Path) -> None:
    make(tmp_path, "page.html", "no.zip", "empty.tar", "data-0123456789ab.zip", "kept/oci-layout")
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("rows.csv", "1")

    assert chosen(tmp_path) == [
        "data-0123456789ab.zip", "data.zip", "empty.tar", "kept/oci-layout", "no.zip", "page.html"
    ]  # fmt: skip


def test_virtual_environments_are_known_by_what_they_hold(tmp_path: Path) -> None:
    make(
        tmp_path,
        "handler.py",
        "env/pyvenv.cfg",
        "env/lib/x.py",
        "sub/any/pyvenv.cfg",
        "sub/any/y.py",
        "conda/conda-meta/h",
    )

    assert chosen(tmp_path) == ["handler.py"]


def test_a_project_that_is_itself_in_a_virtual_environment_still_ships(tmp_path: Path) -> None:
    make(tmp_path, "pyvenv.cfg", "handler.py")

    assert chosen(tmp_path) == ["handler.py", "pyvenv.cfg"]


def test_the_configuration_and_env_files_ship_only_when_added(tmp_path: Path) -> None:
    make(tmp_path, "serverless.yml", ".env", ".env.prod", ".gitignore", "sub/serverless.yml", "sub/.env")

    assert chosen(tmp_path) == ["sub/.env", "sub/serverless.yml"]
    assert chosen(tmp_path, ".env.prod") == [".env.prod", "sub/.env", "sub/serverless.yml"]


def test_the_last_pattern_that_matches_decides(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "data/big.csv", "data/small.csv", "data/.dot.csv", "m.py")

    assert chosen(tmp_path, "!data/**", "data/small.csv") == ["a.txt", "data/small.csv", "m.py"]
    assert chosen(tmp_path, "data/small.csv", "!data/**") == ["a.txt", "m.py"]
    assert chosen(tmp_path, "!**", "m.py") == ["m.py"]
    assert chosen(tmp_path, "!./a.txt", "!data/{big,small}.csv") == ["data/.dot.csv", "m.py"]


def test_a_pattern_of_a_folder_does_not_match_what_lies_in_it(tmp_path: Path) -> None:
    make(tmp_path, "data/x", "m.py")

    assert chosen(tmp_path, "!data") == ["data/x", "m.py"]


def test_only_added_files_ship_when_the_folder_does_not(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "data/x.json", "m.py")

    assert chosen(tmp_path, whole=False) == []
    assert chosen(tmp_path, "!a.txt", whole=False) == []
    assert chosen(tmp_path, "data/**", "a.*", "!**/*.txt", whole=False) == ["data/x.json"]


@pytest.mark.parametrize("pattern", ["../shared/**", "!../x", "/etc/passwd", ".."])
def test_a_pattern_that_leads_out_of_the_project_is_refused(pattern: str) -> None:
    with pytest.raises(PackagingError, match="leads out of the folder"):
        Matcher([pattern])


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")
class TestLinks:
    def test_a_link_inside_the_project_ships_as_what_it_points_to(self, tmp_path: Path) -> None:
        make(tmp_path, "real/a.txt")
        (tmp_path / "link.txt").symlink_to("real/a.txt")
        (tmp_path / "folder").symlink_to("real")

        assert chosen(tmp_path) == ["folder/a.txt", "link.txt", "real/a.txt"]

    def test_a_link_out_of_the_project_is_refused_and_can_be_left_out(self, tmp_path: Path) -> None:
        outside = make(tmp_path / "outside", "secret.txt", "sub/more.txt")
        project = make(tmp_path / "project", "m.py")
        (project / "s.txt").symlink_to(outside / "secret.txt")

        with pytest.raises(PackagingError, match=r"s\.txt is a link to .*outside of (.|\n)*'!s\.txt'"):
            chosen(project)
        assert chosen(project, "!s.txt") == ["m.py"]

        (project / "s.txt").unlink()
        (project / "data").symlink_to(outside)
        with pytest.raises(PackagingError, match="data is a link to"):
            chosen(project)
        assert chosen(project, "!data/**") == ["m.py"]

    def test_a_link_that_closes_a_circle_is_left_out_and_named(self, tmp_path: Path) -> None:
        make(tmp_path, "a/m.py")
        (tmp_path / "a" / "up").symlink_to("..")
        (tmp_path / "a" / "self").symlink_to(".")

        found = select_files(tmp_path, ())

        assert [file.path for file in found.files] == ["a/m.py"]
        assert sorted(found.notes) == [
            "a/self is a link to a folder that it lies in; it is left out",
            "a/up is a link to a folder that it lies in; it is left out",
        ]

    def test_a_link_to_nothing_is_left_out_and_named(self, tmp_path: Path) -> None:
        make(tmp_path, "m.py")
        (tmp_path / "gone").symlink_to("nowhere")

        found = select_files(tmp_path, ())

        assert [file.path for file in found.files] == ["m.py"]
        assert found.notes == ("gone is a link to nothing; it is left out",)

    def test_a_pipe_is_left_out_and_named(self, tmp_path: Path) -> None:
        make(tmp_path, "m.py")
        os.mkfifo(tmp_path / "pipe")

        assert select_files(tmp_path, ()).notes == ("pipe is neither a file nor a folder; it is left out",)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")
@pytest.mark.parametrize("name", [b"caf\xe9.txt", b"a\\b.txt", b"a\nb.txt"])
def test_a_file_name_that_an_archive_cannot_hold_is_refused(tmp_path: Path, name: bytes) -> None:
    with open(os.path.join(os.fsencode(tmp_path), name), "w"):  # noqa: PTH118, PTH123 - a name in bytes
        pass

    with pytest.raises(PackagingError, match="the file name"):
        select_files(tmp_path, ())
