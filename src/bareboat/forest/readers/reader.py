"""What a reader of a model format is, and what an opener of a live model is.

A *reader* turns the bytes of a model file into an Ensemble. A new format is one module and one line in
`READERS` in `readers/files.py`.

An *opener* takes apart a model object of a framework, such as a scikit-learn estimator. It runs in two places: in the
user's process for `ensemble_from_model(estimator)`, and in a child process for a pickle, joblib or skops file, since
nothing is ever unpickled in bareboat's own process. To add one:

1. Write `def open_thing(model: Any) -> Ensemble | SavedModel` in a module of `readers/` whose top imports numpy and
   bareboat.forest only (it is imported before the framework is). Either build the Ensemble, or return a `SavedModel`:
   the bytes that the framework itself saves in a format that a reader knows, and what that format lacks. Refuse with a
   ModelError (found, expected, fix; `where` is filled in by the caller).
2. Add `Opener(package, (class names), open_thing)` to `OPENERS` in `readers/child_openers.py`. An object is told by the
   top-level package of its class and by the name of its class or of a base class in the same package. A class outside
   the package that derives from it is refused, since it may predict otherwise.
3. Give class labels through `plain_labels`, which makes Python's str, int, bool and float of numpy's. What a person
   should know (an old version, rounds left out) goes to `Ensemble.notes` or `SavedModel.notes`.

The parent checks every array that comes from the child (`child_answer.py`), so an opener need not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bareboat.forest.ir import Category, Ensemble

MOST_UNNAMED = 1 << 20
"""How many features a file may have that it does not name: a number of a few bytes must not ask for gigabytes."""

MOST_OUTPUTS = 1 << 16
"""The same of the outputs that it counts."""

HEAD_BYTES = 4096
"""How much of a file `Reader.matches` sees, or all of a shorter one."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One model format: how it is called, how to tell it, how to read it.

    Args:
        name: as an error message names it, such as "LightGBM text (Booster.save_model)"; "" of a format that is told
            only to be refused.
        matches: whether the first HEAD_BYTES of a file are of this format.
        read: turns the path (for messages) and the whole file into an Ensemble; raises ModelError with the place of
            what is wrong.
        whole: False when `read` wants no more than the head, as it opens the file elsewhere.
    """

    name: str
    matches: Callable[[bytes], bool]
    read: Callable[[Path, bytes], Ensemble]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class SavedModel:
    """A model as its framework saves it, and what that format lacks.

    Args:
        data: the bytes of a file that one of `READERS` knows by its head.
        classes: the labels, one for each class of the Ensemble that the reader makes, or () when there are none.
        notes: what a person should know.
    """

    data: bytes
    classes: tuple[Category, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opener:
    """One framework's model objects.

    Args:
        package: top-level package of the classes, such as "sklearn".
        classes: names of classes in it, at any depth, such as "RandomForestClassifier".
        open: takes an instance of one of them apart.
    """

    package: str
    classes: tuple[str, ...]
    open: Callable[[Any], Ensemble | SavedModel]
