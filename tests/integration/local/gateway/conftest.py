"""A local cloud in a thread of its own, with functions whose behaviour the requests choose."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import socket
import sys
import threading
import zipfile
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact.model import Artifact
from bareboat.local.access_record import AccessRecord
from bareboat.local.cloud import LocalCloud
from bareboat.local.invocation import Invocation
from bareboat.packaging.target import host_target
from bareboat.service.api import Cors, HttpApi
from bareboat.service.model import Function, Place, Provider, Service
from bareboat.service.triggers import HttpApiEvent

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
PLACE = Place("serverless.yml", 1, 1)

CODE = '''
import json, os, sys, time

def echo(event, context):
    """Answer with the event."""
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}

def answer(event, context):
    """Return what the request says."""
    return json.loads(event["body"])

def bad(event, context):
    kind = event["pathParameters"]["kind"]
    if kind == "raises":
        raise RuntimeError("boom")
    if kind == "hangs":
        time.sleep(60)
    if kind == "exits":
        sys.exit(3)
    if kind == "dies":
        os._exit(7)
    if kind == "set":
        return {1, 2}
    if kind == "nan":
        return {"proba": [float("nan")]}
    if kind == "large":
        return {"statusCode": 200, "body": "x" * 7_000_000}
    if kind == "bytes":
        return b"\\xff\\xfe"
    return {"statusCode": 200, "body": "fine"}

def gate(event, context):
    """Tell that it began, wait until it may end."""
    folder = event["queryStringParameters"]["folder"]
    open(os.path.join(folder, "began-" + context.aws_request_id), "w").close()
    while not os.path.exists(os.path.join(folder, "go")):
        time.sleep(0.005)
    return {"statusCode": 200, "body": str(os.getpid())}
'''
BROKEN = "import nothing_of_that_name\n"
ASGI = """
from mangum import Mangum

async def app(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = dict(scope["headers"])
    lines = [scope["method"], scope["path"], scope["query_string"].decode(), headers.get(b"cookie", b"").decode(),
             headers.get(b"x-two", b"").decode(), str(len(body))]
    await send({"type": "http.response.start", "status": 201, "headers": [
        (b"content-type", b"application/octet-stream"), (b"x-lines", "|".join(lines).encode()),
        (b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2; Path=/")]})
    await send({"type": "http.response.body", "body": body[::-1]})

handler = Mangum(app, lifespan="off")
"""


@dataclass
class Running:
    """A cloud that serves, and what it told."""

    cloud: LocalCloud
    loop: asyncio.AbstractEventLoop
    records: list[AccessRecord] = field(default_factory=list)
    invocations: list[Invocation] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.cloud.url

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something in the cloud's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def connect(self) -> socket.socket:
        """Open a connection that the test speaks HTTP on by itself."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def talk(self, data: bytes) -> bytes:
        """Send bytes and return all that comes until the server closes."""
        with self.connect() as connection:
            connection.sendall(data)
            received = b""
            while piece := connection.recv(65_536):
                received += piece
            return received


def package(folder: Path, functions: list[str], files: dict[str, str], handlers: dict[str, str]) -> Artifact:
    """Return an artifact as `bareboat package` would make it, of a few lines and the packages that ASGI needs."""
    path = folder / ".bareboat" / f"{functions[0]}.zip"
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        if "asgi.py" in files:
            for package_name in ("mangum", "typing_extensions"):
                spec = importlib.util.find_spec(package_name)
                assert spec is not None
                assert spec.origin is not None
                origin = Path(spec.origin)
                root = origin.parent.parent if spec.submodule_search_locations else origin.parent
                for file in origin.parent.rglob("*.py") if spec.submodule_search_locations else [origin]:
                    archive.write(file, file.relative_to(root))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Artifact(path, digest, tuple(functions), host_target(MINOR), handlers, 1, 1, {})


def function(name: str, handler: str, *routes: str, **settings: Any) -> Function:
    events = []
    for route in routes:
        method, _, path = route.partition(" ")
        events.append(HttpApiEvent("*" if method in {"ANY", "$default"} else method, path or "*", PLACE))
    return Function(
        name, f"service-dev-{name}", PLACE, f"python{MINOR}", MINOR, "x86_64", handler=handler, events=tuple(events),
        memory_mb=128, **settings,
    )  # fmt: skip


def service(folder: Path, functions: list[Function], cors: Cors | None = None) -> Service:
    return Service(
        "service", folder / "serverless.yml", folder, Provider(http_api=HttpApi(cors=cors)),
        {function.name: function for function in functions},
    )  # fmt: skip


FUNCTIONS = [
    function("echo", "app.echo", "ANY /echo", "GET /items/{id}", "ANY /files/{proxy+}", "HEAD /echo", "POST /predict"),
    function("echo1", "app.echo", "ANY /old/echo", "GET /old/items/{id}", http_api_payload="1.0"),
    function("answer", "app.answer", "POST /answer", "HEAD /answer"),
    function("answer1", "app.answer", "POST /old/answer", http_api_payload="1.0"),
    function("bad", "app.bad", "GET /bad/{kind}", timeout_s=1),
    function("broken", "broken.handler", "GET /broken"),
    function("missing", "app.no_such_name", "GET /missing"),
    function("gate", "app.gate", "GET /gate", timeout_s=30),
    function("single", "app.gate", "GET /single", timeout_s=15, reserved_concurrency=1),
    function("asgi", "asgi.handler", "ANY /asgi/{proxy+}"),
    function("asgi1", "asgi.handler", "ANY /old/asgi/{proxy+}", http_api_payload="1.0"),
    function("hidden", "app.answer"),
]


@pytest.fixture(scope="session")
def start_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """Start clouds in a thread; what the test leaves open is closed at the end of the session."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    started: list[Running] = []

    def start(functions: list[Function] = FUNCTIONS, *, cors: Cors | None = None, **settings: Any) -> Running:
        folder = tmp_path_factory.mktemp("service")
        handlers = {item.name: item.handler or "" for item in functions}
        files = {"app.py": CODE, "broken.py": BROKEN}
        if any("asgi" in handler for handler in handlers.values()):
            pytest.importorskip("mangum")
            files["asgi.py"] = ASGI
        artifact = package(folder, list(handlers), files, handlers)
        records: list[AccessRecord] = []
        invocations: list[Invocation] = []

        async def make() -> LocalCloud:
            cloud = LocalCloud(
                service(folder, functions, cors),
                dict.fromkeys(handlers, artifact),
                **{"port": 0, "on_request": records.append, "on_log": invocations.append, **settings},
            )
            await cloud.start()
            return cloud

        running = Running(asyncio.run_coroutine_threadsafe(make(), loop).result(60), loop, records, invocations)
        started.append(running)
        return running

    yield start
    for running in started:
        running.run(running.cloud.close())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    loop.close()


@pytest.fixture(scope="session")
def running(start_cloud: Callable[..., Running]) -> Running:
    """A cloud with every function of CODE."""
    return start_cloud()
