"""A row of a model function -> what each of its inputs adds to the model's raw score, where the model is a forest."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat.errors import InputError, ModelError
from bareboat.service.model import Function, Service, local_file

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact
    from bareboat.forest.opening import Opened

_MOST_ROWS = 100
_MOST_BACKGROUND = 200


def explain(service: Service, artifacts: Mapping[str, Artifact], function: str, document: Any) -> dict[str, Any]:
    """Explain the rows of a request by exact SHAP values.

    Args:
        document: the request: a row, or `{"instances": [...]}`.
    Returns:
        model, kind, outputs (names), base (n_outputs,), and for each row values (n_features, n_outputs), inputs and
        score (n_outputs,).
    Raises:
        InputError: the document does not fit.
        ModelError: the model is no forest, or has no exact SHAP values.
    """
    import numpy as np

    from bareboat.forest.shap import shap_values
    from bareboat.runtime.signature import signature_of

    one = service.functions.get(function)
    artifact = artifacts.get(function)
    signature = {} if artifact is None else artifact.manifest.get("signature", {}).get(function, {})
    if one is None or not signature or not one.serves_models:
        raise InputError(f"{function} serves no model", expected="a function with model:")
    model = one.served_models[0]
    about = next(iter(signature["models"][signature["default"]].values()))
    if about.get("engine") != "forest":
        raise ModelError(
            f"{model.name} is served by the engine {about.get('engine')}", expected="a forest, which has SHAP values"
        )
    rows, _ = signature_of(about, _MOST_ROWS).read(document)
    file = local_file(model.files[0])
    opened = _opened(file, file.stat().st_mtime_ns)
    matrix = np.array([[np.nan if value is None else value for value in row] for row in rows], np.float64)
    try:
        found, kind = shap_values(opened.kernel, matrix), "path-dependent"
    except ModelError:
        background = _background(one, about)
        if background is None:
            raise
        found, kind = shap_values(opened.kernel, background=np.array(background), rows=matrix), "interventional"
    labels = next((each.get("enum") for each in about.get("outputs", ()) if each.get("name") == "label"), None) or []
    n_outputs = len(found.base)
    if n_outputs == 1:
        names = [f"raw score of {labels[1]}" if len(labels) == 2 else "raw score"]
    else:
        names = [str(label) for label in labels] if len(labels) == n_outputs else [str(n) for n in range(n_outputs)]
    return {
        "model": model.name,
        "kind": kind,
        "outputs": names,
        "inputs": [each["name"] for each in about["inputs"]],
        "base": found.base.tolist(),
        "rows": [
            {
                "values": values.tolist(),
                "score": (found.base + values.sum(axis=0)).tolist(),
            }
            for values in found.values
        ],
    }


@lru_cache(maxsize=4)
def _opened(file: Path, _changed: int) -> Opened:
    """Open the model file itself: what ships has no statistics of its training rows."""
    from bareboat.forest.opening import open_model

    return open_model(file)


def _background(function: Function, about: Mapping[str, Any]) -> list[list[float]] | None:
    """Return the rows of the samples, when there are several: what stands in for the training rows."""
    from bareboat.artifact.samples import sample_rows

    rows = [
        [float("nan") if value is None else float(value) for value in row]
        for row in sample_rows(function, about)[:_MOST_BACKGROUND]
        if all(value is None or isinstance(value, int | float) for value in row)
    ]
    return rows if len(rows) >= 2 else None
