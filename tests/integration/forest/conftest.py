"""What the integration tests of the forest share."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parents[2] / "src/bareboat/forest/c"
FLAGS = ("-std=c11", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror")


@pytest.fixture(scope="session")
def samples(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    """The random forests and hard rows of the contract tests."""
    return load_file(HERE.parents[1] / "contract/forest/samples.py")


@pytest.fixture(scope="session")
def compile_harness() -> Callable[[list[str], Path], Path]:
    """Compile the kernel with harness.c by a compiler's command line."""

    def compile_with(compiler: list[str], made: Path) -> Path:
        sources = [*map(str, sorted(SOURCES.glob("*.c"))), str(HERE / "harness.c")]
        command = [*compiler, *FLAGS, f"-I{SOURCES}", *sources, "-o", str(made), "-lm"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert run.returncode == 0, run.stderr
        return made

    return compile_with


def packed(rows: list[list[float]]) -> bytes:
    """Return rows as the harness reads them."""
    return b"".join(struct.pack(f"={len(row)}d", *row) for row in rows)


@pytest.fixture(scope="session")
def run_harness() -> Callable[[list[str], str, Path, list[list[float]]], bytes]:
    """Run the harness on a forest and rows and return what it prints; whatever a sanitizer says is a failure."""

    def run(command: list[str], what: str, forest: Path, rows: list[list[float]]) -> bytes:
        done = subprocess.run(
            [*command, what, str(forest)], input=packed(rows), capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
        assert done.stderr == b""
        return done.stdout

    return run
