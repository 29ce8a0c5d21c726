"""A service behind a local cloud with its console, and headless Chromium to look at it."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact import build_here, targets_here
from bareboat.local.cloud import LocalCloud
from bareboat.local.observe import Store, observed_path
from bareboat.service import load_service

HANDLER = '''
import json

def hello(event, context):
    """Greet, with more words on request."""
    query = event.get("queryStringParameters") or {}
    for number in range(int(query.get("lines", 0))):
        print("line", number)
    return {"hello": event["pathParameters"]["name"], "long": "x" * int(query.get("long", 0))}

def orders(event, context):
    item = json.loads(event.get("body") or "{}").get("item")
    print("order of", item)
    if item == "bomb":
        raise ValueError("no bombs today")
    return {"statusCode": 201, "body": json.dumps({"ordered": item})}

def nightly(event, context):
    print("good night")
    return {"slept": True, "with": event}
'''
SERVICE = """
service: harbour
provider:
  name: aws
  runtime: python{python}
  httpApi:
    authorizers:
      members:
        type: jwt
        issuerUrl: https://issuer.example.com/
        audience: harbour
        identitySource: $request.header.Authorization
functions:
  predict:
    model: lgb.model
    signature:
      inputs:
        - {{name: sepal length, dtype: float, minimum: 0, maximum: 10}}
        - sepal width
        - petal length
        - {{name: petal width, nullable: true}}
    labels: [setosa, versicolor, virginica]
    samples: [event.json]
    events:
      - httpApi: POST /predict
      - httpApi: GET /predict
  hello:
    handler: handler.hello
    events:
      - httpApi: GET /hello/{{name}}
  orders:
    handler: handler.orders
    events:
      - httpApi: POST /orders
      - httpApi: {{path: /members, method: post, authorizer: {{name: members}}}}
  nightly:
    handler: handler.nightly
    events:
      - schedule: rate(1 day)
"""
FURTHER = """
  further:
    handler: handler.nightly
    events:
      - httpApi: POST /further
"""


@dataclass
class Running:
    """A cloud that serves, with what it keeps."""

    cloud: LocalCloud
    loop: asyncio.AbstractEventLoop
    store: Store
    folder: Path

    @property
    def console(self) -> str:
        return self.cloud.urls["console"]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something in the cloud's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def ask(self, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Ask the console as a program does; headers are written with _ for -."""
        data = None if body is None else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None and "content-type" not in given:
            given["content-type"] = "application/json"
        return fetched(self.console + path, data, given)

    def call(self, path: str, body: object = None) -> tuple[int, dict[str, str], bytes]:
        """Ask the API."""
        data = None if body is None else json.dumps(body).encode()
        found = fetched(self.cloud.url + path, data, {"content-type": "application/json"})
        assert self.store.flush()
        return found

    def serve_again(self, extra: str = "") -> None:
        """Serve the service as it is now in its folder, with more in it."""
        write(self.folder, extra)
        service, artifacts = built(self.folder)
        self.run(self.cloud.replace(service, artifacts))


def fetched(url: str, data: bytes | None, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, {key.lower(): value for key, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {key.lower(): value for key, value in error.headers.items()}, error.read()


def write(folder: Path, extra: str = "") -> None:
    text = SERVICE.format(python=f"{sys.version_info[0]}.{sys.version_info[1]}") + extra
    (folder / "serverless.yml").write_text(text, encoding="utf-8")


def built(folder: Path) -> Any:
    service = load_service(folder / "serverless.yml")
    return service, build_here(service, targets_here(service)[0])


def run_until_stopped(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.run_until_complete(asyncio.sleep(0.1))  # connections that were aborted come to their end
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Running]:
    """The service, served."""
    folder = tmp_path_factory.mktemp("harbour")
    template = repository / "src/bareboat/templates/lightgbm-iris"
    for name in ("lgb.model", "event.json"):
        shutil.copy(template / name, folder / name)
    (folder / "handler.py").write_text(HANDLER, encoding="utf-8")
    write(folder)
    service, artifacts = built(folder)
    store = Store(observed_path(folder))
    cloud = LocalCloud(service, artifacts, port=0, console=True, grace_s=1)
    cloud.observe(on_log=store.invocation, on_request=store.request, on_reload=store.reload)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=run_until_stopped, args=(loop,), daemon=True)
    thread.start()
    made = Running(cloud, loop, store, folder)
    try:
        made.run(cloud.start())
        made.run(cloud.ready())
        yield made
    finally:
        made.run(cloud.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        store.close()


@pytest.fixture(scope="module")
def browser(system_command: Callable[[str], str]) -> Iterator[Any]:
    """Headless Chromium."""
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    path = system_command("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any, running: Running) -> Iterator[Callable[..., Any]]:
    """Open the console at a view; no page may write errors to its console or ask anything of another server."""
    contexts, wrong = [], []

    def opened(place: str = "", *, width: int = 1280, height: int = 860, may_fail: bool = False, **options: Any) -> Any:
        viewport = {"width": width, "height": height}
        context = browser.new_context(viewport=viewport, reduced_motion="reduce", **options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        if not may_fail:
            page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((running.console, "data:")) else wrong.append(asked.url),
        )
        page.goto(running.console + place)
        page.wait_for_selector("main h1")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []
