"""What Amazon SageMaker's containers speak: POST /invocations with CSV, JSON or JSON lines, and GET /ping.

CSV is answered as the scikit-learn container answers it (what `predict` gives, one a line), JSON and JSON lines as the
built-in Linear Learner does (`score`, and `predicted_label` of a classifier).

Source:
    SageMaker's developer guide, "Common data formats for inference" and "Linear learner response formats";
    sagemaker-scikit-learn-container, default_output_fn.
"""

from __future__ import annotations

import json

from bareboat.errors import InputError
from bareboat.runtime.answers import check_finite
from bareboat.runtime.document import parse
from bareboat.runtime.events import VERSION_HEADER
from bareboat.runtime.faults import body_of, describe, fault
from bareboat.runtime.protocols import JSON, Reply, allow, no_path, status_of, unsupported
from bareboat.runtime.protocols.tables import csv_rows, read_cells, without_nan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bareboat.runtime.function import ModelFunction
    from bareboat.runtime.models import LoadedModel
    from bareboat.runtime.protocols.request import Request

    Answered = Sequence[tuple[list[float], int]]

FAILED = Reply(500, '{"message": "Internal Server Error"}')
CSV = "text/csv"
LINES = "application/jsonlines"
TARGET = "x-amzn-sagemaker-target-model"


def answer(function: ModelFunction, request: Request) -> Reply:
    """Answer a request.

    Raises:
        InputError: it is none of the protocol's, or does not fit.
    """
    last = request.segments[-1] if request.segments else "" if request.has_path else "invocations"
    if last == "ping":
        allow(request, "GET", "HEAD")
        return Reply(200, "", JSON)
    if last != "invocations":
        raise no_path(request, "/invocations", "/ping")
    allow(request, "POST")
    model = function.find(request.header(TARGET).strip("/"), request.version)
    kind = _kind(request)
    rows = _READERS[kind](request.text(), model)
    outside: dict[str, int] = {}
    read = model.signature.read_rows(rows, "row", is_text=kind == CSV, outside=outside)
    accept = _accept(request, kind)
    body = _WRITERS[accept](model, function.predict(model, read))
    headers = {VERSION_HEADER: model.version, **function.warning(outside)}
    return Reply(200, body, accept, headers, len(read))


def refusal(error: InputError) -> Reply:
    """Return the answer to a request that cannot be answered."""
    return Reply(status_of(error), json.dumps(body_of(error)))


def _kind(request: Request) -> str:
    """Return the content type of the body; without one, JSON begins as JSON does."""
    kind = request.content_type
    if kind in ("application/x-jsonlines", "application/jsonl"):
        return LINES
    if kind in _READERS:
        return kind
    if kind:
        raise unsupported(request, *_READERS)
    return JSON if request.text().lstrip()[:1] in "[{" else CSV


def _accept(request: Request, kind: str) -> str:
    """Return the content type of the answer: the first that is accepted, or else that of the request."""
    accepted = request.header("accept")
    if not accepted:
        return kind
    for each in accepted.split(","):
        wanted = each.partition(";")[0].strip().lower()
        if wanted in _WRITERS:
            return wanted
        if wanted == "*/*" or (wanted == "application/*" and kind != CSV):
            return kind
        if wanted in _GROUPS:
            return _GROUPS[wanted]
    error = fault("accept", accepted, "one of " + ", ".join(_WRITERS))
    error.status = 406  # type: ignore[attr-defined]
    raise error


def _read_csv(text: str, model: LoadedModel) -> list[Any]:
    """Read rows without a header, in the model's order."""
    rows = csv_rows(text)
    features = model.signature.features
    if len(rows[0]) != len(features):
        raise fault("body", f"{len(rows[0])} cells a line", f"{len(features)}, in the model's order, without a header")
    return read_cells(rows, dict(enumerate(features)))


def _read_json(text: str, model: LoadedModel) -> list[Any]:
    document = parse(text)
    rows: list[Any]
    if isinstance(document, dict) and "instances" in document and not model.signature.knows("instances"):
        if len(document) > 1:
            raise fault("body", f"an object with {', '.join(list(document)[:5])}", "instances alone")
        instances = document["instances"]
        if not isinstance(instances, list):
            raise fault("instances", describe(instances), "a list of rows")
        rows = [_features(each, model) for each in instances]
    elif isinstance(document, list) and document and all(isinstance(each, (list, dict)) for each in document):
        rows = [_features(each, model) for each in document]
    elif isinstance(document, (dict, list)):
        rows = [_features(document, model)]
    else:
        raise fault("body", describe(document), "an object with instances, a list of rows, or a row")
    return without_nan(rows) if "NaN" in text else rows


def _read_lines(text: str, model: LoadedModel) -> list[Any]:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                rows.append(_features(parse(line), model))
            except InputError as error:
                (problem,) = error.problems
                raise fault(f"line {number}", problem.found, problem.expected) from None
    return without_nan(rows) if "NaN" in text else rows


def _features(row: Any, model: LoadedModel) -> Any:
    """Return a row out of `{"features": ...}` or `{"data": {"features": {"values": ...}}}`, or as it is."""
    if isinstance(row, dict) and len(row) == 1:
        ((key, value),) = row.items()
        if key == "data" and isinstance(value, dict) and not model.signature.knows(key):
            features = value.get("features")
            if isinstance(features, dict) and isinstance(features.get("values"), list):
                return features["values"]
        if key == "features" and isinstance(value, (list, dict)):
            return value
    return row


def _write_csv(model: LoadedModel, answered: Answered) -> str:
    if not model.answers.is_classifier:
        for outputs, _ in answered:
            check_finite(outputs)
        return "".join(",".join(map(repr, outputs)) + "\n" for outputs, _ in answered)
    return "".join(_cell(model.answers.label(*each)) + "\n" for each in answered)


def _cell(label: object) -> str:
    text = str(label)
    if any(sign in text for sign in ',"\r\n'):
        doubled = text.replace('"', '""')
        return f'"{doubled}"'
    return text


def _write_json(model: LoadedModel, answered: Answered) -> str:
    return f'{{"predictions": [{", ".join(_objects(model, answered))}]}}'


def _write_lines(model: LoadedModel, answered: Answered) -> str:
    return "".join(f"{each}\n" for each in _objects(model, answered))


def _objects(model: LoadedModel, answered: Answered) -> list[str]:
    """Return the objects: the score of two classes is the second's, as Linear Learner gives it."""
    texts = []
    answers = model.answers
    for outputs, index in answered:
        check_finite(outputs)
        if answers.kind == "proba" and len(outputs) == 2:
            score: Any = outputs[1]
        else:
            score = outputs[0] if len(outputs) == 1 else outputs
        document = {} if answers.kind == "label" else {"score": score}
        if answers.is_classifier:
            document["predicted_label"] = answers.label(outputs, index)
        texts.append(json.dumps(document))
    return texts


_GROUPS = {"text/*": CSV, "application/*": JSON}
_READERS = {CSV: _read_csv, JSON: _read_json, LINES: _read_lines}
_WRITERS = {CSV: _write_csv, JSON: _write_json, LINES: _write_lines}
