"""Numbers -> pieces of HTML and SVG. Texts stand outside of SVG, so that they keep their size on a narrow screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

_CLASSES = ("a", "b", "c")
_MOST_POINTS = 240
_WIDTH, _HEIGHT = 1000, 400
_LONGEST = 60


def curves_figure(curves: Mapping[str, Sequence[float]], *, kept: int, metric: str) -> str:
    """Draw errors over rounds, with a line at the number of rounds that is kept.

    Args:
        curves: what to call each -> its errors; at most three.
    """
    grown = max(map(len, curves.values()))
    low = min(min(values) for values in curves.values())
    high = max(max(values) for values in curves.values())
    span = (high - low) or 1.0

    def x(round_: int) -> float:
        return (round_ - 1) / max(grown - 1, 1) * _WIDTH

    paths, keys = [], []
    for kind, (name, values) in zip(_CLASSES, curves.items(), strict=False):
        points = " ".join(
            f"{x(place + 1):.1f},{(high - values[place]) / span * _HEIGHT:.1f}" for place in _places(len(values), kept)
        )
        paths.append(f'<path class="{kind}" d="M{points}"/>')
        keys.append(_key(kind, name))
    at = x(kept)
    paths.append(f'<line class="g" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{_HEIGHT}"/>')
    keys.append(_key("g", f"the {kept} rounds that are kept"))
    label = escape(f"{metric} after each of {grown} rounds", quote=True)
    return (
        f'<figure><div class="key">{"".join(keys)}</div><div class="plot">'
        f'<div class="y"><span>{number(high)}</span><span>{escape(metric)}</span>'
        f"<span>{number(low)}</span></div>"
        f'<svg viewBox="0 -4 {_WIDTH} {_HEIGHT + 8}" preserveAspectRatio="none" role="img" aria-label="{label}">'
        f'{"".join(paths)}</svg><div class="x"><span>1</span><span>rounds</span><span>{grown}</span></div>'
        "</div></figure>"
    )


def _places(n: int, kept: int) -> list[int]:
    """Return the places of a curve that are drawn: the best one is among them."""
    places = set(np.linspace(0, n - 1, min(n, _MOST_POINTS)).round().astype(int).tolist())
    if kept <= n:
        places.add(kept - 1)
    return sorted(places)


def _key(kind: str, name: str) -> str:
    line = f'<line class="{kind}" x1="0" x2="30" y1="5" y2="5"/>'
    return f'<span><svg viewBox="0 0 30 10" aria-hidden="true">{line}</svg>{escape(name)}</span>'


def bars_figure(names: Sequence[str], shares: Sequence[float]) -> str:
    """Draw shares as bars, in the order given."""
    top = max(shares, default=0.0) or 1.0
    rows = "".join(
        f'<span>{short(name)}</span><i style="width:{100 * share / top:.1f}%"></i><em>{share:.1%}</em>'
        for name, share in zip(names, shares, strict=True)
    )
    return f'<figure><div class="bars">{rows}</div></figure>'


def scatter_figure(points: NDArray[np.float64]) -> str:
    """Draw (true, answered) as dots, and the line on which they would be equal."""
    low, high = float(points.min()), float(points.max())
    span = (high - low) or 1.0
    dots = "".join(
        f"M{(true - low) / span * _WIDTH:.0f},{(high - answered) / span * _WIDTH:.0f}h0"
        for true, answered in points.tolist()
    )
    ends = f"<span>{number(low)}</span><span>true</span><span>{number(high)}</span>"
    return (
        '<figure><div class="plot square">'
        f'<div class="y"><span>{number(high)}</span><span>answer</span><span>{number(low)}</span></div>'
        f'<svg viewBox="-8 -8 {_WIDTH + 16} {_WIDTH + 16}" preserveAspectRatio="none" role="img" '
        f'aria-label="answers over true values"><line class="g" x1="0" y1="{_WIDTH}" x2="{_WIDTH}" y2="0"/>'
        f'<path class="dot" d="{dots}"/></svg><div class="x">{ends}</div></div></figure>'
    )


def matrix_figure(counts: NDArray[np.int64], classes: Sequence[object]) -> str:
    """Show how many rows of each class (line) got which answer (column); darker is a greater share of the class."""
    head = "".join(f"<th>{short(label)}</th>" for label in classes)
    lines = []
    for place, (label, row) in enumerate(zip(classes, counts.tolist(), strict=True)):
        total = sum(row) or 1
        cells = "".join(
            f'<td{" class=right" if column == place else ""} style="background:color-mix(in srgb,'
            f'var({"--a" if column == place else "--b"}) {60 * count / total:.0f}%,transparent)">{count}</td>'
            for column, count in enumerate(row)
        )
        lines.append(f"<tr><th>{short(label)}</th>{cells}</tr>")
    return f'<figure class="matrix wide"><table><tr><th>true \\ answer</th>{head}</tr>{"".join(lines)}</table></figure>'


def table(headers: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are HTML already.

    Args:
        headers: what to call a column, and whether it holds numbers.
    """
    head = "".join(f"<th{' class=n' if is_number else ''}>{escape(name)}</th>" for name, is_number in headers)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="{"n" if is_number else "name"}">{cell}</td>'
            for cell, (_, is_number) in zip(row, headers, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def number(value: float) -> str:
    """Return four digits of a number."""
    return f"{value:.4g}"


def short(value: object, most: int = _LONGEST) -> str:
    """Return a text as HTML, cut where it is long."""
    text = str(value)
    return escape(text if len(text) <= most else text[: most - 1] + "…")
