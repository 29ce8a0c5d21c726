"""A pickle, joblib or skops file -> a ForeignModel that its own framework answers for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.readers.child import run_child
from bareboat.forest.readers.child_formats import is_pickle, pickle_kind
from bareboat.pipeline.foreign.model import ForeignModel, OwnModule, Package
from bareboat.pipeline.ir import Column
from bareboat.pipeline.reading import model_head

REPORT = "bareboat.pipeline.foreign.report:report"
_METHODS = {"proba": "predict_proba", "decision": "decision_function", "label": "predict", "value": "predict"}


def kind_of(path: Path) -> str:
    """Return how the child opens a file; "" of one that holds no Python object.

    Raises:
        ModelError: the file cannot be read, or is an archive of something else.
    """
    head = model_head(path)
    return pickle_kind(path, head) if is_pickle(head) else ""


def read_framework_model(
    path: Path,
    *,
    names: Sequence[str] | None = None,
    trusted: Sequence[str] = (),
    cwd: Path | None = None,
) -> ForeignModel:
    """Ask the model, in a child process, what serving it with its own framework takes.

    Args:
        names: of the columns, for a model that does not know them.
        trusted: types that a skops file may hold beyond those that are known.
        cwd: the folder from which the user's own modules can be imported.
    Raises:
        ModelError: it is no file of a Python object, or cannot be opened or asked.
    """
    kind = kind_of(path)
    if not kind:
        raise ModelError(
            "a file that holds no Python object",
            expected="a pickle, joblib or skops file for engine: framework",
            fix="take the key engine away; or save the fitted model with joblib.dump(model, 'model.joblib')",
            where=str(path),
        )
    arguments = [json.dumps({"trusted": list(trusted), "names": list(names) if names is not None else None})]
    data = path.read_bytes()
    try:
        return run_child(path, kind, REPORT, lambda said, _: _model(said, data), arguments, cwd=cwd)
    except ModelError as error:
        raise _with_place(error, path) from error


def _model(said: dict[str, Any], data: bytes) -> ForeignModel:
    kind = said["kind"]
    columns = tuple(column_of(each) for each in said["columns"] or ())
    notes = [str(note) for note in said["notes"]]
    loader = {"pickle": "pickle", "joblib": "joblib", "skops": "skops"}[said["loader"]]
    if loader != "skops":
        notes.append(f"at a cold start the function opens this {loader} file, which runs the code that stands in it")
    classes = tuple(plain(each) for each in said["classes"])
    return ForeignModel(
        engine="framework",
        data=data,
        suffix="." + loader,
        columns=columns,
        kind=kind,
        n_outputs=int(said["n_outputs"]),
        classes=classes,
        source=str(said["source"]),
        objective=str(said["objective"]),
        notes=tuple(notes),
        keys={
            "loader": loader,
            "sha256": hashlib.sha256(data).hexdigest(),
            "python": str(said["python"]),
            "method": _METHODS[kind],
            "asks_label": bool(said["asks_label"]),
            "form": {"text": "text", "frame": "frame", "array": "array"}[said["form"]],
            "missing": "none" if said["missing"] == "none" else "nan",
            "names": [column.name for column in columns],
            "classes": list(classes),
            "trusted": [str(each) for each in said["trusted"]],
        },
        packages=tuple(
            Package(str(each["name"]), str(each["version"]), str(each["module"]), str(each["local"]))
            for each in said["packages"]
        ),
        modules=tuple(OwnModule(str(each["name"]), str(each["file"])) for each in said["modules"]),
        python=str(said["python"]),
        holds_code=bool(said["holds_code"]),
    )


def column_of(said: dict[str, Any]) -> Column:
    """Return what the child says of a column."""
    values = None if said["values"] is None else tuple(plain(each) for each in said["values"])
    is_text = said["dtype"] == "string"
    others = bool(said["others"])
    return Column(
        name=str(said["name"]),
        dtype="string" if is_text else "float",
        values=values if is_text else None,
        others=others,
        nullable=bool(said["nullable"]) or not said["used"],
        enum=values if values is not None and not is_text and not others else None,
        used=bool(said["used"]),
    )


def plain(value: object) -> Any:
    """Return text, a number or a boolean as it is; raises TypeError for anything else."""
    if not isinstance(value, str | int | float):
        raise TypeError(f"{value!r:.40} where text or a number must be")
    return value


def _with_place(error: ModelError, path: Path) -> ModelError:
    for problem in error.problems:
        problem.where = problem.where or str(path)
    return error
