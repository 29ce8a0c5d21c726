"""Rows of numbers -> exact SHAP values of raw scores, through the kernel, over threads for large batches."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError, ModelError
from bareboat.forest.ir import Floats
from bareboat.forest.layout import Section
from bareboat.forest.schema import FLOATS
from bareboat.runtime.blocks import over_blocks, thread_count
from bareboat.runtime.forest import OpenForest

Matrix = NDArray[np.float64] | NDArray[np.float32]

_WORK = 64
"""How much dearer a tree of a row is to explain than to score: 0.2 us against 3 ns."""
_LEAST_BLOCK, _LARGEST_BLOCK = 64, 8192
"""Rows of one call of the kernel, which weighs every split of the forest once a call."""


@dataclass(frozen=True, slots=True)
class ShapValues:
    """What each feature adds to the raw scores of each row.

    Args:
        values: (n, n_features, n_outputs).
        base: (n_outputs,) the raw score when nothing is known of a row. For each row and output, base and values add
            up to the raw score, or to its average over rounds where a forest's outputs are averages.
    """

    values: Floats
    base: Floats


def shap_values(
    opened: OpenForest, rows: Matrix, background: Matrix | None = None, n_threads: int | None = None
) -> ShapValues:
    """Return exact SHAP values.

    Path-dependent without a background: what is not known of a row is weighed by the training rows in each leaf, as
    LightGBM's pred_contrib, XGBoost's pred_contribs and shap's `tree_path_dependent` do. Interventional with one: it
    is what each row of the background has there, as in shap's `interventional`.

    Args:
        opened: the forest.
        rows: (n, n_features) float32 or float64 in any order and stride, NaN where a value is missing.
        background: (n_background, n_features), at least one row.
        n_threads: None for as many as are worth it, -1 for all cores.
    Returns:
        values of every row and feature, and the base.
    Raises:
        InputError: rows or background are of another shape or type, or n_threads is no number of threads.
        ModelError: leaves are linear, or, without a background, the forest does not know the covers of its leaves.
    Source: forest/c/shap_path.h and shap_background.c.
    """
    known = None if background is None else _known(opened, background)
    kernel = _declared(opened.kernel)
    _refuse(kernel.bareboat_shap_ready(opened.address, known is not None))
    rows = _matrix(opened, rows, "rows")
    values = np.zeros((len(rows), opened.n_features, opened.n_outputs))
    n_threads = thread_count(n_threads, len(rows) * opened.n_trees * _WORK)
    parts = 4 * n_threads if n_threads > 1 else 1
    block = min(_LARGEST_BLOCK, max(_LEAST_BLOCK, -(-len(rows) // parts)))
    base = np.zeros(opened.n_outputs)
    place = (0 if rows.dtype == np.float64 else 1, rows.ctypes.data, rows.strides)

    def call(first: int, n: int, scratch: int) -> None:
        number, at, (row_stride, column_stride) = place
        given = (opened.address, number, at + first * row_stride, n, row_stride, column_stride)
        mine = np.empty(opened.n_outputs) if first else base
        out = (values.ctypes.data + first * values.strides[0], mine.ctypes.data, scratch)
        if known is None:
            _refuse(kernel.bareboat_shap(*given, *out))
        else:
            _refuse(kernel.bareboat_shap_background(*given, known.ctypes.data, len(known), *out))

    scratch_size = kernel.bareboat_shap_scratch(opened.address, 0 if known is None else len(known))
    over_blocks(call, len(rows), block, n_threads, scratch_size)
    return ShapValues(values, base)


def _known(opened: OpenForest, background: Matrix) -> NDArray[np.float64]:
    matrix = _matrix(opened, background, "the background")
    if not 1 <= len(matrix) < 1 << 32:
        raise InputError(f"a background of {len(matrix)} rows", expected="at least one row", fix="some 100 are usual")
    return np.ascontiguousarray(matrix, np.float64)


def _matrix(opened: OpenForest, rows: Any, what: str) -> Matrix:
    if not isinstance(rows, np.ndarray) or rows.dtype not in FLOATS:
        found = f"of {rows.dtype}" if isinstance(rows, np.ndarray) else f"a {type(rows).__name__}"
        raise InputError(f"{what}: {found}", expected="an array of float64 or float32")
    if rows.ndim != 2 or rows.shape[1] != opened.n_features:
        raise InputError(f"{what}: the shape {rows.shape}", expected=f"(n, {opened.n_features})")
    return rows


def _declared(kernel: ctypes.CDLL) -> ctypes.CDLL:
    pointer, signed, number = ctypes.c_void_p, ctypes.c_int64, ctypes.c_uint32
    given = (pointer, number, pointer, signed, signed, signed)
    kernel.bareboat_shap_ready.argtypes = (pointer, number)
    kernel.bareboat_shap_scratch.argtypes = (pointer, number)
    kernel.bareboat_shap_scratch.restype = ctypes.c_uint64
    kernel.bareboat_shap.argtypes = (*given, pointer, pointer, pointer)
    kernel.bareboat_shap_background.argtypes = (*given, pointer, number, pointer, pointer, pointer)
    return kernel


def _refuse(error: int) -> None:
    """Say what stands in the way, if anything does."""
    section = error >> 8
    if section == Section.LINEAR_START:
        raise ModelError(
            "the forest has linear leaves, and these have no exact SHAP values",
            expected="leaves that are plain numbers",
            fix="train without linear_tree; LightGBM does not explain such trees either",
        )
    if section == Section.LEAF_COVER:
        raise ModelError(
            "the forest does not hold how many training rows came to its leaves",
            expected="covers, or a background",
            fix="import the model again with its statistics, or hand over rows as a background: 100 of the training's",
        )
    if error:
        raise ModelError("a tree is deeper than the forest's header says", fix="import the model again")
