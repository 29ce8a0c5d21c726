"""Unpacked copies: few are kept, and none goes that a process runs in."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bareboat.artifact.held import hold, release, remove_unheld
from bareboat.artifact.unpack import forget_folders

HOLDER = """
import sys
from pathlib import Path
from bareboat.artifact.held import hold
assert hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def below(tmp_path: Path) -> Path:
    """Ten unpacked copies, 0 the oldest."""
    for i in range(10):
        copy = tmp_path / str(i)
        copy.mkdir()
        (copy / "handler.py").write_text("")
        os.utime(copy, (time.time() - 7200 + i,) * 2)
    return tmp_path


@pytest.fixture
def holding() -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    """Make another process hold a folder until its stdin ends."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.communicate(timeout=10)


def names(below: Path) -> list[int]:
    return sorted(int(path.name) for path in below.iterdir())


def test_copies_that_are_held_stay_until_they_are_released(below, holding):
    assert hold(below / "0")
    assert hold(below / "0")
    other = holding(below / "2")

    forget_folders(below)

    assert names(below) == [0, 2, 5, 6, 7, 8, 9]
    release(below / "0")
    forget_folders(below)
    assert names(below) == [0, 2, 5, 6, 7, 8, 9]
    release(below / "0")
    other.communicate(timeout=10)
    forget_folders(below)
    assert names(below) == [5, 6, 7, 8, 9]


def test_a_copy_that_is_made_again_while_it_is_held_is_held(below):
    copy = below / "0"
    assert hold(copy)
    (copy / "handler.py").unlink()
    copy.rmdir()
    assert not hold(copy)
    copy.mkdir()

    assert hold(copy)

    remove_unheld(copy)
    assert copy.is_dir()
    release(copy)
    remove_unheld(copy)
    assert copy.is_dir()  # the first hold has not been released
    release(copy)
    remove_unheld(copy)
    assert not copy.exists()


def test_what_is_not_there_is_neither_held_nor_removed(tmp_path):
    assert not hold(tmp_path / "none")
    release(tmp_path / "none")
    remove_unheld(tmp_path / "none")
