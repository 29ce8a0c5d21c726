"""What the tables share: rounds, turns, versions, and how near answers are."""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import json
import time
from collections.abc import Callable
from typing import Any

import harness
import numpy as np

PACKAGES = ("scikit-learn", "lightgbm", "numpy", "pandas", "pyarrow", "polars", "onnxruntime", "skl2onnx")


def report(table: str, title: str, columns: list[str], rounds: int) -> harness.Report:
    versions = {"bareboat": harness.bareboat_version()}
    versions |= {name: importlib.metadata.version(name) for name in PACKAGES}
    made = harness.Report(f"models_{table}", title, columns, versions, rounds)
    made.script = f"models/run.py {table}"
    return made


def rounds(given: argparse.Namespace, many: int, quick: int) -> int:
    return given.rounds or (quick if given.quick else many)


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


def agreement(found: Any, want: Any) -> str:
    """Say how near answers are: `equal`, or the share of equal rows and the largest difference."""
    found, want = np.asarray(found, np.float64), np.asarray(want, np.float64)
    different = (found.reshape(want.shape) != want).reshape(len(want), -1).any(axis=1)
    if not different.any():
        return "equal"
    return f"{1 - different.mean():.1%} equal, within {np.abs(found.reshape(want.shape) - want).max():.1g}"


def json_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as a client sends it: null where a value is missing."""
    return {name: None if value != value else value for name, value in row.items()}


def body_of(row: dict[str, Any]) -> str:
    return json.dumps(json_row(row))
