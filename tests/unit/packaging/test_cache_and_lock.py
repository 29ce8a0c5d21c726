"""The cache folder, whole files, the lock, and names of bytecode."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from bareboat.errors import PackagingError
from bareboat.packaging.bytecode import bytecode_path
from bareboat.packaging.cache import cache_folder, copy_whole, scratch_folder, tidy, user_folder, write_whole
from bareboat.packaging.exclusive import exclusive
from bareboat.packaging.install import _absolute
from bareboat.packaging.interpreters import _newest_first, find_python, running_python
from bareboat.packaging.lock import Lock, write_lock


def test_the_cache_is_where_the_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "c"))

    assert cache_folder("packs") == tmp_path / "c" / "packs"
    assert (tmp_path / "c" / "packs").is_dir()


def test_a_cache_that_cannot_be_made_says_which_variable_moves_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "file" / "c"))

    with pytest.raises(PackagingError, match="set BAREBOAT_CACHE_DIR"):
        cache_folder("packs")


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "f", b"one")
    write_whole(tmp_path / "f", b"two")

    assert (tmp_path / "f").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError])
def test_what_was_interrupted_is_neither_whole_nor_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    (tmp_path / "source").write_bytes(b"new")
    (tmp_path / "f").write_bytes(b"old")

    def interrupt(*_: object) -> None:
        raise interruption

    monkeypatch.setattr(Path, "replace", interrupt)
    for write in (lambda path: write_whole(path, b"new"), lambda path: copy_whole(tmp_path / "source", path)):
        with pytest.raises((KeyboardInterrupt, PackagingError)):
            write(tmp_path / "f")

    assert (tmp_path / "f").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "source"]


def test_a_file_for_its_owner_alone_may_leave_what_is_there(tmp_path: Path) -> None:
    write_whole(tmp_path / "f", b"one", mode=0o600)
    write_whole(tmp_path / "f", b"two", mode=0o600, replace=False)
    assert (tmp_path / "f").read_bytes() == b"one"
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600

    write_whole(tmp_path / "f", b"two", mode=0o600)
    assert (tmp_path / "f").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_the_lock_is_never_half_written_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".bareboat").mkdir()
    places: list[Path] = []
    write = Path.write_bytes

    def noted(path: Path, data: bytes) -> int:
        places.append(path.parent)
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", noted)
    write_lock(tmp_path / "bareboat.lock", Lock(), by_way_of=tmp_path / ".bareboat")

    assert places == [tmp_path / ".bareboat"]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["bareboat.lock"]


def test_a_scratch_folder_goes_even_when_the_build_fails(tmp_path: Path) -> None:
    def fail() -> None:
        with scratch_folder(tmp_path) as scratch:
            (scratch / "half").write_text("x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert list(tmp_path.iterdir()) == []


def test_only_old_files_are_tidied(tmp_path: Path) -> None:
    for name in (".tmp-old", ".tmp-new", "kept"):
        (tmp_path / name).touch()
    os.utime(tmp_path / ".tmp-old", (time.time() - 7200,) * 2)

    tidy(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {".tmp-new", "kept"}


def test_a_scratch_folder_in_use_is_not_tidied(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as scratch:
        tidy(tmp_path)

        assert scratch.is_dir()


def test_what_a_dead_process_left_is_tidied_at_once(tmp_path: Path) -> None:
    (tmp_path / ".tmp-1-left").mkdir()
    (tmp_path / ".tmp-1-left" / "half").write_text("x")

    tidy(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_scratch_folders_are_made_while_others_tidy(tmp_path: Path) -> None:
    ended = threading.Event()

    def tidy_on() -> None:
        while not ended.is_set():
            tidy(tmp_path)

    thread = threading.Thread(target=tidy_on)
    thread.start()
    for number in range(200):
        with scratch_folder(tmp_path) as scratch:
            (scratch / str(number)).touch()
    ended.set()
    thread.join()


def test_a_second_holder_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        with exclusive(tmp_path / "lock", on_wait=waiting.set):
            order.append("second")

    with exclusive(tmp_path / "lock"):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        order.append("first")
    thread.join(10)

    assert order == ["first", "second"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a.py", "__pycache__/a.cpython-313.pyc"), ("p/q/__init__.py", "p/q/__pycache__/__init__.cpython-313.pyc")],
)
def test_bytecode_lies_where_python_looks(path: str, expected: str) -> None:
    assert bytecode_path(path, "3.13") == expected


def test_the_running_interpreter_is_found_without_asking_anybody() -> None:
    running = running_python()

    assert running is not None
    assert find_python(running.version) == running
    assert running.path.is_file()


def test_installed_versions_are_found_newest_first_and_no_others(tmp_path: Path) -> None:
    others = ["3.12.1", "pypy3.13-7", "3.13.0t", "3.13-dev", "cpython-3.13.9+freethreaded-linux-x86_64-gnu"]
    for name in ["3.13.0", "3.13.10", "3.13.2", "cpython-3.13.4-linux-x86_64-gnu", *others]:
        (tmp_path / name).mkdir()

    found = [path.name for path in _newest_first(tmp_path, "3.13")]

    assert found == ["3.13.10", "cpython-3.13.4-linux-x86_64-gnu", "3.13.2", "3.13.0"]


def test_paths_of_a_lock_start_at_the_project(tmp_path: Path) -> None:
    absolute = _absolute('archive = { path = "wheels/a.whl" }', tmp_path)

    assert absolute == 'archive = { path = "' + (tmp_path / "wheels" / "a.whl").as_posix() + '" }'


@pytest.mark.skipif("sys.platform != 'linux'", reason="XDG's places are Linux's")
def test_a_users_things_lie_where_the_system_keeps_them(tmp_path, monkeypatch):
    for variable in ("BAREBOAT_CACHE_DIR", "BAREBOAT_DATA_DIR", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert user_folder("cache") == tmp_path / ".cache" / "bareboat"
    assert user_folder("data") == tmp_path / ".local" / "share" / "bareboat"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "x"))
    assert user_folder("data") == tmp_path / "x" / "bareboat"
    monkeypatch.setenv("BAREBOAT_DATA_DIR", str(tmp_path / "y"))
    assert user_folder("data") == tmp_path / "y"
