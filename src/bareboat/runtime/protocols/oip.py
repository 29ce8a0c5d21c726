"""The Open Inference Protocol, version 2, over REST: what clients of KServe and Triton speak.

Source:
    The protocol's REST document; Triton's extension for binary tensor data; KServe's list of models.
"""

from __future__ import annotations

import json

from bareboat import __version__
from bareboat.errors import InputError
from bareboat.runtime.answers import check_finite
from bareboat.runtime.document import parse
from bareboat.runtime.events import VERSION_HEADER
from bareboat.runtime.faults import body_of, cut, describe, fault, listed
from bareboat.runtime.protocols import JSON, Reply, allow, no_path, status_of
from bareboat.runtime.protocols.tensors import BYTES, data_of, read_tensors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bareboat.runtime.function import ModelFunction
    from bareboat.runtime.models import LoadedModel
    from bareboat.runtime.protocols.request import Request
    from bareboat.runtime.protocols.tensors import Tensor

    # name, datatype, shape after the rows, values of all rows
    Output = tuple[str, str, list[int], list[Any]]

FAILED = Reply(500, '{"error": "Internal Server Error"}')
LENGTH = "inference-header-content-length"
_DATATYPES = {"float": "FP64", "int": "INT64", "bool": "BOOL"}
_SECOND = {"proba": "predict_proba", "decision": "decision_function"}


def answer(function: ModelFunction, request: Request) -> Reply:
    """Answer a request.

    Raises:
        InputError: it is none of the protocol's, or does not fit.
    """
    if not request.has_path:
        return _infer(function, request, function.find("", request.version))
    segments = request.segments
    for at, segment in enumerate(segments):  # a stage, or a base path, may stand before
        if segment == "v2":
            reply = _answer(function, request, segments[at + 1 :])
            if reply is not None:
                return reply
    raise no_path(
        request, "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/{model}", "/v2/models/{model}/infer"
    )


def refusal(error: InputError) -> Reply:
    """Return the answer to a request that cannot be answered."""
    said = body_of(error)
    errors: Any = said.get("errors", [])
    lines = [f"{each['field']}: found {each['found']}, expected {each['expected']}" for each in errors]
    return Reply(status_of(error), json.dumps({"error": cut("; ".join(lines), 2000) or said["message"]}))


def _answer(function: ModelFunction, request: Request, path: tuple[str, ...]) -> Reply | None:
    """Return the answer to a path below /v2, None when it is none of the protocol's."""
    if path in ((), ("health", "live"), ("health", "ready"), ("models",)):
        allow(request, "GET", "HEAD")
        return Reply(200, json.dumps(_of_server(function, path)))
    if path[0] != "models":
        return None
    name, rest = path[1], path[2:]
    version = request.version
    if len(rest) >= 2 and rest[0] == "versions":
        version, rest = rest[1], rest[2:]
    if rest not in ((), ("ready",), ("infer",)):
        return None
    if rest == ("infer",):
        allow(request, "POST")
        return _infer(function, request, function.find(name, version))
    allow(request, "GET", "HEAD")
    model = function.find(name, version)
    if rest:
        return Reply(200, json.dumps({"name": name, "ready": True}), JSON, {VERSION_HEADER: model.version})
    return Reply(200, json.dumps(_metadata(function, model)), JSON, {VERSION_HEADER: model.version})


def _of_server(function: ModelFunction, path: tuple[str, ...]) -> dict[str, Any]:
    if path == ("models",):
        return {"models": list(function.models.versions)}
    if path:
        return {path[1]: True}
    return {"name": "bareboat", "version": __version__, "extensions": ["binary_tensor_data"]}


def _metadata(function: ModelFunction, model: LoadedModel) -> dict[str, Any]:
    """Return a model's metadata: a tensor for each feature. One of [-1, n_features] is taken as well."""
    return {
        "name": model.name,
        "versions": function.models.versions[model.name],
        "platform": f"bareboat_{model.document.get('engine', 'forest')}",
        "inputs": [
            {"name": each["name"], "datatype": _datatype(each), "shape": [-1, 1]}
            for each in model.document.get("inputs", ())
        ],
        "outputs": [
            {"name": name, "datatype": datatype, "shape": [-1, *shape]}
            for name, datatype, shape in _declared(model).values()
        ],
    }


def _datatype(each: Mapping[str, Any]) -> str:
    if each["values"] is not None:
        return _datatype_of([value for value in each["values"] if value is not None])
    return _DATATYPES.get(each["dtype"], BYTES)


def _datatype_of(values: Sequence[Any]) -> str:
    kinds = set(map(type, values))
    if kinds and kinds <= {bool}:
        return "BOOL"
    if kinds and kinds <= {int}:
        return "INT64"
    return "FP64" if kinds and kinds <= {int, float} else BYTES


def _declared(model: LoadedModel) -> dict[str, tuple[str, str, list[int]]]:
    """Return the outputs by name, each with its datatype and the shape of a row."""
    answers, predictor = model.answers, model.predictor
    if not answers.is_classifier:
        shape = [predictor.n_outputs] if predictor.n_outputs > 1 else []
        return {"predict": ("predict", "FP64", shape)}
    outputs: dict[str, tuple[str, str, list[int]]] = {"predict": ("predict", _datatype_of(list(answers.labels)), [])}
    if answers.kind in _SECOND:
        name = _SECOND[answers.kind]
        width = predictor.n_classes if answers.kind == "proba" else predictor.n_outputs
        outputs[name] = (name, "FP64", [width] if answers.kind == "proba" or width > 1 else [])
    return outputs


def _infer(function: ModelFunction, request: Request, model: LoadedModel) -> Reply:
    document, binary = _parts(request)
    n_features = len(model.signature.features)
    tensors = read_tensors(document.get("inputs"), binary, function.models.max_rows * max(1, n_features))
    outside: dict[str, int] = {}
    rows = model.signature.read_rows(_rows(tensors, model), "row", outside=outside)
    wanted = _wanted(document, model)
    answered = function.predict(model, rows)
    outputs = _outputs(model, answered, [name for name, _ in wanted])
    answer: dict[str, Any] = {"model_name": model.name, "model_version": model.version}
    if isinstance(document.get("id"), str):
        answer["id"] = document["id"]
    headers = {VERSION_HEADER: model.version, **function.warning(outside)}
    described, data = [], []
    for (name, datatype, shape, values), (_, is_binary) in zip(outputs, wanted):  # noqa: B905 - of one length
        output: dict[str, Any] = {"name": name, "datatype": datatype, "shape": [len(rows), *shape]}
        if is_binary:
            data.append(data_of(values, datatype))
            output["parameters"] = {"binary_data_size": len(data[-1])}
        else:
            output["data"] = values
        described.append(output)
    answer["outputs"] = described
    text = json.dumps(answer)
    if not data:
        return Reply(200, text, JSON, headers, len(rows))
    body = text.encode()
    headers[LENGTH] = str(len(body))
    return Reply(200, b"".join([body, *data]), "application/octet-stream", headers, len(rows))


def _parts(request: Request) -> tuple[dict[str, Any], bytes]:
    """Return the JSON document of a request, and the bytes after it."""
    given = request.header(LENGTH)
    if given:
        data = request.data()
        if not given.isascii() or not given.isdigit() or int(given) > len(data):
            raise fault(LENGTH, f'"{given}"', f"the size of the JSON, at most the body's {len(data)} bytes")
        size = int(given)
        try:
            text, binary = data[:size].decode("utf-8-sig"), data[size:]
        except UnicodeDecodeError as error:
            raise fault("body", f"a byte that is not UTF-8 at position {error.start}", "JSON in UTF-8") from None
    else:
        text, binary = request.text(), b""
    document = parse(text)
    if not isinstance(document, dict):
        raise fault("body", describe(document), "an object with inputs")
    return document, binary


def _rows(tensors: list[Tensor], model: LoadedModel) -> list[Any]:
    """Return rows: of one tensor [n, n_features] in the model's order, or of one a feature, [n] or [n, 1]."""
    features = model.signature.features
    n_features = len(features)
    first = tensors[0]
    if len(tensors) == 1 and not (model.signature.knows(first.name) and first.shape[1:] in ((), (1,))):
        if n_features == 1 and first.shape[1:] in ((), (1,)):
            return [[value] for value in first.values]
        if len(first.shape) != 2 or first.shape[1] != n_features:
            expected = f"[n, {n_features}], the features in the model's order; or a tensor a feature, [n] or [n, 1]"
            raise fault("inputs[0].shape", str(list(first.shape)), expected)
        values = first.values
        return [values[at : at + n_features] for at in range(0, len(values), n_features)]
    n = first.shape[0]
    for index, tensor in enumerate(tensors):
        if not model.signature.knows(tensor.name):
            found = f'an unknown feature, "{tensor.name}"'
            raise fault(f"inputs[{index}].name", found, listed([each.name for each in features]))
        if tensor.shape[1:] not in ((), (1,)) or tensor.shape[0] != n:
            raise fault(
                f"inputs[{index}].shape", str(list(tensor.shape)), f"[{n}] or [{n}, 1], as the first tensor has"
            )
    names = [tensor.name for tensor in tensors]
    return [dict(zip(names, row)) for row in zip(*(tensor.values for tensor in tensors))]  # noqa: B905 - of one length


def _wanted(document: Mapping[str, Any], model: LoadedModel) -> list[tuple[str, bool]]:
    """Return the outputs that are asked for, and whether each goes as bytes."""
    there = list(_declared(model))
    parameters = document.get("parameters")
    all_binary = isinstance(parameters, dict) and parameters.get("binary_data_output") is True
    outputs = document.get("outputs")
    if outputs is None or outputs == []:
        return [(name, all_binary) for name in there]
    if not isinstance(outputs, list):
        raise fault("outputs", describe(outputs), "a list of outputs")
    wanted = []
    for index, each in enumerate(outputs):
        name = each.get("name") if isinstance(each, dict) else each
        if not isinstance(each, dict) or name not in there:
            raise fault(f"outputs[{index}].name", describe(name), listed(there))
        own = each.get("parameters") or {}
        if not isinstance(own, dict):
            raise fault(f"outputs[{index}].parameters", describe(own), "an object")
        for refused in ("classification", "shared_memory_region"):
            if own.get(refused):
                raise fault(f"outputs[{index}].parameters", refused, "binary_data alone")
        wanted.append((name, own.get("binary_data", all_binary) is True))
    return wanted


def _outputs(model: LoadedModel, answered: Sequence[tuple[list[float], int]], names: Sequence[str]) -> list[Output]:
    declared = _declared(model)
    found = []
    for name in names:
        _, datatype, shape = declared[name]
        if name == "predict" and model.answers.is_classifier:
            values = [model.answers.label(*each) for each in answered]
            if datatype == BYTES:
                values = [value if isinstance(value, str) else json.dumps(value) for value in values]
        else:
            for each, _ in answered:
                check_finite(each)
            values = [value for each, _ in answered for value in each]
        found.append((name, datatype, shape, values))
    return found
