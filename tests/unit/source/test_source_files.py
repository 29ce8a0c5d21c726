"""Which files are meant, and how one is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.errors import BareboatError
from bareboat.source.batch import by_package, count_files, strip_files
from bareboat.source.files import python_files, write_source
from bareboat.source.tasks import Wanted


def write(path: Path, text: str = "x = 1  # one\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def names(folder: Path) -> list[str]:
    return [file.inner for file in python_files([folder])[0]]


def test_python_files_are_found_below_a_folder_each_once(tmp_path: Path) -> None:
    for name in ("a.py", "b/c.pyi", "b/d.pyw", "b/data.txt", ".git/hook.py", "b/__pycache__/e.py", "env/pyvenv.cfg"):
        write(tmp_path / name)
    write(tmp_path / "env/lib/f.py")

    assert names(tmp_path) == ["a.py", "b/c.pyi", "b/d.pyw"]
    assert len(python_files([tmp_path, tmp_path / "a.py"])[0]) == 3


def test_links_in_a_folder_are_not_followed_and_told(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside/a.py")
    inside = tmp_path / "project"
    write(inside / "b.py")
    (inside / "link.py").symlink_to(outside)
    (inside / "folder").symlink_to(outside.parent)

    files, links = python_files([inside])

    assert [file.inner for file in files] == ["b.py"]
    assert len(links) == 2


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BareboatError, match="is not there"):
        python_files([tmp_path / "nothing"])


def test_a_file_keeps_its_rights_and_other_hard_links_keep_their_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.py")
    path.chmod(0o751)
    other = tmp_path / "cached"
    other.hardlink_to(path)

    write_source(path, b"x = 1\n")

    assert path.read_bytes() == b"x = 1\n"
    assert path.stat().st_mode & 0o777 == 0o751
    assert other.read_text(encoding="utf-8") == "x = 1  # one\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_link_that_was_named_stays_a_link(tmp_path: Path) -> None:
    path = write(tmp_path / "real/a.py")
    link = tmp_path / "link.py"
    link.symlink_to(path)

    list(strip_files(python_files([link])[0], Wanted()))

    assert link.is_symlink()
    assert path.read_bytes() == b"x = 1\n"


def test_a_full_disk_leaves_the_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.py")

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)

    with pytest.raises(BareboatError, match="No space left"):
        write_source(path, b"x = 1\n")
    assert [one.name for one in tmp_path.iterdir()] == ["a.py"]
    assert path.read_text(encoding="utf-8") == "x = 1  # one\n"


def test_a_file_that_cannot_be_stripped_is_left_alone_with_the_reason(tmp_path: Path) -> None:
    path = write(tmp_path / "a.py", "print 'x'  # two\n")

    (done,) = strip_files(python_files([path])[0], Wanted())

    assert "cannot be read by this Python: line 1" in done.outcome.why
    assert path.read_text(encoding="utf-8") == "print 'x'  # two\n"


def test_an_output_folder_gets_all_files_and_the_source_stays(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write(source / "a.py")
    write(source / "b/c.py", "y = 2\n")

    list(strip_files(python_files([source])[0], Wanted(), output=tmp_path / "out"))

    assert (tmp_path / "out/a.py").read_text(encoding="utf-8") == "x = 1\n"
    assert (tmp_path / "out/b/c.py").read_text(encoding="utf-8") == "y = 2\n"
    assert (source / "a.py").read_text(encoding="utf-8") == "x = 1  # one\n"


def test_two_files_for_one_place_are_refused(tmp_path: Path) -> None:
    files, _ = python_files([write(tmp_path / "one/a.py"), write(tmp_path / "two/a.py")])

    with pytest.raises(BareboatError, match="would both become"):
        list(strip_files(files, Wanted(), output=tmp_path / "out"))


def test_packages_are_summed_up_to_the_depth(tmp_path: Path) -> None:
    package = tmp_path / "boat"
    for name in ("__init__.py", "hull/__init__.py", "hull/deep/keel.py", "sail.py"):
        write(package / name, '"""Doc."""\n\n# why\nx = 1\n')

    sums = by_package(count_files(python_files([package])[0]))

    assert {name: (files, *lines) for name, (files, lines) in sums.items()} == {
        "boat": (2, 8, 2, 2, 2, 2),
        "boat.hull": (2, 8, 2, 2, 2, 2),
    }
    assert list(by_package(count_files(python_files([package])[0]), 0)) == ["boat"]
