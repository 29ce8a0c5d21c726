"""Each template and example, built and run as `bareboat serve` and `invoke local` do."""

from __future__ import annotations

import asyncio
import json
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas
import pytest

from bareboat.artifact import build, local_target
from bareboat.local import invoke_local
from bareboat.local.cloud import LocalCloud
from bareboat.service import load_service
from bareboat.service.model import Service

REPOSITORY = Path(__file__).parents[3]
TEMPLATES = REPOSITORY / "src" / "bareboat" / "templates"
EXAMPLES = REPOSITORY / "examples"
REQUEST = '{"sepal length": 6, "sepal width": 3, "petal length": 5, "petal width": 2}'
ANSWER = '{"proba": [0.11376620900197651, 0.17004835386299028, 0.7161854371350332], "label": "virginica"}'
JSON = {"content-type": "application/json"}

Open = Callable[..., Service]


@pytest.fixture
def project(tmp_path: Path) -> Open:
    """Return a function that copies a project and loads it, with text of its serverless.yml replaced."""

    def copy(source: Path, old: str = "", new: str = "") -> Service:
        folder = tmp_path / "project"
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".bareboat"))
        config = folder / "serverless.yml"
        config.write_text(config.read_text().replace(old, new) if old else config.read_text())
        return load_service(config)

    return copy


def artifacts(service: Service) -> dict[str, Any]:
    built = {}
    for name, function in service.functions.items():
        target, _ = local_target(function)
        built[name] = build(service, function=name, target=target)[name]
    return built


def invoke(service: Service, function: str, event: Any) -> Any:
    invocation = invoke_local(service, function, artifacts(service)[function], json.dumps(event).encode())
    assert invocation.error == "", invocation.payload
    return json.loads(invocation.payload)


def serve(service: Service, talk: Callable[[httpx.AsyncClient], Any]) -> Any:
    """Serve a project on a port of its own and let a client talk to it."""

    async def run() -> Any:
        cloud = LocalCloud(service, artifacts(service), port=0)
        async with cloud, httpx.AsyncClient(timeout=30) as client:
            client.base_url = httpx.URL(cloud.url)
            return await talk(client)

    return asyncio.run(run())


@pytest.fixture
def page() -> Iterator[str]:
    """The URL of a page that says hello."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write("<p>hello, Grüße</p>".encode())

        def log_message(self, *_args: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_the_iris_template_answers_over_http_and_names_wrong_fields(project: Open) -> None:
    async def talk(client: httpx.AsyncClient) -> list[httpx.Response]:
        return [
            await client.post("/predict", content=REQUEST, headers=JSON),
            # What `curl -d` sends: the gateway hands it on as base64.
            await client.post(
                "/predict", content=REQUEST, headers={"content-type": "application/x-www-form-urlencoded"}
            ),
            await client.post("/predict", content='{"sepal lenght": 6}', headers=JSON),
            await client.post(
                "/predict", content=b'{"x": "\xff"}', headers={"content-type": "application/octet-stream"}
            ),
            await client.post("/predict", headers=JSON),
        ]

    answers = serve(project(TEMPLATES / "lightgbm-iris"), talk)

    assert [answer.status_code for answer in answers] == [200, 200, 400, 400, 400]
    assert all(answer.headers["content-type"] == "application/json" for answer in answers)
    assert [answer.text for answer in answers[:2]] == [ANSWER, ANSWER]
    assert answers[2].json()["errors"][0] == {
        "field": "sepal lenght",
        "found": "an unknown feature",
        "expected": "perhaps sepal length",
    }
    assert [answer.json()["errors"][0]["found"] for answer in answers[3:]] == [
        "a byte that is not UTF-8 at position 7",
        "nothing",
    ]


def test_the_rows_of_a_get_come_from_the_query(project: Open) -> None:
    service = project(TEMPLATES / "lightgbm-iris", "POST /predict", "GET /predict")

    async def talk(client: httpx.AsyncClient) -> list[httpx.Response]:
        return [
            await client.get("/predict", params=json.loads(REQUEST)),
            await client.get("/predict", params=[("sepal length", "1"), ("sepal length", "2")]),
        ]

    answered, refused = serve(service, talk)

    assert (answered.status_code, answered.text) == (200, ANSWER)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["found"] == 'the text "1,2"'


def test_the_keyword_template_looks_into_a_page(project: Open, page: str) -> None:
    service = project(
        TEMPLATES / "keyword",
        '    # environment:\n    #   KEYWORD_ALLOW_PRIVATE: "1" ',
        '    environment:\n      KEYWORD_ALLOW_PRIVATE: "1" ',
    )

    async def talk(client: httpx.AsyncClient) -> list[httpx.Response]:
        given = {"url": page, "keyword": "Grüße"}
        return [
            await client.get("/keyword", params=given),
            await client.post("/keyword", json=given),
            await client.get("/keyword", params={**given, "keyword": "Hallo"}),
            await client.get("/keyword", params={"url": page}),
        ]

    answers = serve(service, talk)

    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (200, {"exist": True}),
        (200, {"exist": True}),
        (200, {"exist": False}),
        (400, {"message": "keyword is missing"}),
    ]


def test_the_keyword_template_fetches_nothing_private_as_it_is(project: Open, page: str) -> None:
    event = {"queryStringParameters": {"url": page, "keyword": "hello"}}

    answer = invoke(project(TEMPLATES / "keyword"), "keyword", event)

    assert answer["statusCode"] == 400
    assert json.loads(answer["body"]) == {"message": "url leads to an address that is not public"}


def test_the_bare_template_answers_with_its_event(project: Open) -> None:
    async def talk(client: httpx.AsyncClient) -> httpx.Response:
        return await client.get("/hello", params={"name": "Ada"})

    answer = serve(project(TEMPLATES / "aws-python3"), talk)

    assert answer.status_code == 200
    assert answer.json()["input"]["queryStringParameters"] == {"name": "Ada"}


def test_the_wrapped_example_answers_as_its_readme_says(project: Open) -> None:
    service = project(EXAMPLES / "wrapped-model")
    event = json.loads((service.folder / "event.json").read_text())
    answer = invoke(service, "predict", event)

    readme = (service.folder / "README.md").read_text()
    assert json.dumps(answer) in readme

    inches = {name: value / 2.54 for name, value in json.loads(REQUEST).items()}
    answer = invoke(service, "predict", {"body": json.dumps({"unit": "in", "flower": inches})})
    assert json.loads(answer["body"])["sentence"] == "This is virginica, by 72 %."

    refused = invoke(service, "predict", {"body": '{"unit": "miles", "flower": {}}'})
    assert json.loads(refused["body"])["errors"] == [
        {"field": "unit", "found": "an unknown unit", "expected": "cm or in"}
    ]


@pytest.mark.slow
@pytest.mark.parametrize("source", [TEMPLATES / "lightgbm-handler", EXAMPLES / "seed-2021"], ids=lambda path: path.name)
def test_a_handler_with_lightgbm_answers_as_the_model_function_does(project: Open, source: Path) -> None:
    async def talk(client: httpx.AsyncClient) -> list[httpx.Response]:
        return [
            await client.post("/predict", content=REQUEST, headers=JSON),
            await client.post("/predict", content="{}", headers=JSON),
            await client.post("/predict", content="[" * 100_000, headers=JSON),
        ]

    answered, *refused = serve(project(source), talk)

    assert (answered.status_code, answered.text) == (200, ANSWER)
    for answer in refused:
        if source.name == "seed-2021":  # its handler raises KeyError, and RecursionError
            assert (answer.status_code, answer.text) == (500, '{"message":"Internal Server Error"}')
        else:
            assert answer.status_code == 400


def test_the_pipeline_example_answers_as_the_pipeline_that_it_trains(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLES / "churn-pipeline", folder)
    subprocess.run([sys.executable, "train.py"], cwd=folder, check=True, timeout=60)
    event = json.loads((folder / "event.json").read_text())

    answer = invoke(load_service(folder / "serverless.yml"), "predict", event)

    model = pickle.loads((folder / "churn.pkl").read_bytes())
    row = pandas.DataFrame([json.loads(event["body"])]).astype({"city": object}).fillna(np.nan)
    assert json.loads(answer["body"]) == {"proba": model.predict_proba(row)[0].tolist(), "label": "leaves"}
