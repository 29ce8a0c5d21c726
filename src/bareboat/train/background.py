"""The rows that were learned from -> what an explanation has to know of them.

Of numbers: mean and standard deviation (for samples around a row), and between the quartiles as many bins with their
share, mean, standard deviation and ends, from which LIME draws; of categories how frequent each is. Source: Ribeiro,
Singh, Guestrin (2016), "Why Should I Trust You?", and its reference implementation's `QuartileDiscretizer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.train.columns import categories_of
from bareboat.train.features import Feature

FORMAT = 1
_QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
_QUARTILES = (0.25, 0.5, 0.75)


def background_of(features: Sequence[Feature], rows: NDArray[np.intp], outputs: NDArray[np.float64]) -> dict[str, Any]:
    """Return the statistics as JSON has them.

    Args:
        rows: that were learned from.
        outputs: the model's answers to them: (n, n_classes) or (n,); their mean is where explanations start.
    """
    mean = np.atleast_1d(outputs.mean(axis=0))
    return {
        "format": FORMAT,
        "rows": len(rows),
        "mean_outputs": mean.tolist(),
        "features": [_feature(feature, rows) for feature in features],
    }


def _feature(feature: Feature, rows: NDArray[np.intp]) -> dict[str, Any]:
    column = feature.column.taken(rows)
    missing = int(column.missing.sum())
    head: dict[str, Any] = {"name": feature.name, "dtype": feature.column.kind, "missing": missing}
    if feature.categories is not None:
        learned = {(type(label).__name__, label) for label in feature.categories}
        counted = categories_of(column.values.tolist())
        known = [(label, count) for label, count in counted if (type(label).__name__, label) in learned]
        others = sum(count for _, count in counted) - sum(count for _, count in known)
        return head | {"categories": [{"value": label, "count": count} for label, count in known], "others": others}
    values = column.values[~column.missing]
    if not len(values):
        return head
    edges = np.unique(np.quantile(values, _QUARTILES))
    return head | {
        "mean": float(values.mean()),
        "std": float(values.std()),
        "minimum": float(values.min()),
        "maximum": float(values.max()),
        "quantiles": {
            str(q): value for q, value in zip(_QUANTILES, np.quantile(values, _QUANTILES).tolist(), strict=True)
        },
        "bins": {"edges": edges.tolist(), "each": _bins(values, edges)},
    }


def _bins(values: NDArray[np.float64], edges: NDArray[np.float64]) -> list[dict[str, float]]:
    """Return what is in each bin: above the edge before it, up to the edge after it."""
    place = np.searchsorted(edges, values, side="left")
    bins = []
    for which in range(len(edges) + 1):
        inside = values[place == which]
        share = len(inside) / len(values)
        if not len(inside):
            bins.append({"share": 0.0})
            continue
        bins.append(
            {
                "share": share,
                "mean": float(inside.mean()),
                "std": float(inside.std()),
                "minimum": float(inside.min()),
                "maximum": float(inside.max()),
            }
        )
    return bins
