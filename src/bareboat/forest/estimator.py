"""`bareboat.Forest`: a trained forest as scikit-learn users know a fitted estimator, scored by the kernel."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError
from bareboat.forest.answers import (
    class_labels,
    decides_by_raw,
    decisions,
    has_decision_function,
    labels_of_outputs,
    labels_of_raw,
    probabilities,
    squeezed,
)
from bareboat.forest.curve import Curve, staged_errors
from bareboat.forest.dataset import truth_of
from bareboat.forest.file import write_bytes
from bareboat.forest.fitted import FittedEstimator
from bareboat.forest.importance import importances, own_importances
from bareboat.forest.ir import Ensemble, Floats, Transform
from bareboat.forest.metrics import choose_metric
from bareboat.forest.opening import Opened, open_ensemble, open_model
from bareboat.forest.rounds import first_rounds, parameter_after
from bareboat.forest.rows import Matrix, matrix_of
from bareboat.forest.scoring import PREDICT, RAW
from bareboat.forest.shap import ShapValues, shap_values
from bareboat.forest.staging import staged_raw
from bareboat.forest.when import only_when
from bareboat.runtime.forest import load_forest, open_forest

Answers = NDArray[Any]

_BLOCK = 1024  # rows whose leaves are named at a time


class Forest(FittedEstimator):
    """A trained forest. It is made by `Forest.load` or `Forest.from_model`; threads may share it.

    Rows (`X`) are an array, a data frame of pandas, polars or pyarrow, a list of rows or a list of dicts: n rows of
    n_features_in_ values, NaN or None where one is missing. Data frames and dicts are read by name, and so are their
    categories; in arrays a category is its code. Arrays of float64 and float32 are read where they lie, in any order.

    `n_threads` of a method is over that of the forest: None takes one thread for small batches and up to all cores for
    large ones, -1 all cores. Answers do not depend on it.

    Attributes:
        n_threads: the only parameter, for `get_params` and `set_params`.
        n_features_in_, n_outputs_, n_trees, n_rounds: counts; a round is a boosting iteration, or a bagged tree.
        feature_names_in_: (n_features_in_,) where the model was trained with names.
        classes_: (n_classes,) labels, of a classifier.
        feature_importances_: (n_features_in_,) as the source's own estimator has them.
        objective: the source's word for what was learned, such as `multiclass`.
        source: who wrote the model, such as `lightgbm v4`.
        path: the instructions that score here: `avx512`, `avx2`, `neon` or `scalar`.
        ensemble: the trees as arrays (`bareboat.forest.ir.Ensemble`).
    """

    def __init__(self, opened: Opened, n_threads: int | None = None) -> None:
        if not isinstance(opened, Opened):
            raise TypeError("a Forest is made by Forest.from_model(model) or Forest.load(path)")
        self.n_threads = n_threads
        self._opened = opened

    # --- where forests come from and go to

    @classmethod
    def load(cls, path: str | os.PathLike[str], n_threads: int | None = None) -> Forest:
        """Open a `.forest` file; it is mapped, so it may be replaced but not written to.

        Raises:
            ModelError: the file cannot be read or is damaged.
            ArtifactError: there is no kernel for this machine here.
        """
        return cls(Opened(load_forest(os.fspath(path))), n_threads)

    @classmethod
    def from_model(cls, model: Any, n_threads: int | None = None) -> Forest:
        """Take a model over from its framework.

        Args:
            model: a model file of any known format, a `.forest` file, or a fitted estimator or Booster.
        Raises:
            ModelError: it cannot be read, is of no known kind, or has what bareboat does not know.
        """
        return cls(open_model(model), n_threads)

    @classmethod
    def from_ensemble(cls, ensemble: Ensemble, n_threads: int | None = None) -> Forest:
        """Take over what a reader returned."""
        return cls(open_ensemble(ensemble), n_threads)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the `.forest` file, whole or not at all.

        Raises:
            ModelError: it cannot be written.
        """
        write_bytes(self.file, Path(path))

    def truncate(self, n_rounds: int) -> Forest:
        """Return a new forest of the first rounds: LightGBM's num_iteration, XGBoost's iteration_range=(0, n).

        Args:
            n_rounds: 1 <= n_rounds <= self.n_rounds.
        Raises:
            InputError: it is out of this range.
        """
        return Forest.from_ensemble(first_rounds(self.ensemble, n_rounds), self.n_threads)

    # --- answers

    def predict(self, X: Any, *, raw_score: bool = False, n_threads: int | None = None) -> Answers:  # noqa: N803
        """Return the label of each row's class, or its value; of an isolation forest 1, or -1 for an outlier.

        Args:
            X: (n, n_features_in_).
            raw_score: return base and sums of leaf values instead, before any average or transform.
        Returns:
            (n,), or (n, n_outputs_) where there are several.
        Raises:
            RowsError: X does not fit; a ValueError too.
        """
        rows = self._rows(X)
        if raw_score:
            return squeezed(self._score(rows, RAW, n_threads))
        if decides_by_raw(self.ensemble):
            return labels_of_raw(self.ensemble, self._score(rows, RAW, n_threads), self.n_rounds)
        outputs = self._score(rows, PREDICT, n_threads)
        return labels_of_outputs(self.ensemble, outputs) if self._has_labels else squeezed(outputs)

    @only_when("is_classifier", "a regressor has no probabilities: predict(X)")
    def predict_proba(self, X: Any, *, n_threads: int | None = None) -> Floats:  # noqa: N803
        """Return each class's probability: (n, n_classes), in the order of `classes_`."""
        return probabilities(self.ensemble, self._score(self._rows(X), PREDICT, n_threads))

    @only_when("_has_decision_function", "this model has no decision function: predict(X, raw_score=True)")
    def decision_function(self, X: Any, *, n_threads: int | None = None) -> Floats:  # noqa: N803
        """Return what classes are decided by, (n,) or (n, n_classes); of isolation forests, below 0 for outliers."""
        rows = self._rows(X)
        if self.ensemble.transform is Transform.ISOLATION:
            return squeezed(self._score(rows, PREDICT, n_threads))
        return decisions(self.ensemble, self._score(rows, RAW, n_threads), self.n_rounds)

    def apply(self, X: Any, *, n_threads: int | None = None) -> NDArray[np.int32]:  # noqa: N803
        """Return the leaf of each row in each tree, as the source counts them: (n, n_trees) int32.

        Equal to LightGBM's and XGBoost's pred_leaf and to scikit-learn's apply (of GradientBoostingClassifier:
        reshaped to (n, n_rounds, n_outputs_)). A forest written without statistics counts from left to right.
        """
        found = self._opened.scorer.leaves(self._rows(X), self._threads(n_threads)).view(np.int32)
        trees = self.ensemble.trees
        if trees.leaf_id is not None:
            for first in range(0, len(found), _BLOCK):
                block = found[first : first + _BLOCK]
                block[:] = trees.leaf_id[trees.leaf_start[:-1] + block]
        return found

    def predict_row(self, row: Any) -> Any:
        """Return the label or the value of one row, as a Python object, faster than `predict` does.

        Args:
            row: n_features_in_ values in the order of the features, or a dict by their names.
        Raises:
            RowsError: it does not fit; a ValueError too.
        """
        if self._opened.schema.has_categories or (isinstance(row, Mapping) and row.keys() != self._opened.schema.known):
            return self.predict([row]).tolist()[0]
        try:
            return self._opened.answer(row)
        except InputError:  # None for a missing value, say: predict takes more, and refuses in the terms of rows
            return self.predict([row]).tolist()[0]

    # --- answers after each round

    def staged_predict(self, X: Any) -> Iterator[Answers]:  # noqa: N803
        """Yield what `predict` returns after 1, 2, ... n_rounds rounds."""
        for rounds, raw in enumerate(self._staged(X), start=1):
            if decides_by_raw(self.ensemble):
                yield labels_of_raw(self.ensemble, raw, rounds)
            elif self._has_labels:
                yield labels_of_outputs(self.ensemble, self._transformed(raw, rounds))
            else:
                yield squeezed(self._transformed(raw, rounds))

    @only_when("is_classifier", "a regressor has no probabilities: staged_predict(X)")
    def staged_predict_proba(self, X: Any) -> Iterator[Floats]:  # noqa: N803
        """Yield what `predict_proba` returns after 1, 2, ... n_rounds rounds."""
        for rounds, raw in enumerate(self._staged(X), start=1):
            yield probabilities(self.ensemble, self._transformed(raw, rounds))

    @only_when("_has_decision_function", "this model has no decision function: staged_predict(X)")
    def staged_decision_function(self, X: Any) -> Iterator[Floats]:  # noqa: N803
        """Yield what `decision_function` returns after 1, 2, ... n_rounds rounds."""
        for rounds, raw in enumerate(self._staged(X), start=1):
            if self.ensemble.transform is Transform.ISOLATION:
                yield squeezed(self._transformed(raw, rounds))
            else:
                yield decisions(self.ensemble, raw.copy(), rounds)

    def staged_errors(self, X: Any, y: Any, metric: str | None = None) -> Curve:  # noqa: N803
        """Return the error after each round, and so which number of rounds is best.

        Args:
            X: (n, n_features_in_).
            y: (n,) true labels or values.
            metric: log_loss, error_rate or brier of a classifier; rmse, mae, mape, poisson_deviance, gamma_deviance or
                tweedie_deviance of a regressor; None for the one that goes with the objective.
        Raises:
            InputError: there is no such metric, or y has other classes, no finite values or another length.
        """
        judge = choose_metric(metric, self.objective, is_classifier=self.is_classifier)
        truth = truth_of(np.asarray(y).tolist(), self.ensemble, "y")
        rows = self._rows(X)
        if len(truth) != len(rows):
            raise InputError(f"y has {len(truth)} answers", expected=f"{len(rows)}, one for each row of X")
        stages = self.staged_predict_proba(rows) if self.is_classifier else self.staged_predict(rows)
        return staged_errors(stages, truth, judge)

    # --- what the trees say

    def shap_values(self, X: Any, background: Any = None, *, n_threads: int | None = None) -> Floats:  # noqa: N803
        """Return exact SHAP values of the raw scores: what each feature adds to each row's score.

        With `expected_value`, they add up to `predict(X, raw_score=True)` (a forest of averages: to these averages).

        Args:
            X: (n, n_features_in_).
            background: rows that say what is usual, such as `X_train[sample_mask(len(X_train), 100, 0)]`; None weighs
                by the training rows in each leaf, as LightGBM's pred_contrib and XGBoost's pred_contribs do.
        Returns:
            (n, n_features_in_), or (n, n_features_in_, n_outputs_) where there are several.
        Raises:
            ModelError: leaves are linear, or, without a background, the forest does not hold its covers.
        """
        values = self._explained(X, background, n_threads).values
        return values[:, :, 0] if values.shape[2] == 1 else values

    def expected_value(self, background: Any = None) -> Floats:
        """Return the raw score when nothing is known of a row: (n_outputs_,), the base of `shap_values`."""
        return self._explained(np.empty((0, self.n_features_in_)), background, 1).base

    def feature_importances(self, kind: str = "split", X: Any = None) -> Floats:  # noqa: N803
        """Return the importance of each feature: (n_features_in_,).

        Args:
            kind: split, gain, average_gain, cover, average_cover, impurity or shap; docs/forests.md says which is the
                same as which of the frameworks.
            X: for `shap` the rows whose SHAP values are averaged.
        Raises:
            InputError: there is no such kind, or it does not go with the model.
            ModelError: the forest does not hold the statistics that it takes.
        """
        if kind != "shap":
            return importances(self.ensemble, kind)
        if X is None:
            raise InputError(
                "importances by SHAP values without rows", expected="rows whose values are averaged", fix="X="
            )
        values = self._explained(X, None, None).values
        mean: Floats = np.abs(values).mean(axis=0).sum(axis=1)
        return mean

    @property
    def feature_importances_(self) -> Floats:
        """The importances that the source's own estimator has: (n_features_in_,)."""
        return own_importances(self.ensemble)

    @property
    def ensemble(self) -> Ensemble:
        """The trees as arrays, read when they are first asked for."""
        return self._opened.ensemble

    @property
    def file(self) -> bytes:
        """The bytes of the `.forest` file."""
        return self._opened.file

    @property
    def n_features_in_(self) -> int:
        """How many values a row has."""
        return self._opened.kernel.n_features

    @property
    def n_outputs_(self) -> int:
        """Columns of the raw score; 1 for a binary classifier whose one output is its second class."""
        return self._opened.kernel.n_outputs

    @property
    def n_trees(self) -> int:
        """How many trees there are."""
        return self._opened.kernel.n_trees

    @property
    def n_rounds(self) -> int:
        """How many boosting rounds, or bagged trees, there are."""
        return self.ensemble.n_rounds

    @property
    def objective(self) -> str:
        """The source's word for what was learned."""
        return self._opened.kernel.objective

    @property
    def source(self) -> str:
        """Who wrote the model."""
        return self._opened.kernel.source

    @property
    def path(self) -> str:
        """The instructions that score here."""
        return self._opened.kernel.path

    @property
    def is_classifier(self) -> bool:
        """Whether `predict` returns labels of classes."""
        return self._opened.kernel.n_classes > 0

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """The model's own names, (n_features_in_,); there are none where it was trained without."""
        if not self._opened.schema.is_named:
            raise AttributeError("the model was trained without names of features")
        return np.array(self._opened.schema.names, dtype=object)

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels of the classes: (n_classes,)."""
        if not self.is_classifier:
            raise AttributeError("a regressor has no classes")
        return class_labels(self.ensemble)

    def __repr__(self) -> str:
        return (
            f"Forest(objective={self.objective!r}, source={self.source!r}, n_trees={self.n_trees}, "
            f"n_features={self.n_features_in_}, path={self.path!r})"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {"file": self.file, "n_threads": self.n_threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Forest.__init__(self, Opened(open_forest(state["file"])), state["n_threads"])

    # --- inside

    def _staged(self, X: Any) -> Iterator[Floats]:  # noqa: N803
        """Yield raw scores after each round, (n, n_outputs_): always the same array."""
        return staged_raw(self.ensemble, self._rows(X), self._leaves)

    def _leaves(self, ensemble: Ensemble, rows: Matrix) -> NDArray[np.uint32]:
        """Walk all trees, or some of them as a forest of their own."""
        opened = self._opened if ensemble is self.ensemble else open_ensemble(ensemble)
        return opened.scorer.leaves(rows, self.n_threads)

    def _transformed(self, raw: Floats, rounds: int) -> Floats:
        return self._opened.scorer.transform(raw, rounds, parameter_after(self.ensemble, rounds))

    def _rows(self, X: Any) -> Matrix:  # noqa: N803
        return matrix_of(X, self._opened.schema)

    def _score(self, rows: Matrix, what: int, n_threads: int | None) -> Floats:
        return self._opened.scorer.score(rows, what, self._threads(n_threads))

    def _explained(self, X: Any, background: Any, n_threads: int | None) -> ShapValues:  # noqa: N803
        known = None if background is None else self._rows(background)
        return shap_values(self._opened.kernel, self._rows(X), known, self._threads(n_threads))

    def _threads(self, asked: int | None) -> int | None:
        return self.n_threads if asked is None else asked

    @property
    def is_outlier_detector(self) -> bool:
        """Whether `predict` returns 1, or -1 for an outlier."""
        return self.ensemble.transform is Transform.ISOLATION

    @property
    def _has_labels(self) -> bool:
        return self.is_classifier or self.is_outlier_detector

    @property
    def _has_decision_function(self) -> bool:
        return has_decision_function(self.ensemble)
