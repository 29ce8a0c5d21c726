"""Registries that ask for tokens, keep half an upload, send us elsewhere, or are none at all."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bareboat.container.base import Base, open_base
from bareboat.container.credentials import Credentials
from bareboat.container.documents import linux_platform
from bareboat.container.layout import Layout
from bareboat.container.pull import pull
from bareboat.container.push import push
from bareboat.container.registry import Registry
from bareboat.container.store import Store
from bareboat.container.transport import Transport
from bareboat.errors import PackagingError, RemoteError

SOMEONE = Credentials("someone", "secret")


class Waits(list[float]):
    """A clock that waits for nobody and remembers how long it should have."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def at(host: str, credentials: Credentials | None = None, waits: Waits | None = None, **settings: Any) -> Registry:
    transport = Transport(sleep=waits if waits is not None else Waits(), **settings)
    return Registry(host, transport=transport, credentials=lambda _host, _repository: credentials)


def there(state: Any, name: str = "a/b:1") -> str:
    return f"{state.host}/{name}"


# --- tokens


@pytest.mark.parametrize("credentials", [SOMEONE, Credentials("", "", "identity")], ids=["password", "identity token"])
def test_a_token_is_asked_for_with_the_scope_that_is_needed(
    small_registry, image, tmp_path: Path, credentials: Credentials
) -> None:
    made = image((1_000, 2_000))

    with small_registry(login="someone:secret", tokens=True) as state:
        push(made.layout, made.image, there(state), registry=at(state.host, credentials))
        pull(there(state), Layout.create(tmp_path / "other"), registry=at(state.host, credentials))

    assert "repository:a/b:pull,push" in " ".join(state.given.values())
    assert state.given["token-0"] == ""  # for /v2/ itself
    assert len(state.given) <= 5


def test_a_mount_asks_for_the_other_repository_too(small_registry, image) -> None:
    with small_registry(login="someone:secret", tokens=True) as state:
        made = image((1_000,), base=there(state, "the/base:1"))
        push(made.layout, made.image, there(state), registry=at(state.host, SOMEONE))

    assert any("repository:the/base:pull" in scopes for scopes in state.given.values())


def test_a_token_that_ends_in_the_middle_of_an_upload_is_renewed(small_registry, image) -> None:
    made = image((3_000_000,))

    def forget(handler: Any) -> bool:
        if handler.command == "PATCH" and len(handler.state.requests("PATCH", "")) == 2:
            handler.state.given.clear()
            handler.state.given["an older one"] = ""
        return False

    with small_registry(login="someone:secret", tokens=True, faults=[forget]) as state:
        push(made.layout, made.image, there(state), registry=at(state.host, SOMEONE), chunk_bytes=1_000_000)

    assert made.layers[0].digest in state.blobs


def test_a_registry_that_wants_tokens_again_and_again_is_left(small_registry, image) -> None:
    made = image()

    def never(handler: Any) -> bool:
        if handler.path.startswith("/v2/"):
            handler.refuse(
                401, "UNAUTHORIZED", WWW_Authenticate=f'Bearer realm="http://{handler.state.host}/token",service="x"'
            )
            return True
        return False

    with small_registry(login="someone:secret", faults=[never]) as state, pytest.raises(RemoteError) as caught:
        push(made.layout, made.image, there(state), registry=at(state.host, SOMEONE))

    assert "does not take the credentials" in str(caught.value)
    assert len(state.seen) < 6


def test_a_server_of_tokens_that_answers_a_page_is_told(small_registry, image) -> None:
    made = image()

    def page(handler: Any) -> bool:
        if handler.path.startswith("/token"):
            handler.answer(200, b"<html>log in</html>", Content_Type="text/html")
            return True
        return False

    with small_registry(login="a:b", tokens=True, faults=[page]) as state, pytest.raises(RemoteError) as caught:
        push(made.layout, made.image, there(state), registry=at(state.host, SOMEONE))

    assert "answers no token" in str(caught.value)


@pytest.mark.parametrize("tokens", [True, False], ids=["password", "none"])
def test_a_registry_on_this_machine_gets_no_credentials_for_plain_http_elsewhere(
    small_registry, image, tokens: bool
) -> None:
    made = image()

    def elsewhere(handler: Any) -> bool:
        handler.refuse(401, "UNAUTHORIZED", WWW_Authenticate='Bearer realm="http://tokens.invalid/token",service="x"')
        return True

    with small_registry(faults=[elsewhere]) as state, pytest.raises(RemoteError) as caught:
        push(made.layout, made.image, there(state), registry=at(state.host, SOMEONE if tokens else None))

    assert ("wants the credentials by plain HTTP, at tokens.invalid" in str(caught.value)) is tokens


# --- bases


def test_a_base_that_was_pulled_for_two_machines_is_here_for_both(small_registry, index, tmp_path: Path) -> None:
    made = index()
    store = Store.open(tmp_path / "data")

    with small_registry() as state:
        push(made.layout, made.image, there(state), registry=at(state.host))
        for architecture in ("amd64", "arm64"):
            opened_base(there(state), architecture, store)
    images = [opened_base(there(state), one, store).platform.architecture for one in ("amd64", "arm64")]

    assert images == ["amd64", "arm64"]  # with the registry gone
    assert store.platforms(store.get(there(state))) == ("linux/amd64", "linux/arm64")


def opened_base(name: str, architecture: str, store: Store) -> Base:
    with store.adding():
        return open_base(name, linux_platform(architecture), store)


# --- breaks


def test_a_first_contact_that_breaks_is_tried_again() -> None:
    waits = Waits()
    with dropping_server(2) as address, closing(Transport(sleep=waits)) as transport:
        response = transport.send("GET", f"http://{address}/v2/")
        response.drain_conn()

    assert response.status == 200
    assert len(waits) == 2


def test_a_first_contact_that_breaks_again_and_again_is_no_way() -> None:
    waits = Waits()
    with (
        dropping_server(9) as address,
        closing(Transport(sleep=waits)) as transport,
        pytest.raises(RemoteError) as caught,
    ):
        transport.send("GET", f"http://{address}/v2/")

    assert f"{address} is not to be reached" in str(caught.value)
    assert len(waits) == 2


def test_where_nobody_listens_nothing_is_waited_for() -> None:
    waits = Waits()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with closing(Transport(sleep=waits)) as transport, pytest.raises(RemoteError, match="is not to be reached"):
        transport.send("GET", f"http://127.0.0.1:{port}/v2/")

    assert waits == []


@contextmanager
def dropping_server(times: int) -> Iterator[str]:
    """A server that closes the first connections without a word, and answers the next."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for number in range(times + 1):
                try:
                    connection, _ = server.accept()
                except OSError:  # the test has ended
                    return
                with connection:
                    connection.recv(65536)
                    if number >= times:
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def test_an_upload_goes_on_at_the_byte_where_it_broke(small_registry, image, cutting_proxy) -> None:
    made = image((9_000_000,))

    with (
        small_registry() as state,
        cutting_proxy(state.host, up=(4_000_000, 2_000_000)) as proxy,
        at(proxy.host) as registry,
    ):
        push(made.layout, made.image, there(proxy), registry=registry)

    resumed = [one.headers["Content-Range"] for one in state.requests("PATCH", "") if "Content-Range" in one.headers]
    assert proxy.cuts == 2
    assert proxy.passed["up"] < 9_200_000  # nothing was sent twice, but what was on its way
    assert len(resumed) == 2
    assert all(int(one.partition("-")[0]) > 3_000_000 for one in resumed)
    assert made.layers[0].digest in state.blobs


def test_an_answer_that_is_lost_after_the_last_byte_is_no_second_upload(small_registry, image) -> None:
    made = image((1_000,))
    dropped: list[str] = []

    def drop(handler: Any) -> bool:
        if handler.command == "PUT" and "uploads" in handler.path and not dropped:
            dropped.append(handler.path)
            digest = handler.query["digest"][0]
            handler.state.blobs[digest] = handler.read_body()
            handler.close_connection = True
            return True
        return False

    with small_registry(faults=[drop]) as state:
        push(made.layout, made.image, there(state), registry=at(state.host))

    assert len(state.requests("PUT", "uploads")) == 2  # one for each blob
    assert len(state.blobs) == 2


def test_a_registry_that_drops_every_connection_is_left_after_some_tries(small_registry, image, tmp_path: Path) -> None:
    made = image((100_000,))
    waits = Waits()

    def drop(handler: Any) -> bool:
        if handler.command == "GET" and "/blobs/" in handler.path:
            handler.close_connection = True
            return True
        return False

    with small_registry() as state:
        push(made.layout, made.image, there(state), registry=at(state.host))
        state.faults.append(drop)
        with pytest.raises(RemoteError, match="drops the connection again and again") as caught:
            pull(there(state), Layout.create(tmp_path / "other"), registry=at(state.host, waits=waits))

    assert "try again later" in str(caught.value)
    assert sum(waits) < 200
    assert not [path for path in (tmp_path / "other" / "blobs").rglob("*") if path.is_file()]


def test_a_registry_without_ranges_sends_all_again_and_it_is_still_right(
    small_registry, image, cutting_proxy, tmp_path: Path
) -> None:
    made = image((3_000_000,))
    other = Layout.create(tmp_path / "other")

    def whole(handler: Any) -> bool:
        del handler.headers["Range"]
        return False

    with small_registry(faults=[whole]) as state:
        push(made.layout, made.image, there(state), registry=at(state.host))
        with cutting_proxy(state.host, down=(1_000_000,)) as proxy, at(proxy.host) as registry:
            pull(there(proxy), other, registry=registry)

    other.check_blob(made.layers[0])


def test_a_busy_registry_is_asked_again_when_it_says(small_registry, image, tmp_path: Path) -> None:
    made = image()
    waits = Waits()
    left = [429, 503, 502]

    def busy(handler: Any) -> bool:
        if handler.command == "GET" and "/manifests/" in handler.path and left:
            handler.refuse(left.pop(0), "TOOMANYREQUESTS", Retry_After="7")
            return True
        return False

    with small_registry(faults=[busy]) as state:
        push(made.layout, made.image, there(state), registry=at(state.host))
        pull(there(state), Layout.create(tmp_path / "other"), registry=at(state.host, waits=waits))

    assert waits == [7.0, 7.0, 7.0]


def test_a_proxy_that_takes_no_large_request_gets_smaller_ones(small_registry, image) -> None:
    made = image((9_000_000,))

    def too_large(handler: Any) -> bool:
        if handler.command == "PATCH" and int(handler.headers["Content-Length"]) > 5_000_000:
            handler.close_connection = True
            handler.answer(413, b"<html>413</html>", Content_Type="text/html")
            return True
        return False

    with small_registry(faults=[too_large]) as state:
        push(made.layout, made.image, there(state), registry=at(state.host))

    assert made.layers[0].digest in state.blobs


# --- what is not what it says


def test_a_blob_is_fetched_from_storage_without_the_credentials(small_registry, image, tmp_path: Path) -> None:
    made = image((50_000,))
    with small_registry(login="someone:secret") as state, small_registry() as storage:

        def send_on(handler: Any) -> bool:
            if handler.command == "GET" and "/blobs/sha256" in handler.path and handler._is_let_in():
                handler.answer(307, Location=f"http://{storage.host}{handler.path}?signature=of-storage")
                return True
            return False

        push(made.layout, made.image, there(state), registry=at(state.host, SOMEONE))
        storage.blobs.update(state.blobs)
        state.faults.append(send_on)
        pull(there(state), Layout.create(tmp_path / "other"), registry=at(state.host, SOMEONE))

    assert len(storage.seen) == 2
    assert not any("Authorization" in one.headers for one in storage.seen)
    assert all("Authorization" in one.headers for one in state.requests("GET", "/blobs/sha256")[1:])


def test_another_layer_than_promised_is_refused_and_leaves_nothing(small_registry, image, tmp_path: Path) -> None:
    made = image((50_000,))
    other = tmp_path / "other"

    with small_registry() as state:
        push(made.layout, made.image, there(state), registry=at(state.host))
        digest = made.layers[0].digest
        state.blobs[digest] = bytes(len(state.blobs[digest]))
        with pytest.raises(RemoteError) as caught:
            pull(there(state), Layout.create(other), registry=at(state.host))

    assert "sends another layer than promised" in str(caught.value)
    assert digest in str(caught.value)
    assert not Layout.open(other).blob_path(digest).exists()
    assert not Layout.open(other).blob_path(made.image.digest).exists()
    assert not list(other.rglob(".tmp-*"))


def test_another_manifest_than_asked_for_is_refused(small_registry, image, tmp_path: Path) -> None:
    made = image()

    with small_registry() as state:
        push(made.layout, made.image, there(state), registry=at(state.host))
        kind, data = state.manifests["a/b", made.image.digest]
        state.manifests["a/b", made.image.digest] = (kind, data + b" ")
        with pytest.raises(RemoteError, match="sends another manifest than asked for"):
            pull(f"{state.host}/a/b@{made.image.digest}", Layout.create(tmp_path / "o"), registry=at(state.host))


@pytest.mark.parametrize("status", [200, 403, 404, 502])
def test_a_server_that_answers_pages_for_people_is_no_registry(
    small_registry, image, tmp_path: Path, status: int
) -> None:
    made = image()

    def page(handler: Any) -> bool:
        handler.read_body()
        handler.answer(status, b"<!doctype html><title>hello</title>", Content_Type="text/html; charset=utf-8")
        return True

    with small_registry(faults=[page]) as state:
        with pytest.raises(RemoteError) as of_push:
            push(made.layout, made.image, there(state), registry=at(state.host))
        with pytest.raises(RemoteError) as of_pull:
            pull(there(state), Layout.create(tmp_path / "other"), registry=at(state.host))

    assert state.host in str(of_push.value)
    assert state.host in str(of_pull.value)
    assert not state.requests("POST", "") or status != 200


def test_dockers_first_schema_is_refused(small_registry, tmp_path: Path) -> None:
    with small_registry() as state:
        data = json.dumps({"schemaVersion": 1, "name": "a/b", "tag": "1", "fsLayers": []}).encode()
        state.manifests["a/b", "1"] = ("application/vnd.docker.distribution.manifest.v1+prettyjws", data)
        with pytest.raises(RemoteError, match="is Docker's schema 1"):
            pull(there(state), Layout.create(tmp_path / "other"), registry=at(state.host))


def test_tags_are_looked_through_page_by_page(small_registry, image, tmp_path: Path) -> None:
    made = image()

    with small_registry() as state:
        for number in range(8):
            push(made.layout, made.image, there(state, f"a/b:release-{number}"), registry=at(state.host))
        with pytest.raises(RemoteError, match="of 8"):
            pull(there(state, "a/b:release-9"), Layout.create(tmp_path / "other"), registry=at(state.host))

    assert len(state.requests("GET", "/tags/list")) == 3


# --- no way there


def test_a_host_that_nobody_knows_is_told(tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match=r"the host no-such-host\.invalid is not known"):
        pull("no-such-host.invalid/x:1", Layout.create(tmp_path / "other"))


def test_a_port_where_nobody_listens_is_told_at_once(tmp_path: Path) -> None:
    waits = Waits()

    with pytest.raises(RemoteError, match="Connection refused"):
        pull("127.0.0.1:1/x:1", Layout.create(tmp_path / "other"), registry=at("127.0.0.1:1", waits=waits))

    assert not waits


def test_plain_http_is_refused_where_it_is_not_on_this_machine(small_registry, tmp_path: Path) -> None:
    with small_registry() as state:
        registry = at(state.host)
        registry._plain = False  # as for any other host than this
        with pytest.raises(RemoteError) as caught:
            pull(there(state), Layout.create(tmp_path / "other"), registry=registry)

    assert "speaks plain HTTP" in str(caught.value)
    assert "--insecure" in str(caught.value)
    assert not state.seen


def test_a_certificate_of_nobody_is_refused_unless_it_is_allowed(
    small_registry, image, tmp_path: Path, system_command: Callable[[str], str]
) -> None:
    made = image()
    name, key, certificate = "/CN=localhost", tmp_path / "key.pem", tmp_path / "cert.pem"
    words = [
        system_command("openssl"),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        key,
        "-out",
        certificate,
    ]
    subprocess.run([*words, "-subj", name, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    server = small_registry()
    server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
    with server as state:
        with pytest.raises(RemoteError) as caught:
            push(made.layout, made.image, there(state), registry=_strict(at(state.host)))
        push(made.layout, made.image, there(state), registry=at(state.host, insecure=True))

    assert f"the certificate of {state.host} is not to be trusted" in str(caught.value)
    assert f"/etc/docker/certs.d/{state.host}/ca.crt" in str(caught.value)
    assert made.layers[0].digest in state.blobs


def _strict(registry: Registry) -> Registry:
    registry._plain = False
    return registry


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_FSIZE stands in for a full disk")
def test_a_full_disk_is_an_error_and_names_nothing(small_registry, image, tmp_path: Path) -> None:
    made = image((200_000,))
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "from pathlib import Path\nfrom bareboat.container.layout import Layout\n"
        "from bareboat.container.pull import pull\npull(sys.argv[1], Layout.create(Path(sys.argv[2])))"
    )

    with small_registry() as state:
        push(made.layout, made.image, there(state), registry=at(state.host))
        done = subprocess.run(
            [sys.executable, "-c", program, there(state), tmp_path / "other"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "HOME": str(tmp_path)},
        )

    assert done.returncode == 1
    assert PackagingError.__name__ in done.stderr
    assert "room on the disk" in done.stderr
    assert not Layout.open(tmp_path / "other").blob_path(made.layers[0].digest).exists()
    assert not list((tmp_path / "other").rglob(".tmp-*"))


def test_ctrl_c_ends_every_transfer(small_registry, image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = image((2_000_000, 2_000_001, 2_000_002))
    told: list[str] = []

    def interrupt(text: str) -> None:
        told.append(text)
        if "MB" in text:
            raise KeyboardInterrupt

    with small_registry() as state:
        push(made.layout, made.image, there(state), registry=at(state.host))
        with pytest.raises(KeyboardInterrupt):
            pull(there(state), Layout.create(tmp_path / "other"), on_step=interrupt, registry=at(state.host))

    assert not list((tmp_path / "other").rglob(".tmp-*"))


def test_the_command_line_pushes_and_pulls_and_says_what_it_did(small_registry, image, home: Path) -> None:
    made = image((30_000,))

    def bareboat(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bareboat", "image", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    made.layout.tag("app:1", made.image)
    with small_registry() as state:
        pushed = bareboat("push", str(made.layout.path), there(state))
        pulled = bareboat("pull", there(state), "--platform", "linux/amd64", "--json")
        again = bareboat("push", there(state))
        missing = bareboat("pull", there(state, "a/b:2"))
    nowhere = bareboat("push", str(made.layout.path))

    pinned = f"{state.host}/a/b@{made.image.digest}"
    assert (pushed.returncode, pushed.stdout) == (0, f"{pinned}\n")
    assert "2 parts sent" in pushed.stderr
    assert json.loads(pulled.stdout)["digest"] == made.image.digest
    assert json.loads(pulled.stdout)["platforms"] == ["linux/amd64"]
    assert "2 were there" in again.stderr
    assert missing.returncode == 3
    assert "did you mean" in missing.stderr
    assert nowhere.returncode == 2
    assert "app:1 says no registry to push it to" in nowhere.stderr
