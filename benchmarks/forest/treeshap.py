"""Exact path-dependent TreeSHAP, one thread, rows a second."""

from __future__ import annotations

import argparse
import os
import statistics

import common
import harness
import numpy as np

ROWS = {"M": 500, "C": 200, "X": 100}
GOALS = {"M": 4.0}
TOLERANCE = {"M": 1e-9, "C": 1e-9, "X": 1e-3}
"""Largest difference allowed, of values of about 1; XGBoost's own are float32."""


def main(given: argparse.Namespace) -> int:
    n_rounds = common.rounds(given, 7, 2)
    columns = ["us a row, median (min-max)", "against the best peer", "largest difference from bareboat's", "n"]
    report = common.report("treeshap", "Exact TreeSHAP in one thread", columns, n_rounds)
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in [each for each in given.models if each in ROWS]:
        _measure(name, report, n_rounds)
    report.notes += ["fasttreeshap 0.1.6 was not run: it did not import any more when first tried."]
    return report.finish(write=not given.no_write)


def _measure(name: str, report: harness.Report, n_rounds: int) -> None:
    import shap

    import bareboat

    model = common.model(name)
    x = model.batch(ROWS[name])
    forest = bareboat.Forest.from_model(model.file)
    calls = {"bareboat": lambda: forest.shap_values(x, n_threads=1)}
    if model.family == "lightgbm":
        import lightgbm

        booster = lightgbm.Booster(model_file=model.file)
        calls["lightgbm pred_contrib"] = lambda: booster.predict(x, pred_contrib=True, num_threads=1)[:, :-1]
    else:
        import xgboost

        booster = xgboost.Booster(model_file=model.file)
        booster.set_param({"nthread": 1})
        calls["xgboost pred_contribs"] = lambda: booster.predict(xgboost.DMatrix(x), pred_contribs=True)[:, :-1]
    explainer = shap.TreeExplainer(booster)
    calls["shap.TreeExplainer"] = lambda: explainer.shap_values(x)
    results = {}
    for key, call in list(calls.items()):
        try:
            results[key] = np.asarray(call())
        except Exception as error:  # noqa: BLE001 - whatever a peer raises costs its row alone
            report.fail(f"{name}, {key}", error)
            del calls[key]
    timed = {key: (lambda call=call: common.timed(call) / len(x)) for key, call in calls.items()}
    taken = common.in_turns(timed, n_rounds)
    differences = {key: _difference(found, results["bareboat"]) for key, found in results.items()}
    right = [key for key in calls if key != "bareboat" and differences[key] <= TOLERANCE[name]]
    fastest = common.best(taken, right)
    floor = statistics.median(taken[fastest]) if fastest else None
    for key, seconds in taken.items():
        us = [value * 1e6 for value in seconds]
        ratio = f"{floor / statistics.median(seconds):.1f}x" if floor else ""
        cells = [harness.spread(us, 1), ratio, f"{differences[key]:.1g}", len(us)]
        report.rows[f"{name}, {key}"] = dict(zip(report.columns, cells, strict=True))
    if name in GOALS and floor:
        gain = floor / statistics.median(taken["bareboat"])
        report.target(
            f"TreeSHAP, {name}, against {fastest}",
            f"at least {GOALS[name]:g}x",
            gain,
            gain >= GOALS[name],
            f"{gain:.1f}x",
        )


def _difference(found: np.ndarray, ours: np.ndarray) -> float:
    ours = ours.reshape(len(ours), -1)
    found = found.reshape(len(found), -1)
    if found.shape[1] == 2 * ours.shape[1]:  # shap may give both classes
        found = found[:, ours.shape[1] :]
    return float(np.abs(found - ours).max())
