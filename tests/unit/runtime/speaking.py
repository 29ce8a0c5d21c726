"""Model functions that speak a protocol, without artifacts: models that add up their rows."""

from __future__ import annotations

import base64
import json
from importlib import import_module
from typing import Any

from bareboat.runtime.answers import Answers
from bareboat.runtime.function import ModelFunction
from bareboat.runtime.models import LoadedModel, Models
from bareboat.runtime.signature import signature_of

VERSION = "5f0c0f2bd0ff"


def declared(name: str, dtype: str = "float", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "aliases": [],
        "dtype": dtype,
        "nullable": False,
        "values": None,
        "others": False,
        "enum": None,
        "minimum": None,
        "maximum": None,
        "default": None,
        **more,
    }


X_AND_KIND = (declared("x", nullable=True), declared("kind", "string", values=["a", "b"], others=True))
X_AND_Y = (declared("x"), declared("y"))


class Sum:
    """Predicts the sum of a row, or, of a classifier, two probabilities."""

    def __init__(self, n_features: int, n_classes: int) -> None:
        self.n_features = n_features
        self.n_classes = n_classes
        self.n_outputs = n_classes or 1
        self.rows: list[list[float]] = []

    def answer(self, row: list[float]) -> tuple[list[float], int]:
        self.rows.append(row)
        total = sum(value for value in row if value == value)
        return ([0.25, 0.75] if total > 0 else [1.0, 0.0], -1) if self.n_classes else ([total], -1)

    def answer_many(self, rows: list[list[float]]) -> list[tuple[list[float], int]]:
        return [self.answer(row) for row in rows]


def model(inputs: Any = X_AND_Y, *, labels: Any = None, name: str = "predict", version: str = VERSION) -> LoadedModel:
    document = {"engine": "forest", "inputs": list(inputs), "bounds": "warn", "labels": labels}
    predictor = Sum(len(inputs), len(labels or ()))
    answers = Answers(kind="proba" if labels else "value", n_classes=predictor.n_classes, labels=labels)
    return LoadedModel(name, version, signature_of(document, 10), answers, predictor, document)


def function(protocol: str | None, *models: LoadedModel, several: bool = False) -> ModelFunction:
    versions: dict[str, list[str]] = {}
    for each in models:
        versions.setdefault(each.name, []).append(each.version)
    registry = Models("", versions, default=models[0].name, max_rows=10)
    for each in models:
        registry.add(each)
    module = protocol and import_module(f"bareboat.runtime.protocols.{protocol}")
    return ModelFunction("predict", registry, several=several, protocol=module)


def send(
    function: ModelFunction,
    path: str,
    body: str | bytes | None = None,
    *,
    method: str = "",
    **headers: str,
) -> tuple[int, Any, dict[str, str]]:
    """Send a request as a gateway does; return the status, the body (parsed where it is JSON) and the headers."""
    event: dict[str, Any] = {
        "version": "2.0",
        "rawPath": path,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"http": {"method": method or ("GET" if body is None else "POST"), "path": path}},
        "isBase64Encoded": isinstance(body, bytes),
    }
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    answer = function.handle(event, None)
    json.dumps(answer, allow_nan=False)
    sent: Any = answer["body"]
    if answer.get("isBase64Encoded"):
        sent = base64.b64decode(sent)
    elif answer["headers"]["content-type"] == "application/json" and sent.strip():
        sent = json.loads(sent) if sent[0] in "{[" else sent
    return answer["statusCode"], sent, answer["headers"]
