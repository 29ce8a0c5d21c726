"""The Open Inference Protocol: tensors as JSON and as bytes, metadata, and what is wrong with a request."""

from __future__ import annotations

import gzip
import json
import struct
from typing import Any

import pytest

from .speaking import VERSION, X_AND_KIND, X_AND_Y, declared, function, model, send

REGRESSOR = function("oip", model(X_AND_Y))
CLASSIFIER = function("oip", model(X_AND_Y, labels=["no", "yes"]))
MIXED = function("oip", model(X_AND_KIND))
LENGTH = "inference_header_content_length"


def tensor(name: str = "input", shape: Any = (2, 2), datatype: str = "FP64", data: Any = (1, 2, 3, 4)) -> Any:
    return {"name": name, "shape": list(shape), "datatype": datatype, "data": data}


def infer(asked: Any, *inputs: Any, path: str = "/v2/models/predict/infer", **more: Any) -> tuple[int, Any]:
    return send(asked, path, json.dumps({"inputs": inputs, **more}))[:2]


def outputs(answer: tuple[int, Any]) -> dict[str, Any]:
    assert answer[0] == 200, answer
    return {each["name"]: each for each in answer[1]["outputs"]}


@pytest.mark.parametrize(
    "inputs",
    [
        [tensor()],
        [tensor(data=[[1, 2], [3, 4]])],
        [tensor(datatype="INT32")],
        [tensor(datatype="UINT8", data=[1.0, 2, 3, 4])],
        [tensor("x", [2], data=[1, 3]), tensor("y", [2], data=[2, 4])],
        [tensor("y", [2, 1], data=[[2], [4]]), tensor("x", [2, 1], "INT64", [1, 3])],
    ],
)
def test_rows_come_as_one_tensor_or_as_one_a_feature(inputs: list[Any]) -> None:
    assert infer(REGRESSOR, *inputs) == (
        200,
        {
            "model_name": "predict",
            "model_version": VERSION,
            "outputs": [{"name": "predict", "datatype": "FP64", "shape": [2], "data": [3.0, 7.0]}],
        },
    )


def test_a_classifier_has_two_outputs_of_which_a_client_may_choose() -> None:
    both = outputs(infer(CLASSIFIER, tensor(data=[1, 2, -3, 0])))
    one = outputs(infer(CLASSIFIER, tensor(), outputs=[{"name": "predict_proba"}]))

    assert both["predict"] == {"name": "predict", "datatype": "BYTES", "shape": [2], "data": ["yes", "no"]}
    assert both["predict_proba"]["data"] == [0.25, 0.75, 1.0, 0.0]
    assert (both["predict_proba"]["datatype"], both["predict_proba"]["shape"]) == ("FP64", [2, 2])
    assert list(one) == ["predict_proba"]


@pytest.mark.parametrize(
    ("labels", "datatype", "data"), [([5, 7], "INT64", [7]), ([False, True], "BOOL", [True]), ([0.5, 1], "FP64", [1])]
)
def test_labels_keep_their_type(labels: list[Any], datatype: str, data: list[Any]) -> None:
    asked = function("oip", model(X_AND_Y, labels=labels))

    found = outputs(infer(asked, tensor(shape=[1, 2], data=[1, 2])))["predict"]

    assert (found["datatype"], found["data"]) == (datatype, data)


def test_a_value_is_what_its_datatype_holds() -> None:
    found = outputs(infer(REGRESSOR, tensor(shape=[1, 2], datatype="FP32", data=[0.1, 0])))

    assert found["predict"]["data"] == [struct.unpack("<f", struct.pack("<f", 0.1))[0]]


def test_texts_and_missing_values_come_through() -> None:
    x, kind = tensor("x", [2], data=[None, 2]), tensor("kind", [2], "BYTES", ["b", "other"])

    assert outputs(infer(MIXED, x, kind))["predict"]["data"] == [1.0, 1.0]


def test_the_id_is_echoed_and_the_model_and_its_version_are_chosen_by_the_path() -> None:
    first = model(X_AND_Y, name="v2", version="1")
    several = function("oip", first, model(X_AND_Y, name="v2", version="2"), model(X_AND_Y, name="b"), several=True)

    answer = infer(several, tensor(), path="/dev/v2/models/v2/versions/2/infer", id="42")[1]

    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("42", "v2", "2")
    assert infer(several, tensor(), path="/v2/models/v2/infer")[1]["model_version"] == "1"
    assert infer(several, tensor(), path="/v2/models/c/infer")[0] == 404
    assert infer(several, tensor(), path="/v2/models/v2/versions/3/infer")[0] == 404
    assert send(several, "/v2/models")[1] == {"models": ["v2", "b"]}


def binary(request: dict[str, Any], *data: bytes, **headers: str) -> tuple[int, Any, dict[str, str]]:
    text = json.dumps(request).encode()
    return send(CLASSIFIER, "/v2/models/predict/infer", b"".join([text, *data]), **{LENGTH: str(len(text)), **headers})


def sized(size: int, **said: Any) -> dict[str, Any]:
    given = tensor(**said)
    del given["data"]
    return {**given, "parameters": {"binary_data_size": size}}


def test_tensors_come_and_go_as_bytes() -> None:
    data = struct.pack("<4f", 1, 2, -3, 0)
    request = {"inputs": [sized(16, datatype="FP32")], "parameters": {"binary_data_output": True}}

    status, body, headers = binary(request, data)

    assert (status, headers["content-type"]) == (200, "application/octet-stream")
    size = int(headers["inference-header-content-length"])
    said = json.loads(body[:size])
    assert [each["parameters"]["binary_data_size"] for each in said["outputs"]] == [13, 32]
    assert body[size : size + 13] == b"\3\0\0\0yes\2\0\0\0no"
    assert struct.unpack("<4d", body[size + 13 :]) == (0.25, 0.75, 1.0, 0.0)


def test_an_output_may_be_bytes_beside_one_that_is_json() -> None:
    wanted = [{"name": "predict", "parameters": {"binary_data": True}}, {"name": "predict_proba"}]

    status, body, headers = send(
        CLASSIFIER, "/v2/models/predict/infer", json.dumps({"inputs": [tensor()], "outputs": wanted})
    )

    said = json.loads(body[: int(headers["inference-header-content-length"])])
    assert status == 200
    assert ["data" in each for each in said["outputs"]] == [False, True]


def test_a_compressed_request_is_read() -> None:
    text = json.dumps({"inputs": [tensor()]}).encode()

    assert send(REGRESSOR, "/v2/models/predict/infer", gzip.compress(text), content_encoding="gzip")[0] == 200
    for encoding in ("gzip", "br"):
        assert send(REGRESSOR, "/v2/models/predict/infer", text, content_encoding=encoding)[0] == 400


@pytest.mark.parametrize(
    ("inputs", "data", "says"),
    [
        ([sized(16)], bytes(16), "16 bytes"),
        ([sized(32)], bytes(31), "31 bytes"),
        ([sized(32)], bytes(33), "33 bytes"),
        ([sized(-1)], b"", "binary_data_size"),
        ([sized(True)], b"", "binary_data_size"),
        ([sized(4, datatype="BOOL")], b"\0\1\2\0", "neither 0 nor 1"),
        ([sized(3, shape=[1], datatype="BYTES")], b"\1\0\0", "inside a length"),
        ([sized(5, shape=[1], datatype="BYTES")], b"\2\0\0\0a", "a text of 2 bytes"),
        ([sized(5, shape=[1], datatype="BYTES")], b"\1\0\0\0\xff", "no UTF-8"),
        ([sized(5, shape=[2], datatype="BYTES")], b"\1\0\0\0a", "1 texts"),
    ],
)
def test_bytes_that_do_not_fit_are_a_400(inputs: list[Any], data: bytes, says: str) -> None:
    status, answer, _ = binary({"inputs": inputs}, data)

    assert status == 400
    assert says in answer["error"]


@pytest.mark.parametrize("length", ["x", "-1", "99999", "\u0663"])
def test_a_wrong_length_of_the_json_is_a_400(length: str) -> None:
    assert binary({"inputs": [tensor()]}, **{LENGTH: length})[0] == 400


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ([], "an empty list"),
        ([5], "inputs[0]: found 5"),
        ([{}], "inputs[0].name"),
        ([tensor(datatype="FP8")], "inputs[0].datatype"),
        ([tensor(shape=[])], "inputs[0].shape"),
        ([tensor(shape=[-1, 2])], "inputs[0].shape"),
        ([tensor(shape=[2.0, 2])], "inputs[0].shape"),
        ([tensor(shape=[True, 2])], "inputs[0].shape"),
        ([tensor(shape=[10**9, 2])], "at most 20 values"),
        ([tensor(shape=[2, 3], data=[1] * 6)], "[n, 2]"),
        ([tensor(shape=[4])], "[n, 2]"),
        ([tensor(shape=[1, 2, 2])], "[n, 2]"),
        ([tensor(data=[1, 2, 3])], "3 values"),
        ([tensor(data=[[1, 2], [3]])], "unlike lengths"),
        ([tensor(data=None)], "nothing"),
        ([tensor(data=[1, 2, 3, "4"])], "inputs[0].data[3]"),
        ([tensor(data=[1, 2, 3, True])], "inputs[0].data[3]"),
        ([tensor(datatype="INT8", data=[1, 2, 3, 200])], "a number that INT8 can hold"),
        ([tensor(datatype="INT8", data=[1, 2, 3, 0.5])], "a number that INT8 can hold"),
        ([tensor(datatype="FP32", data=[1, 2, 3, 1e39])], "a number that FP32 can hold"),
        ([tensor(datatype="FP64", data=[1, 2, 3, 10**400])], "a number that FP64 can hold"),
        ([tensor(datatype="BOOL", data=[1, 0, 1, 0])], "true or false"),
        ([tensor("x", [2], data=[1, 2])], "y: found nothing"),
        ([tensor("x", [2], data=[1, 2]), tensor("z", [2], data=[1, 2])], "an unknown feature"),
        ([tensor("x", [2], data=[1, 2]), tensor("x", [2], data=[1, 2])], "a second time"),
        ([tensor("x", [2], data=[1, 2]), tensor("y", [1], data=[1])], "inputs[1].shape"),
        ([{**tensor(), "parameters": 5}], "inputs[0].parameters"),
        ([{**tensor(), "parameters": {"shared_memory_region": "r"}}], "shared_memory_region"),
    ],
)
def test_what_does_not_fit_is_a_400_with_an_error(inputs: list[Any], says: str) -> None:
    status, answer = infer(REGRESSOR, *inputs)

    assert status == 400
    assert set(answer) == {"error"}
    assert says in answer["error"]


@pytest.mark.parametrize("body", ["", "{", "[]", '"x"', "{}", '{"inputs": {}}'])
def test_a_body_that_is_no_request_is_a_400(body: str) -> None:
    assert send(REGRESSOR, "/v2/models/predict/infer", body)[0] == 400


@pytest.mark.parametrize(
    "wanted",
    [5, [5], [{"name": "other"}], [{"name": "predict", "parameters": {"classification": 2}}]],
)
def test_outputs_that_are_not_there_are_a_400(wanted: Any) -> None:
    assert infer(REGRESSOR, tensor(), outputs=wanted)[0] == 400


def test_it_tells_of_the_server_and_of_the_model() -> None:
    one = function("oip", model([declared("x"), declared("n", "int"), declared("b", "bool"), *X_AND_KIND[1:]]))

    assert send(one, "/v2")[1]["extensions"] == ["binary_tensor_data"]
    assert send(one, "/v2/health/live")[1] == {"live": True}
    assert send(one, "/v2/health/ready")[1] == {"ready": True}
    assert send(one, "/v2/models/predict/ready")[0] == 200
    assert send(one, "/v2/models/nobody/ready")[0] == 404
    said = send(one, "/base/v2/models/predict")[1]
    assert said["versions"] == [VERSION]
    assert [(each["name"], each["datatype"]) for each in said["inputs"]] == [
        ("x", "FP64"),
        ("n", "INT64"),
        ("b", "BOOL"),
        ("kind", "BYTES"),
    ]


def test_other_paths_and_methods_say_what_there_is() -> None:
    for path in ("/", "/v2/other", "/v2/models/predict/other", "/v2/models/predict/versions", "/v1"):
        assert send(REGRESSOR, path)[0] == 404, path
    assert send(REGRESSOR, "/v2/models/predict/infer")[0] == 405
    assert send(REGRESSOR, "/v2", "{}")[0] == 405
