"""Matrices through the kernel: scores and leaves, over threads for large batches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import Floats
from bareboat.forest.rows import Matrix
from bareboat.runtime.blocks import over_rows, thread_count
from bareboat.runtime.forest import OpenForest

RAW, PREDICT = 0, 1  # forest/c/kernel.h


class Scorer:
    """The kernel's batch entries for one open forest. Threads may share it.

    Args:
        opened: the forest; kept alive.
    """

    def __init__(self, opened: OpenForest) -> None:
        self._opened = opened
        self._kernel = opened.kernel
        self._forest = opened.address

    def score(self, matrix: Matrix, what: int, n_threads: int | None) -> Floats:
        """Return raw scores or outputs: (n, n_outputs).

        Args:
            matrix: (n, n_features) in any order and stride.
            what: RAW or PREDICT.
            n_threads: None for as many as are worth it.
        """
        out = np.empty((len(matrix), self._opened.n_outputs))
        self._opened.score_matrix(matrix, raw=what == RAW, out=out, n_threads=n_threads)
        return out

    def leaves(self, matrix: Matrix, n_threads: int | None) -> NDArray[np.uint32]:
        """Return the leaf of each tree, counted from left to right: (n, n_trees)."""
        out = np.empty((len(matrix), self._opened.n_trees), np.uint32)
        kind, at, row_stride, column_stride = _layout(matrix)
        to, step = out.ctypes.data, out.strides[0]

        def call(first: int, n: int, scratch: int) -> None:
            self._kernel.bareboat_leaves(
                self._forest, kind, at + first * row_stride, n, row_stride, column_stride, to + first * step, scratch
            )

        n_threads = thread_count(n_threads, out.size)
        over_rows(call, len(matrix), n_threads, int(self._kernel.bareboat_scratch(self._forest)))
        return out

    def transform(self, raw: Floats, rounds: int, parameter: float) -> Floats:
        """Return what raw scores become after some rounds, (n, n_outputs); `raw` stays as it is."""
        out = np.array(raw, np.float64, order="C")
        self._kernel.bareboat_transform(self._forest, float(rounds), parameter, out.ctypes.data, len(out))
        return out


def _layout(matrix: Matrix) -> tuple[int, int, int, int]:
    """Return the kernel's number for the type, the address and the two strides in bytes."""
    array: NDArray[Any] = matrix
    return (0 if array.dtype == np.float64 else 1, array.ctypes.data, array.strides[0], array.strides[1])
