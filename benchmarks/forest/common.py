"""What the tables share: the models, engines that are ready, comparison of answers, versions."""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import engines
import harness
import models
import numpy as np
import peers

PACKAGES = (
    "lightgbm", "xgboost-cpu", "scikit-learn", "lleaves", "llvmlite", "onnxruntime", "treelite", "tl2cgen", "shap",
    "numpy",
)  # fmt: skip


def model(name: str) -> models.Model:
    return models.load(name, peers.folder() / "forest")


def report(table: str, title: str, columns: list[str], rounds: int) -> harness.Report:
    """Return an empty report with the versions of all engines."""
    versions = {"bareboat": harness.bareboat_version()}
    versions |= {name: importlib.metadata.version(name) for name in PACKAGES}
    made = harness.Report(f"forest_{table}", title, columns, versions, rounds)
    made.script = f"forest/run.py {table}"
    return made


def rounds(given: argparse.Namespace, many: int, quick: int) -> int:
    return given.rounds or (quick if given.quick else many)


def ready(which: models.Model, made: harness.Report) -> list[engines.Engine]:
    """Return every engine that takes the model; one that fails is named in the report."""
    found = engines.bareboat_engines(which)
    for make in engines.PEERS[which.name]:
        try:
            found.append(make(which))
        except Exception as error:  # noqa: BLE001 - whatever a peer raises costs its row alone
            made.fail(f"{which.name}, {make.__name__.removesuffix('_engine')}", error)
    return found


def agreement(found: Any, want: Any) -> str:
    """Say how near answers are: `equal`, or the share of equal rows and the largest difference."""
    found, want = np.asarray(found, np.float64), np.asarray(want, np.float64)
    found = found.reshape(want.shape)
    different = (found != want).reshape(len(want), -1).any(axis=1)
    if not different.any():
        return "equal"
    return f"{1 - different.mean():.1%} equal, within {np.abs(found - want).max():.1g}"


def is_equal(text: str) -> bool:
    return text == "equal"


def in_turns(calls: dict[str, Callable[[], float]], n_rounds: int) -> dict[str, list[float]]:
    """Call each once a round, in another order each round; what it returns are its seconds."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    gc.collect()
    gc.disable()
    try:
        for turn in range(n_rounds):
            for name in harness.shuffled(list(calls), turn):
                taken[name].append(calls[name]())
    finally:
        gc.enable()
    return taken


def timed(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def best(figures: dict[str, Sequence[float]], among: Sequence[str]) -> str | None:
    """Return which of these has the least median."""
    return min(
        (name for name in among if figures.get(name)), key=lambda name: statistics.median(figures[name]), default=None
    )


def is_ours(name: str) -> bool:
    return name.startswith("bareboat")
