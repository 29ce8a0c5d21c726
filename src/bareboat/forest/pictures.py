"""Curves, bars and trees -> PNG or SVG files, by matplotlib (the extra `plots`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bareboat.errors import BareboatError, ConfigurationError
from bareboat.forest.curve import Curve
from bareboat.forest.treeview import Leaf, Split, TreeView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg")
_DPI = 120
_LARGEST_INCHES = 400  # matplotlib draws at most 2^16 pixels
_BLUE, _ORANGE, _GREY = "#1f5fa8", "#c4581a", "#5b6470"  # told apart by people who confuse red and green, and in print


def check_picture(path: Path) -> None:
    """See that a picture can be drawn before the work is done that it shows.

    Raises:
        ConfigurationError: the name ends neither in .png nor in .svg.
        BareboatError: matplotlib is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigurationError(
            f"a picture called {path.name}", expected="a name that ends in .png or .svg", fix=f"{path.stem}.png"
        )
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise BareboatError(
            "matplotlib, which draws pictures, is not installed",
            expected="bareboat with its plots",
            fix="pip install 'bareboat[plots]'",
        ) from error


def draw_curves(path: Path, curves: Mapping[str, Curve], best: int, title: str) -> None:
    """Draw errors over rounds, with a line at the number of rounds to keep.

    Args:
        path: to write; its suffix says what.
        curves: what to call each -> the curve; the first is judged.
        best: the number of rounds to keep.
        title: what it shows.
    """
    figure, axes = _new_figure(7.0, 4.2)
    styles = ((_BLUE, "-"), (_ORANGE, "--"))
    for (name, curve), (colour, style) in zip(curves.items(), styles, strict=False):
        axes.plot(np.arange(1, curve.n_rounds + 1), curve.errors, color=colour, linestyle=style, label=name)
    first = next(iter(curves.values()))
    axes.axvline(best, color=_GREY, linewidth=1.0, linestyle=":")
    axes.plot([best], [first.error_after(best)], marker="o", color=_BLUE)
    axes.set_xlabel("rounds")
    axes.set_ylabel(first.metric)
    axes.set_title(f"{title}\nafter {best} rounds: {first.error_after(best):.5g}", loc="left", fontsize=10)
    axes.legend(frameon=False)
    axes.margins(x=0.02)
    _save(figure, path)


def draw_bars(path: Path, names: Sequence[str], values: Sequence[float], kind: str, title: str) -> None:
    """Draw importances as bars, the first on top."""
    figure, axes = _new_figure(7.0, 1.0 + 0.28 * len(names))
    axes.barh(range(len(names)), values, color=_BLUE, height=0.7)
    axes.set_yticks(range(len(names)), [_short(name, 40) for name in names])
    axes.invert_yaxis()
    for place, value in enumerate(values):
        axes.annotate(
            f" {value:.4g}", (max(value, 0.0), place), va="center", fontsize=8, color=_GREY, annotation_clip=False
        )
    axes.set_xlabel(kind.replace("_", " "))
    axes.set_title(title, loc="left", fontsize=11)
    axes.margins(x=0.12, y=0.01)
    axes.set_xlim(left=min(0.0, *values) if len(values) > 1 else None)
    _save(figure, path)


def draw_tree(path: Path, view: TreeView) -> None:
    """Draw a tree from left to right: the root on the left, each leaf on a line of its own.

    Raises:
        BareboatError: the tree has more leaves than a picture can show.
    """
    step_x, step_y = 2.9, 0.36  # inches a level and a leaf
    width, height = step_x * (view.depth + 1) + 0.6, step_y * len(view.leaves) + 0.9
    if max(width, height) > _LARGEST_INCHES:
        raise BareboatError(
            f"a tree of {len(view.leaves)} leaves and depth {view.depth}",
            expected="one that fits into a picture, of about 1000 leaves",
            fix="without --plot it is shown as text",
        )
    figure, axes = _new_figure(width, height)
    axes.set_axis_off()
    axes.set_position((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0.0, width)
    axes.set_ylim(height, 0.0)
    axes.text(0.2, 0.3, view.title, fontsize=11, va="center")
    at = _places(view)
    top = max((abs(leaf.values[0]) for leaf in view.leaves), default=0.0) or 1.0
    for place, (level, line) in at.items():
        x, y = 0.2 + step_x * level, 0.8 + step_y * line
        if place < 0:
            _draw_leaf(axes, x, y, view.leaves[~place], top)
            continue
        split = view.splits[place]
        _draw_split(axes, x, y, split)
        for child, word in ((split.left, "yes"), (split.right, "no")):
            below_x, below_y = 0.2 + step_x * at[child][0], 0.8 + step_y * at[child][1]
            bend = below_x - 0.42
            axes.plot([x + 0.1, bend, bend, below_x], [y, y, below_y, below_y], color=_GREY, linewidth=0.8, zorder=1)
            axes.text(bend + 0.04, below_y - 0.04, word, fontsize=7, color=_GREY, va="bottom")
    _save(figure, path)


def _places(view: TreeView) -> dict[int, tuple[int, float]]:
    """Return (level, line) of each split and, as ~ its place, of each leaf; a split stands amid its branches."""
    level = {0 if view.splits else -1: 0}
    for split in view.splits:  # in preorder: parents first
        level[split.left] = level[split.right] = level[split.number] + 1
    line = {~place: float(place) for place in range(len(view.leaves))}
    for split in reversed(view.splits):
        line[split.number] = (line[split.left] + line[split.right]) / 2
    return {place: (level[place], line[place]) for place in level}


def _draw_split(axes: Axes, x: float, y: float, split: Split) -> None:
    cover = "" if split.cover is None else f"  cover {split.cover:.6g}"
    text = f"{_short(split.question, 34)}\nmissing: {split.missing}{cover}"
    axes.text(x, y, text, fontsize=7, va="center", zorder=2, bbox=_box("#ffffff", _BLUE))


def _draw_leaf(axes: Axes, x: float, y: float, leaf: Leaf, top: float) -> None:
    share = min(1.0, abs(leaf.values[0]) / top)
    end = (31, 95, 168) if leaf.values[0] < 0 else (196, 88, 26)  # _BLUE and _ORANGE
    colour = tuple((255 - (255 - part) * 0.45 * share) / 255 for part in end)
    axes.text(x, y, _short(TreeView.leaf_text(leaf), 48), fontsize=7, va="center", zorder=2, bbox=_box(colour, _GREY))


def _box(face: Any, edge: str) -> dict[str, Any]:
    return {"boxstyle": "round,pad=0.25", "facecolor": face, "edgecolor": edge, "linewidth": 0.8}


def _short(text: str, n: int) -> str:
    return text if len(text) <= n else text[: n - 3] + "..."


def _new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    """Write a figure: the same bytes for the same picture, and texts as they are, not as maths."""
    import matplotlib

    metadata = {"Date": None} if path.suffix.lower() == ".svg" else None
    with matplotlib.rc_context({"svg.hashsalt": "bareboat", "svg.fonttype": "none", "text.parse_math": False}):
        try:
            figure.savefig(path, metadata=metadata)
        except OSError as error:
            raise BareboatError(
                f"the picture cannot be written: {error.strerror or error}",
                fix="--plot with another path",
                where=str(path),
            ) from error
