"""A pickle, joblib or skops file -> a ForeignModel that ONNX Runtime answers for, converted in the child process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.readers.child import run_child
from bareboat.pipeline.foreign.framework import column_of, kind_of, plain
from bareboat.pipeline.foreign.model import ForeignModel, Package
from bareboat.pipeline.foreign.onnx_file import read_onnx_model

CONVERT = "bareboat.pipeline.foreign.convert:convert"


def convert_model(
    path: Path,
    *,
    names: Sequence[str] | None = None,
    rows: Sequence[Sequence[Any]] = (),
    trusted: Sequence[str] = (),
    cwd: Path | None = None,
) -> ForeignModel:
    """Convert a model to ONNX and measure how far its answers are.

    Args:
        names, trusted, cwd: as `read_framework_model` has them.
        rows: samples, Python values in the model's order.
    Raises:
        ModelError: it cannot be opened, or a step has no converter.
    """
    kind = kind_of(path)
    if not kind:
        raise ModelError(
            "a file that holds no Python object",
            expected="an .onnx file, or a pickle, joblib or skops file that can be converted",
            fix="take the key engine away",
            where=str(path),
        )
    said = {"trusted": list(trusted), "names": list(names) if names is not None else None, "rows": list(rows)}
    return run_child(path, kind, CONVERT, lambda told, folder: _model(path, told, folder), [json.dumps(said)], cwd=cwd)


def _model(path: Path, told: dict[str, Any], folder: Path) -> ForeignModel:
    columns = tuple(column_of(each) for each in told["columns"])
    classes = tuple(plain(each) for each in told["classes"])
    data = (folder / "model.onnx").read_bytes()
    read = read_onnx_model(path, data, names=[column.name for column in columns])
    if len(read.columns) != len(columns):
        raise ModelError(f"the converted model takes {len(read.columns)} columns", expected=f"{len(columns)}")
    keys = {**read.keys, "one_sided": {None: None, 0: 0, 1: 1}[told["drift"]["one_sided"]]}
    if len(classes) == len(keys["classes"]) and not keys["zipmap"]:
        keys["classes"] = [
            ours if isinstance(ours, str) else theirs for ours, theirs in zip(classes, keys["classes"], strict=True)
        ]
    return replace(
        read,
        columns=columns,
        kind=told["kind"] if told["kind"] in ("proba", "decision", "label", "value") else read.kind,
        n_outputs=int(told["n_outputs"]),
        classes=classes or read.classes,
        source=str(told["source"]),
        objective=f"{told['objective']} as ONNX",
        notes=(*map(str, told["notes"]), _drift_note(told)),
        keys=keys,
        packages=(Package("onnxruntime", str(told["onnxruntime"]), "onnxruntime"), Package("numpy", "", "numpy")),
    )


def _drift_note(told: dict[str, Any]) -> str:
    drift = told["drift"]
    rows, labels = int(drift["rows"]), int(drift["labels"])
    text = (
        f"{told['converter']} converted it to ONNX, which computes in float32: on {rows} rows an output differs from "
        f"the framework's by {float(drift['largest']):.1e} at most"
    )
    if told["classes"]:
        text += f", and {labels or 'no'} label{'s differ' if labels > 1 else ' differs'}"
    return text
