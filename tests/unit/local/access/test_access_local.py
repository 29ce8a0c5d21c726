"""Tokens for local use, and key sets that are fetched over HTTP from this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest

from bareboat.local.access import jwks
from bareboat.local.access.jwks import FETCH_BYTES, KeysUnreachableError, fetch_document
from bareboat.local.access.local_issuer import LocalIssuer
from bareboat.local.access.secrets import TOKEN_KEY, LocalSecrets
from bareboat.service.api import JwtAuthorizer
from bareboat.service.model import Place

ISSUER = "https://issuer.example"
JWT = JwtAuthorizer("people", Place("serverless.yml", 1, 1), ISSUER, ("web",))


def claims(now: float) -> dict[str, Any]:
    return {"iss": ISSUER, "aud": "web", "exp": now + 60}


def unreachable(_address: str) -> bytes:
    raise KeysUnreachableError("offline")


def test_a_local_token_lets_in_without_the_issuer(make):
    api = make.http_api(JWT, settings={"fetch": unreachable})
    token = LocalIssuer(LocalSecrets(make.folder / ".bareboat")).sign(claims(make.now.at))

    assert api.get(headers={"Authorization": f"Bearer {token}"}).status == 200


def test_a_local_token_lets_nobody_in_where_it_is_not_trusted(make):
    api = make.http_api(JWT, settings={"fetch": unreachable, "trusts_local": False})
    token = LocalIssuer(LocalSecrets(make.folder / ".bareboat")).sign(claims(make.now.at))

    assert api.get(headers={"Authorization": f"Bearer {token}"}).status == 401


def test_a_local_token_of_another_service_lets_nobody_in(make, tmp_path):
    api = make.http_api(JWT, settings={"fetch": unreachable})
    LocalIssuer(LocalSecrets(make.folder / ".bareboat")).sign({})
    token = LocalIssuer(LocalSecrets(tmp_path / "other")).sign(claims(make.now.at))

    assert api.get(headers={"Authorization": f"Bearer {token}"}).status == 401


def test_a_key_that_others_may_read_lets_nobody_in(make):
    api = make.http_api(JWT, settings={"fetch": unreachable})
    token = LocalIssuer(LocalSecrets(make.folder / ".bareboat")).sign(claims(make.now.at))
    (make.folder / ".bareboat" / TOKEN_KEY).chmod(0o644)

    assert api.get(headers={"Authorization": f"Bearer {token}"}).status == 401


def test_a_damaged_key_lets_nobody_in(make):
    api = make.http_api(JWT, settings={"fetch": unreachable})
    secrets = LocalSecrets(make.folder / ".bareboat")
    token = LocalIssuer(secrets).sign(claims(make.now.at))
    (make.folder / ".bareboat" / TOKEN_KEY).write_bytes(b"no key")

    assert api.get(headers={"Authorization": f"Bearer {token}"}).status == 500
    assert api.cloud.calls == []


def test_a_local_token_must_be_for_the_authorizer(make):
    api = make.http_api(JWT, settings={"fetch": unreachable})
    issuer = LocalIssuer(LocalSecrets(make.folder / ".bareboat"))

    for change in ({"aud": "phone"}, {"iss": "https://x"}, {"exp": make.now.at}):
        token = issuer.sign(claims(make.now.at) | change)
        assert api.get(headers={"Authorization": token}).status == 401


def test_an_issuer_cannot_take_the_local_keys_name(make):
    """A key set that has a key under the local name counts for nothing where the local key is asked."""
    issuer = LocalIssuer(LocalSecrets(make.folder / "foreign"))
    token = issuer.sign(claims(make.now.at))
    kid = jwt.get_unverified_header(token)["kid"]
    public = jwt.algorithms.RSAAlgorithm.to_jwk(_key(make.folder / "foreign" / TOKEN_KEY).public_key())
    document = json.dumps({"keys": [{**json.loads(public), "kid": kid}]}).encode()
    api = make.http_api(JWT, settings={"fetch": lambda _: document})

    assert api.get(headers={"Authorization": token}).status == 401


def _key(path):
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(path.read_bytes(), None)


# --- fetches


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/slow":
            self.server.released.wait(5)  # type: ignore[attr-defined]
        status = {"/moved": 302, "/missing": 404}.get(self.path, 200)
        body = b"x" * (FETCH_BYTES + (self.path == "/large")) if self.path in {"/large", "/full"} else b"{}"
        self.send_response(status)
        self.send_header("Location", "/full")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[str]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    running.released = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.released.set()  # type: ignore[attr-defined]
    running.shutdown()
    running.server_close()
    thread.join(5)


def test_a_document_of_this_machine_is_fetched(server):
    assert len(fetch_document(f"{server}/full")) == FETCH_BYTES
    assert fetch_document(f"{server.replace('127.0.0.1', 'localhost')}/x") == b"{}"


@pytest.mark.parametrize("path", ["/large", "/moved", "/missing", "/slow"])
def test_what_is_too_large_elsewhere_missing_or_late_is_not_taken(server, path, monkeypatch):
    monkeypatch.setattr(jwks, "FETCH_S", 0.3)

    with pytest.raises(KeysUnreachableError):
        fetch_document(server + path)


@pytest.mark.parametrize(
    "address",
    ["http://issuer.example/keys", "http://127.0.0.1.example/keys", "file:///etc/passwd", "ftp://127.0.0.1/", "", "x"],
)
def test_only_https_is_fetched_from_elsewhere(address):
    with pytest.raises(KeysUnreachableError, match="is not fetched"):
        fetch_document(address)


def test_a_closed_port_is_told():
    with pytest.raises(KeysUnreachableError, match=r"127\.0\.0\.1"):
        fetch_document("http://127.0.0.1:1/keys")
