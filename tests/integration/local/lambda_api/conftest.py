"""Lambda's API in a thread of its own, over real processes, with boto3 as its client."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact.model import Artifact
from bareboat.local.http import Server, start_server
from bareboat.local.invocation import Invocation, Throttled
from bareboat.local.lambda_api import MAX_BODY_BYTES, MAX_HEADER_BYTES, EventQueue, LambdaApi
from bareboat.local.pool import Pool
from bareboat.packaging.target import host_target
from bareboat.service.model import Function, Place, Provider, Service
from bareboat.service.triggers import SourceEvent

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
PLACE = Place("serverless.yml", 1, 1)
CODE = '''
import base64, json, logging, os, sys, time

def echo(event, context):
    return event

def empty(event, context):
    return {}

def nothing(event, context):
    pass

def prints(event, context):
    print(event)
    return event

def talks(event, context):
    print("x" * 10_000)
    print("the last line")

def raises(event, context):
    raise Exception("Handler fails")

def large(event, context):
    return "x" * 7_000_000

def bytes_(event, context):
    return b"not \\xff JSON"

def tells(event, context):
    """Answer with the context."""
    custom = context.client_context
    return {
        "event": event,
        "invoked_function_arn": context.invoked_function_arn,
        "function_version": context.function_version,
        "function_name": context.function_name,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "aws_request_id": context.aws_request_id,
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
        "client_context": None if custom is None else {"custom": custom.custom, "env": custom.env},
    }

def waits(event, context):
    """Tell that it began, wait until it may end."""
    folder = event["folder"]
    open(os.path.join(folder, "began-" + context.aws_request_id), "w").close()
    while not os.path.exists(os.path.join(folder, "go")):
        time.sleep(0.005)
    return "done"

def fails_at_first(event, context):
    """Fail until it was tried `event["fails"]` times; each try leaves a file."""
    tries = os.path.join(event["folder"], "tries")
    with open(tries, "a") as file:
        file.write(context.aws_request_id + "\\n")
    with open(tries) as file:
        if len(file.readlines()) <= event["fails"]:
            raise RuntimeError("not yet")

def writes(event, context):
    """Append to a file what came."""
    with open(event["file"], "a") as file:
        file.write(event["line"] + "\\n")
'''


def function(name: str, handler: str = "", **settings: Any) -> Function:
    return Function(
        name, f"service-dev-{name}", PLACE, f"python{MINOR}", MINOR, "x86_64", handler=f"app.{handler or name}",
        **{"memory_mb": 128, **settings},
    )  # fmt: skip


FUNCTIONS = [
    *map(function, ("echo", "empty", "nothing", "prints", "talks", "raises", "large", "bytes_", "tells", "waits")),
    function("fails", "fails_at_first"),
    function("once", "fails_at_first", options={"maximumRetryAttempts": 0}),
    function("lines", "writes", reserved_concurrency=1),
    function("off", "echo", reserved_concurrency=0),
    function("single", "waits", reserved_concurrency=1, timeout_s=20),
    function("slow", "waits", timeout_s=1),
    function("named", "echo", environment={"SECRET": "s3cret"}, options={"tags": {"team": "data"}}),
    function(
        "worker",
        "echo",
        events=(
            SourceEvent(
                "sqs", "jobs", {"arn": {"Ref": "Jobs"}, "batchSize": 3}, PLACE, batch_size=3, reports_failures=True
            ),
            SourceEvent("s3", "pictures", "pictures", PLACE),
        ),
    ),
    function("missing", "no_such_name"),
]


class Lambda:
    """A running API.

    Attributes:
        invocations: all that ended, in order.
        sources: of each call, in order.
        refusals: how many calls found no room.
    """

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop, functions: list[Function], **queue: Any) -> None:
        self.folder = folder
        self._loop = loop
        self._functions = {item.name: item for item in functions}
        self._queue_settings = queue
        self._pools: dict[str, Pool] = {}
        self.invocations: list[Invocation] = []
        self.sources: list[str] = []
        self.refusals = 0

    async def start(self) -> None:
        (self.folder / "app.py").write_text(CODE)
        handlers = {name: item.handler or "" for name, item in self._functions.items()}
        self.artifact = Artifact(
            self.folder / "f.zip", "ab" * 32, tuple(handlers), host_target(MINOR), handlers, 1234, 5678, {}
        )
        self.artifact.path.write_bytes(b"")
        service = Service(
            "service", self.folder / "serverless.yml", self.folder, Provider(stage="dev"), dict(self._functions)
        )
        self.queue = EventQueue(self.invoke, **self._queue_settings)
        self.api = LambdaApi(service, self.invoke, self.queue, artifact_of=lambda name: self.artifact)
        self._server: Server = await start_server(
            self.api.handle, "127.0.0.1", 0, refuse=self.api.refuse,
            max_body_bytes=MAX_BODY_BYTES, max_header_bytes=MAX_HEADER_BYTES,
        )  # fmt: skip
        self.url = f"http://127.0.0.1:{self._server.port}"

    async def invoke(
        self, function: str, event: bytes, trace_id: str = "", source: str = "invoke", **settings: str
    ) -> Invocation:
        self.sources.append(source)
        pool = self._pools.get(function)
        if pool is None:
            pool = self._pools[function] = Pool(self._functions[function], self.artifact, folder=self.folder)
            await pool.start()
        while pool._spec is None:  # another call is starting it
            await asyncio.sleep(0.001)
        try:
            invocation = await pool.invoke(event, trace_id=trace_id, source=source, **settings)
        except Throttled:
            self.refusals += 1
            raise
        self.invocations.append(invocation)
        return invocation

    async def close(self) -> None:
        await self._server.close(grace_s=1)
        self.lost = await self.queue.close(grace_s=0)
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something in the API's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def client(self, *, attempts: int = 0, **settings: Any) -> Any:
        """Return a client of boto3; `attempts` is how often it tries again."""
        import boto3
        from botocore.config import Config

        config = Config(retries={"max_attempts": attempts, "mode": "standard"}, read_timeout=30, **settings)
        return boto3.session.Session().client(
            "lambda", endpoint_url=self.url, region_name="us-east-1", config=config,
            aws_access_key_id="any", aws_secret_access_key="credentials",
        )  # fmt: skip


@pytest.fixture(scope="session")
def start_lambda(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Lambda]]:
    """Start APIs; what a test leaves open is closed at the end of the session."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    with ExitStack() as stack:

        def start(functions: list[Function] = FUNCTIONS, **queue: Any) -> Lambda:
            made = Lambda(tmp_path_factory.mktemp("lambda"), loop, [replace(item) for item in functions], **queue)
            made.run(made.start())
            stack.callback(lambda: made.run(made.close()))
            return made

        yield start
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    loop.close()


@pytest.fixture(scope="session")
def served(start_lambda: Callable[..., Lambda]) -> Lambda:
    """An API with every function of CODE, whose retries come soon."""
    return start_lambda(retry_after_s=(0.05, 0.1))


@pytest.fixture(scope="session")
def boto(served: Lambda) -> Any:
    """A client that tries nothing twice."""
    return served.client()
