"""One row: a Python list of floats in, a Python float out; peers get the array that their call wants, ready made."""

from __future__ import annotations

import argparse
import statistics

import common
import engines
import harness
import numpy as np

GOALS = {"M": 15.0, "L": 10.0, "C": 9.0}
"""Times faster than the best peer, from the issue's table: 12.3 us -> 0.8, 155 -> 15, 27.8 -> 3."""


def main(given: argparse.Namespace) -> int:
    n_rounds = common.rounds(given, 41, 5)
    columns = ["us a row, median (min-max)", "against the best peer", "answers", "n"]
    report = common.report("row", "One row", columns, n_rounds)
    for name in given.models:
        _measure(name, report, n_rounds)
    report.notes += [
        "bareboat: `OpenForest.score(list)` (`predict(list)` for S and F), one call after the other over 1,000 rows.",
        "Peers: their predict call in one thread on an array (1, n_features) of the type that they want.",
        "Answers: 1,000 rows one by one against the training framework's own batch answer.",
    ]
    return report.finish(write=not given.no_write)


def _measure(name: str, report: harness.Report, n_rounds: int) -> None:
    model = common.model(name)
    ready = common.ready(model, report)
    want = engines.expected(model, model.batch(engines.N_ROWS))
    taken: dict[str, list[float]] = {}
    answers = {each.name: _answers(each, want) for each in ready}
    calls = {each.name: _loop(each) for each in ready}
    taken = common.in_turns(calls, n_rounds)
    peers = [each.name for each in ready if not common.is_ours(each.name)]
    fastest = common.best(taken, peers)
    floor = statistics.median(taken[fastest]) if fastest else None
    for each in ready:
        us = [value * 1e6 for value in taken[each.name]]
        ratio = f"{floor / statistics.median(taken[each.name]):.1f}x" if floor else ""
        cells = [harness.spread(us, 2), ratio, answers[each.name], len(us)]
        report.rows[f"{name}, {each.name}"] = dict(zip(report.columns, cells, strict=True))
    if name in GOALS and floor:
        ours = next(each.name for each in ready if common.is_ours(each.name))
        gain = floor / statistics.median(taken[ours])
        what = f"one row, {name}: {ours} against {fastest}"
        report.target(what, f"at least {GOALS[name]:g}x", gain, gain >= GOALS[name], f"{gain:.1f}x")


def _answers(engine: engines.Engine, want: engines.Array) -> str:
    found = np.array([np.ravel(engine.one(i)) for i in range(engines.N_ROWS)], np.float64)
    if found.shape[1] == 2 and want.ndim == 1:
        found = found[:, 1]
    return common.agreement(found, want)


def _loop(engine: engines.Engine) -> common.Callable[[], float]:
    """Return a round: so many calls that they take some 5 ms, and the seconds of one."""
    one, count = engine.one, 1
    while _seconds(one, count) < 0.005 and count < 10_000:
        count *= 2
    return lambda: _seconds(one, count) / count


def _seconds(one: common.Callable[[int], object], count: int) -> float:
    places = [i % engines.N_ROWS for i in range(count)]
    return common.timed(lambda: [one(i) for i in places])
