from __future__ import annotations

import pytest

from bareboat.local.addresses import is_loopback_name
from bareboat.local.guard import foreign
from bareboat.local.messages import Request


def request(*headers: tuple[str, str]) -> Request:
    return Request("POST", "/", list(headers), b"", ("127.0.0.1", 5000))


@pytest.mark.parametrize(
    "host", ["127.0.0.1:3002", "localhost:3002", "LOCALHOST", "[::1]:3002", "127.8.9.1", "lambda.localhost:80"]
)
def test_a_program_of_this_machine_is_let_in(host: str) -> None:
    assert foreign(request(("Host", host))) == ""


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:3002",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "",
        "10.0.0.1",
        "0.0.0.0:3002",
        "[::2]:1",
        "[::1].evil.example",
        "[::1]evil",
        "[::1]:x",
        "127.0.0.1:x.evil",
    ],
)
def test_a_name_that_a_page_could_own_is_refused(host: str) -> None:
    assert "the Host is" in foreign(request(("Host", host)))


def test_a_page_of_another_origin_is_refused() -> None:
    assert "https://evil.example" in foreign(request(("Host", "127.0.0.1:3002"), ("Origin", "https://evil.example")))
    assert foreign(request(("Host", "127.0.0.1:3002"), ("origin", "null")))


def test_a_page_of_its_own_is_let_in_and_another_port_is_not() -> None:
    own = ("http://127.0.0.1:3100",)

    assert foreign(request(("Host", "127.0.0.1:3100"), ("Origin", "http://127.0.0.1:3100")), own_origins=own) == ""
    assert foreign(request(("Host", "127.0.0.1:3100"), ("Origin", "http://127.0.0.1:3000")), own_origins=own)


@pytest.mark.parametrize(("site", "refused"), [("cross-site", 1), ("same-site", 1), ("same-origin", 0), ("none", 0)])
def test_an_image_of_another_page_is_refused(site: str, refused: int) -> None:
    assert bool(foreign(request(("Host", "localhost:1"), ("Sec-Fetch-Site", site)))) is bool(refused)


def test_a_dot_at_the_end_is_the_same_name() -> None:
    assert is_loopback_name("localhost.")
    assert not is_loopback_name("localhost.com.")
