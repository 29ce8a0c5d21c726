"""`bareboat serve` as a process: what a reload leaves alone, and what an end leaves behind."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from .conftest import MINOR, wait_for

IRIS = Path(__file__).parents[4] / "src" / "bareboat" / "templates" / "lightgbm-iris" / "lgb.model"

EVERYTHING = f"""\
service: all
provider:
  name: aws
  runtime: python{MINOR}
layers:
  words:
    path: words
functions:
  hello:
    handler: handler.hello
    layers: [{{Ref: WordsLambdaLayer}}]
    package: {{individually: true, patterns: ['!**', handler.py]}}
    url: true
    events:
      - httpApi: GET /hello
      - http: GET /hello
      - schedule: rate(1 minute)
  slow:
    handler: slow.slow
    package: {{individually: true, patterns: ['!**', slow.py]}}
    events:
      - httpApi: GET /slow
"""
MODEL = """\
  predict:
    model: {url}/lgb.model
    events:
      - httpApi: POST /predict
"""
FILES = {
    "words/python/words.py": "WORD = 'layer'\n",
    "handler.py": "import words\ndef hello(event, context):\n    return words.WORD + ' one'\n",
    "slow.py": "import time\ndef slow(event, context):\n    time.sleep(event.get('s', 0))\n    return 'slow'\n",
}


class Served:
    """A process that serves a project, and the document that it began with."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        self.log = folder.parent / "serve.err"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bareboat", "serve", "--port", "0", "--json", *flags],
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        text = ""
        for line in self.process.stdout:
            text += line
            if line == "}\n":
                break
        self.document: dict[str, Any] = json.loads(text) if text else {}
        self.urls: dict[str, str] = self.document.get("urls", {})

    def get(self, path: str) -> str:
        response = httpx.get(self.urls["httpApi"] + path, timeout=20)
        return response.text if response.status_code == 200 else f"{response.status_code} {response.text}"

    def group(self) -> set[int]:
        """The processes that are left of it: functions stay in its session."""
        found = set()
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                words = stat.read_text(encoding="latin-1").rpartition(")")[2].split()
            except OSError:
                continue
            if int(words[3]) == self.process.pid and words[0] != "Z":
                found.add(int(stat.parent.name))
        return found

    def family(self) -> set[int]:
        """Its processes now, with whatever they started."""
        found, new = set[int](), {self.process.pid}
        while new:
            found |= new
            new = {int(child) for pid in new for child in _children(pid)} - found
        return found

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=20)


def _children(pid: int) -> list[str]:
    found: list[str] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += path.read_text().split()
        except OSError:
            continue
    return found


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Serve a project of these files."""
    served: list[Served] = []

    def start(config: str, *flags: str) -> Served:
        folder = tmp_path / "project"
        for name, text in {"serverless.yml": config, **FILES}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        served.append(Served(folder, *flags))
        return served[-1]

    yield start
    for one in served:
        one.end()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """A server of a model: its address, and the requests that came."""
    asked: list[str] = []
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / "lgb.model").write_bytes(IRIS.read_bytes())

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            asked.append(f"{self.command} {self.path}")

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_reload_fetches_no_model_and_builds_no_layer_again(serve, store):
    url, asked = store
    served = serve(EVERYTHING + MODEL.format(url=url), "--no-console")
    assert served.get("/hello") == "layer one", served.log.read_text()
    before = list(asked)
    assert before
    layers = {
        path: path.stat().st_mtime_ns for path in (served.folder / ".bareboat").glob("*.zip") if "words" in path.name
    }
    assert layers

    time.sleep(0.05)
    (served.folder / "handler.py").write_text(FILES["handler.py"].replace("one", "two"))
    assert served.get("/hello") == "layer two"
    time.sleep(0.05)
    config = (served.folder / "serverless.yml").read_text()
    (served.folder / "serverless.yml").write_text(config.replace("GET /slow", "GET /slower"))
    assert served.get("/slower") == "slow"

    assert asked == before
    assert {path: path.stat().st_mtime_ns for path in layers} == layers
    body = {"sepal length": 5.1, "sepal width": 3.5, "petal length": 1.4, "petal width": 0.2}
    assert httpx.post(f"{served.urls['httpApi']}/predict", json=body, timeout=20).status_code in {200, 400}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_the_end_leaves_nothing_with_everything_on_and_a_reload_under_way(serve, how):
    served = serve(EVERYTHING, "--schedules")
    served.get("/hello")
    httpx.get(f"{served.urls['rest']}/hello", timeout=20)
    httpx.get(served.urls["url:hello"], timeout=20)
    httpx.get(served.urls["console"], timeout=20)
    invoke = f"{served.urls['lambda']}/2015-03-31/functions/all-dev-slow/invocations"
    event = httpx.post(invoke, json={"s": 60}, headers={"x-amz-invocation-type": "Event"}, timeout=20)
    assert event.status_code == 202
    wait_for(lambda: len(_children(served.process.pid)) > 1)
    assert (served.folder / ".bareboat" / "serve.json").exists()
    (served.folder / "handler.py").write_text("import time\ntime.sleep(5)\n" + FILES["handler.py"])
    time.sleep(0.4)  # its init runs now
    family = served.family()
    assert len(family) > 2

    began = time.monotonic()
    served.process.send_signal(how)
    if how is signal.SIGINT:
        time.sleep(0.5)
        served.process.send_signal(how)  # again: at once
    served.process.communicate(timeout=25)

    assert time.monotonic() - began < 20
    wait_for(lambda: not any(_runs(pid) for pid in family), 5)
    assert not served.group()
    assert not (served.folder / ".bareboat" / "serve.json").exists()
    for url in served.urls.values():
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex(("127.0.0.1", urlsplit(url).port)) != 0
    assert "Traceback" not in served.log.read_text()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
