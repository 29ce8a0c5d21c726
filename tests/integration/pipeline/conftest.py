"""What the integration tests of pipelines share."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bareboat.pipeline.file import pipeline_bytes
from bareboat.pipeline.ir import Op, Pipeline

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FOLDERS = (ROOT / "src/bareboat/forest/c", ROOT / "src/bareboat/pipeline/c")


@pytest.fixture(scope="session")
def programs(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    """The random pipelines and hard rows of the contract tests."""
    return load_file(ROOT / "tests/contract/pipeline/programs.py")


@pytest.fixture(scope="session")
def forests(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    """The random forests of the contract tests."""
    return load_file(ROOT / "tests/contract/forest/samples.py")


@pytest.fixture(scope="session")
def small_pipelines(programs: ModuleType, forests: ModuleType) -> list[Pipeline]:
    """Pipelines of small files that together have every operation, kind of answer and section."""
    chosen, seen = [], set()
    candidates = [(Op(op), seed) for seed in range(3) for op in Op]
    for op, seed in candidates:
        pipeline = programs.random_pipeline(random.Random(1000 * seed + op), forests, ops=[op], n_steps=1)
        has = {*(step.op for step in pipeline.steps), pipeline.kind, (pipeline.kind, pipeline.label is None)}
        if not has <= seen and len(pipeline_bytes(pipeline)) < 2600:
            seen |= has
            chosen.append(pipeline)
    assert set(Op) - {Op.VOTE, Op.COPY} <= seen
    return chosen


@pytest.fixture(scope="session")
def run_pipeline() -> Callable[[list[str], str, Path, np.ndarray], bytes]:
    """Run the harness on a pipeline and rows and return what it prints; whatever a sanitizer says is a failure."""

    def run(command: list[str], what: str, pipeline: Path, rows: np.ndarray) -> bytes:
        done = subprocess.run(
            [*command, what, str(pipeline)], input=rows.tobytes(), capture_output=True, timeout=200, check=False
        )
        assert done.returncode == 0, (done.returncode, done.stderr.decode(errors="replace")[-4000:])
        assert done.stderr == b""
        return done.stdout

    return run
