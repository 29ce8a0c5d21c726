"""The losses of gradient boosting by the names of both worlds -> what each library calls them.

scikit-learn's names of today and those of its first releases (which its papers and books use) mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from bareboat.errors import ConfigurationError

HISTOGRAM, BOOSTING = "histogram", "boosting"
"""scikit-learn has two: HistGradientBoosting*, and GradientBoosting* with more losses, subsampling and out-of-bag."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss.

    Args:
        name: as scikit-learn has it today.
        old: as it was called before, or "".
        task: classification or regression.
        metric: what curves show: `log_loss`, `rmse`, `mae` or `pinball`.
        words: for each library what it calls the loss, of two classes and of more where that differs; a library that
            lacks it is not there. scikit-learn's are those of its two kinds of boosting.
        most_classes: how many it can tell apart, 0 for any number.
    """

    name: str
    old: str
    task: str
    metric: str
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    most_classes: int = 0

    def check(self, library: str, task: str) -> None:
        """See that a library has this loss for a task.

        Raises:
            ConfigurationError: it has not.
        """
        if task not in {self.task, "auto"}:
            fitting = ", ".join(each.name for each in LOSSES if each.task == task)
            raise ConfigurationError(
                f"--loss {self.name} for {task}", expected=f"one of {fitting}", fix=f"--task {self.task}"
            )
        if library not in self.words:
            raise ConfigurationError(
                f"--loss {self.name} with --library {library}, which lacks it",
                expected="a library that has it: " + ", ".join(self.words),
                fix=f"--library {next(iter(self.words))}",
            )

    def word(self, library: str, kind: str) -> str:
        """Return what a library calls it; `kind` is binary, multi, value, or one of scikit-learn's two."""
        return self.words[library][kind]


def _values(word: str) -> dict[str, str]:
    return {"value": word}


LOSSES = (
    Loss(
        "squared_error",
        "ls",
        "regression",
        "rmse",
        {
            "lightgbm": _values("regression"),
            "xgboost": _values("reg:squarederror"),
            "sklearn": {HISTOGRAM: "squared_error", BOOSTING: "squared_error"},
            "catboost": _values("RMSE"),
        },
    ),
    Loss(
        "absolute_error",
        "lad",
        "regression",
        "mae",
        {
            "lightgbm": _values("regression_l1"),
            "xgboost": _values("reg:absoluteerror"),
            "sklearn": {HISTOGRAM: "absolute_error", BOOSTING: "absolute_error"},
            "catboost": _values("MAE"),
        },
    ),
    Loss(
        "huber",
        "",
        "regression",
        "mae",
        {
            "lightgbm": _values("huber"),
            "xgboost": _values("reg:pseudohubererror"),
            "sklearn": {BOOSTING: "huber"},
            "catboost": _values("Huber"),
        },
    ),
    Loss(
        "quantile",
        "",
        "regression",
        "pinball",
        {
            "lightgbm": _values("quantile"),
            "xgboost": _values("reg:quantileerror"),
            "sklearn": {HISTOGRAM: "quantile", BOOSTING: "quantile"},
            "catboost": _values("Quantile"),
        },
    ),
    Loss(
        "log_loss",
        "deviance",
        "classification",
        "log_loss",
        {
            "lightgbm": {"binary": "binary", "multi": "multiclass"},
            "xgboost": {"binary": "binary:logistic", "multi": "multi:softprob"},
            "sklearn": {HISTOGRAM: "log_loss", BOOSTING: "log_loss"},
            "catboost": {"binary": "Logloss", "multi": "MultiClass"},
        },
    ),
    Loss("exponential", "", "classification", "log_loss", {"sklearn": {BOOSTING: "exponential"}}, most_classes=2),
)


def find_loss(name: str) -> Loss:
    """Return the loss of a name, of either world.

    Raises:
        ConfigurationError: there is none of that name.
    """
    for loss in LOSSES:
        if name in {loss.name, loss.old} - {""}:
            return loss
    names = [word for loss in LOSSES for word in (loss.name, loss.old) if word]
    listed = ", ".join(f"{loss.name} (or {loss.old})" if loss.old else loss.name for loss in LOSSES)
    near = get_close_matches(name, names, 1)
    raise ConfigurationError(f"--loss {name}", expected=f"one of {listed}", fix=f"--loss {near[0]}" if near else "")


def default_loss(task: str) -> Loss:
    """Return the loss that goes with a task."""
    return find_loss("log_loss" if task == "classification" else "squared_error")
