"""What a person asks of a training, checked before any work."""

from __future__ import annotations

from dataclasses import dataclass

from bareboat.errors import ConfigurationError
from bareboat.train.losses import LOSSES, find_loss

LIBRARIES = ("lightgbm", "xgboost", "sklearn", "catboost")
TASKS = ("auto", "classification", "regression")
ALLOWED = ("leaks", "rare")
PATIENCE = 50
"""Rounds without a better validation error after which a library stops."""
MOST_ROUNDS, PLAIN_ROUNDS = 1000, 100
"""Rounds at most when a validation part ends them, and as many as are grown without one."""
LEARNING_RATE = 0.1


@dataclass(frozen=True, slots=True)
class Options:
    """What to train and how.

    Args:
        target: the column with the answers.
        task: one of TASKS.
        library: one of LIBRARIES.
        loss: a name of `losses.LOSSES`, of either world; None takes the one that goes with the task.
        alpha: the quantile of the loss quantile, and of the loss huber in scikit-learn.
        subsample: the share of the training rows that each round sees.
        validation: the share of all rows that ends the rounds; 0 grows all of them.
        test: the share of all rows that is held out for the score; 0 for none.
        trees: rounds at most; None takes 1000 with validation and 100 without.
        learning_rate: of each round.
        leaves: of a tree at most; None takes the library's default.
        refit: whether the model is fitted once more, on the validation rows too, with as many rounds as they chose.
        seed: of the split, the sampling and the library.
        drop: columns to leave out.
        keep: columns that look like an id and are kept.
        category: columns of numbers that are names.
        group: a column whose rows of one value all go to the same part.
        allow: of ALLOWED: train although a column gives the answer away, or although a class has one or two rows.
        delimiter: of a text file; None finds it out.
        encoding: of a text file; None takes UTF-8, or what its first bytes say.
    """

    target: str
    task: str = "auto"
    library: str = "lightgbm"
    loss: str | None = None
    alpha: float = 0.9
    subsample: float = 1.0
    validation: float = 0.2
    test: float = 0.2
    trees: int | None = None
    learning_rate: float = LEARNING_RATE
    leaves: int | None = None
    refit: bool = False
    seed: int = 0
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    group: str | None = None
    allow: tuple[str, ...] = ()
    delimiter: str | None = None
    encoding: str | None = None

    @property
    def rounds(self) -> int:
        """How many rounds are grown at most."""
        if self.trees is not None:
            return self.trees
        return MOST_ROUNDS if self.validation else PLAIN_ROUNDS

    def check(self) -> None:
        """See that the options make sense together.

        Raises:
            ConfigurationError: they do not.
        """
        _one_of("--task", self.task, TASKS)
        _one_of("--library", self.library, LIBRARIES)
        for word in self.allow:
            _one_of("--allow", word, ALLOWED)
        if self.loss is not None:
            loss = find_loss(self.loss)
            loss.check(self.library, self.task)
        _within("--alpha", self.alpha, 0.0, 1.0, ends=False)
        _within("--subsample", self.subsample, 0.0, 1.0, low_end=False)
        _within("--validation", self.validation, 0.0, 0.9)
        _within("--test", self.test, 0.0, 0.9)
        _within("--learning-rate", self.learning_rate, 0.0, 10.0, low_end=False)
        if self.validation + self.test > 0.9:
            raise ConfigurationError(
                f"--validation {self.validation:g} and --test {self.test:g} leave {1 - self.validation - self.test:.0%}"
                " of the rows to learn from",
                expected="a tenth at least",
                fix="--validation 0.2 --test 0.2",
            )
        if self.refit and not (self.validation and self.test):
            raise ConfigurationError(
                f"--refit with --validation {self.validation:g} and --test {self.test:g}",
                expected="rows that choose the size, and others that judge what is fitted on all of the first",
                fix="--validation 0.2 --test 0.2",
            )
        if self.trees is not None and not 1 <= self.trees <= 100_000:
            raise ConfigurationError(f"--trees {self.trees}", expected="1 to 100000", fix="--trees 1000")
        if self.leaves is not None and not 2 <= self.leaves <= 65536:
            raise ConfigurationError(f"--leaves {self.leaves}", expected="2 to 65536", fix="--leaves 31")
        if not 0 <= self.seed < 1 << 31:
            raise ConfigurationError(f"--seed {self.seed}", expected="a whole number from 0 to 2147483647")
        for name, columns in (("--drop", self.drop), ("--group", (self.group,) if self.group else ())):
            if self.target in columns:
                raise ConfigurationError(
                    f"{name} {self.target}, which is the target", fix=f"leave {name} {self.target} out"
                )


def _one_of(flag: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConfigurationError(f"{flag} {value}", expected="one of " + ", ".join(known), fix=f"{flag} {known[0]}")


def _within(flag: str, value: float, low: float, high: float, *, ends: bool = True, low_end: bool = True) -> None:
    inside = low <= value <= high if ends else low < value < high
    if not inside or (value == low and not low_end):
        between = f"from {low:g} to {high:g}" if ends and low_end else f"above {low:g}, at most {high:g}"
        raise ConfigurationError(
            f"{flag} {value:g}",
            expected=f"a number between {low:g} and {high:g}" if not ends else f"a number {between}",
        )


__all__ = ["ALLOWED", "LIBRARIES", "LOSSES", "PATIENCE", "TASKS", "Options"]
