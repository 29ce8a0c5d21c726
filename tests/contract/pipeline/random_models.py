"""Random pipelines of transformers and estimators, fitted, and whether what they compile into answers as they do."""

from __future__ import annotations

import random
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import random_transformers as drawn
from agreement import expected_outputs, farthest
from sklearn import calibration, discriminant_analysis, dummy, ensemble, linear_model, svm, tree
from sklearn.compose import TransformedTargetRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from bareboat.errors import InputError
from bareboat.pipeline.compile import compile_model
from bareboat.pipeline.errors import NotCompilable
from bareboat.pipeline.file import pipeline_bytes
from bareboat.pipeline.ir import Pipeline as Compiled
from bareboat.runtime.pipeline import open_pipeline

lm = linear_model
LABELS: list[list[Any]] = [["no", "yes"], [0, 1], [False, True], ["a", "b", "c"], [3, 5, 7], ["", "é", "🚣", "z"]]


_ONLY_THERE = ("infinity", "too large", "loop of ufunc does not support")
"""What scikit-learn refuses and a compiled pipeline answers: overflow on the way, and columns of objects."""


@dataclass
class Outcome:
    """What came of one comparison.

    Args:
        answered, refused: rows, by scikit-learn.
        farthest: the greatest distance of an output, relative to what is above 1.
        labels: rows with another label.
        exact: whether the pipeline says that it equals scikit-learn to the bit.
        faults: in words, everything that must not be.
    """

    answered: int = 0
    refused: int = 0
    farthest: float = 0.0
    labels: int = 0
    exact: bool = False
    faults: list[str] = field(default_factory=list)


@dataclass
class Model:
    """A fitted pipeline and rows for it."""

    estimator: Any
    case: drawn.Case


def drawn_model(rng: random.Random) -> Model | None:
    """Draw a pipeline and fit it; None where scikit-learn refuses to."""
    n, width = rng.randint(24, 60), rng.randint(1, 6)
    is_frame = rng.random() < 0.85
    kinds = [rng.choice(["num", "num", "int", "bool", "text", "text"] if is_frame else ["num"]) for _ in range(width)]
    names = rng.sample(drawn.NAMES, width)
    columns = [drawn.drawn_column(rng, kind, n) for kind in kinds]
    data: Any = drawn.trained_frame(rng, names, kinds, columns) if is_frame else np.array(columns, np.float64).T
    model, target = _shape(rng, kinds, is_frame, n)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            model.fit(data, target)
        except (
            ValueError,
            TypeError,
            IndexError,
            AttributeError,
            ArithmeticError,
            RuntimeError,
            np.linalg.LinAlgError,
        ):
            return None
    rows = [
        [drawn.drawn_value(rng, kind, column) for kind, column in zip(kinds, columns, strict=True)]
        for _ in range(rng.randint(5, 15))
    ]
    return Model(
        model, drawn.Case(model, names if is_frame else [f"x{i}" for i in range(width)], kinds, rows, is_frame)
    )


def compared(model: Model) -> Outcome:
    """Compile a model and compare every row; raises NotCompilable where it does not compile."""
    compiled = compile_model(model.estimator)
    opened = open_pipeline(pipeline_bytes(compiled))
    outcome = Outcome(exact=compiled.is_exact)
    case = model.case
    for row in case.rows:
        expected, why = _expected(model.estimator, compiled, drawn.frame(case, [row], compiled))
        found, refusal = _found(opened, compiled, row)
        if expected is None:
            outcome.refused += 1
            if found is not None and not any(each in why for each in _ONLY_THERE):
                outcome.faults.append(f"{row} is answered, while scikit-learn says {why}")
            continue
        outcome.answered += 1
        if found is None:
            outcome.faults.append(f"{row} is refused ({refusal}), while scikit-learn answers")
            continue
        _compare(outcome, compiled, row, expected, found)
    return outcome


def _compare(outcome: Outcome, compiled: Compiled, row: list[Any], expected: Any, found: Any) -> None:
    outputs, label = found
    if expected[0] is not None:
        apart = farthest(np.array([outputs]), expected[0])
        outcome.farthest = max(outcome.farthest, apart)
        if apart > (0.0 if compiled.is_exact else 1e-12):
            outcome.faults.append(f"{row}: {outputs} instead of {expected[0].tolist()}")
    if compiled.classes:
        place = label if label >= 0 else int(np.argmax(outputs))
        if compiled.classes[place] != expected[1]:
            outcome.labels += 1
            outcome.faults.append(f"{row}: the label {compiled.classes[place]!r} instead of {expected[1]!r}, {outputs}")


def _expected(estimator: Any, compiled: Compiled, rows: Any) -> tuple[Any, str]:
    """Return what scikit-learn answers to one row, or None and what it says."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            outputs = expected_outputs(estimator, compiled, rows)
            label = estimator.predict(rows)[0] if compiled.classes else None
        except (ValueError, TypeError) as error:
            return None, str(error)
    return (outputs, label.item() if hasattr(label, "item") else label), ""


def _found(opened: Any, compiled: Compiled, row: list[Any]) -> tuple[Any, str]:
    why = drawn.refusal(row, compiled)
    if why is not None:
        return None, why
    try:
        return opened.answer(drawn.coded([row], compiled)[0].tolist()), ""
    except InputError as error:
        return None, str(error)


def _shape(rng: random.Random, kinds: list[str], is_frame: bool, n: int) -> tuple[Any, Any]:
    """Draw a model and its target."""

    def whole(estimator: Any) -> Any:
        steps = [("prep", drawn.drawn_transformer(rng, kinds, is_frame))]
        if rng.random() < 0.7:
            steps.append(("fill", SimpleImputer()))
        if rng.random() < 0.5:
            steps.append(("scale", StandardScaler()))
        return Pipeline([*steps, ("model", estimator)])

    if rng.random() < 0.4:
        target = np.array([rng.gauss(5, 2) for _ in range(n)])
        kind = rng.random()
        if kind < 0.1:
            voters = [(f"v{place}", whole(regressor(rng))) for place in range(2)]
            return ensemble.VotingRegressor(voters, weights=rng.choice([None, [1, 0.3]])), target
        if kind < 0.2:
            parts = [(f"v{place}", whole(regressor(rng))) for place in range(2)]
            return ensemble.StackingRegressor(parts, lm.Ridge(), cv=2), target
        if kind < 0.3:
            how = rng.choice([{"func": np.log1p, "inverse_func": np.expm1}, {"transformer": MinMaxScaler()}])
            return TransformedTargetRegressor(whole(regressor(rng)), **how, check_inverse=False), np.abs(target)
        if kind < 0.35:
            return whole(MultiOutputRegressor(lm.Ridge())), np.column_stack([target, -target])
        if kind < 0.4:
            return GridSearchCV(whole(lm.Ridge()), {"model__alpha": [0.1, 1.0]}, cv=2), target
        if kind < 0.5:
            return whole(lm.PoissonRegressor(max_iter=20)), np.abs(target)
        return whole(regressor(rng)), target
    labels = rng.choice(LABELS)
    target = np.array([labels[rng.randrange(len(labels))] if i >= len(labels) else labels[i] for i in range(n)])
    kind = rng.random()
    if kind < 0.1:
        voters = [(f"v{place}", whole(classifier(rng, proba=True))) for place in range(2)]
        return ensemble.VotingClassifier(voters, voting=rng.choice(["soft", "hard"])), target
    if kind < 0.2:
        parts = [(f"v{place}", whole(classifier(rng))) for place in range(2)]
        return ensemble.StackingClassifier(parts, lm.LogisticRegression(), cv=2), target
    if kind < 0.35:
        method = "sigmoid"  # isotonic curves have steps of one unit in the last place: no sum is near enough
        return (
            calibration.CalibratedClassifierCV(
                whole(classifier(rng)), method=method, cv=2, ensemble=rng.random() < 0.5
            ),
            target,
        )
    if kind < 0.4 and len(labels) == 2:
        return FixedThresholdClassifier(whole(lm.LogisticRegression()), threshold=0.4, pos_label=labels[1]), target
    if kind < 0.45:
        return OneVsRestClassifier(whole(lm.LogisticRegression())), target
    return whole(classifier(rng)), target


def regressor(rng: random.Random) -> Any:
    """Draw a regressor."""
    return rng.choice(
        [
            lm.LinearRegression(),
            lm.Ridge(),
            lm.Lasso(0.1),
            lm.ElasticNet(0.1),
            lm.BayesianRidge(),
            lm.HuberRegressor(max_iter=20),
            lm.SGDRegressor(random_state=0, max_iter=20),
            svm.LinearSVR(random_state=0, max_iter=20),
            dummy.DummyRegressor(),
            tree.DecisionTreeRegressor(max_depth=4),
            ensemble.RandomForestRegressor(4, max_depth=4, random_state=0),
            ensemble.GradientBoostingRegressor(n_estimators=4, random_state=0),
            ensemble.HistGradientBoostingRegressor(max_iter=4, min_samples_leaf=3),
        ]
    )


def classifier(rng: random.Random, *, proba: bool = False) -> Any:
    """Draw a classifier."""
    found = [
        lm.LogisticRegression(max_iter=50),
        lm.SGDClassifier(loss="log_loss", random_state=0, max_iter=20),
        lm.SGDClassifier(loss="modified_huber", random_state=0, max_iter=20),
        discriminant_analysis.LinearDiscriminantAnalysis(),
        dummy.DummyClassifier(),
        tree.DecisionTreeClassifier(max_depth=4),
        ensemble.RandomForestClassifier(4, max_depth=4, random_state=0),
        ensemble.ExtraTreesClassifier(4, max_depth=4, random_state=0),
        ensemble.GradientBoostingClassifier(n_estimators=3, random_state=0),
        ensemble.HistGradientBoostingClassifier(max_iter=4, min_samples_leaf=3),
        ensemble.AdaBoostClassifier(n_estimators=3, random_state=0),
    ]
    if not proba:
        found += [
            lm.RidgeClassifier(),
            lm.Perceptron(random_state=0, max_iter=20),
            lm.SGDClassifier(random_state=0, max_iter=20),
            svm.LinearSVC(random_state=0, max_iter=50),
        ]
    return rng.choice(found)


__all__ = ["Model", "NotCompilable", "Outcome", "classifier", "compared", "drawn_model", "regressor"]
