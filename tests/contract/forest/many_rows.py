"""The kernel's functions for many rows, called by themselves on one path: any strides, either width of number."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import ArtifactError
from bareboat.forest import reference, write_forest
from bareboat.forest.ir import Ensemble
from bareboat.forest.structure import lay_out
from bareboat.runtime.forest import OpenForest

PATHS = {"scalar": 1, "neon": 2, "avx2": 3, "avx512": 4}
"""The paths of forest/c/kernel.h."""

Numbers = NDArray[np.float64] | NDArray[np.float32]


def opened(forest: Ensemble, folder: Path, kernel: ctypes.CDLL) -> list[OpenForest]:
    """Open a forest once for each path that this CPU has."""
    write_forest(forest, folder / "a.forest")
    found = []
    for number in PATHS.values():
        try:
            found.append(OpenForest(str(folder / "a.forest"), kernel, number))
        except ArtifactError:
            continue
    return found


def scores(forest: OpenForest, rows: Numbers, *, raw: bool = True) -> NDArray[np.float64]:
    """Return raw scores or outputs: (n, n_outputs)."""
    made = np.full((len(rows), forest.n_outputs), np.nan)
    scratch = _scratch(forest)
    forest.kernel.bareboat_score(
        forest.address, 0 if raw else 1, *_described(rows), made.ctypes.data, -(-scratch.ctypes.data // 64) * 64
    )
    return made


def leaves(forest: OpenForest, rows: Numbers) -> NDArray[np.uint32]:
    """Return the leaf of each tree, counted from left to right: (n, n_trees)."""
    made = np.full((len(rows), forest.n_trees), 2**32 - 1, np.uint32)
    scratch = _scratch(forest)
    forest.kernel.bareboat_leaves(
        forest.address, *_described(rows), made.ctypes.data, -(-scratch.ctypes.data // 64) * 64
    )
    return made


def expected_leaves(forest: Ensemble, rows: list[list[float]]) -> NDArray[np.int64]:
    """Return what the reference says of the same leaves."""
    start = forest.trees.leaf_start[:-1]
    place = lay_out(forest.trees).leaf_place
    found = [place[start + reference.leaves(forest, row)] - start for row in rows]
    return np.array(found, np.int64).reshape(len(rows), forest.n_trees)


def expected_scores(forest: Ensemble, rows: list[list[float]]) -> NDArray[np.float64]:
    """Return what the reference says of the same raw scores."""
    return np.array(reference.raw_scores(forest, rows), np.float64).reshape(len(rows), forest.n_outputs)


def same_bits(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether two arrays are equal to the last bit; any NaN equals any other."""
    return a.shape == b.shape and bool(np.all((a.view(np.int64) == b.view(np.int64)) | (np.isnan(a) & np.isnan(b))))


def _scratch(forest: OpenForest) -> NDArray[np.uint8]:
    return np.full(forest.kernel.bareboat_scratch(forest.address) + 64, 0xA5, np.uint8)


def _described(rows: Numbers) -> tuple[int, int, int, int, int]:
    return (int(rows.dtype == np.float32), rows.ctypes.data, len(rows), *rows.strides)
