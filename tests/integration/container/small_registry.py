"""A registry as the distribution specification has it, small and able to misbehave, on loopback.

It keeps what came of a piece that broke off, which Docker's own registry does not, and it can ask for tokens.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

Fault = Callable[["Handler"], bool]


class Seen:
    """A request that came."""

    def __init__(self, method: str, path: str, headers: dict[str, str]) -> None:
        self.method = method
        self.path = path
        self.headers = headers


class State:
    """What the registry has, and how it behaves.

    Args:
        login: USER:PASSWORD that is wanted; "" lets anybody in.
        tokens: ask for a token, which its own /token gives, in place of Basic.
        faults: asked before every request; one that answers it itself returns True.
    """

    def __init__(self, host: str, *, login: str = "", tokens: bool = False, faults: Sequence[Fault] = ()) -> None:
        self.host = host
        self.login = login
        self.tokens = tokens
        self.faults = list(faults)
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.uploads: dict[str, bytearray] = {}
        self.numbers = itertools.count()
        self.writing = threading.Lock()  # until what is still on its way has come, nobody asks how far it is
        self.seen: list[Seen] = []
        self.given: dict[str, str] = {}

    def requests(self, method: str, part: str) -> list[Seen]:
        """Return the requests of one kind whose path has a part."""
        return [one for one in self.seen if one.method == method and part in one.path]


class SmallRegistry:
    """The server: `with SmallRegistry() as state`."""

    def __init__(self, **state: Any) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that leave are the point
        self._server.state = State(f"127.0.0.1:{self._server.server_port}", **state)  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> State:
        self._thread.start()
        return self._server.state  # type: ignore[attr-defined, no-any-return]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def state(self) -> State:
        return self.server.state  # type: ignore[attr-defined, no-any-return]

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status: int, code: str, message: str = "", **headers: str) -> None:
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.answer(status, body, Content_Type="application/json", **headers)

    def read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)

    def handle_any(self) -> None:
        self.url = urlsplit(self.path)
        self.query = parse_qs(self.url.query)
        self.state.seen.append(Seen(self.command, self.path, dict(self.headers.items())))
        if any(fault(self) for fault in list(self.state.faults)):
            return
        if self.url.path == "/token":
            self._give_token()
        elif self._is_let_in():
            self._route()

    # --- who may

    def _is_let_in(self) -> bool:
        if not self.state.login:
            return True
        said = self.headers.get("Authorization", "")
        if self.state.tokens:
            repository = re.match(r"/v2/(.+?)/(?:blobs|manifests|tags)/", self.url.path)
            wanted = f"repository:{repository[1]}:" if repository else ""
            given = self.state.given.get(said.removeprefix("Bearer "), None)
            if given is not None and wanted in given and ("push" in given or self.command in {"GET", "HEAD"}):
                return True
            scope = f',scope="{wanted}pull"' if wanted else ""
            challenge = f'Bearer realm="http://{self.state.host}/token",service="small"{scope}'
        else:
            if said == self._basic():
                return True
            challenge = 'Basic realm="small"'
        self.read_body()
        self.refuse(401, "UNAUTHORIZED", WWW_Authenticate=challenge)
        return False

    def _basic(self) -> str:
        return "Basic " + base64.b64encode(self.state.login.encode()).decode()

    def _give_token(self) -> None:
        if self.command == "POST":
            form = parse_qs(self.read_body().decode())
            is_known = form.get("refresh_token") == ["identity"] and form["grant_type"] == ["refresh_token"]
            scopes = " ".join(form.get("scope", ()))
        else:
            is_known = self.headers.get("Authorization") == self._basic()
            scopes = " ".join(self.query.get("scope", ()))
        if not is_known:
            self.refuse(401, "UNAUTHORIZED")
            return
        token = f"token-{len(self.state.given)}"
        self.state.given[token] = scopes
        self.answer(200, json.dumps({"token": token}).encode(), Content_Type="application/json")

    # --- the API

    def _route(self) -> None:
        path = self.url.path
        if path == "/v2/":
            self.answer(200, b"{}", Content_Type="application/json")
        elif found := re.fullmatch(r"/v2/(.+)/tags/list", path):
            self._tags(found[1])
        elif found := re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", path):
            self._manifest(found[1], found[2])
        elif found := re.fullmatch(r"/v2/(.+)/blobs/uploads/([^/]*)", path):
            with self.state.writing:
                self._upload(found[1], found[2])
        elif found := re.fullmatch(r"/v2/(.+)/blobs/([^/]+)", path):
            self._blob(found[2])
        else:
            self.refuse(404, "NAME_UNKNOWN")

    def _tags(self, repository: str) -> None:
        tags = sorted(
            name for one, name in self.state.manifests if one == repository and not name.startswith("sha256:")
        )
        if not tags:
            self.refuse(404, "NAME_UNKNOWN", "repository name not known to registry")
            return
        first = int(self.query.get("last", ["0"])[0])
        page = tags[first : first + 3]  # small pages, so that several are asked for
        more = {"Link": f'</v2/{repository}/tags/list?last={first + 3}>; rel="next"'} if tags[first + 3 :] else {}
        self.answer(200, json.dumps({"name": repository, "tags": page}).encode(), **more)

    def _manifest(self, repository: str, name: str) -> None:
        if self.command == "PUT":
            data = self.read_body()
            digest = "sha256:" + hashlib.sha256(data).hexdigest()
            for one in {name, digest}:
                self.state.manifests[repository, one] = (self.headers["Content-Type"], data)
            self.answer(201, Docker_Content_Digest=digest, Location=f"/v2/{repository}/manifests/{digest}")
            return
        found = self.state.manifests.get((repository, name))
        if found is None:
            self.refuse(404, "MANIFEST_UNKNOWN", "manifest unknown")
            return
        kind, data = found
        self.answer(200, data, Content_Type=kind)

    def _blob(self, digest: str) -> None:
        data = self.state.blobs.get(digest)
        if data is None:
            self.refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")
            return
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted:
            at = int(wanted[1])
            self.answer(206, data[at:], Content_Range=f"bytes {at}-{len(data) - 1}/{len(data)}")
        else:
            self.answer(200, data)

    def _upload(self, repository: str, name: str) -> None:
        if self.command == "POST":
            name = f"upload-{next(self.state.numbers)}"
            self.state.uploads[name] = bytearray()
            self.answer(202, Location=f"/v2/{repository}/blobs/uploads/{name}?state=1")
            return
        upload = self.state.uploads.get(name)
        if upload is None:
            self.refuse(404, "BLOB_UPLOAD_UNKNOWN")
            return
        here = {"Location": f"/v2/{repository}/blobs/uploads/{name}?state={len(upload)}"}
        if self.command == "GET":
            self.answer(204, Range=f"0-{max(len(upload) - 1, 0)}", **here)
            return
        said = self.headers.get("Content-Range", "")
        if said and int(said.partition("-")[0]) != len(upload):
            self.read_body()
            self.refuse(416, "BLOB_UPLOAD_INVALID", Range=f"0-{max(len(upload) - 1, 0)}")
            return
        left = int(self.headers.get("Content-Length", 0))
        while left and (data := self.rfile.read1(min(left, 1 << 16))):  # type: ignore[attr-defined]
            upload += data  # what has come stays, whatever happens next
            left -= len(data)
        if left:
            self.close_connection = True
            return
        if self.command == "PATCH":
            self.answer(202, Range=f"0-{max(len(upload) - 1, 0)}", **here)
            return
        digest = self.query["digest"][0]
        if "sha256:" + hashlib.sha256(upload).hexdigest() != digest:
            self.refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            return
        self.state.blobs[digest] = bytes(self.state.uploads.pop(name))
        self.answer(201, Location=f"/v2/{repository}/blobs/{digest}", Docker_Content_Digest=digest)
