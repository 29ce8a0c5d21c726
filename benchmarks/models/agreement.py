"""Random scikit-learn pipelines: do compiled ones, and ONNX Runtime's in float32, answer as scikit-learn does?"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import statistics
import sys
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
sys.path.insert(0, str(Path(__file__).parent.parent))

import harness  # noqa: E402

ALLOWED = 1e-12
N_ROWS = 10
WORDS = ["a", "b", "cc", "", "é", "boat", "None"]
REGRESSORS = ("LinearRegression", "Ridge", "Lasso", "PoissonRegressor", "RandomForestRegressor")
REGRESSORS += ("GradientBoostingRegressor", "HistGradientBoostingRegressor", "VotingRegressor", "StackingRegressor")
CLASSIFIERS = ("LogisticRegression", "SGDClassifier", "LinearDiscriminantAnalysis", "GaussianNB", "LinearSVC")
CLASSIFIERS += ("RidgeClassifier", "DecisionTreeClassifier", "RandomForestClassifier", "ExtraTreesClassifier")
CLASSIFIERS += ("GradientBoostingClassifier", "HistGradientBoostingClassifier", "CalibratedClassifierCV")
CLASSIFIERS += ("VotingClassifier", "StackingClassifier")


@dataclass(frozen=True)
class Found:
    """What one pipeline came to.

    Args:
        name: of its last step.
        exact: whether it says that it equals scikit-learn to the bit.
        farthest: the greatest distance of an output, relative to what is above 1.
        labels: rows with another label.
        onnx: the same two of ONNX Runtime, or None where it was not asked or skl2onnx cannot convert the pipeline.
        asked: whether it was asked.
    """

    name: str
    exact: bool
    farthest: float
    labels: int
    onnx: tuple[float, int] | None
    asked: bool


def main() -> int:
    """Draw pipelines, compare, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10_000, help="how many pipelines to draw")
    parser.add_argument("--onnx-every", type=int, default=10, help="ask ONNX Runtime of each Nth pipeline")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--no-write", action="store_true")
    given = parser.parse_args()
    jobs = [(seed, seed % given.onnx_every == 0) for seed in range(given.first, given.first + given.rounds)]
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        results = []
        for found in pool.imap_unordered(compare, jobs, chunksize=20):
            results.append(found)
            if len(results) % 1000 == 0:
                print(f"{len(results)} of {len(jobs)}", file=sys.stderr, flush=True)
    report = _report([each for each in results if each is not None], given.rounds)
    return report.finish(write=not given.no_write)


def compare(job: tuple[int, bool]) -> Found | None:
    """Fit one pipeline and compare; None where scikit-learn cannot fit it."""
    seed, ask_onnx = job
    rng = random.Random(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        name, model, frame, rows = _drawn(rng)
        if model is None:
            return None
        return _compared(name, model, frame, rows, ask_onnx)


def _compared(name: str, model: Any, frame: Any, rows: Any, ask_onnx: bool) -> Found:
    import numpy as np

    from bareboat.pipeline.compile import compile_model
    from bareboat.pipeline.file import pipeline_bytes
    from bareboat.pipeline.rows import Reader
    from bareboat.runtime.pipeline import open_pipeline

    pipeline = compile_model(model)
    method = {"proba": "predict_proba", "decision": "decision_function", "value": "predict"}[pipeline.kind]
    expected = np.asarray(getattr(model, method)(rows), np.float64).reshape(len(rows), -1)
    labels = model.predict(rows).tolist()
    answers = open_pipeline(pipeline_bytes(pipeline)).answer_many(Reader(pipeline).matrix(rows).tolist())
    outputs = np.array([each[0] for each in answers])
    places = [each[1] if each[1] >= 0 else int(np.argmax(each[0])) for each in answers] if pipeline.classes else []
    wrong = sum(pipeline.classes[place] != label for place, label in zip(places, labels, strict=False))
    onnx = _onnx(model, frame, rows, expected, labels) if ask_onnx else None
    return Found(name, pipeline.is_exact, _farthest(outputs, expected), wrong, onnx, ask_onnx)


def _farthest(found: Any, expected: Any) -> float:
    import numpy as np

    return float((np.abs(found - expected) / np.maximum(1.0, np.abs(expected))).max())


def _onnx(model: Any, frame: Any, rows: Any, expected: Any, labels: list[Any]) -> tuple[float, int] | None:
    """Return the same of skl2onnx and onnxruntime, whose numbers are float32."""
    import numpy as np
    import onnxruntime
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    is_text = {column: frame[column].dtype == object for column in frame}
    types = [
        (column, StringTensorType([None, 1]) if is_text[column] else FloatTensorType([None, 1])) for column in frame
    ]
    try:
        document = to_onnx(
            model, initial_types=types, options={"zipmap": False} if hasattr(model, "predict_proba") else None
        )
        session = onnxruntime.InferenceSession(document.SerializeToString(), providers=["CPUExecutionProvider"])
        feeds = {column: rows[[column]].to_numpy(dtype=object if is_text[column] else np.float32) for column in frame}
        given = session.run(None, feeds)
    except Exception:  # noqa: BLE001 - what skl2onnx cannot convert is counted
        return None
    outputs = np.asarray(given[-1], np.float64).reshape(len(rows), -1)
    wrong = 0
    if hasattr(model, "classes_"):
        wrong = sum(str(one) != str(other) for one, other in zip(np.asarray(given[0]).tolist(), labels, strict=True))
        if outputs.shape[1] == 2 and expected.shape[1] == 1:
            outputs = outputs[:, 1:]
    return (_farthest(outputs, expected), wrong) if outputs.shape == expected.shape else None


def _drawn(rng: random.Random) -> tuple[str, Any, Any, Any]:
    """Draw a pipeline, fit it, and draw rows; the model is None where scikit-learn cannot fit it."""
    import numpy as np
    import pandas as pd
    from sklearn.pipeline import Pipeline

    n, n_numbers, n_words = rng.randint(80, 160), rng.randint(1, 6), rng.randint(0, 3)
    seeded = np.random.default_rng(rng.randrange(1 << 32))
    columns: dict[str, Any] = {}
    for place in range(n_numbers):
        values = seeded.normal(rng.gauss(0, 3), 10 ** rng.uniform(-2, 3), n)
        values[seeded.random(n) < rng.choice([0, 0, 0.1])] = np.nan
        columns[f"n{place}"] = values
    for place in range(n_words):
        columns[f"w{place}"] = pd.Series(seeded.choice(WORDS[: rng.randint(2, len(WORDS))], n), dtype=object)
    frame = pd.DataFrame(columns)
    rows = frame.iloc[seeded.integers(0, n, N_ROWS)].reset_index(drop=True)
    for place in range(n_numbers):
        rows[f"n{place}"] = rows[f"n{place}"] * np.where(seeded.random(N_ROWS) < 0.5, 1.0, seeded.normal(1, 1, N_ROWS))
    for place in range(n_words):
        rows.loc[seeded.integers(0, N_ROWS), f"w{place}"] = rng.choice(["unseen", "", "None"])
    signal = np.nan_to_num(frame["n0"].to_numpy())
    signal = (signal - signal.mean()) / (signal.std() or 1.0) + seeded.normal(0, 0.7, n)
    name = rng.choice(REGRESSORS + CLASSIFIERS)
    if name in CLASSIFIERS:
        cuts = rng.choice([[0.0], [0.0], [-0.6, 0.6]])
        target = np.array(rng.choice([["no", "yes", "zz"], [0, 1, 2]]))[np.digitize(signal, cuts)]
    else:
        target = np.exp(signal / 2) if name == "PoissonRegressor" else signal * 10
    model = Pipeline([("prep", _preparation(rng, n_numbers, n_words)), ("model", _estimator(rng, name))])
    try:
        return name, model.fit(frame, target), frame, rows
    except ValueError:
        return name, None, frame, rows


def _preparation(rng: random.Random, n_numbers: int, n_words: int) -> Any:
    from sklearn import preprocessing as pre
    from sklearn.compose import ColumnTransformer
    from sklearn.decomposition import PCA
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    steps = [SimpleImputer(strategy=rng.choice(["mean", "median", "constant"]))]
    steps += rng.choice(
        [
            [],
            [pre.StandardScaler()],
            [pre.StandardScaler()],
            [pre.MinMaxScaler()],
            [pre.RobustScaler()],
            [pre.MaxAbsScaler()],
            [pre.StandardScaler(), pre.PolynomialFeatures(2)],
            [pre.StandardScaler(), PCA()],
            [pre.StandardScaler(), pre.Normalizer()],
            [pre.KBinsDiscretizer(4, encode="onehot-dense", quantile_method="averaged_inverted_cdf")],
        ]
    )
    parts = [("numbers", make_pipeline(*steps), [f"n{place}" for place in range(n_numbers)])]
    if n_words:
        coder = rng.choice(
            [
                pre.OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                pre.OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=8, sparse_output=False),
                pre.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
            ]
        )
        parts.append(("words", coder, [f"w{place}" for place in range(n_words)]))
    return ColumnTransformer(parts)


def _estimator(rng: random.Random, name: str) -> Any:
    from sklearn import calibration, ensemble, linear_model, naive_bayes, svm, tree
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    seed, size = rng.randrange(1000), rng.randint(3, 12)
    made: dict[str, Any] = {
        "SGDClassifier": lambda: linear_model.SGDClassifier(loss="log_loss", random_state=seed),
        "LinearDiscriminantAnalysis": LinearDiscriminantAnalysis,
        "GaussianNB": naive_bayes.GaussianNB,
        "LinearSVC": lambda: svm.LinearSVC(random_state=seed),
        "DecisionTreeClassifier": lambda: tree.DecisionTreeClassifier(max_depth=6, random_state=seed),
        "CalibratedClassifierCV": lambda: calibration.CalibratedClassifierCV(svm.LinearSVC(random_state=seed), cv=2),
        "VotingClassifier": lambda: ensemble.VotingClassifier(
            [("one", linear_model.LogisticRegression()), ("two", tree.DecisionTreeClassifier(max_depth=4))],
            voting="soft",
        ),
        "StackingClassifier": lambda: ensemble.StackingClassifier(
            [("one", linear_model.LogisticRegression()), ("two", tree.DecisionTreeClassifier(max_depth=4))], cv=2
        ),
        "VotingRegressor": lambda: ensemble.VotingRegressor(
            [("one", linear_model.Ridge()), ("two", tree.DecisionTreeRegressor(max_depth=4))]
        ),
        "StackingRegressor": lambda: ensemble.StackingRegressor(
            [("one", linear_model.Ridge()), ("two", tree.DecisionTreeRegressor(max_depth=4))], cv=2
        ),
    }
    if name in made:
        return made[name]()
    if name.startswith("HistGradientBoosting"):
        return getattr(ensemble, name)(max_iter=size, random_state=seed)
    if hasattr(ensemble, name):
        return getattr(ensemble, name)(n_estimators=size, max_depth=5, random_state=seed)
    return getattr(linear_model, name)()


def _report(found: list[Found], drawn: int) -> harness.Report:
    columns = ["pipelines", "rows", "labels that differ", "farthest", "beyond 1e-12", "ONNX Runtime: pipelines"]
    columns += ["its labels that differ, of rows", "its drift, median", "its drift, greatest"]
    versions = {name: version(name) for name in ("scikit-learn", "numpy", "skl2onnx", "onnxruntime")}
    report = harness.Report(
        "models_agreement",
        "Agreement with scikit-learn",
        columns,
        {"bareboat": harness.bareboat_version(), **versions},
        drawn,
        script="models/agreement",
    )
    for name in [*CLASSIFIERS, *REGRESSORS, ""]:
        of = [each for each in found if not name or each.name == name]
        if not of:
            continue
        onnx = [each.onnx for each in of if each.onnx is not None]
        asked = sum(each.asked for each in of)
        drifts = [each[0] for each in onnx]
        cells = [
            len(of),
            len(of) * N_ROWS,
            sum(each.labels for each in of),
            f"{max(each.farthest for each in of):.1e}",
            sum(each.farthest > ALLOWED for each in of),
            f"{len(onnx)} of {asked}",
            f"{sum(each[1] for each in onnx)} of {len(onnx) * N_ROWS}",
            f"{statistics.median(drifts):.1e}" if drifts else "",
            f"{max(drifts):.1e}" if drifts else "",
        ]
        report.rows[name or "all"] = dict(zip(columns, cells, strict=True))
    wrong = sum(each.labels for each in found)
    beyond = sum(each.farthest > ALLOWED for each in found)
    report.target("labels that differ", "none", wrong, wrong == 0, str(wrong))
    report.target("pipelines beyond 1e-12", "none", beyond, beyond == 0, str(beyond))
    exact = [each for each in found if each.exact]
    unequal = sum(each.farthest > 0 for each in exact)
    report.target("pipelines said to equal to the bit that do not", "none", unequal, unequal == 0, str(unequal))
    drawn_rows = (
        f"{drawn} pipelines drawn, {len(found)} of them fitted; {N_ROWS} rows each: seen and unseen words, no values, "
        "numbers outside the range of training. Distances are relative to what is above 1."
    )
    report.notes += [
        drawn_rows,
        f"{len(exact)} pipelines say that they equal scikit-learn to the bit.",
        "ONNX Runtime gets float32, as skl2onnx makes it by default; what skl2onnx cannot convert is not counted.",
    ]
    return report


if __name__ == "__main__":
    raise SystemExit(main())
