"""Model file or model object -> Ensemble. A new format is one module here and one line in READERS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.ir import Ensemble
from bareboat.forest.readers.catboost import CATBOOST_JSON
from bareboat.forest.readers.child import PICKLE
from bareboat.forest.readers.child_openers import opened, read_saved
from bareboat.forest.readers.forest_file import FOREST_FILE
from bareboat.forest.readers.lightgbm import LIGHTGBM_TEXT
from bareboat.forest.readers.lightgbm_dump import LIGHTGBM_DUMP
from bareboat.forest.readers.onnx import ONNX
from bareboat.forest.readers.reader import HEAD_BYTES, Reader, SavedModel
from bareboat.forest.readers.xgboost import XGBOOST_JSON, XGBOOST_UBJ
from bareboat.forest.readers.xgboost_binary import XGBOOST_BINARY

READERS: tuple[Reader, ...] = (
    LIGHTGBM_TEXT,
    LIGHTGBM_DUMP,
    XGBOOST_JSON,
    XGBOOST_UBJ,
    CATBOOST_JSON,
    ONNX,
    PICKLE,
    FOREST_FILE,
    XGBOOST_BINARY,
)

_STRANGERS: tuple[tuple[bytes, str, str], ...] = (
    (b"{", "a JSON document of no known model", "save the model in one of these formats"),
    (b"\x7fELF", "a program or a native library", "give the model file"),
)


def read_ensemble(path: Path) -> Ensemble:
    """Read a model file in any known format. A pickle is opened in a child process: give only files that you trust.

    Raises:
        ModelError: the file cannot be read, is of no known format, or is damaged; names the file and the line.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            reader = next((reader for reader in READERS if reader.matches(head)), None)
            data = head + file.read() if reader and reader.whole else head
    except OSError as error:
        raise ModelError(
            f"cannot read the model file: {error.strerror or error}",
            expected="a model file",
            fix="check the path and its permissions",
            where=str(path),
        ) from error
    if reader is None:
        raise _unknown_format(path, head)
    return reader.read(path, data)


def ensemble_from_model(model: Any) -> Ensemble:
    """Read a model file, or take a fitted model of a framework apart in this process.

    Args:
        model: a path, or an object such as lightgbm.Booster or sklearn's RandomForestClassifier.
    Raises:
        ModelError: the file or the object cannot be read, or is of no known kind.
    """
    if isinstance(model, str | os.PathLike):
        return read_ensemble(Path(model))
    found = opened(model)
    return read_saved(Path(f"<{type(model).__name__}>"), found) if isinstance(found, SavedModel) else found


def _unknown_format(path: Path, data: bytes) -> ModelError:
    found, fix = "a file of no known model format", "save the model again in one of these formats"
    if not data:
        found, fix = "an empty file (0 bytes)", "copy or save the model again"
    for start, name, cure in _STRANGERS:
        if data.startswith(start):
            found, fix = name, cure
    known = " or ".join(reader.name for reader in READERS if reader.name)
    return ModelError(found, expected=known, fix=fix, where=str(path))
