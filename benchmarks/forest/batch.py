"""Many rows in one thread: an array of float64 in, final outputs out."""

from __future__ import annotations

import argparse
import statistics

import common
import engines
import harness

ROWS = {"S": 200_000, "M": 100_000, "C": 20_000, "L": 5_000, "X": 20_000, "F": 5_000}
GOALS = {
    "avx512": {"S": 1.3, "M": 10.0, "C": 20.0, "L": 10.0},
    "avx2": {"M": 7.0, "C": 10.0, "L": 6.0, "X": 3.0, "F": 3.0},
}
"""Times faster than lleaves, for X and F than the best peer whose answers are equal."""


def main(given: argparse.Namespace) -> int:
    n_rounds = common.rounds(given, 9, 2)
    columns = ["ns a row, median (min-max)", "against the peer", "answers", "n"]
    report = common.report("batch", "Batches in one thread", columns, n_rounds)
    for name in given.models:
        _measure(name, report, n_rounds, quick=given.quick)
    report.notes += [
        "Rows a call: " + ", ".join(f"{name} {count:,}" for name, count in ROWS.items()) + ".",
        "The peer is lleaves where it takes the model, else the fastest one whose answers equal the framework's.",
    ]
    return report.finish(write=not given.no_write)


def _measure(name: str, report: harness.Report, n_rounds: int, *, quick: bool) -> None:
    model = common.model(name)
    ready = common.ready(model, report)
    x = model.batch(ROWS[name] // (10 if quick else 1))
    want = engines.expected(model, x)
    answers = {each.name: common.agreement(each.batch(x, 1), want) for each in ready}
    calls = {each.name: (lambda each=each: common.timed(lambda: each.batch(x, 1)) / len(x)) for each in ready}
    taken = common.in_turns(calls, n_rounds)
    peers = [each.name for each in ready if not common.is_ours(each.name)]
    exact = [peer for peer in peers if common.is_equal(answers[peer])]
    peer = "lleaves" if "lleaves" in peers else common.best(taken, exact)
    floor = statistics.median(taken[peer]) if peer else None
    for each in ready:
        ns = [value * 1e9 for value in taken[each.name]]
        ratio = f"{floor / statistics.median(taken[each.name]):.2f}x" if floor else ""
        cells = [harness.spread(ns, 0), ratio, answers[each.name], len(ns)]
        report.rows[f"{name}, {each.name}"] = dict(zip(report.columns, cells, strict=True))
        goal = GOALS.get(each.name.rpartition(" ")[2], {}).get(name) if common.is_ours(each.name) else None
        if goal and floor:
            gain = floor / statistics.median(taken[each.name])
            report.target(
                f"batch, {name}: {each.name} against {peer}", f"at least {goal:g}x", gain, gain >= goal, f"{gain:.1f}x"
            )
    if not any("avx512" in each.name for each in ready) and name in GOALS["avx512"]:
        report.target(f"batch, {name}: avx512 against {peer}", f"at least {GOALS['avx512'][name]:g}x", None, None)
