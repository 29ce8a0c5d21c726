"""The kernel that ships for Lambda's arm64 CPU, under qemu with glibc: the same answers as here."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bareboat.errors import InputError
from bareboat.pipeline.file import write_pipeline
from bareboat.pipeline.ir import Op
from bareboat.runtime.pipeline import load_pipeline

HERE = Path(__file__).parent
SOURCE = HERE.parents[2] / "src/bareboat"
KERNEL = SOURCE / "runtime/native/kernel-linux-aarch64.so"
SYSTEM = Path("/usr/aarch64-linux-gnu")  # of the package libc6-arm64-cross
Run = Callable[[list[str], str, Path, np.ndarray], bytes]


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
    includes = [f"-I{SOURCE / name}" for name in ("forest/c", "pipeline/c")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZIG_LOCAL_CACHE_DIR", str(folder / "cache"))
        linked = subprocess.run(
            [*zig, *includes, "harness.c", KERNEL.name, "-o", "harness", "-lm"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert linked.returncode == 0, linked.stderr
    return [qemu, "-L", str(SYSTEM), "-E", f"LD_LIBRARY_PATH={folder}", str(folder / "harness")]


@pytest.mark.parametrize("seed", range(14))
def test_answers_equal_those_of_this_machine(
    seed: int, emulated: list[str], run_pipeline: Run, programs: ModuleType, forests: ModuleType, tmp_path: Path
) -> None:
    """To the bit but for what the C library computes: the transforms of forests and softmax."""
    rng = random.Random(seed)
    is_exact = seed % 2 == 0
    inexact = {Op.FOREST, Op.SOFTMAX}
    pipeline = programs.random_pipeline(
        rng,
        forests,
        ops=sorted(set(Op) - inexact if is_exact else inexact | {Op.COPY}),
        n_steps=10 if is_exact else 1,
    )
    rows = programs.random_rows(rng, pipeline, 40)
    write_pipeline(pipeline, tmp_path / "a.pipeline")

    out = np.frombuffer(run_pipeline(emulated, "score", tmp_path / "a.pipeline", rows))

    try:
        here = np.asarray(load_pipeline(str(tmp_path / "a.pipeline")).score_matrix(rows)).ravel()
    except InputError:
        here = np.zeros(0)
    if is_exact:
        assert programs.same_bits(out, here)
    else:
        assert np.allclose(out, here, rtol=1e-15, atol=0, equal_nan=True)
