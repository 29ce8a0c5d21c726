"""The kernel, built by the system's compiler with the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from bareboat.forest import read_ensemble, reference, write_forest

IRIS = Path(__file__).parents[3] / "src/bareboat/templates/lightgbm-iris/lgb.model"
SANITIZERS = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
Run = Callable[[list[str], str, Path, list[list[float]]], bytes]


@pytest.fixture(scope="module")
def harness(
    compile_harness: Callable[[list[str], Path], Path],
    system_command: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    return compile_harness([system_command("cc"), *SANITIZERS], tmp_path_factory.mktemp("sanitized") / "harness")


@pytest.mark.parametrize("seed", range(12))
def test_scores_equal_the_reference_without_a_finding(
    seed: int, harness: Path, run_harness: Run, samples: ModuleType, tmp_path: Path
) -> None:
    forest = samples.random_forest(seed)
    rows = samples.hard_rows(forest, seed, 30)
    write_forest(forest, tmp_path / "a.forest")

    out = run_harness([str(harness)], "score", tmp_path / "a.forest", rows)

    numbers = struct.unpack(f"={len(out) // 8}d", out)
    expected = [score for row in reference.raw_scores(forest, rows) for score in row]
    assert samples.same_bits(numbers[: len(expected)], expected)


def test_every_altered_byte_and_every_length_gives_an_error_or_scores_without_a_finding(
    harness: Path, run_harness: Run, samples: ModuleType, tmp_path: Path
) -> None:
    forests = [*samples.small_forests(), samples.random_forest(4, n_leaves=17, n_trees=2), read_ensemble(IRIS)]
    for forest in forests:
        write_forest(forest, tmp_path / "a.forest")
        out = run_harness([str(harness)], "mutate", tmp_path / "a.forest", samples.hard_rows(forest, 1, 4))

        n_errors, n_valid = int(out.split()[0]), int(out.split()[2])
        assert n_errors
        assert n_valid
