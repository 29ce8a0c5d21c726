"""The kernel that ships for Lambda's arm64 CPU, under qemu with glibc: the same scores as here."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bareboat.forest import read_ensemble, reference, write_forest
from bareboat.forest.shap import shap_values
from bareboat.runtime.forest import load_forest

HERE = Path(__file__).parent
SOURCE = HERE.parents[2] / "src/bareboat"
IRIS = SOURCE / "templates/lightgbm-iris/lgb.model"
KERNEL = SOURCE / "runtime/native/kernel-linux-aarch64.so"
SYSTEM = Path("/usr/aarch64-linux-gnu")  # of the package libc6-arm64-cross
Run = Callable[[list[str], str, Path, list[list[float]]], bytes]


@pytest.fixture(scope="module")
def emulated(system_command: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the harness, linked against the kernel that ships, on an emulated arm64 CPU."""
    qemu = system_command("qemu-aarch64")
    if not (SYSTEM / "lib/ld-linux-aarch64.so.1").exists():
        pytest.skip("not on this machine: the C library for arm64, of the package libc6-arm64-cross")
    pytest.importorskip("ziglang", reason="ziglang compiles for aarch64")
    folder = tmp_path_factory.mktemp("aarch64")
    shutil.copy(KERNEL, folder)
    shutil.copy(HERE / "harness.c", folder)
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-gnu.2.17", "-std=c11", "-O2"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZIG_LOCAL_CACHE_DIR", str(folder / "cache"))
        linked = subprocess.run(
            [*zig, f"-I{SOURCE / 'forest/c'}", "harness.c", KERNEL.name, "-o", "harness", "-lm"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert linked.returncode == 0, linked.stderr
    return [qemu, "-L", str(SYSTEM), "-E", f"LD_LIBRARY_PATH={folder}", str(folder / "harness")]


@pytest.mark.parametrize("seed", range(12))
def test_scores_equal_the_reference(
    seed: int, emulated: list[str], run_harness: Run, samples: ModuleType, tmp_path: Path
) -> None:
    forest = samples.random_forest(seed)
    rows = samples.hard_rows(forest, seed, 40)
    write_forest(forest, tmp_path / "a.forest")

    out = run_harness(emulated, "score", tmp_path / "a.forest", rows)

    numbers = struct.unpack(f"={len(out) // 8}d", out)
    expected = [score for row in reference.raw_scores(forest, rows) for score in row]
    outputs = [score for row in reference.predict(forest, rows) for score in row]
    assert samples.same_bits(numbers[: len(expected)], expected)
    assert max(map(samples.ulps, numbers[len(expected) :], outputs)) <= 1


@pytest.mark.parametrize("seed", range(12))
def test_shap_values_equal_those_of_this_machine(
    seed: int, emulated: list[str], run_harness: Run, samples: ModuleType, tmp_path: Path
) -> None:
    forest = samples.random_forest(seed)
    forest = replace(forest, trees=replace(forest.trees, linear=None))
    rows = samples.hard_rows(forest, seed, 40)
    write_forest(forest, tmp_path / "a.forest")

    out = run_harness(emulated, "explain", tmp_path / "a.forest", rows)

    opened, matrix = load_forest(str(tmp_path / "a.forest")), np.array(rows)
    backgrounds = [matrix[:3]] if forest.trees.leaf_cover is None else [None, matrix[:3]]
    found = [shap_values(opened, matrix, background) for background in backgrounds]
    here = np.concatenate([part for each in found for part in (each.values.ravel(), each.base)])
    assert np.allclose(np.frombuffer(out), here, rtol=0, atol=1e-12 * np.abs(here).max())


def test_iris_gives_the_published_probabilities(emulated: list[str], run_harness: Run, tmp_path: Path) -> None:
    write_forest(read_ensemble(IRIS), tmp_path / "iris.forest")

    out = run_harness(emulated, "score", tmp_path / "iris.forest", [[6.0, 3.0, 5.0, 2.0]])

    published = [0.11376620900197651, 0.17004835386299028, 0.7161854371350332]
    assert list(struct.unpack("=6d", out)[3:]) == published
