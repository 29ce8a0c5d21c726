"""JWT authorizers: whose tokens an HTTP API takes, and what its functions are told of them.

The tokens are made here by hand, so that they can be wrong in each way; the right ones are made by PyJWT.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bareboat.local.access.jwks import FLOOR_S, KEPT_S, KeysUnreachableError
from bareboat.local.access.jwt_guard import jwt_guard
from bareboat.local.access.tokens import claim_text
from bareboat.local.gateway.call import Api, Call
from bareboat.local.gateway.routes import Route
from bareboat.local.messages import Request
from bareboat.local.verdict import Allowed, Refused
from bareboat.service.api import JwtAuthorizer
from bareboat.service.model import Place

HERE = Place("serverless.yml", 1, 1)
NOW = 1_700_000_000
ISSUER = "https://issuer.example"
JWT = JwtAuthorizer("people", HERE, ISSUER, ("client-1", "client-2"))
CLAIMS = {"iss": ISSUER, "aud": "client-1", "sub": "ada", "exp": NOW + 60, "iat": NOW - 60}


@cache
def rsa_key(number: int = 0) -> RSAPrivateKey:
    """A key pair, the same for the same number; made once, since that takes a while."""
    return generate_private_key(public_exponent=65_537, key_size=2048)


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def token(claims: dict[str, Any] | None = None, *, key: int = 0, alg: str = "RS256", **header: Any) -> str:
    """A token that PyJWT signs; its header names the key `key-0` unless it is told otherwise."""
    named = {"kid": f"key-{key}"} | header
    return jwt.encode(CLAIMS if claims is None else claims, rsa_key(key), algorithm=alg, headers=named)


def jwk(key: int = 0, **more: Any) -> dict[str, Any]:
    entry = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(key).public_key()))
    return {**entry, "kid": f"key-{key}", "use": "sig", **more}


class Issuer:
    """Answers for the issuer's two documents, and counts."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys) or [jwk()]
        self.asked: list[str] = []
        self.is_down = False

    def __call__(self, address: str) -> bytes:
        self.asked.append(address)
        if self.is_down:
            raise KeysUnreachableError("connection refused")
        if address == f"{ISSUER}/.well-known/openid-configuration":
            return json.dumps({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}).encode()
        assert address == f"{ISSUER}/keys", "nothing else is ever asked for"
        return json.dumps({"keys": self.keys}).encode()


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def api(make, issuer):
    return make.http_api(JWT, settings={"fetch": issuer})


def said(response) -> tuple[int, bytes, str]:
    found = dict(response.headers).get("www-authenticate", "")
    return response.status, response.body, found


def refused(description: str) -> tuple[int, bytes, str]:
    header = f'Bearer scope="" error="invalid_token" error_description="{description}"'
    return 401, b'{"message":"Unauthorized"}', header


def test_a_right_token_lets_in(api):
    response = api.get(headers={"Authorization": f"Bearer {token()}"})

    assert response.status == 200
    told = json.loads(response.body)["authorizer"]
    assert told == {
        "jwt": {
            "claims": {
                "iss": ISSUER,
                "aud": "client-1",
                "sub": "ada",
                "exp": "1700000060",
                "iat": "1699999940",
            },
            "scopes": None,
        }
    }
    assert api.records[0].authorizer == "people"


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512"])
@pytest.mark.parametrize("prefix", ["", "Bearer ", "bearer ", "BEARER  "])
def test_each_rsa_algorithm_is_taken_with_the_prefix_or_without(api, alg, prefix):
    response = api.get(headers={"authorization": prefix + token(alg=alg)})

    assert response.status == 200


def test_no_token_is_told_so(api):
    assert said(api.get()) == (401, b'{"message":"Unauthorized"}', "Bearer")
    assert said(api.get(headers={"Authorization": ""})) == (401, b'{"message":"Unauthorized"}', "Bearer")
    assert said(api.get(headers={"Authorization": "Bearer "})) == (401, b'{"message":"Unauthorized"}', "Bearer")
    assert api.cloud.calls == []


def test_what_is_no_token_is_told_as_aws_tells_it(api):
    assert said(api.get(headers={"Authorization": "Bearer not-a-token"})) == refused(
        "token contains an invalid number of segments"
    )


def unsigned(header: dict[str, Any], claims: dict[str, Any] | None = None, signature: bytes = b"") -> str:
    parts = [json.dumps(part).encode() for part in (header, CLAIMS if claims is None else claims)]
    return ".".join([*(encoded(part) for part in parts), encoded(signature)])


def hs256_with_the_public_key() -> str:
    secret = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = unsigned({"alg": "HS256", "typ": "JWT", "kid": "key-0"}).rpartition(".")[0]
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"


def tampered() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{encoded(json.dumps({**CLAIMS, 'sub': 'mallory'}).encode())}.{signature}"


ATTACKS = {
    "alg none": lambda: unsigned({"alg": "none", "kid": "key-0"}),
    "alg NoNe": lambda: unsigned({"alg": "NoNe", "kid": "key-0"}),
    "alg none with a right signature": lambda: (
        unsigned({"alg": "none", "kid": "key-0"}).rpartition(".")[0] + "." + token().rpartition(".")[2]
    ),
    "alg empty": lambda: unsigned({"alg": "", "kid": "key-0"}),
    "alg with a line break": lambda: unsigned({"alg": "RS256\r\nSet-Cookie: a=b", "kid": "key-0"}),
    "alg missing": lambda: unsigned({"kid": "key-0"}),
    "alg is a list": lambda: unsigned({"alg": ["RS256"], "kid": "key-0"}),
    "HS256 with the public key": hs256_with_the_public_key,
    "PS256": lambda: token(alg="PS256"),
    "a foreign key under the issuer's kid": lambda: token(key=1, kid="key-0"),
    "a kid that the issuer has not": lambda: token(kid="other"),
    "the local kid without a local key": lambda: token(kid="bareboat-abc"),
    "no kid": lambda: jwt.encode(CLAIMS, rsa_key(), algorithm="RS256"),
    "a kid that is no text": lambda: unsigned({"alg": "RS256", "kid": 0}),
    "a kid that is a path": lambda: token(key=1, kid="../../../../dev/null"),
    "a tampered payload": tampered,
    "no signature": lambda: token().rpartition(".")[0] + ".",
    "another algorithm than signed with": lambda: (
        encoded(b'{"alg":"RS512","kid":"key-0"}') + "." + token().partition(".")[2]
    ),
    "jku to a foreign key": lambda: token(key=1, jku="https://evil.example/keys"),
    "x5u to a foreign key": lambda: token(key=1, kid="key-0", x5u="https://evil.example/cert"),
    "an embedded foreign key": lambda: token(key=1, kid="key-0", jwk=jwk(1, kid="key-0")),
    "crit": lambda: token(crit=["exp"]),
    "an unencoded payload": lambda: unsigned({"alg": "RS256", "kid": "key-0", "b64": False}),
    "five segments": lambda: token() + ".a.b",
    "an encrypted token's shape": lambda: "a.b.c.d.e",
    "a header that is no JSON": lambda: "AAAA." + token().partition(".")[2],
    "a header that is a list": lambda: encoded(b"[]") + ".e30.AA",
    "a header nested too deeply": lambda: encoded(b"[" * 9000 + b"]" * 9000) + ".e30.AA",
    "a payload that is a list": lambda: jwt.PyJWS().encode(b"[]", rsa_key(), "RS256", headers={"kid": "key-0"}),
    "a payload that is no JSON": lambda: jwt.PyJWS().encode(b"{", rsa_key(), "RS256", headers={"kid": "key-0"}),
    "huge": lambda: token({**CLAIMS, "x": "y" * 20_000}),
    "not ASCII": lambda: token()[:-3] + "\xe9\xe9\xe9",
    "two dots": lambda: "..",
    "a line break": lambda: token().replace(".", ".\n", 1),
    "another issuer": lambda: token({**CLAIMS, "iss": "https://evil.example"}),
    "an issuer with a slash more": lambda: token({**CLAIMS, "iss": ISSUER + "/"}),
    "no issuer": lambda: token({name: value for name, value in CLAIMS.items() if name != "iss"}),
    "an issuer in a list": lambda: jwt.PyJWS().encode(
        json.dumps({**CLAIMS, "iss": [ISSUER]}).encode(), rsa_key(), "RS256", headers={"kid": "key-0"}
    ),
    "another audience": lambda: token({**CLAIMS, "aud": "client-3"}),
    "another audience and a right client_id": lambda: token({**CLAIMS, "aud": "client-3", "client_id": "client-1"}),
    "an empty audience and a right client_id": lambda: token({**CLAIMS, "aud": [], "client_id": "client-1"}),
    "no audience": lambda: token({name: value for name, value in CLAIMS.items() if name != "aud"}),
    "expired": lambda: token({**CLAIMS, "exp": NOW - 1}),
    "expires now": lambda: token({**CLAIMS, "exp": NOW}),
    "no exp": lambda: token({name: value for name, value in CLAIMS.items() if name != "exp"}),
    "an exp that is text": lambda: token({**CLAIMS, "exp": str(NOW + 60)}),
    "an exp that is true": lambda: token({**CLAIMS, "exp": True}),
    "an exp that is infinite": lambda: token({**CLAIMS, "exp": float("inf")}),
    "an exp that is no number": lambda: token({**CLAIMS, "exp": float("nan")}),
    "nbf in the future": lambda: token({**CLAIMS, "nbf": NOW + 10}),
    "iat in the future": lambda: token({**CLAIMS, "iat": NOW + 10}),
}


def test_the_log_says_which_key_the_signature_does_not_fit(api, issuer):
    response = api.get(headers={"Authorization": f"Bearer {ATTACKS['jku to a foreign key']()}"})

    assert b"verification error" not in response.body
    assert api.records[-1].error.startswith(("the signature does not fit the key", "the issuer has no such key"))


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_not_right_lets_nobody_in(api, issuer, attack):
    response = api.get(headers={"Authorization": f"Bearer {ATTACKS[attack]()}"})

    assert (response.status, response.body) == (401, b'{"message":"Unauthorized"}')
    assert dict(response.headers)["www-authenticate"].startswith('Bearer scope="" error="invalid_token"')
    assert all(value.isprintable() for _, value in response.headers)
    assert api.cloud.calls == []
    assert {address for address in issuer.asked if not address.startswith(ISSUER)} == set()
    assert (api.records[0].refused, api.records[0].authorizer) == ("UNAUTHORIZED", "people")


def test_the_audience_is_told_as_aws_tells_it(api):
    response = api.get(headers={"Authorization": token({**CLAIMS, "aud": "client-3"})})

    assert said(response) == refused("the token does not have a valid audience")


@pytest.mark.parametrize("order", [0, 1])
def test_a_second_authorization_header_lets_nobody_in(api, order):
    headers = [("Authorization", f"Bearer {token()}"), ("authorization", "Bearer x")]

    response = api.get(headers=headers[::-1] if order else headers)

    assert response.status == 401


@pytest.mark.parametrize(
    "claims", [{"aud": ["other", "client-2"]}, {"aud": None, "client_id": "client-2"}, {"nbf": NOW}, {"iat": NOW}]
)
def test_audiences_and_moments_that_are_right(api, claims):
    given = {name: value for name, value in (CLAIMS | claims).items() if value is not None}

    assert api.get(headers={"Authorization": token(given)}).status == 200


def test_a_token_expires_while_it_is_kept(api, make):
    right = {"Authorization": token()}

    first = api.get(headers=right).status
    make.now.at += 61

    assert (first, api.get(headers=right).status) == (200, 401)


@pytest.mark.parametrize(
    ("claims", "asked", "status"),
    [
        ({"scope": "read write"}, ("write",), 200),
        ({"scope": "read"}, ("write",), 403),
        ({"scp": ["write"]}, ("read", "write"), 200),
        ({"scp": "write"}, ("write",), 200),
        ({"scope": "", "scp": "write"}, ("write",), 403),
        ({"scope": "writer"}, ("write",), 403),
        ({}, ("write",), 403),
    ],
)
def test_a_token_needs_one_of_the_route_s_scopes(make, issuer, claims, asked, status):
    api = make.http_api(JWT, scopes=asked, settings={"fetch": issuer})

    response = api.get(headers={"Authorization": token({**CLAIMS, **claims})})

    assert response.status == status
    if status == 403:
        assert response.body == b'{"message":"Forbidden"}'
        assert dict(response.headers)["www-authenticate"].endswith('error="insufficient_scope"')
        assert api.records[0].refused == "ACCESS_DENIED"


def test_a_kept_token_is_judged_by_the_scopes_of_each_route(tmp_path):
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [jwk()]}))
    guard = jwt_guard(replace(JWT, jwks=str(keys)), now=lambda: NOW)
    sent = [("Authorization", token({**CLAIMS, "scope": "read"}))]
    call = Call(Request("GET", "/a", sent, b"", ("127.0.0.1", 1)), Api("a"))
    route = Route("GET /a", "GET", "/a", "a", "2.0", 30.0)

    for _ in range(2):
        assert type(guard.check(call, route, ("read",))) is Allowed
        assert type(guard.check(call, route, ("write",))) is Refused
        assert type(guard.check(call, route, ())) is Allowed


def test_scopes_are_told_where_the_route_asks_for_them(make, issuer):
    api = make.http_api(JWT, scopes=("read",), settings={"fetch": issuer})

    response = api.get(headers={"Authorization": token({**CLAIMS, "scope": "read write"})})

    assert json.loads(response.body)["authorizer"]["jwt"]["scopes"] == ["read", "write"]


def test_format_1_0_tells_claims_without_a_key_of_their_own(make, issuer):
    api = make.http_api(JWT, payload="1.0", settings={"fetch": issuer})

    told = json.loads(api.get(headers={"Authorization": token()}).body)["authorizer"]

    assert sorted(told) == ["claims", "scopes"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (1_700_000_000, "1700000000"),
        (True, "true"),
        (["admin", "user"], "[admin user]"),
        ([], "[]"),
        ({"b": 1, "a": [2]}, "map[a:[2] b:1]"),
    ],
)
def test_claims_become_text(value, text):
    assert claim_text(value) == text


def test_a_token_in_the_query(make, issuer):
    api = make.http_api(replace(JWT, identity_source="$request.querystring.token"), settings={"fetch": issuer})

    assert api.get(f"/x?token={token()}").status == 200
    assert api.get(f"/x?token={token()}&token={token()}").status == 401
    assert api.get("/x", headers={"Authorization": token()}).status == 401


def test_keys_are_fetched_once(api, issuer):
    for _ in range(3):
        assert api.get(headers={"Authorization": token()}).status == 200

    assert issuer.asked == [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/keys"]


def test_requests_at_once_share_a_fetch(api, issuer):
    async def run():
        return await asyncio.gather(*(api.send("GET", "/x", {"Authorization": token()}) for _ in range(5)))

    assert [response.status for response in asyncio.run(run())] == [200] * 5
    assert len(issuer.asked) == 2


def test_a_new_key_is_found_once_the_floor_has_passed(api, issuer, make):
    api.get(headers={"Authorization": token()})
    issuer.keys.append(jwk(1))
    new = {"Authorization": token(key=1)}

    early = [api.get(headers=new).status for _ in range(20)]
    make.now.at += FLOOR_S
    late = api.get(headers=new).status

    assert (set(early), late) == ({401}, 200)
    assert len(issuer.asked) == 4


def test_a_key_that_is_withdrawn_lets_nobody_in_after_two_hours(api, issuer, make):
    make.now.at -= KEPT_S
    old = {"Authorization": token({**CLAIMS, "iat": make.now.at, "exp": NOW + KEPT_S})}
    before = api.get(headers=old).status
    issuer.keys[:] = [jwk(1)]

    make.now.at += KEPT_S + 1

    assert (before, api.get(headers=old).status) == (200, 401)


def test_an_issuer_that_cannot_be_reached_lets_nobody_in(api, issuer, make):
    issuer.is_down = True

    assert said(api.get(headers={"Authorization": token()})) == refused("OIDC discovery endpoint communication error")
    issuer.is_down = False
    make.now.at += FLOOR_S
    assert api.get(headers={"Authorization": token()}).status == 200


@pytest.mark.parametrize(
    "document", [b"", b"{", b"[]", b'{"keys":{}}', b'{"keys":[1,null,{}]}', b"[" * 100_000, b'{"keys":[{"kty":"RSA"}]}']
)
def test_a_key_set_that_is_none_lets_nobody_in(make, document):
    api = make.http_api(replace(JWT, jwks="https://issuer.example/keys"), settings={"fetch": lambda _: document})

    assert api.get(headers={"Authorization": token()}).status == 401


@pytest.mark.parametrize(
    "change", [{"use": "enc"}, {"kty": "oct", "k": "AAAA"}, {"alg": "RS512"}, {"kid": ""}, {"e": 3}, {"n": "AQAB"}]
)
def test_a_key_for_something_else_lets_nobody_in(make, change):
    api = make.http_api(JWT, settings={"fetch": Issuer(jwk(**change))})

    assert api.get(headers={"Authorization": token()}).status == 401


def test_keys_of_a_file_follow_the_file(make, tmp_path):
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [jwk(1)]}))
    api = make.http_api(replace(JWT, jwks=str(path)))

    before = api.get(headers={"Authorization": token()}).status
    path.write_text(json.dumps({"keys": [jwk(0), jwk(1)]}))
    after = api.get(headers={"Authorization": token()}).status
    path.unlink()

    assert (before, after) == (401, 200)
    assert api.get(headers={"Authorization": token()}).status == 401


def test_an_unknown_identity_source_lets_nobody_in(make):
    api = make.http_api(replace(JWT, identity_source="$request.body.token"))

    assert api.get(headers={"Authorization": token()}).status == 500
    assert api.cloud.calls == []


def test_an_exception_in_a_guard_lets_nobody_in(make):
    def broken(_address: str) -> bytes:
        raise ZeroDivisionError("a bug")

    api = make.http_api(JWT, settings={"fetch": broken})

    response = api.get(headers={"Authorization": token()})

    assert (response.status, response.body) == (500, b'{"message":"Internal Server Error"}')
    assert api.records[0].error == "ZeroDivisionError: a bug"
    assert api.cloud.calls == []
