"""The keyword template, without a network: its parameters, the URLs that it takes, how it decodes pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from email.message import Message
from types import ModuleType
from typing import Any

import pytest

Load = Callable[[str, str], ModuleType]


@pytest.fixture
def page(load_template: Load) -> ModuleType:
    return load_template("keyword", "page")


@pytest.fixture
def handler(load_template: Load) -> ModuleType:
    """The handler with a web of one page."""
    module = load_template("keyword", "handler")

    def fetch(url: str, *, timeout_s: float) -> str:
        assert timeout_s == 10
        return f"<p>You asked for {url}</p>"

    module.fetch = fetch  # type: ignore[attr-defined]
    return module


def call(handler: ModuleType, event: dict[str, Any]) -> tuple[int, Any]:
    answer = handler.keyword(event, None)
    assert answer["headers"] == {"content-type": "application/json"}
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize(("word", "exist"), [("asked", True), ("http://a.example", True), ("ASKED", False)])
def test_the_keyword_is_looked_for_in_the_page(handler: ModuleType, word: str, exist: bool) -> None:
    given = {"url": "http://a.example", "keyword": word}

    assert call(handler, {"queryStringParameters": given}) == (200, {"exist": exist})
    assert call(handler, {"body": json.dumps(given)}) == (200, {"exist": exist})
    encoded = base64.b64encode(json.dumps(given).encode()).decode()
    assert call(handler, {"body": encoded, "isBase64Encoded": True}) == (200, {"exist": exist})


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "url is missing"),
        ({"queryStringParameters": None, "body": None}, "url is missing"),
        ({"queryStringParameters": {"url": "http://a.example"}}, "keyword is missing"),
        ({"queryStringParameters": {"url": "", "keyword": "k"}}, "url must be a text that is not empty"),
        ({"body": '{"url": "http://a.example", "keyword": 5}'}, "keyword must be a text that is not empty"),
        ({"body": '{"url": null, "keyword": "k"}'}, "url must be a text that is not empty"),
        ({"body": '["url"]'}, "The body must be an object with url and keyword"),
        ({"body": "url=1"}, "The body is not JSON"),
        ({"body": "[" * 100_000}, "The body is not JSON"),
        ({"body": "/w==", "isBase64Encoded": True}, "The body is not JSON"),
        ({"body": "!", "isBase64Encoded": True}, "The body is not JSON"),
        (
            {"queryStringParameters": {"url": "http://a.example", "keyword": "k" * 201}},
            "keyword is longer than 200 characters",
        ),
        (
            {
                "queryStringParameters": {"url": "b", "keyword": "k"},
                "multiValueQueryStringParameters": {"url": ["a", "b"], "keyword": ["k"]},
            },
            "url is given more than once",
        ),
    ],
)
def test_parameters_that_do_not_fit_are_a_400(handler: ModuleType, event: dict[str, Any], message: str) -> None:
    assert call(handler, event) == (400, {"message": message})


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://a.example", ("http", "a.example", 80, "/")),
        ("https://A.example:8443/b?c=d#e", ("https", "a.example", 8443, "/b?c=d")),
        ("HTTPS://[2606:4700::1111]/", ("https", "2606:4700::1111", 443, "/")),
        ("http://bücher.example/ü?q=ß&p=%20", ("http", "xn--bcher-kva.example", 80, "/%C3%BC?q=%C3%9F&p=%20")),
    ],
)
def test_a_url_is_parsed(page: ModuleType, url: str, parts: tuple[object, ...]) -> None:
    assert page.parse(url) == parts


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("file:///etc/passwd", "url must begin with http:// or https://"),
        ("ftp://a.example", "url must begin with http:// or https://"),
        ("//a.example", "url must begin with http:// or https://"),
        ("a.example", "url must begin with http:// or https://"),
        ("http://", "url names no host"),
        ("http:///path", "url names no host"),
        ("http://user:secret@a.example", "url must not hold a user name or a password"),
        ("http://a.example@169.254.169.254/", "url must not hold a user name or a password"),
        ("http://[::1", "url is not a URL"),
        ("http://a.example:99999", "url is not a URL"),
        ("http://a.example:x", "url is not a URL"),
        (f"http://{'a' * 64}.example", "url is not a URL"),
        ("http://a..example", "url is not a URL"),
        ("http://a.example/\r\nHost: b", "url holds a space or a control character"),
        ("http://a.example/ b", "url holds a space or a control character"),
        (f"http://a.example/{'b' * 2048}", "url is longer than 2048 characters"),
    ],
)
def test_a_url_that_is_not_one_to_fetch_is_a_400(page: ModuleType, url: str, message: str) -> None:
    with pytest.raises(page.Refused) as refused:
        page.parse(url)

    assert (refused.value.status, str(refused.value)) == (400, message)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:4700:4700::1111", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"]
)
def test_an_address_of_the_open_internet_is_public(page: ModuleType, address: str) -> None:
    assert page.is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # where a cloud machine finds its credentials
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2001:0:0:0:0:0:80ff:fffe",  # Teredo: the last 32 bits are 127.0.0.1, inverted
    ],
)
def test_no_other_address_is_public(page: ModuleType, address: str) -> None:
    assert not page.is_public(address)


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["93.184.215.14", "10.0.0.1"]], ids=["private", "one of two is private"]
)
def test_a_host_is_refused_unless_all_its_addresses_are_public(
    page: ModuleType, addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(page.socket.AF_INET, page.socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]
    monkeypatch.setattr(page.socket, "getaddrinfo", lambda *_args, **_kw: found)

    with pytest.raises(page.Refused) as refused:
        page.resolve("rebinding.example", 80)
    assert (refused.value.status, str(refused.value)) == (400, "url leads to an address that is not public")

    monkeypatch.setenv("KEYWORD_ALLOW_PRIVATE", "1")
    assert [address for _, (address, _) in page.resolve("rebinding.example", 80)] == addresses


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/html", "é".encode(), "é"),
        ("text/html; charset=iso-8859-1", b"\xe9", "é"),
        ('text/html; charset="UTF-16LE"', "é".encode("utf-16-le"), "é"),
        ("text/html", "\ufeffé".encode("utf-16-le"), "é"),
        ("text/html; charset=latin-1", "\ufeffé".encode(), "é"),
        ("text/html", b'<meta charset="cp1252">\x80', '<meta charset="cp1252">€'),
        ("text/html", b"<meta http-equiv=a content='text/html; charset=latin-1'>\xe9", None),
        ("text/html; charset=klingon", "é".encode(), "é"),
        ("text/html; charset=base64", "é".encode(), "é"),
        ("text/html; charset=punycode", "é".encode(), "é"),
        ("text/html", b"a\xffb", "a\ufffdb"),
        (None, b"plain", "plain"),
    ],
)
def test_a_page_is_decoded(page: ModuleType, content_type: str | None, body: bytes, text: str | None) -> None:
    headers = Message()
    if content_type:
        headers["Content-Type"] = content_type

    decoded = page.decode(headers, body)

    assert decoded == text if text is not None else decoded.endswith("é")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("Content-Type", "image/png", "The page is no text but image/png"),
        ("Content-Type", "application/octet-stream", "The page is no text but application/octet-stream"),
        ("Content-Encoding", "gzip", "The page is compressed, although that was not asked for"),
        ("Content-Length", "2000001", "The page is larger than 2000000 bytes"),
    ],
)
def test_what_is_no_text_or_too_large_is_known_by_its_headers(
    page: ModuleType, name: str, value: str, message: str
) -> None:
    headers = Message()
    headers[name] = value

    with pytest.raises(page.Refused) as refused:
        page.check_headers(headers)

    assert (refused.value.status, str(refused.value)) == (502, message)


@pytest.mark.parametrize(
    "kind", ["text/html; charset=utf-8", "application/xhtml+xml", "application/json", "text/plain"]
)
def test_texts_are_taken(page: ModuleType, kind: str) -> None:
    headers = Message()
    headers["Content-Type"] = kind

    page.check_headers(headers)


def test_bytes_without_a_type_that_hold_a_nul_are_no_text(page: ModuleType) -> None:
    with pytest.raises(page.Refused, match="no text"):
        page.decode(Message(), b"\x7fELF\0\0")
