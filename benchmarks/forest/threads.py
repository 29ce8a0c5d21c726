"""A million rows in 1, 2 and 4 threads."""

from __future__ import annotations

import argparse
import statistics

import common
import engines
import harness
import numpy as np

ROWS = 1_000_000
GOALS = {"M": 3.0, "L": 3.2}


def _call(engine: engines.Engine, x: engines.Array, threads: int) -> common.Callable[[], float]:
    return lambda: common.timed(lambda: engine.batch(x, threads)) / len(x)


def main(given: argparse.Namespace) -> int:
    n_rounds = common.rounds(given, 5, 1)
    columns = ["threads", "ns a row, median (min-max)", "over one thread", "answers", "n"]
    report = common.report("threads", "A million rows in threads", columns, n_rounds)
    for name in [each for each in given.models if each in GOALS]:
        model = common.model(name)
        ours = engines.bareboat_engines(model)[0]
        peer = engines.lleaves_engine(model)
        x = model.batch(ROWS // (20 if given.quick else 1))
        want = np.resize(engines.expected(model, model.rows), len(x))  # x has the same rows, over and over
        found = {f"{each.name}|{threads}": (each, threads) for each in (ours, peer) for threads in (1, 2, 4)
                 if each is ours or name == "M"}  # fmt: skip
        answers = {key: common.agreement(each.batch(x, threads), want) for key, (each, threads) in found.items()}
        calls = {key: _call(each, x, threads) for key, (each, threads) in found.items()}
        taken = common.in_turns(calls, n_rounds)
        for key, (each, threads) in found.items():
            one = statistics.median(taken[f"{each.name}|1"])
            ns = [value * 1e9 for value in taken[key]]
            gain = one / statistics.median(taken[key])
            cells = [threads, harness.spread(ns, 0), f"{gain:.2f}x", answers[key], len(ns)]
            report.rows[f"{name}, {each.name}, {threads}"] = dict(zip(columns, cells, strict=True))
            if each is ours and threads == 4:
                report.target(
                    f"4 threads over 1, {name}", f"at least {GOALS[name]:g}x", gain, gain >= GOALS[name], f"{gain:.2f}x"
                )
    report.notes += ["The limits are for 4 physical cores; what this machine calls cores may be threads of fewer."]
    return report.finish(write=not given.no_write)
