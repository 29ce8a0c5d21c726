"""`bareboat.Model`: any model that bareboat compiles, as scikit-learn users know a fitted estimator."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.estimator import Forest
from bareboat.forest.file import write_bytes
from bareboat.forest.fitted import FittedEstimator
from bareboat.forest.ir import Ensemble, Floats
from bareboat.forest.when import only_when
from bareboat.pipeline.file_reader import pipeline_from_bytes
from bareboat.pipeline.ir import Pipeline
from bareboat.pipeline.reading import model_of
from bareboat.pipeline.scorer import PipelineScorer

Answers = NDArray[Any]


class Model(FittedEstimator):
    """A trained model of any kind that bareboat compiles: a pipeline, a linear model, trees. Threads may share it.

    It answers as the endpoint does that `bareboat.serve` and `bareboat.package` make of the same model. Rows (`X`) are
    a data frame of pandas, polars or pyarrow, a dict of columns, a list of dicts, an array or a list of rows; what has
    names is read by name. None, NaN and a null are missing values.

    `n_threads` of a method is over that of the model: None takes one thread for small batches and up to all cores for
    large ones, -1 all cores. Answers do not depend on it.

    Args:
        model: a model file of any known format, or a fitted estimator, pipeline or Booster. A pickle is opened in a
            process of its own, which may do whatever the pickle says: open none that you would not run.
        n_threads: the only parameter, for `get_params` and `set_params`.
    Raises:
        ModelError: it cannot be read, is of no known kind, or has what bareboat does not know (`NotCompilable`).

    Attributes:
        n_features_in_, n_outputs_: how many values a row has, and how many an answer.
        feature_names_in_: (n_features_in_,) where the model was trained with names.
        classes_: (n_classes,) labels, of a classifier.
        source: who wrote the model, such as `sklearn 1.7.2 Pipeline`.
        objective: what it predicts with, such as `StandardScaler, OneHotEncoder, LogisticRegression`.
        notes: what a person should know of how it was compiled.
        forest: the `bareboat.Forest` of a model of bare trees, with stages, importances and SHAP values.
        pipeline: the steps of any other model (`bareboat.pipeline.ir.Pipeline`).
    """

    def __init__(self, model: Any, n_threads: int | None = None) -> None:
        self.n_threads = n_threads
        self._trees: Forest | None = None
        self._steps: PipelineScorer | None = None
        if isinstance(model, Forest):
            self._trees = model
            return
        compiled = model_of(model)
        if isinstance(compiled, Pipeline):
            self._steps = PipelineScorer(compiled)
        else:
            self._trees = Forest.from_ensemble(compiled)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the `.pipeline` file, or the `.forest` file of bare trees, whole or not at all.

        Raises:
            ModelError: it cannot be written.
        """
        write_bytes(self.file, Path(path))

    # --- answers

    def predict(self, X: Any, *, n_threads: int | None = None) -> Answers:  # noqa: N803
        """Return the label of each row's class, or its value.

        Args:
            X: (n, n_features_in_).
        Returns:
            (n,), or (n, n_outputs_) of a regressor of several values.
        Raises:
            RowsError: X does not fit, or holds what the model cannot answer; names the column and the row. A
                ValueError too.
        """
        if self._trees is not None:
            return self._trees.predict(X, n_threads=self._threads(n_threads))
        return self._scorer.predict(X, self._threads(n_threads))

    @only_when("_has_probabilities", "this model has no probabilities: predict(X)")
    def predict_proba(self, X: Any, *, n_threads: int | None = None) -> Floats:  # noqa: N803
        """Return each class's probability: (n, n_classes), in the order of `classes_`."""
        if self._trees is not None:
            return self._trees.predict_proba(X, n_threads=self._threads(n_threads))
        return self._scorer.outputs(X, self._threads(n_threads))

    @only_when("_has_decisions", "this model has no decision function: predict(X)")
    def decision_function(self, X: Any, *, n_threads: int | None = None) -> Floats:  # noqa: N803
        """Return what classes are decided by: (n,) of two classes, else (n, n_classes)."""
        if self._trees is not None:
            return self._trees.decision_function(X, n_threads=self._threads(n_threads))
        found = self._scorer.outputs(X, self._threads(n_threads))
        return found[:, 0] if found.shape[1] == 1 else found

    # --- what it is

    @property
    def forest(self) -> Forest:
        """The trees of a model that has nothing before or after them."""
        if self._trees is None:
            raise AttributeError("the model is a pipeline: it has no forest of its own")
        return self._trees

    @property
    def pipeline(self) -> Pipeline:
        """The steps of a model that is more than trees."""
        return self._scorer.pipeline

    @property
    def compiled(self) -> Ensemble | Pipeline:
        """The trees as arrays, or the steps: what `bareboat.serve` and `bareboat.package` take too."""
        return self._trees.ensemble if self._trees is not None else self.pipeline

    @property
    def file(self) -> bytes:
        """The bytes of the `.pipeline` or `.forest` file."""
        return self._trees.file if self._trees is not None else self._scorer.file

    @property
    def n_features_in_(self) -> int:
        """How many values a row has."""
        return self._trees.n_features_in_ if self._trees is not None else self.pipeline.n_features

    @property
    def n_outputs_(self) -> int:
        """How many values a regressor answers with; 1 for a classifier."""
        if self.is_classifier:
            return 1
        return self._trees.n_outputs_ if self._trees is not None else self.pipeline.n_outputs

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """The model's own names, (n_features_in_,); there are none where it was trained without."""
        if self._trees is not None:
            return self._trees.feature_names_in_
        if self._scorer.names is None:
            raise AttributeError("the model was trained without names of features")
        return np.array(self._scorer.names, dtype=object)

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels of the classes: (n_classes,)."""
        if self._trees is not None:
            return self._trees.classes_
        if not self.is_classifier:
            raise AttributeError("a regressor has no classes")
        return self._scorer.labels

    @property
    def source(self) -> str:
        """Who wrote the model."""
        return self._trees.source if self._trees is not None else self.pipeline.source

    @property
    def objective(self) -> str:
        """What it predicts with."""
        return self._trees.objective if self._trees is not None else self.pipeline.objective

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of how it was compiled."""
        return self._trees.ensemble.notes if self._trees is not None else self.pipeline.notes

    @property
    def is_classifier(self) -> bool:
        """Whether `predict` returns labels of classes."""
        return self._trees.is_classifier if self._trees is not None else self.pipeline.is_classifier

    @property
    def is_outlier_detector(self) -> bool:
        """Whether `predict` returns 1, or -1 for an outlier."""
        return self._trees is not None and self._trees.is_outlier_detector

    @property
    def _scorer(self) -> PipelineScorer:
        """What answers for a model that is more than trees."""
        if self._steps is None:
            raise AttributeError("the model is bare trees: it has no steps; see .forest")
        return self._steps

    @property
    def _has_probabilities(self) -> bool:
        return self.is_classifier if self._trees is not None else self.pipeline.kind == "proba"

    @property
    def _has_decisions(self) -> bool:
        if self._trees is not None:
            return hasattr(self._trees, "decision_function")
        return self.pipeline.kind == "decision"

    def __repr__(self) -> str:
        return f"Model({self.source!r}, objective={self.objective!r}, n_features={self.n_features_in_})"

    def __getstate__(self) -> dict[str, Any]:
        return {"file": self.file, "is_forest": self._trees is not None, "n_threads": self.n_threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state["is_forest"]:
            from bareboat.forest.file_reader import ensemble_from_bytes

            Model.__init__(self, ensemble_from_bytes(state["file"]), state["n_threads"])
        else:
            Model.__init__(self, pipeline_from_bytes(state["file"]), state["n_threads"])

    def _threads(self, asked: int | None) -> int | None:
        return self.n_threads if asked is None else asked
