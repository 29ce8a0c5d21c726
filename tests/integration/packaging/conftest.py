"""A package index on 127.0.0.1 that serves small wheels, and misbehaves on request."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bareboat.packaging.interpreters import running_python
from bareboat.packaging.target import host_target


def wheel(name: str, version: str, *, tag: str = "py3-none-any", requires: tuple[str, ...] = (), python: str = "",
          code: str = "") -> tuple[str, bytes]:  # fmt: skip
    """Return a wheel's file name and bytes, with one module in it."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += f"Requires-Python: {python}\n" if python else ""
    metadata += "".join(f"Requires-Dist: {one}\n" for one in requires)
    pure = "true" if tag.endswith("-any") else "false"
    tags = "".join(f"Tag: {'-'.join((*tag.split('-')[:2], one))}\n" for one in tag.split("-")[2].split("."))
    files = {
        f"{module}/__init__.py": code or f"VERSION = {version!r}\n",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: {pure}\n{tags}",
    }
    record = "".join(f"{path},{_record_hash(text)},{len(text)}\n" for path, text in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return f"{module}-{version}-{tag}.whl", made.getvalue()


def sdist(name: str, version: str, *, setup: str = "from setuptools import setup\nsetup()\n") -> tuple[str, bytes]:
    """Return a source archive's file name and bytes."""
    module = name.replace("-", "_")
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "setup.py": setup,
        "setup.cfg": f"[metadata]\nname = {name}\nversion = {version}\n[options]\npy_modules = {module}\n",
        f"{module}.py": f"VERSION = {version!r}\n",
    }
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{module}-{version}/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return f"{module}-{version}.tar.gz", made.getvalue()


def _record_hash(text: str) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


class Index:
    """A package index (PEP 503) in this process.

    Attributes:
        files: file name -> bytes.
        yanked: file name -> why.
        status: answer every request with this instead.
        cut: answer with half of each file, then drop the connection.
        user: `name:password` that it asks for.
        requests: the paths that were asked for.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.pythons: dict[str, str] = {}
        self.yanked: dict[str, str] = {}
        self.status = 0
        self.cut = False
        self.user = ""
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/simple"

    def add(self, name: str, version: str, *, tag: str = "py3-none-any", requires: tuple[str, ...] = (),
            python: str = "", code: str = "") -> str:  # fmt: skip
        file, data = wheel(name, version, tag=tag, requires=requires, python=python, code=code)
        self.files[file] = data
        self.pythons[file] = python
        return file

    def add_source(self, name: str, version: str) -> str:
        file, data = sdist(name, version)
        self.files[file] = data
        return file

    def page(self, name: str) -> bytes | None:
        stem = name.replace("-", "_")
        found = [file for file in self.files if file.lower().startswith(f"{stem}-")]
        if not found:
            return None
        links = []
        for file in found:
            python = self.pythons.get(file, "").replace("<", "&lt;").replace(">", "&gt;")
            more = f' data-requires-python="{python}"' if python else ""
            more += f' data-yanked="{self.yanked[file]}"' if file in self.yanked else ""
            digest = hashlib.sha256(self.files[file]).hexdigest()
            links.append(f'<a href="/files/{file}#sha256={digest}"{more}>{file}</a>')
        return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(index: Index) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.requests.append(self.path)
            parts = self.path.strip("/").split("/")
            found = index.page(parts[1]) if parts[0] == "simple" and len(parts) == 2 else None
            if parts[0] == "files":
                found = index.files.get(parts[1])
            status = index.status or (200 if found is not None else 404)
            known = "Basic " + base64.b64encode(index.user.encode()).decode()
            if index.user and self.headers.get("Authorization") != known:
                status = 401
            data = found if status == 200 and found is not None else b"refused"
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="packages"')
            self.send_header("Content-Type", "text/html" if parts[0] == "simple" else "application/octet-stream")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if index.cut and parts[0] == "files":
                self.wfile.write(data[: len(data) // 2])
                self.close_connection = True
            elif self.command != "HEAD":
                self.wfile.write(data)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def index() -> Iterator[Index]:
    made = Index()
    yield made
    made.close()


HANDLER = "def predict(event, context):\n    return {'statusCode': 200}\n"


@pytest.fixture
def project(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project for this machine's CPU and Python, whose packages come from `index`, with caches of its own."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "handler.py").write_text(HANDLER)
    running = running_python()
    assert running is not None
    here = host_target(running.version)
    (folder / "serverless.yml").write_text(
        f"service: boats\nprovider:\n  name: aws\n  runtime: python{here.python}\n"
        f"  architecture: {here.architecture}\nfunctions:\n  predict:\n    handler: handler.predict\n"
    )
    return folder
