"""A served function that fails in every way, under load: each request answered once, with its own answer."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes and memory are counted in /proc")

HANDLER = """
import json, os, signal, subprocess, sys, threading, time

kept = []

def handler(event, context):
    asked = json.loads(event["body"])
    do = asked["do"]
    if do == "raise":
        raise RuntimeError(asked["id"])
    if do == "hang":
        time.sleep(60)
    if do == "exit":
        os._exit(3)
    if do == "quit":
        sys.exit(0)
    if do in ("SIGKILL", "SIGSEGV", "SIGTERM"):
        os.kill(os.getpid(), getattr(signal, do))
        time.sleep(60)
    if do == "leak":
        while True:
            kept.append(bytearray(4_000_000))
    if do == "large":
        return {"statusCode": 200, "body": "x" * 7_000_000}
    if do == "nonsense":
        return {"statusCode": "many"}
    if do == "flood":
        for _ in range(100):
            print("x" * 20_000)
    if do == "child":
        subprocess.Popen(["sleep", "600"], start_new_session=asked["id"] % 2 == 0)
    if do == "thread":
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    body = json.dumps({"id": asked["id"], "invocation": context.aws_request_id, "pad": "y" * asked["pad"]})
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}
"""

SERVER = """
import asyncio, gc, hashlib, json, os, sys, zipfile
from pathlib import Path
from bareboat.artifact.model import Artifact
from bareboat.local.cloud import LocalCloud
from bareboat.local.loop import run
from bareboat.local.observe import Store
from bareboat.packaging.target import host_target
from bareboat.service.api import HttpApi
from bareboat.service.model import Function, Place, Provider, Service
from bareboat.service.triggers import HttpApiEvent

folder, minor, place = Path(sys.argv[1]), "%d.%d" % sys.version_info[:2], Place("serverless.yml", 1, 1)
archive = folder / "f.zip"
with zipfile.ZipFile(archive, "w") as opened:
    opened.writestr("app.py", (folder / "app.py").read_text())
function = Function(
    "f", "load-dev-f", place, "python" + minor, minor, "x86_64", handler="app.handler", memory_mb=128, timeout_s=1,
    events=(HttpApiEvent("POST", "/f", place),),
)
digest = hashlib.sha256(archive.read_bytes()).hexdigest()
artifact = Artifact(archive, digest, ("f",), host_target(minor), {"f": "app.handler"}, 1, 1, {})
service = Service("load", folder / "serverless.yml", folder, Provider(http_api=HttpApi()), {"f": function})
asked, invoked = [0], set()

def state():
    gc.collect()
    status = Path("/proc/self/status").read_text()
    rss = int(status.partition("VmRSS:")[2].split()[0])
    return {"rss_mb": rss / 1024, "files": len(os.listdir("/proc/self/fd")), "asked": asked[0], "invoked": len(invoked)}

def count(record):
    asked[0] += 1

async def main():
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, int)  # the thread and its files are there from the start
    print(json.dumps(state()), flush=True)
    store = Store(folder / "observed.sqlite")
    cloud = LocalCloud(service, {"f": artifact}, port=0, max_processes=8, on_request=count)
    cloud.observe(on_log=lambda one: invoked.add(one.request_id))
    cloud.observe(on_log=store.invocation, on_request=store.request)
    async with cloud:
        print(cloud.url.rpartition(":")[2], flush=True)
        while (await loop.run_in_executor(None, sys.stdin.readline)).startswith("state"):
            print(json.dumps(state()), flush=True)
    store.close()
    print(json.dumps(state()), flush=True)

run(main())
"""

FINE = {"fine": 1.0, "flood": 0.01, "child": 0.01, "thread": 0.005}
FAILS = {"raise": 0.04, "exit": 0.006, "quit": 0.003, "SIGKILL": 0.004, "SIGSEGV": 0.002, "SIGTERM": 0.002,
         "hang": 0.002, "leak": 0.003, "large": 0.004, "nonsense": 0.01}  # fmt: skip
CLIENTS = 16


class Served:
    """A process that serves HANDLER."""

    def __init__(self, folder: Path) -> None:
        (folder / "app.py").write_text(HANDLER)
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.folder = folder
        self.before = self._read()
        self.port = self._read()

    def _read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        return json.loads(line)

    def _say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def state(self) -> dict[str, float]:
        self._say("state")
        found: dict[str, float] = self._read()
        return found

    def end(self) -> tuple[dict[str, float], str]:
        """Close the cloud: (state after it, what was written to stderr)."""
        self._say("end")
        after = self._read()
        return after, self.process.communicate(timeout=30)[1]

    def left(self) -> list[str]:
        """Return what still runs of the function and its children."""
        mark, found = str(self.folder).encode(), []
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and int(process.name) != self.process.pid:
                try:
                    if (
                        b"load-dev-f" in (process / "environ").read_bytes()
                        and mark in (process / "environ").read_bytes()
                    ):
                        found.append((process / "cmdline").read_text())
                except OSError:
                    continue
        return found


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    server = Served(folder)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()


class Client:
    """A connection that keeps several requests under way and knows which answer is due."""

    def __init__(self, rng: random.Random, failing: float, ids: Iterator[int], wrong: list[str]) -> None:
        self.rng, self.ids, self.wrong = rng, ids, wrong
        self.kinds = FINE | {kind: share * failing for kind, share in FAILS.items()}
        self.due: deque[tuple[int, str]] = deque()
        self.done: Counter[str] = Counter()

    async def run(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=200_000)
        try:
            for number in self.ids:
                self.send(writer, number)
                if len(self.due) >= self.rng.choice((1, 1, 1, 4)):
                    await self.receive(reader)
            while self.due:
                await self.receive(reader)
            writer.write_eof()
            if rest := await reader.read():
                self.wrong.append(f"{rest[:80]!r} was asked by nobody")
        finally:
            writer.close()

    def send(self, writer: asyncio.StreamWriter, number: int) -> None:
        every = list(self.kinds)
        do = every[number] if number < len(every) else self.rng.choices(every, list(self.kinds.values()))[0]
        pad = self.rng.choice((0, 10, 3000, 60_000))
        body = json.dumps(
            {"id": number, "do": do, "pad": pad, "weight": "z" * self.rng.choice((0, 50, 20_000))}
        ).encode()
        head = b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
        if number % 5:
            writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        else:
            writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        self.due.append((number, do))

    async def receive(self, reader: asyncio.StreamReader) -> None:
        number, do = self.due.popleft()
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        status = int(head[9:12])
        fine = do in FINE
        if status != (200 if fine else 500) or (fine and json.loads(body)["id"] != number):
            self.wrong.append(f"{number} ({do}): {status} {body[:80]!r}")
        self.done[do] += 1


def load(port: int, requests: int, *, seed: int, failing: float) -> Counter[str]:
    """Send requests on several connections at once; return how many of each kind were answered, all of them rightly."""
    ids, wrong = iter(range(requests)), list[str]()
    made = [Client(random.Random(seed + number), failing, ids, wrong) for number in range(CLIENTS)]

    async def main() -> None:
        await asyncio.gather(*(client.run(port) for client in made))

    asyncio.run(main())
    assert wrong == []
    return sum((client.done for client in made), Counter[str]())


@pytest.mark.parametrize(
    ("warm_up", "requests", "failing"),
    [(200, 700, 1.0), pytest.param(1_000, 9_000, 0.4, marks=pytest.mark.slow)],
)
def test_whatever_a_function_does_each_request_is_answered_once_with_its_own(
    tmp_path: Path, warm_up: int, requests: int, failing: float
) -> None:
    with served(tmp_path) as server:
        assert load(server.port, warm_up, seed=1, failing=failing).total() == warm_up
        early = server.state()
        done = load(server.port, requests, seed=100, failing=failing)
        late = server.state()
        after, errors = server.end()
        until = time.monotonic() + 3
        while server.left() and time.monotonic() < until:
            time.sleep(0.02)

        assert server.left() == []
    assert done.total() == requests
    assert late["asked"] == warm_up + requests
    assert late["invoked"] == warm_up + requests
    assert set(done) == {*FINE, *FAILS}
    assert after["files"] <= server.before["files"] + 2  # libuv's spare one, and the pipe to the watchdog
    assert late["rss_mb"] - early["rss_mb"] < 50, (early, late)  # the store's queue holds up to 12 MB, twice
    assert "Traceback" not in errors
