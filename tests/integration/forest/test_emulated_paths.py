"""The AVX2 and AVX-512 paths in portable C, by SIMDe: their logic on a CPU that has neither."""

from __future__ import annotations

import ctypes
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bareboat.runtime.kernel import load_kernel

HERE = Path(__file__).parent
CONTRACT = HERE.parents[1] / "contract/forest"
SOURCES = HERE.parents[2] / "src/bareboat/forest/c"
SIMDE = Path("/usr/include/simde/x86/avx512.h")  # of the package libsimde-dev


@pytest.fixture(scope="module")
def many(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    return load_file(CONTRACT / "many_rows.py")


@pytest.fixture(scope="module")
def emulated(system_command: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The kernel with every intrinsic of AVX2 and AVX-512 replaced."""
    if platform.machine() not in {"x86_64", "AMD64"}:
        pytest.skip("these paths are compiled for x86_64 alone")
    if not SIMDE.exists():
        pytest.skip("not on this machine: SIMDe, of the package libsimde-dev")
    made = tmp_path_factory.mktemp("emulated") / "kernel.so"
    flags = ["-std=c11", "-O1", "-w", "-Wno-psabi", "-ffp-contract=off", "-fPIC", "-shared", "-DBAREBOAT_EMULATED"]
    sources = map(str, sorted(SOURCES.glob("*.c")))
    run = subprocess.run(
        [system_command("cc"), *flags, "-include", str(HERE / "emulated.h"), *sources, "-o", str(made), "-lm"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return load_kernel(str(made))


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize(
    "size",
    [
        pytest.param({}, id="any"),
        pytest.param({"n_leaves": 256, "n_trees": 2}, id="256 leaves"),
        pytest.param({"n_leaves": 130, "n_cuts": 400, "n_features": 2}, id="16-bit ranks"),
    ],
)
def test_emulated_paths_equal_the_reference(
    seed: int, size: dict[str, int], emulated: ctypes.CDLL, many: ModuleType, samples: ModuleType, tmp_path: Path
) -> None:
    forest = samples.random_forest(seed, **size)
    rows = samples.hard_rows(forest, seed, 70)
    given = np.array(rows).reshape(len(rows), forest.n_features)

    paths = many.opened(forest, tmp_path, emulated)

    assert [path.path for path in paths] == ["scalar", "avx2", "avx512"]
    for path in paths:
        assert np.array_equal(many.leaves(path, given), many.expected_leaves(forest, rows))
        assert many.same_bits(many.scores(path, given), many.expected_scores(forest, rows))
