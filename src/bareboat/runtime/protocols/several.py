"""Several models behind bareboat's own requests: GET /models, GET and POST /models/{name}."""

from __future__ import annotations

import json

from bareboat.errors import InputError
from bareboat.runtime.events import VERSION_HEADER, document_of
from bareboat.runtime.faults import Faults, body_of, describe
from bareboat.runtime.protocols import JSON, Reply, allow, no_path, status_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bareboat.runtime.function import ModelFunction
    from bareboat.runtime.models import LoadedModel
    from bareboat.runtime.protocols.request import Request

FAILED = Reply(500, '{"message": "Internal Server Error"}')
_KEYS = ("model", "version", "row", "instances")


def answer(function: ModelFunction, request: Request) -> Reply:
    """Answer a request. A path without `models` is the default model's.

    Raises:
        InputError: it is for no model that there is, or does not fit.
    """
    segments = request.segments
    name = ""
    if len(segments) > 1 and segments[-2] == "models":
        name = segments[-1]
    elif segments and segments[-1] == "models":
        allow(request, "GET", "HEAD")
        return Reply(200, json.dumps(_listing(function)))
    elif "models" in segments:
        raise no_path(request, "/models", "/models/{name}")
    if name and request.method in ("GET", "HEAD") and not request.event.get("queryStringParameters"):
        return _about(function, name, request.version)
    model = function.find(name, request.version)
    document, is_text = document_of(request.event)
    text, n_rows = function.answer(model, document, is_text=is_text, as_json=True)
    return Reply(200, text, JSON, {VERSION_HEADER: model.version}, n_rows)


def refusal(error: InputError) -> Reply:
    """Return the answer to a request that cannot be answered."""
    return Reply(status_of(error), json.dumps(body_of(error)))


def addressed(function: ModelFunction, event: Any) -> tuple[LoadedModel, object, bool]:
    """Return the model that a direct invocation is for, its row or its rows, and whether they are rows.

    Args:
        event: `{"model": NAME, "version": VERSION, "row": ...}`, or `instances` instead of `row`. Names of features
            stand inside, so that none can be taken for one of these keys.
    Raises:
        InputError: it is not that, or there is no such model.
    """
    faults = Faults()
    expected = "an object with row or instances, and perhaps model and version"
    if not isinstance(event, dict):
        faults.add("body", describe(event), expected)
        faults.refuse()
    for key in event:
        if key not in _KEYS:
            faults.add(str(key), "an unknown key", expected)
    if ("row" in event) == ("instances" in event) and not faults.problems:
        faults.add("body", "both row and instances" if "row" in event else "neither row nor instances", expected)
    for key in ("model", "version"):
        if not isinstance(event.get(key, ""), str):
            faults.add(key, describe(event[key]), "a text")
    faults.refuse()
    model = function.find(event.get("model", ""), event.get("version", ""))
    return (model, event["row"], False) if "row" in event else (model, event["instances"], True)


def _listing(function: ModelFunction) -> dict[str, Any]:
    models = function.models
    return {
        "default": models.default,
        "models": [
            {"name": name, "version": versions[0], "versions": versions} for name, versions in models.versions.items()
        ],
    }


def _about(function: ModelFunction, name: str, version: str) -> Reply:
    model = function.find(name, version)
    keys = ("engine", "kind", "labels", "inputs", "outputs", "bounds")
    document = {
        "name": model.name,
        "version": model.version,
        "versions": function.models.versions[name],
        **{key: model.document[key] for key in keys if key in model.document},
    }
    return Reply(200, json.dumps(document), JSON, {VERSION_HEADER: model.version})
