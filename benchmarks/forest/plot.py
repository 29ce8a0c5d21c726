"""The tables of one row and of batches -> benchmarks/results/forest.svg, time a row by engine and model."""

from __future__ import annotations

import json
from typing import Any

import harness

PANELS = (("forest_row", "One row, us", 1.0), ("forest_batch", "Batch, one thread, us a row", 1e-3))


def draw() -> None:
    """Draw what results there are; nothing when there is none."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "bareboat"
    from matplotlib import pyplot

    found = [(title, scale, _figures(name)) for name, title, scale in PANELS if _figures(name)]
    if not found:
        return
    figure, axes = pyplot.subplots(1, len(found), figsize=(6.5 * len(found), 7), squeeze=False)
    for axis, (title, scale, figures) in zip(axes[0], found, strict=True):
        _panel(axis, title, {model: {key: us * scale for key, us in by.items()} for model, by in figures.items()})
    figure.tight_layout()
    figure.savefig(harness.RESULTS / "forest.svg", metadata={"Date": None})
    pyplot.close(figure)


def _figures(name: str) -> dict[str, dict[str, float]]:
    """Return model -> engine -> median of one report."""
    path = harness.RESULTS / f"{name}.json"
    figures: dict[str, dict[str, float]] = {}
    for row, cells in json.loads(path.read_text())["rows"].items() if path.exists() else ():
        model, _, engine = row.partition(", ")
        figures.setdefault(model, {})[engine] = float(str(next(iter(cells.values()))).split()[0])
    return figures


def _panel(axis: Any, title: str, figures: dict[str, dict[str, float]]) -> None:
    place, ticks, names = 0.0, [], []
    for model, by in figures.items():
        for engine, value in sorted(by.items(), key=lambda pair: pair[1]):
            ours = engine.startswith("bareboat")
            axis.barh(place, value, color="#1f6f8b" if ours else "#b8bfc6")
            axis.text(value, place, f" {value:.3g}", va="center", fontsize=7)
            ticks.append(place)
            names.append(f"{model}  {engine}")
            place -= 1
        place -= 0.8
    axis.set_xscale("log")
    axis.set_yticks(ticks, names, fontsize=7)
    axis.set_title(title, fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    axis.margins(x=0.15, y=0.01)
