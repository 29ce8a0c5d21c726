"""The keyword template against a web server on loopback that behaves well and badly."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest

Load = Callable[[str, str], ModuleType]


class Site(BaseHTTPRequestHandler):
    """Pages by their path; `seen` collects the Host headers."""

    seen: list[str] = []  # noqa: RUF012 - replaced for each server
    released: threading.Event

    def do_GET(self) -> None:
        self.seen.append(self.headers["Host"])
        getattr(self, "page_" + self.path.strip("/").partition("/")[0].partition("?")[0])()

    def log_message(self, *_args: object) -> None:
        """Keep quiet."""

    def send(self, body: bytes, *, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Type": "text/html", "Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def page_hello(self) -> None:
        self.send("<p>Grüße, Welt</p>".encode())

    def page_echo(self) -> None:
        self.send(self.path.encode())

    def page_missing(self) -> None:
        self.send(b"hello", status=404)

    def page_image(self) -> None:
        self.send(b"hello", Content_Type="image/png")

    def page_once(self) -> None:
        self.send(b"", status=302, Location="hello")

    def page_loop(self) -> None:
        self.send(b"", status=307, Location="/loop")

    def page_file(self) -> None:
        self.send(b"", status=301, Location="file:///etc/passwd")

    def page_metadata(self) -> None:
        self.send(b"", status=301, Location="http://169.254.169.254/latest/meta-data/")

    def page_endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(400):
                self.wfile.write(b"x" * 10_000)
        except OSError:
            pass  # the function has seen enough

    def page_cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"hello")

    def page_silent(self) -> None:
        self.released.wait(30)

    def page_dripping(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while not self.released.wait(0.05):
                self.wfile.write(b".")
                self.wfile.flush()
        except OSError:
            pass

    def page_headers(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        try:
            while not self.released.wait(0.05):
                self.wfile.write(b".")
                self.wfile.flush()
        except OSError:
            pass

    def page_garbage(self) -> None:
        self.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A web server, for a function that may fetch from loopback."""
    monkeypatch.setenv("KEYWORD_ALLOW_PRIVATE", "1")
    handler = type("TestSite", (Site,), {"seen": [], "released": threading.Event()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        handler.released.set()
        server.shutdown()
        thread.join()


def ask(handler: ModuleType, url: str, keyword: str = "hello") -> tuple[int, Any]:
    answer = handler.keyword({"queryStringParameters": {"url": url, "keyword": keyword}}, None)
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize(
    ("path", "keyword", "exist"),
    [
        ("/hello", "Grüße", True),
        ("/hello", "Hallo", False),
        ("/once", "Welt", True),
        ("/echo/ü?a=b#c", "/echo/%C3%BC?a=b", True),
    ],
)
def test_a_page_is_fetched_and_searched(load_template: Load, site: str, path: str, keyword: str, exist: bool) -> None:
    assert ask(load_template("keyword", "handler"), site + path, keyword) == (200, {"exist": exist})


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/missing", "The page answers with status 404"),
        ("/image", "The page is no text but image/png"),
        ("/loop", "The page redirects more than 5 times"),
        ("/file", "The page redirects to a URL that is refused: url must begin with http:// or https://"),
        ("/endless", "The page is larger than 2000000 bytes"),
        ("/cut", "The page ends too early"),
        ("/garbage", "The page's host does not answer as a web server"),
    ],
)
def test_a_page_that_cannot_be_had_is_a_502(load_template: Load, site: str, path: str, message: str) -> None:
    assert ask(load_template("keyword", "handler"), site + path) == (502, {"message": message})


@pytest.mark.parametrize("path", ["/silent", "/dripping", "/headers"])
def test_a_page_that_takes_too_long_is_a_504_and_its_connection_is_ended(
    load_template: Load, site: str, path: str
) -> None:
    handler = load_template("keyword", "handler")
    handler.TIMEOUT_S = 0.5  # type: ignore[attr-defined]
    before = threading.active_count()

    started = time.monotonic()
    status, body = ask(handler, site + path)

    assert (status, body) == (504, {"message": "The page took longer than 0.5 seconds"})
    assert time.monotonic() - started < 3
    deadline = time.monotonic() + 5
    while threading.active_count() > before + 1 and time.monotonic() < deadline:  # the server's own thread may wait
        time.sleep(0.01)
    assert threading.active_count() <= before + 1


def test_a_port_where_nobody_listens_is_a_502(load_template: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYWORD_ALLOW_PRIVATE", "1")
    with socket.socket() as bound:  # bound but not listening: connections are refused
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/"

        assert ask(load_template("keyword", "handler"), url) == (
            502,
            {"message": "The page's host refuses the connection"},
        )


def test_https_to_a_server_without_tls_is_a_502(load_template: Load, site: str) -> None:
    status, body = ask(load_template("keyword", "handler"), site.replace("http:", "https:") + "/hello")

    assert status == 502
    assert body["message"].startswith("The page's host offers no connection to trust")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_without_leave_a_private_address_is_refused_however_it_is_written(
    load_template: Load, site: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEYWORD_ALLOW_PRIVATE")
    url = f"{site.replace('127.0.0.1', host)}/hello"

    status, body = ask(load_template("keyword", "handler"), url)

    # A machine without IPv6, or a libc that takes no short forms, does not know some of these hosts at all.
    assert (status, body) in [
        (400, {"message": "url leads to an address that is not public"}),
        (502, {"message": "The page's host is not known"}),
    ]


def test_a_redirect_to_a_private_address_is_refused_and_each_hop_is_looked_up_once(
    load_template: Load, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEYWORD_ALLOW_PRIVATE")
    page = load_template("keyword", "page")
    port = int(site.rpartition(":")[2])
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, service: int, **options: Any) -> Any:
        looked_up.append(host)
        return real("127.0.0.1" if host == "public.example" else host, service, **options)

    monkeypatch.setattr(page.socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(page, "is_public", lambda address: address == "127.0.0.1")  # loopback plays the open internet

    with pytest.raises(page.Refused) as refused:
        page.fetch(f"http://public.example:{port}/metadata", timeout_s=5)

    assert refused.value.status == 502
    assert "redirects to a URL that is refused: url leads to an address that is not public" in str(refused.value)
    assert looked_up == ["public.example", "169.254.169.254"]


def test_the_host_header_is_the_name_although_the_connection_goes_to_the_checked_address(
    load_template: Load, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = load_template("keyword", "page")
    port = int(site.rpartition(":")[2])
    real = socket.getaddrinfo
    monkeypatch.setattr(page.socket, "getaddrinfo", lambda _host, service, **kw: real("127.0.0.1", service, **kw))
    seen: list[str] = []
    original = Site.page_hello
    monkeypatch.setattr(Site, "page_hello", lambda self: (seen.append(self.headers["Host"]), original(self)))

    page.fetch(f"http://public.example:{port}/hello", timeout_s=5)

    assert seen == [f"public.example:{port}"]
