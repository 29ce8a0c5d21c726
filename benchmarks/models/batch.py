"""Batches: 100,000 rows as a data frame or an Arrow table in, probabilities out, with what the process has of cores."""

from __future__ import annotations

import argparse
import statistics

import common
import harness
import training

ROWS = 100_000
SKLEARN, FRAME = "scikit-learn, pandas (object)", "bareboat, pandas (object)"


def main(given: argparse.Namespace) -> int:
    import bareboat

    n_rounds = common.rounds(given, 9, 2)
    columns = ["ms, median (min-max)", "against scikit-learn", "answers", "n"]
    report = common.report("batch", "A batch through a pipeline", columns, n_rounds)
    trained = training.trained()
    model = bareboat.Model(trained.pipeline)
    frames = _frames()
    want = trained.pipeline.predict_proba(frames["pandas (object)"])
    calls = {SKLEARN: lambda: trained.pipeline.predict_proba(frames["pandas (object)"])}
    calls |= {f"bareboat, {name}": lambda rows=rows: model.predict_proba(rows) for name, rows in frames.items()}
    calls[f"{FRAME}, one thread"] = lambda: model.predict_proba(frames["pandas (object)"], n_threads=1)
    answers = {name: common.agreement(call(), want) for name, call in calls.items()}
    timers = {name: lambda call=call: common.timed(call) for name, call in calls.items()}
    taken = common.in_turns(timers, n_rounds)
    middle = {name: statistics.median(values) for name, values in taken.items()}
    for name, values in taken.items():
        ms = [value * 1e3 for value in values]
        cells = [harness.spread(ms), f"{middle[SKLEARN] / middle[name]:.1f}x", answers[name], len(ms)]
        report.rows[name] = dict(zip(columns, cells, strict=True))
    for name in (FRAME, "bareboat, Arrow table"):
        gain = middle[SKLEARN] / middle[name]
        report.target(f"{name} against scikit-learn", "at least 5x", gain, gain >= 5, f"{gain:.1f}x")
    report.notes += [
        f"{ROWS:,} rows of the pipeline of the table above, from the data frame to the array of probabilities.",
        "scikit-learn: LightGBM in as many threads as it was trained with, 2. bareboat: as many as it finds worth it.",
    ]
    return report.finish(write=not given.no_write)


def _frames() -> dict[str, object]:
    import polars
    import pyarrow

    rows = training.frame(ROWS, 3)
    texts = rows.astype(dict.fromkeys(training.TEXTS, "str"))
    return {
        "pandas (object)": rows,
        "pandas (str)": texts,
        "pandas (category)": rows.astype(dict.fromkeys(training.TEXTS, "category")),
        "Arrow table": pyarrow.Table.from_pandas(texts, preserve_index=False),
        "polars": polars.from_pandas(texts),
    }
