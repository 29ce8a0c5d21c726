"""The kernel that runs pipelines, built with the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bareboat.errors import InputError
from bareboat.pipeline.file import pipeline_bytes, write_pipeline
from bareboat.pipeline.ir import Op, Pipeline
from bareboat.pipeline.reference import evaluate

HERE = Path(__file__).parent
FOLDERS = tuple(HERE.parents[2] / "src/bareboat" / name for name in ("forest/c", "pipeline/c"))
FLAGS = ("-std=c11", "-O1", "-g", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
Run = Callable[[list[str], str, Path, np.ndarray], bytes]


@pytest.fixture(scope="module")
def harness(system_command: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    compiler, folder = system_command("cc"), tmp_path_factory.mktemp("sanitized")
    includes = [f"-I{each}" for each in FOLDERS]
    sources = [source for each in FOLDERS for source in sorted(each.glob("*.c")) if not source.name.startswith("shap")]
    sources.append(HERE / "harness.c")

    def call(*arguments: str) -> None:
        run = subprocess.run(
            [compiler, *FLAGS, *SANITIZERS, *includes, *arguments],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert run.returncode == 0, run.stderr

    objects = [str(folder / f"{source.stem}.o") for source in sources]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda source, made: call("-c", str(source), "-o", made), sources, objects))
    call(*objects, "-o", str(folder / "harness"), "-lm")
    return [str(folder / "harness")]


def expected(pipeline: Pipeline, rows: np.ndarray) -> np.ndarray | None:
    try:
        outputs, labels = evaluate(pipeline, rows)
    except InputError:
        return None
    return outputs if pipeline.label is None or labels is None else np.column_stack([outputs, labels])


@pytest.mark.parametrize("seed", range(12))
def test_answers_equal_the_reference_without_a_finding(
    seed: int, harness: list[str], run_pipeline: Run, programs: ModuleType, forests: ModuleType, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    pipeline = programs.random_pipeline(rng, forests, n_steps=8)
    rows = programs.random_rows(rng, pipeline, 40)
    write_pipeline(pipeline, tmp_path / "a.pipeline")

    out = run_pipeline(harness, "score", tmp_path / "a.pipeline", rows)

    answers = expected(pipeline, rows)
    assert programs.same_bits(np.frombuffer(out), [] if answers is None else answers.ravel())


def test_every_altered_byte_and_every_length_gives_an_error_or_answers_without_a_finding(
    harness: list[str],
    run_pipeline: Run,
    programs: ModuleType,
    small_pipelines: list[Pipeline],
    tmp_path: Path,
) -> None:
    def alter(number: int) -> tuple[int, int]:
        pipeline = small_pipelines[number]
        (tmp_path / f"{number}.pipeline").write_bytes(pipeline_bytes(pipeline))
        rows = programs.random_rows(random.Random(number), pipeline, 3)
        out = run_pipeline(harness, "mutate", tmp_path / f"{number}.pipeline", rows)
        return int(out.split()[0]), int(out.split()[2])

    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(alter, range(len(small_pipelines))))

    assert all(n_errors for n_errors, _ in counts)
    assert all(n_valid for _, n_valid in counts)


def test_a_pipeline_of_every_operation_survives_every_altered_step(
    harness: list[str], run_pipeline: Run, programs: ModuleType, tmp_path: Path
) -> None:
    rng = random.Random(3)
    pipeline = programs.random_pipeline(rng, None, ops=sorted(set(Op) - {Op.FOREST}), n_steps=12)
    write_pipeline(pipeline, tmp_path / "a.pipeline")

    out = run_pipeline(harness, "mutate", tmp_path / "a.pipeline", programs.random_rows(rng, pipeline, 2))

    assert int(out.split()[0])
