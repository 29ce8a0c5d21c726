"""`models`, `protocol` and `cacheSize` of a function, and the routes that their clients ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.errors import ConfigurationError
from bareboat.service import load_service
from bareboat.service.model import Function, Service


def load(folder: Path, function: str, *files: str) -> Service:
    for name in ("a.txt", "b.txt", "old.txt", *files):
        (folder / name).write_text("model")
    text = f"service: served\nprovider: {{name: aws, runtime: python3.13}}\nfunctions:\n  f:\n{function}"
    (folder / "serverless.yml").write_text(text)
    return load_service(folder / "serverless.yml", env={})


def function(folder: Path, text: str) -> Function:
    return load(folder, text).functions["f"]


def problems(folder: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        load(folder, text)
    return str(refused.value)


SEVERAL = """\
    models:
      churn:
        model: a.txt
        versions: [old.txt]
        labels: [stay, go]
        features: [x, {name: y, nullable: true}]
      fraud: b.txt
    cacheSize: 100
    events: [httpApi: '*']
"""


def test_each_model_has_its_files_and_its_own_keys(tmp_path: Path) -> None:
    found = function(tmp_path, SEVERAL)

    churn, fraud = found.served_models
    assert (churn.name, [file.name for file in churn.files]) == ("churn", ["a.txt", "old.txt"])
    assert churn.labels == ("stay", "go")
    assert [feature.name for feature in churn.features or ()] == ["x", "y"]
    assert (fraud.name, [file.name for file in fraud.files], fraud.labels) == ("fraud", ["b.txt"], None)
    assert (found.cache_mb, found.protocol, found.serves_models, found.model) == (100, "bareboat", True, None)


def test_a_model_of_its_own_is_called_as_the_function_is(tmp_path: Path) -> None:
    (model,) = function(tmp_path, "    model: a.txt\n    protocol: oip\n").served_models

    assert (model.name, model.key) == ("f", "functions.f")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("    models: {}\n", "models is empty"),
        ("    models: {a b: a.txt}\n", "the model name 'a b'"),
        ("    models: {churn: a.txt, Churn: b.txt}\n", "differ only in capitals"),
        ("    models: {churn: none.txt}\n", "there is no file none.txt"),
        ("    models: {churn: {versions: [a.txt]}}\n", "has no model"),
        ("    models: {churn: {model: a.txt, versions: [none.txt]}}\n", "versions[0]: there is no file none.txt"),
        ("    models: {churn: {modell: a.txt}}\n", "modell"),
        ("    models: {churn: a.txt}\n    model: a.txt\n", "has model and models"),
        ("    models: {churn: a.txt}\n    labels: [a, b]\n", "move it to functions.f.models.NAME.labels"),
        ("    models: {churn: a.txt}\n    features: [a, b]\n", "move it to functions.f.models.NAME.features"),
        ("    model: a.txt\n    protocol: soap\n", "one of bareboat, mlflow, oip, sagemaker"),
        ("    model: a.txt\n    protocol: mlflow\n    before: w.f\n", "has before and the protocol mlflow"),
        ("    model: a.txt\n    cacheSize: 0\n", "a whole number of MB"),
    ],
)
def test_what_is_wrong_says_where(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "w.py").write_text("def f(x): return x\n")

    assert says in problems(tmp_path, text)


def warnings(folder: Path, text: str) -> list[str]:
    return [note.text for note in load(folder, text).notes if "no event covers" in note.text]


@pytest.mark.parametrize(
    "events",
    [
        "['*']",
        "[ANY /{proxy+}]",
        "[POST /invocations, GET /ping, GET /health, GET /version]",
        "[POST /base/invocations, ANY /base/{path}]",
        "[POST /v1/{any+}, GET /v1/{any+}]",
    ],
)
def test_routes_that_cover_a_protocol_are_not_warned_of(tmp_path: Path, events: str) -> None:
    routes = "".join(f"      - httpApi: {each.strip()}\n" for each in events.strip("[]").split(","))

    assert warnings(tmp_path, f"    model: a.txt\n    protocol: mlflow\n    events:\n{routes}") == []


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("    model: a.txt\n    protocol: sagemaker\n    events: [httpApi: POST /invocations]\n", "GET /ping"),
        ("    model: a.txt\n    protocol: sagemaker\n    events:\n      - httpApi: GET /{x}\n", "POST /invocations"),
        ("    models: {churn: a.txt}\n    events: [httpApi: POST /models/churn]\n", "POST /models/{name}"),
        ("    model: a.txt\n    protocol: oip\n    events:\n      - httpApi: ANY /v2/{x+}\n", "GET /v2"),
        ("    model: a.txt\n    protocol: mlflow\n", "POST /invocations, GET /ping, GET /health, GET /version"),
    ],
)
def test_routes_that_are_missing_are_named(tmp_path: Path, text: str, missing: str) -> None:
    (warning,) = warnings(tmp_path, text)

    assert missing in warning
    assert "or - httpApi: '*'" in warning


def test_bareboats_own_protocol_asks_for_no_route(tmp_path: Path) -> None:
    assert warnings(tmp_path, "    model: a.txt\n    protocol: bareboat\n") == []


QUEUE = "{sqs: 'arn:aws:sqs:us-east-1:123456789012:rows'}"


def test_a_model_function_names_the_messages_of_a_queue_that_failed(tmp_path: Path) -> None:
    service = load(tmp_path, f"    model: a.txt\n    events: [{QUEUE}]\n")

    (event,) = service.functions["f"].events
    assert event.reports_failures
    assert not service.notes


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ("{s3: photos}", "a model function does not read s3 events: they fail; before:"),
        ("{schedule: rate(1 day)}", "a schedule without input brings a model function no row: it fails"),
    ],
    ids=["s3", "schedule"],
)
def test_an_event_that_no_model_reads_is_told_of(tmp_path: Path, event: str, told: str) -> None:
    said = [note.text for note in load(tmp_path, f"    model: a.txt\n    events: [{event}]\n").notes]

    assert [text for text in said if text.startswith(f"functions.f: {told}")]


@pytest.mark.parametrize(
    "event",
    ["{sns: rows}", "{eventBridge: {pattern: {source: [shop]}}}", "{schedule: {rate: rate(1 day), input: {a: 1}}}"],
    ids=["sns", "bus", "schedule"],
)
def test_an_event_that_a_model_reads_is_not_told_of(tmp_path: Path, event: str) -> None:
    assert not load(tmp_path, f"    model: a.txt\n    events: [{event}]\n").notes
