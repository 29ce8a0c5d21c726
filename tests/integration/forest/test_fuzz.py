"""The fuzzers of fuzz.py, each for some seconds: files and rows from anywhere give an answer or a refusal.

fuzz.py runs them for longer. What they found has a test of its own where the fault was.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
CORPUS = HERE / "fuzzing/corpus"


@pytest.fixture(scope="module")
def fuzz(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    return load_file(HERE / "fuzz.py")


@pytest.fixture(scope="module")
def clang(system_command: Callable[[str], str]) -> str:
    """Clang with the runtimes of its sanitizers."""
    command = system_command("clang")
    name = f"libclang_rt.fuzzer-{platform.machine()}.a"
    found = subprocess.run([command, f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    if not Path(found.stdout.strip()).is_absolute():
        pytest.skip("not on this machine: clang's sanitizers, of the package libclang-rt-14-dev")
    return command


@pytest.fixture(scope="module")
def seeds(fuzz: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Larger forests than the corpus holds."""
    folder: Path = fuzz.write_seeds(tmp_path_factory.mktemp("fuzz") / "seeds", 24)
    return folder


def tried(seeds: Path) -> list[Path]:
    return [*CORPUS.glob("forests/*"), *CORPUS.glob("inputs/*"), *seeds.iterdir()]


@pytest.mark.slow
def test_any_bytes_as_a_file_and_rows_of_any_layout_give_the_same_on_every_path(
    fuzz: ModuleType, clang: str, seeds: Path, tmp_path: Path
) -> None:
    target = fuzz.build_target(clang, tmp_path / "target")

    said = fuzz.run_target(target, 10, tmp_path / "found", tmp_path, [seeds], seed=1)

    assert "new_units_added" in said


@pytest.mark.slow
def test_altered_model_files_give_a_forest_or_a_model_error(fuzz: ModuleType, tmp_path: Path) -> None:
    said = fuzz.run_models(8, tmp_path / "found", seed=1)

    assert int(said.split()[0]) > 200
    assert int(said.split()[-2]) > 20


@pytest.mark.slow
def test_rows_of_any_type_give_the_same_through_the_extension_and_ctypes(
    fuzz: ModuleType, clang: str, tmp_path: Path
) -> None:
    said = fuzz.run_rows(clang, 5, tmp_path, seed=1)

    assert "'matrix: numbers'" in said


@pytest.mark.slow
def test_threads_share_a_forest_without_a_race(fuzz: ModuleType, clang: str, tmp_path: Path, seeds: Path) -> None:
    threads = fuzz.build_threads(clang, tmp_path / "threads")

    command = [threads, *CORPUS.glob("forests/*"), *seeds.iterdir()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)

    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.slow
def test_no_number_is_read_before_it_is_written(fuzz: ModuleType, clang: str, tmp_path: Path, seeds: Path) -> None:
    if platform.machine() != "x86_64":
        pytest.skip("the memory sanitizer is tried on x86_64")
    replay = fuzz.build_replay([clang], ["-fsanitize=memory"], tmp_path / "replay")

    run = subprocess.run([replay, *tried(seeds)], capture_output=True, text=True, timeout=200, check=False)

    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.slow
def test_the_corpus_gives_the_same_on_an_emulated_arm64_cpu(
    fuzz: ModuleType, system_command: Callable[[str], str], tmp_path: Path, seeds: Path
) -> None:
    pytest.importorskip("ziglang", reason="ziglang compiles for aarch64")
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-musl"]
    traps = ["-fsanitize=undefined", "-fsanitize-trap=undefined", "-static"]
    replay = fuzz.build_replay(zig, traps, tmp_path / "replay")

    command = [system_command("qemu-aarch64"), replay, *tried(seeds)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)

    assert (run.returncode, run.stderr) == (0, "")
