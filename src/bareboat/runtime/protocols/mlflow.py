"""What MLflow's scoring server speaks: POST /invocations, GET /ping, /health and /version.

Source:
    MLflow 3, "Serving a model": formats of requests and answers; mlflow/pyfunc/scoring_server for what its errors are.
"""

from __future__ import annotations

import json

from bareboat import __version__
from bareboat.errors import InputError
from bareboat.runtime.answers import check_finite
from bareboat.runtime.document import Repeated, parse
from bareboat.runtime.events import VERSION_HEADER
from bareboat.runtime.faults import Faults, body_of, cut, describe, fault
from bareboat.runtime.protocols import JSON, Reply, allow, no_path, status_of, unsupported
from bareboat.runtime.protocols.tables import csv_rows, named_rows, read_cells, rows_of_columns, without_nan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bareboat.runtime.function import ModelFunction
    from bareboat.runtime.models import LoadedModel
    from bareboat.runtime.protocols.request import Request

FAILED = Reply(500, '{"error_code": "INTERNAL_ERROR", "message": "Internal Server Error"}')
CSV = "text/csv"
_FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_EXPECTED = f"an object with exactly one of {', '.join(_FORMATS)}"
_FUNCTION = "pyfunc_predict_fn"
_STATUS_PATHS = {"ping": "\n", "health": "\n", "version": __version__}
_PARTS = frozenset(("columns", "data", "index"))


def answer(function: ModelFunction, request: Request) -> Reply:
    """Answer a request.

    Raises:
        InputError: it is none of the protocol's, or does not fit.
    """
    last = request.segments[-1] if request.segments else "" if request.has_path else "invocations"
    if last in _STATUS_PATHS:
        allow(request, "GET", "HEAD")
        return Reply(200, _STATUS_PATHS[last])
    if last != "invocations":
        raise no_path(request, "/invocations", "/ping", "/health", "/version")
    allow(request, "POST")
    model = function.find(_model_name(request), request.version)
    rows, place, params = _read(request, model)
    outside: dict[str, int] = {}
    read = model.signature.read_rows(rows, place, is_text=request.content_type == CSV, outside=outside)
    predictions = _predictions(model, function.predict(model, read), params)
    headers = {VERSION_HEADER: model.version, **function.warning(outside)}
    return Reply(200, f'{{"predictions": {json.dumps(predictions)}}}', JSON, headers, len(read))


def refusal(error: InputError) -> Reply:
    """Return the answer to a request that cannot be answered, as MLflow words it; `errors` lists the fields."""
    status = status_of(error)
    said = body_of(error)
    if status == 415:
        return Reply(415, str(said["message"]), "text/plain")
    errors: Any = said.get("errors", [])
    lines = [f"{each['field']}: found {each['found']}, expected {each['expected']}" for each in errors]
    message = cut("; ".join(lines), 2000) if lines else said["message"]
    codes = {404: "ENDPOINT_NOT_FOUND", 405: "BAD_REQUEST"}
    about_body = any(each["field"] in ("body", "params") for each in errors) or not errors
    code = codes.get(status, "BAD_REQUEST" if about_body else "INVALID_PARAMETER_VALUE")
    return Reply(status, json.dumps({"error_code": code, "message": message, "errors": errors}))


def _model_name(request: Request) -> str:
    """Return the name in `/models/NAME/invocations`, "" for the default model."""
    return request.segments[-2] if len(request.segments) > 2 and request.segments[-3] == "models" else ""


def _read(request: Request, model: LoadedModel) -> tuple[list[Any], str, str]:
    """Return the rows of a request, where they stand in it, and the function that is asked for."""
    if set(request.parameters) - {"charset"}:
        raise unsupported(request, f"{CSV} or {JSON} with no parameter but charset")
    if request.content_type == CSV:
        return _csv(request.text(), model), "row", "predict"
    if request.content_type != JSON and (request.content_type or request.has_path):
        raise unsupported(request, CSV, JSON)
    text = request.text()
    document = parse(text)
    if not isinstance(document, dict):
        raise fault("body", describe(document), _EXPECTED)
    _once(document, "")
    formats = [key for key in _FORMATS if key in document]
    if len(formats) != 1:
        found = " and ".join(formats) or f"an object with {', '.join(map(str, list(document)[:5])) or 'no key'}"
        raise fault("body", found, _EXPECTED)
    unknown = [key for key in document if key not in (*formats, "params")]
    if unknown:
        raise fault("body", f"the key {unknown[0]}", f"{formats[0]} and params alone")
    (name,) = formats
    rows, place = _rows(name, document[name], model)
    return without_nan(rows) if "NaN" in text else rows, place, _params(document.get("params"), model)


def _rows(name: str, value: Any, model: LoadedModel) -> tuple[list[Any], str]:
    if name == "dataframe_split":
        return _split(value, model), "row"
    if isinstance(value, dict) and name == "inputs":
        _once(value, name)
        return rows_of_columns(value, name), name
    if not isinstance(value, list):
        columns = " or an object of columns" if name == "inputs" else ""
        raise fault(name, describe(value), f"a list of rows{columns}")
    if len(model.signature.features) == 1 and not any(isinstance(each, (dict, list)) for each in value):
        return [[each] for each in value], name
    return value, name


def _split(value: Any, model: LoadedModel) -> list[Any]:
    if not isinstance(value, dict) or "data" not in value or set(value) - _PARTS:
        found = f"an object with {', '.join(map(str, list(value)[:5]))}" if isinstance(value, dict) else describe(value)
        raise fault("dataframe_split", found, "an object with columns and data, and perhaps index")
    _once(value, "dataframe_split")
    columns, data = value.get("columns"), value["data"]
    if not isinstance(data, list):
        raise fault("dataframe_split.data", describe(data), "a list of rows")
    if columns is None:
        return data
    if not isinstance(columns, list):
        raise fault("dataframe_split.columns", describe(columns), "a list of names")
    return named_rows(model.signature, columns, data, "dataframe_split.columns")


def _csv(text: str, model: LoadedModel) -> list[Any]:
    header, *rows = csv_rows(text)
    by_name = {name: each for each in model.signature.features for name in (each.name, *each.aliases)}
    features = {place: by_name[column] for place, column in enumerate(header) if column in by_name}
    return named_rows(model.signature, header, read_cells(rows, features), "column")


def _once(document: Any, place: str) -> None:
    if isinstance(document, Repeated):
        faults = Faults()
        for key in document.keys_repeated:
            faults.add(f"{place}.{key}" if place else key, "a key given more than once", "one value")
        faults.refuse()


def _params(params: Any, model: LoadedModel) -> str:
    """Return the function that `params` asks for. MLflow's models without a schema of parameters know none."""
    if params is None or params == {}:
        return "predict"
    key = {"proba": "predict_proba", "decision": "decision_function"}.get(model.answers.kind)
    expected = f"{_FUNCTION}: predict" + (f" or {key}" if key else "") + ", or no params"
    if not isinstance(params, dict):
        raise fault("params", describe(params), expected)
    for name, value in params.items():
        if name != _FUNCTION or value not in ("predict", key) or not isinstance(value, str):
            raise fault("params", f"{name}: {describe(value)}", expected)
    return str(params[_FUNCTION])


def _predictions(model: LoadedModel, answered: Sequence[tuple[list[float], int]], function: str) -> list[Any]:
    """Return what the flavor's `predict` gives: labels of a classifier, numbers of any other model."""
    if model.answers.is_classifier and function == "predict":
        return [model.answers.label(outputs, index) for outputs, index in answered]
    for outputs, _ in answered:
        check_finite(outputs)
    if model.answers.is_classifier:
        return [outputs for outputs, _ in answered]
    return [outputs[0] if len(outputs) == 1 else outputs for outputs, _ in answered]
