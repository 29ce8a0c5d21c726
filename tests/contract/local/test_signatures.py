"""Signature Version 4, held against the signer of AWS's own SDK: what botocore signs is right, and nothing else."""

from __future__ import annotations

import calendar
import time
from typing import Any

import pytest

from bareboat.local.access.sigv4 import Credentials, SignatureError, verify
from bareboat.local.messages import Request

botocore_auth = pytest.importorskip("botocore.auth")
botocore_request = pytest.importorskip("botocore.awsrequest")
botocore_keys = pytest.importorskip("botocore.credentials")

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SESSION = Credentials("ASIAEXAMPLE", "secret+of/a+session", "a-session-token==")
KNOWN = {pair.access_key: pair for pair in (KEYS, SESSION)}
HOST = "127.0.0.1:3000"


def sent(
    method: str = "GET",
    target: str = "/x",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    pair: Credentials = KEYS,
    service: str = "execute-api",
    region: str = "eu-west-1",
    presigned_s: int | None = None,
) -> Request:
    """Return a request as botocore signs it, as it arrives on the wire."""
    keys = botocore_keys.Credentials(pair.access_key, pair.secret_key, pair.token or None)
    request = botocore_request.AWSRequest(method, f"http://{HOST}{target}", data=body, headers=headers or {})
    if presigned_s is None:
        botocore_auth.SigV4Auth(keys, service, region).add_auth(request)
    else:
        botocore_auth.SigV4QueryAuth(keys, service, region, expires=presigned_s).add_auth(request)
    prepared = request.prepare()
    on_the_wire = [("Host", HOST), *((name, _text(value)) for name, value in prepared.headers.items())]
    return Request(method, prepared.url.partition(HOST)[2], on_the_wire, body, ("127.0.0.1", 1))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def check(request: Request, *, at: float | None = None, service: str = "execute-api") -> Credentials:
    now = time.time() if at is None else at
    return verify(request, KNOWN.get, service=service, region="eu-west-1", now=now)


def code(request: Request, **more: Any) -> str:
    with pytest.raises(SignatureError) as error:
        check(request, **more)
    return error.value.code


TARGETS = [
    "/", "/x", "/a/b/c", "/x?a=1", "/x?b=2&a=1", "/x?a=2&a=1", "/x?a", "/x?a=", "/x?a=b%20c", "/x?a=%2B",
    "/x?%C3%A9=%C3%A9", "/caf%C3%A9", "/a%20b", "/a%2Fb", "/a+b", "/a:b;c=d,e@f", "/~a-b_c.d", "/x/",
    "/$default", "/x?a=1%262",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("presigned_s", [None, 60])
def test_what_botocore_signs_is_right(target, presigned_s):
    assert check(sent(target=target, presigned_s=presigned_s)) is KEYS


@pytest.mark.parametrize("body", [b"", b"{}", b"\x00\xff" * 500, "é".encode()])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_bodies_are_signed(method, body):
    assert check(sent(method, body=body, headers={"Content-Type": "application/json", "X-A": " a   b "})) is KEYS


@pytest.mark.parametrize("presigned_s", [None, 60])
def test_session_tokens_are_asked_for(presigned_s):
    assert check(sent(pair=SESSION, presigned_s=presigned_s)) is SESSION

    other = Credentials(SESSION.access_key, SESSION.secret_key, "another-token")
    assert code(sent(pair=other, presigned_s=presigned_s)) == "UnrecognizedClientException"
    none = Credentials(SESSION.access_key, SESSION.secret_key)
    assert code(sent(pair=none, presigned_s=presigned_s)) == "UnrecognizedClientException"


def test_function_urls_have_a_service_of_their_own():
    assert check(sent(service="lambda"), service="lambda") is KEYS
    assert code(sent(service="execute-api"), service="lambda") == "InvalidSignatureException"


def changed(request: Request, **changes: Any) -> Request:
    given = {"method": request.method, "target": request.target, "headers": request.headers, "body": request.body}
    return Request(**(given | changes), peer=request.peer)


def with_header(request: Request, name: str, value: str) -> list[tuple[str, str]]:
    return [(sent_name, value if sent_name == name else old) for sent_name, old in request.headers]


CHANGES = {
    "the method": lambda request: changed(request, method="POST"),
    "the path": lambda request: changed(request, target="/y?a=1"),
    "the path written otherwise": lambda request: changed(request, target="/%78?a=1"),
    "the path with a slash more": lambda request: changed(request, target="//x?a=1"),
    "the path with dots": lambda request: changed(request, target="/y/../x?a=1"),
    "the query": lambda request: changed(request, target="/x?a=2"),
    "a parameter more": lambda request: changed(request, target="/x?a=1&b=2"),
    "a signature in the query": lambda request: changed(request, target="/x?a=1&X-Amz-Signature=anything"),
    "no query": lambda request: changed(request, target="/x"),
    "the body": lambda request: changed(request, body=b"other"),
    "the host": lambda request: changed(request, headers=with_header(request, "Host", "127.0.0.1:3001")),
    "a signed header": lambda request: changed(request, headers=with_header(request, "X-Who", "bob")),
    "a signed header twice": lambda request: changed(request, headers=[*request.headers, ("X-Who", "bob")]),
    "a signed header gone": lambda request: changed(
        request, headers=[pair for pair in request.headers if pair[0] != "X-Who"]
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_is_not_right(change):
    request = sent(target="/x?a=1", body=b"body", headers={"X-Who": "ada"})
    assert check(request) is KEYS

    assert code(CHANGES[change](request)) == "InvalidSignatureException"


@pytest.mark.parametrize("change", ["the method", "the path", "a parameter more", "the body", "the host"])
def test_what_is_changed_of_a_presigned_request_is_not_right(change):
    request = sent(target="/x?a=1", presigned_s=60)
    changes = {"the path": lambda one: changed(one, target=one.target.replace("/x", "/y", 1))}
    changes["a parameter more"] = lambda one: changed(one, target=one.target + "&b=2")

    assert code((CHANGES | changes)[change](request)) == "InvalidSignatureException"


def test_another_secret_key_region_or_name_is_not_right():
    assert code(sent(pair=Credentials("AKIDEXAMPLE", "other"))) == "InvalidSignatureException"
    assert code(sent(pair=Credentials("AKIDOTHER", KEYS.secret_key))) == "UnrecognizedClientException"
    assert code(sent(region="us-east-1")) == "InvalidSignatureException"


def signed_at(request: Request) -> float:
    date = next(value for name, value in request.headers if name == "X-Amz-Date")
    return calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))


@pytest.mark.parametrize(("later_s", "is_right"), [(0, True), (299, True), (-299, True), (302, False), (-302, False)])
def test_a_signature_is_right_for_five_minutes(later_s, is_right):
    request = sent()
    at = signed_at(request) + later_s

    assert (check(request, at=at) is KEYS) if is_right else (code(request, at=at) == "InvalidSignatureException")


@pytest.mark.parametrize(("later_s", "is_right"), [(0, True), (50, True), (62, False), (-310, False)])
def test_a_presigned_request_is_right_for_as_long_as_it_says(later_s, is_right):
    request = sent(presigned_s=60)
    at = time.time() + later_s

    assert (check(request, at=at) is KEYS) if is_right else (code(request, at=at) == "InvalidSignatureException")


def test_a_request_without_a_signature_is_told_so():
    assert code(Request("GET", "/x", [("Host", HOST)], b"", ("127.0.0.1", 1))) == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer abc",
        "Basic YTpi",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a",
        "AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature=",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/x, SignedHeaders=host;x-amz-date, Signature=0",
        "AWS4-HMAC-SHA1 Credential=AKIDEXAMPLE/1/2/3/4, SignedHeaders=host;x-amz-date, Signature=0",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/1/2/3/4, SignedHeaders=x-amz-date, Signature=0",
    ],
)
def test_a_signature_that_is_none_is_not_complete(authorization):
    headers = [("Host", HOST), ("X-Amz-Date", "20231114T221320Z"), ("Authorization", authorization)]

    assert code(Request("GET", "/x", headers, b"", ("127.0.0.1", 1))) == "IncompleteSignatureException"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("X-Amz-Expires=60", "X-Amz-Expires=9999999"),
        ("X-Amz-Expires=60", "X-Amz-Expires=0"),
        ("X-Amz-Expires=60", "X-Amz-Expires=-1"),
        ("X-Amz-Expires=60", "X-Amz-Expires=60&X-Amz-Expires=600"),
        ("X-Amz-Expires=60", "X-Amz-Expires=x"),
        ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders="),
        ("X-Amz-Signature", "X-Amz-Other"),
        ("X-Amz-Date=2", "X-Amz-Date=x"),
    ],
)
def test_a_presigned_query_that_is_none_is_not_complete(old, new):
    request = sent(presigned_s=60)
    assert old in request.target

    assert code(changed(request, target=request.target.replace(old, new))) in {
        "IncompleteSignatureException",
        "InvalidSignatureException",
    }


def test_longer_than_signed_is_not_right():
    request = sent(presigned_s=60)

    longer = changed(request, target=request.target.replace("X-Amz-Expires=60", "X-Amz-Expires=600"))

    assert code(longer) == "InvalidSignatureException"


def test_a_week_is_the_longest_however_it_is_written():
    request = sent(presigned_s=60)

    longer = changed(request, target=request.target.replace("X-Amz-Expires=60", "X-Amz-Expires=00000000019999999"))

    assert code(longer) == "IncompleteSignatureException"
