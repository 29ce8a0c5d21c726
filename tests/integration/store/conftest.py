"""S3 as moto serves it, a server between that breaks connections, and an https server with an authority of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bareboat.service import load_service
from bareboat.service.model import Service

IRIS_MODEL = Path(__file__).parents[3] / "src" / "bareboat" / "templates" / "lightgbm-iris" / "lgb.model"
_MOTO = """
import sys, time
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The endpoint of a moto server, which ends with this process at the latest: it waits for the end of its stdin."""
    process = subprocess.Popen(
        [sys.executable, "-c", _MOTO],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.communicate()


@pytest.fixture(autouse=True)
def aws(moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which moto is AWS, nothing of the user's is seen, and the cache is empty."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": moto,
        "AWS_CONFIG_FILE": str(tmp_path / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "BAREBOAT_CACHE_DIR": str(tmp_path / "cache"),
        "NO_PROXY": "127.0.0.1,localhost",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("bareboat.runtime.download.PAUSE_S", 0.0)


class Bucket:
    """A bucket, and the client of whoever trains models."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name

    def put(self, key: str, data: bytes) -> str:
        """Write a new version and return its id."""
        return self.client.put_object(Bucket=self.name, Key=key, Body=data).get("VersionId", "")

    def url(self, key: str) -> str:
        return f"s3://{self.name}/{key}"


@pytest.fixture(scope="session")
def trainer(moto: str) -> Iterator[Any]:
    """A client of S3 that is none of bareboat's."""
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=moto,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    yield client
    client.close()


@pytest.fixture
def plain_bucket(trainer: Any) -> Bucket:
    """A new bucket that keeps no versions."""
    name = f"models-{uuid4().hex[:12]}"
    trainer.create_bucket(Bucket=name)
    return Bucket(trainer, name)


@pytest.fixture
def bucket(plain_bucket: Bucket) -> Bucket:
    """A new bucket that keeps versions."""
    kept = {"Status": "Enabled"}
    plain_bucket.client.put_bucket_versioning(Bucket=plain_bucket.name, VersioningConfiguration=kept)
    return plain_bucket


class Between:
    """A server that hands requests on to moto, or answers by itself.

    Attributes:
        url: where it listens.
        requests: (method, path, Range header) of each request, in order.
        cut_after: bytes after which the next bodies are cut off, one entry a body of more than as many.
        answers: (status, headers, body) for the next requests instead of moto's.
        at_rest: what it serves where it hands nothing on: path -> body.
        tells_length: whether Content-Length is sent; else the end of the connection is that of the body.
        takes_ranges: whether `at_rest` is served from an offset on when that is asked for.
    """

    def __init__(self, target: str = "") -> None:
        self.target = target
        self.requests: list[tuple[str, str, str]] = []
        self.cut_after: list[int] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.at_rest: dict[str, bytes] = {}
        self.tells_length = True
        self.takes_ranges = True
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                between.answer(self)

            do_HEAD = do_PUT = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.scheme = "http"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range") or ""
        self.requests.append((handler.command, handler.path, asked))
        sent = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        if self.answers:
            status, headers, body = self.answers.pop(0)
        elif self.target:
            connection = HTTPConnection(self.target.removeprefix("http://"), timeout=20)
            connection.request(handler.command, handler.path, sent or None, dict(handler.headers.items()))
            response = connection.getresponse()
            status, headers, body = response.status, dict(response.headers.items()), response.read()
            connection.close()
        else:
            status, headers, body = self._own(handler.path, asked)
        length = headers.pop("Content-Length", None) if handler.command == "HEAD" else None
        handler.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                handler.send_header(name, value)
        if self.tells_length:
            handler.send_header("Content-Length", length or str(len(body)))
        handler.close_connection = handler.close_connection or not self.tells_length
        handler.end_headers()
        if handler.command == "HEAD":
            return
        if self.cut_after and handler.command == "GET" and len(body) > self.cut_after[0]:
            handler.wfile.write(body[: self.cut_after.pop(0)])
            handler.close_connection = True
            return
        handler.wfile.write(body)

    def _own(self, path: str, asked: str) -> tuple[int, dict[str, str], bytes]:
        if path not in self.at_rest:
            return 404, {}, b""
        body = self.at_rest[path]
        headers = {"ETag": f'"{hash(body):x}"'}
        if asked and self.takes_ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            return 206, {**headers, "Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}, body[start:]
        return 200, headers, body

    def start(self) -> Between:
        self.thread.start()
        return self

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def between(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Between]:
    """A server between bareboat and moto."""
    server = Between(moto).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    yield server
    server.close()


@pytest.fixture
def web() -> Iterator[Between]:
    """A plain server of files, on loopback."""
    server = Between().start()
    yield server
    server.close()


@pytest.fixture
def secure_web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Between]:
    """A server of files behind TLS, whose authority SSL_CERT_FILE names."""
    import ssl

    import trustme

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    (tmp_path / "authority.pem").write_bytes(authority.cert_pem.bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    server = Between()
    server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
    server.scheme = "https"
    server.start()
    yield server
    server.close()


Project = Callable[..., Service]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Write serverless.yml of one model function and load it: the model as YAML, and more keys."""

    def make(model: str, *, key: str = "model", more: str = "", folder: str = "project") -> Service:
        home = tmp_path / folder
        home.mkdir(exist_ok=True)
        text = (
            f"service: own\nprovider: {{name: aws, runtime: python3.13}}\nfunctions:\n  predict:\n    {key}: {model}\n"
        )
        (home / "serverless.yml").write_text(text + more)
        return load_service(home / "serverless.yml", env={})

    return make
