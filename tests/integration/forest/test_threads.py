"""One forest, many threads: each gets what it would get alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import bareboat
from bareboat.forest import write_forest
from bareboat.runtime.forest import OpenForest, load_forest
from bareboat.runtime.kernel import kernel_path, load_kernel

N_THREADS = 8


def in_threads(work: Callable[[], Any]) -> list[Any]:
    """Do the same at once in all threads and return what each got; an error is raised here."""
    start = threading.Barrier(N_THREADS)
    found: list[Any] = [None] * N_THREADS

    def run(number: int) -> None:
        start.wait()
        try:
            found[number] = work()
        except Exception as error:  # noqa: BLE001 - raised below
            found[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in found:
        if isinstance(each, Exception):
            raise each
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["best", "ctypes"])
def test_single_rows_of_many_threads_are_those_of_one(
    seed: int, kind: str, samples: ModuleType, tmp_path: Path
) -> None:
    ensemble = samples.random_forest(seed)
    rows = samples.hard_rows(ensemble, seed, 200)
    write_forest(ensemble, tmp_path / "a.forest")
    path = str(tmp_path / "a.forest")
    opened = load_forest(path) if kind == "best" else OpenForest(path, load_kernel(kernel_path()))
    named = [dict(zip(opened.feature_names, row, strict=True)) for row in rows]

    def work() -> list[list[float]]:
        return [opened.predict(row) for row in rows] + [opened.raw_score(row) for row in named]

    alone = [number for row in work() for number in row]
    for found in in_threads(work):
        assert samples.same_bits([number for row in found for number in row], alone)


@pytest.mark.parametrize("seed", range(6))
def test_a_new_estimator_answers_many_threads_as_one(seed: int, samples: ModuleType, tmp_path: Path) -> None:
    ensemble = samples.random_forest(seed)
    rows = np.array(samples.hard_rows(ensemble, seed, 600))
    write_forest(ensemble, tmp_path / "a.forest")

    def ask(forest: bareboat.Forest) -> list[np.ndarray]:
        answers = [forest.predict(rows, n_threads=2), forest.predict(rows, raw_score=True), forest.apply(rows)]
        if ensemble.trees.linear is None:
            answers.append(forest.shap_values(rows[:40], rows[:3], n_threads=2))
        return answers

    with np.errstate(all="ignore"):
        alone = ask(bareboat.Forest.load(tmp_path / "a.forest"))
        shared = bareboat.Forest.load(tmp_path / "a.forest")  # whose arrays nobody has asked for yet
        for found in in_threads(lambda: ask(shared)):
            for mine, expected in zip(found, alone, strict=True):
                assert np.array_equal(mine, expected, equal_nan=True)
