"""What scikit-learn asks of an estimator that is fitted for good: parameters, tags, clone, fit and score."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError
from bareboat.forest.ir import Floats


class UnknownParameterError(InputError, ValueError):
    """A parameter that a model does not have. A ValueError too, as scikit-learn raises it."""


class FittedEstimator:
    """The part of an estimator that is the same for every model. scikit-learn itself is not needed."""

    _parameters: ClassVar = ("n_threads",)

    @property
    def is_classifier(self) -> bool:
        """Whether `predict` returns labels of classes."""
        raise NotImplementedError

    @property
    def is_outlier_detector(self) -> bool:
        """Whether `predict` returns 1, or -1 for an outlier."""
        raise NotImplementedError

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return the answer to each row."""
        raise NotImplementedError

    def fit(self, X: Any = None, y: Any = None) -> Self:  # noqa: ARG002, N803
        """Return the model as it is: it is trained already. For pipelines, as FrozenEstimator of scikit-learn does."""
        return self

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:  # noqa: N803
        """Return the accuracy of a classifier, or R2 of a regressor, as scikit-learn's mixins do.

        Args:
            X: (n, n_features_in_).
            y: (n,) true labels, or values of the shape of `predict(X)`.
            sample_weight: (n,) or None for equal ones.
        """
        truth, answers = np.asarray(y), self.predict(X)
        if truth.shape != answers.shape:
            raise InputError(f"y has the shape {truth.shape}", expected=f"{answers.shape}, as predict(X) has")
        if self.is_classifier:
            return float(np.average(answers == truth, weights=sample_weight))
        weights = np.ones(len(truth)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        return _r2(truth.astype(np.float64), answers, weights)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the parameters: `n_threads`."""
        return {name: getattr(self, name) for name in self._parameters}

    def set_params(self, **params: Any) -> Self:
        """Set parameters and return the model.

        Raises:
            UnknownParameterError: there is no such parameter; a ValueError too.
        """
        for name, value in params.items():
            if name not in self._parameters:
                raise UnknownParameterError(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}",
                    expected=f"one of {', '.join(self._parameters)}",
                )
            setattr(self, name, value)
        return self

    def __sklearn_clone__(self) -> Self:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        kind = "outlier_detector" if self.is_outlier_detector else "regressor"
        if self.is_classifier:
            kind = "classifier"
        return Tags(
            estimator_type=kind,
            target_tags=TargetTags(required=False),
            transformer_tags=None,
            classifier_tags=ClassifierTags() if kind == "classifier" else None,
            regressor_tags=RegressorTags() if kind == "regressor" else None,
            input_tags=InputTags(allow_nan=True, categorical=True),
            requires_fit=False,
        )


def _r2(truth: Floats, values: Floats, weights: Floats) -> float:
    """Return 1 less the share of the variance that is left, the mean over outputs: sklearn.metrics.r2_score."""
    truth, values = truth.reshape(len(truth), -1), values.reshape(len(values), -1)
    left = (weights[:, np.newaxis] * (truth - values) ** 2).sum(axis=0)
    mean = np.average(truth, axis=0, weights=weights)
    whole = (weights[:, np.newaxis] * (truth - mean) ** 2).sum(axis=0)
    shares = np.where(whole > 0, 1.0 - left / np.where(whole > 0, whole, 1.0), np.where(left > 0, 0.0, 1.0))
    return float(shares.mean())
