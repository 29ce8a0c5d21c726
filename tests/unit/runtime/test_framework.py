from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bareboat.errors import ArtifactError, InputError, ModelError
from bareboat.runtime.framework import FrameworkModel, load_framework

DOCUMENT: dict[str, Any] = {
    "kind": "proba",
    "method": "predict_proba",
    "asks_label": True,
    "form": "array",
    "names": ["a", "b"],
    "missing": "nan",
    "classes": ["no", "yes"],
    "inputs": [{"name": "a", "dtype": "float"}, {"name": "b", "dtype": "float"}],
    "loader": "pickle",
    "python": "3.11",
}


class Sums:
    """Says yes below a half, so that its labels are not those of the greatest probability."""

    def predict_proba(self, rows: Any) -> Any:
        if np.isnan(rows).any():
            raise ValueError("Input X contains NaN")
        return np.column_stack([1 - rows.sum(axis=1), rows.sum(axis=1)])

    def predict(self, rows: Any) -> Any:
        return np.where(rows.sum(axis=1) > 0.2, "yes", "no")


class Leaves:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.write_text, (self.mark, "ran")


def saved(folder: Path, model: object) -> tuple[str, dict[str, Any]]:
    data = pickle.dumps(model)
    (folder / "m.pickle").write_bytes(data)
    return str(folder / "m.pickle"), {**DOCUMENT, "sha256": hashlib.sha256(data).hexdigest()}


def test_probabilities_with_the_label_that_the_model_itself_predicts(tmp_path: Path) -> None:
    model = FrameworkModel(Sums(), DOCUMENT)

    assert model.answer_many([[0.25, 0.0], [0.125, 0.0]]) == [([0.75, 0.25], 1), ([0.875, 0.125], 0)]


def test_values_that_the_framework_refuses_are_the_callers_mistake() -> None:
    with pytest.raises(InputError, match="the model refuses the values: Input X contains NaN"):
        FrameworkModel(Sums(), DOCUMENT).answer([None, 1.0])


def test_a_file_that_was_altered_is_not_opened(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    path, document = saved(tmp_path, Leaves(mark))

    with pytest.raises(ArtifactError, match="sha256 differs"):
        load_framework(path, {**document, "sha256": "0" * 64})

    assert not mark.exists()


def test_a_file_that_does_not_open_says_which_python_packaged_it(tmp_path: Path) -> None:
    path, _ = saved(tmp_path, 1)
    data = b"\x80\x04cgone_module\nThing\n."
    Path(path).write_bytes(data)

    with pytest.raises(ModelError, match="the module gone_module, which is not in the artifact"):
        load_framework(path, {**DOCUMENT, "sha256": hashlib.sha256(data).hexdigest()})


class Missing:
    """Says how each row's text is missing: 1 for None, 0 for a text or NaN."""

    def predict(self, rows: Any) -> Any:
        return np.array([float(value is None) for value in rows["city"]])


@pytest.mark.parametrize(("missing", "expected"), [("none", 1.0), ("nan", 0.0)])
def test_a_missing_text_is_what_the_model_was_fitted_on_alone_and_among_others(missing: str, expected: float) -> None:
    document = {
        **DOCUMENT,
        "kind": "value",
        "method": "predict",
        "asks_label": False,
        "form": "frame",
        "names": ["city"],
        "classes": [],
        "inputs": [{"name": "city", "dtype": "string"}],
        "missing": missing,
    }
    model = FrameworkModel(Missing(), document)

    assert model.answer([None])[0] == [expected]
    assert [outputs for outputs, _ in model.answer_many([["Rome"], [None], [""]])] == [[0.0], [expected], [0.0]]
