"""Every route behind every kind of access control, walked with no, a wrong, an expired and a right credential.

The service is served as `bareboat serve` does it. Each function that is behind a route tells a secret; whatever the
request looks like, it is not called without the credential that its configuration demands.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import json
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from bareboat.artifact.model import Artifact
from bareboat.local.access.mint import Wish, mint
from bareboat.local.access.settings import secrets_of
from bareboat.local.cloud import LocalCloud
from bareboat.local.invocation import Invocation
from bareboat.packaging.target import host_target
from bareboat.service import load_service
from bareboat.service.model import Service

botocore_auth = pytest.importorskip("botocore.auth")
botocore_request = pytest.importorskip("botocore.awsrequest")
botocore_keys = pytest.importorskip("botocore.credentials")

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
REGION = "eu-west-1"
KEY = "an-api-key-of-twenty-letters"
YML = f"""
service: walk
provider:
  name: aws
  runtime: python{MINOR}
  region: {REGION}
  httpApi:
    cors: true
    authorizers:
      people: {{type: jwt, issuerUrl: https://issuer.example, audience: [web]}}
      simple:
        type: request
        functionName: simple
        identitySource: $request.header.X-Who
        enableSimpleResponses: true
        resultTtlInSeconds: 300
      policy: {{type: request, functionName: policy, identitySource: $request.header.X-Who, payloadVersion: '1.0'}}
  apiGateway:
    apiKeys: [{{name: web, value: {KEY}}}]
    usagePlan: {{quota: {{limit: 100000, period: MONTH}}}}
functions:
  simple: {{handler: app.simple}}
  policy: {{handler: app.policy}}
  jwt:
    handler: app.secret
    events:
      - httpApi: {{path: /jwt, method: get, authorizer: people}}
      - httpApi: {{path: '/jwt/any/{{proxy+}}', method: '*', authorizer: people}}
      - httpApi: {{path: /jwt/scoped, method: post, authorizer: {{name: people, scopes: [write]}}}}
      - http:
          path: cognito
          method: get
          authorizer: {{name: pool, arn: 'arn:aws:cognito-idp:{REGION}:1:userpool/{REGION}_x'}}
  lambda:
    handler: app.secret
    events:
      - httpApi: {{path: /simple, method: get, authorizer: simple}}
      - httpApi: {{path: '/simple/{{id}}', method: '*', authorizer: simple}}
      - httpApi: {{path: /policy, method: get, authorizer: policy}}
      - http: {{path: token, method: get, authorizer: {{name: policy, identitySource: method.request.header.X-Who}}}}
      - http:
          path: request/{{proxy+}}
          method: any
          authorizer: {{name: policy, type: request, identitySource: method.request.header.X-Who}}
  iam:
    handler: app.secret
    url: {{authorizer: aws_iam}}
    events:
      - httpApi: {{path: /iam, method: get, authorizer: {{type: aws_iam}}}}
      - http: {{path: iam, method: get, authorizer: aws_iam}}
  key:
    handler: app.secret
    events:
      - http: {{path: key, method: get, private: true, cors: true}}
      - http: {{path: 'keys/{{proxy+}}', method: any, private: true}}
      - http:
          path: both
          method: get
          private: true
          authorizer: {{name: policy, identitySource: method.request.header.X-Who}}
"""
CODE = """
def secret(event, context):
    return {"statusCode": 200, "body": "the secret"}

def simple(event, context):
    who = event["identitySource"][0]
    if who == "raises":
        raise RuntimeError("a bug")
    return {"isAuthorized": who == "ada"}

def policy(event, context):
    headers = event.get("headers", {})
    who = event.get("authorizationToken") or next((v for k, v in headers.items() if k.lower() == "x-who"), "")
    if who == "raises":
        raise RuntimeError("a bug")
    if who == "unauthorized":
        raise Exception("Unauthorized")
    effect = "Allow" if who == "ada" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {"principalId": who, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
"""
SECRETS = {"jwt", "lambda", "iam", "key"}

Headers = Mapping[str, str]


@cache
def foreign_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65_537, key_size=2048)


@dataclass
class Walker:
    """A running cloud, spoken to byte by byte over one connection a door."""

    cloud: LocalCloud
    service: Service
    called: list[Invocation]
    _open: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=dict)

    async def send(self, door: str, method: str, target: str, headers: Headers) -> tuple[int, bytes]:
        """Return status and body; a connection that the server closed is opened again."""
        if door not in self._open:
            address = urlsplit(self.cloud.urls[door])
            self._open[door] = await asyncio.open_connection(address.hostname, address.port)
        reader, writer = self._open[door]
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if "Host" not in headers:
            lines.insert(1, f"Host: {self.host(door)}")
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode("latin-1")
        status = int(head.split()[1])
        names = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        length = 0 if method == "HEAD" or status == 204 else int(names.get("content-length", 0))
        body = await reader.readexactly(length)
        if names.get("connection") == "close":
            writer.close()
            del self._open[door]
        return status, body

    def host(self, door: str) -> str:
        return urlsplit(self.cloud.urls[door]).netloc

    def secrets(self) -> int:
        """How often a function behind a route was called."""
        return sum(1 for one in self.called if one.function in SECRETS)

    async def close(self) -> None:
        for _, writer in self._open.values():
            writer.close()


@dataclass(frozen=True)
class Way:
    """One route: where it is, and what it asks for."""

    door: str
    method: str
    path: str
    asks: str

    @property
    def target(self) -> str:
        return f"/dev{self.path}" if self.door == "rest" else self.path


WAYS = [
    Way("httpApi", "GET", "/jwt", "jwt"),
    Way("httpApi", "GET", "/jwt/any/a/b", "jwt"),
    Way("httpApi", "DELETE", "/jwt/any/a", "jwt"),
    Way("httpApi", "OPTIONS", "/jwt/any/a", "jwt"),
    Way("httpApi", "POST", "/jwt/scoped", "jwt write"),
    Way("httpApi", "GET", "/simple", "who"),
    Way("httpApi", "PUT", "/simple/7", "who"),
    Way("httpApi", "GET", "/policy", "who"),
    Way("httpApi", "GET", "/iam", "execute-api"),
    Way("rest", "GET", "/cognito", "cognito"),
    Way("rest", "GET", "/token", "who"),
    Way("rest", "GET", "/request/a/b", "who"),
    Way("rest", "PATCH", "/request/a", "who"),
    Way("rest", "GET", "/iam", "execute-api"),
    Way("rest", "GET", "/key", "key"),
    Way("rest", "POST", "/keys/a", "key"),
    Way("rest", "GET", "/both", "who+key"),
    Way("url:iam", "GET", "/", "lambda"),
    Way("url:iam", "POST", "/anything/else", "lambda"),
]
KINDS = ["jwt", "jwt write", "cognito", "who", "key", "execute-api", "lambda"]


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> Service:
    folder = tmp_path_factory.mktemp("walk")
    (folder / "serverless.yml").write_text(YML)
    (folder / "app.py").write_text(CODE)
    return load_service(folder / "serverless.yml")


def artifact(folder: Path, names: list[str]) -> Artifact:
    path = folder / "walk.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.py", CODE)
    handlers = dict.fromkeys(names, "app.secret") | {"simple": "app.simple", "policy": "app.policy"}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Artifact(path, digest, tuple(names), host_target(MINOR), handlers, 1, 1, {})


def walk(service: Service, body: Any, **settings: Any) -> Any:
    """Serve the service and do something with it."""
    called: list[Invocation] = []
    made = artifact(service.folder, list(service.functions))

    async def main() -> Any:
        cloud = LocalCloud(service, dict.fromkeys(service.functions, made), port=0, on_log=called.append, **settings)
        async with cloud:
            walker = Walker(cloud, service, called)
            try:
                return await asyncio.wait_for(body(walker), 100)
            finally:
                await walker.close()

    return asyncio.run(main())


def signed(walker: Walker, way: Way, kind: str, *, secret: str = "", late: bool = False) -> dict[str, str]:
    """Return the headers of a signed request."""
    access_key, secret_key = secrets_of(walker.service).credentials()
    keys = botocore_keys.Credentials(access_key, secret or secret_key)
    request = botocore_request.AWSRequest(way.method, f"http://{walker.host(way.door)}{way.target}")
    with pytest.MonkeyPatch.context() as patch:
        if late:
            then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=6)
            patch.setattr(botocore_auth, "get_current_datetime", lambda *_args, **_more: then)
        botocore_auth.SigV4Auth(keys, kind, REGION).add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}


def right(walker: Walker, way: Way, kind: str) -> dict[str, str]:
    """Return what lets in where a kind of credential is asked for."""
    service = walker.service
    if kind.startswith("jwt"):
        token = mint(service, "people", Wish(scopes=tuple(kind.split()[1:]))).token
        return {"Authorization": f"Bearer {token}"}
    if kind == "cognito":
        return {"Authorization": mint(service, "pool").token}
    if kind in ("execute-api", "lambda"):
        return signed(walker, way, kind)
    return {"who": {"X-Who": "ada"}, "key": {"X-Api-Key": KEY}, "who+key": {"X-Who": "ada", "X-Api-Key": KEY}}[kind]


def wrong(walker: Walker, way: Way) -> list[dict[str, str]]:
    """Return credentials that let nobody in: none, wrong ones, expired ones, and the right ones of other routes."""
    kind, service = way.asks, walker.service
    made: list[dict[str, str]] = [{}]
    for name in ("jwt", "cognito"):
        if kind.startswith(name):
            minted = mint(service, "people" if name == "jwt" else "pool", Wish(scopes=tuple(kind.split()[1:])))
            head, payload, signature = minted.token.split(".")
            kid = jwt.get_unverified_header(minted.token)["kid"]
            other = foreign_key()
            old = {**minted.claims, "exp": minted.claims["iat"] - 1}
            made += [
                {"Authorization": f"Bearer {text}"}
                for text in (
                    "x",
                    f"{head}.{payload}.",
                    f"{head}.{payload}.{signature[:-4]}AAAA",
                    jwt.encode(dict(minted.claims), None, "none", headers={"kid": kid}),
                    jwt.encode(dict(minted.claims), other, "RS256", headers={"kid": kid}),
                    mint(service, minted.authorizer.name, Wish(claims=old)).token,
                    mint(service, minted.authorizer.name, Wish(audience="other", claims={"iss": "https://x"})).token,
                )
            ]
    if kind == "jwt write":
        made.append(right(walker, way, "jwt"))
    if "who" in kind:
        made += [{"X-Who": who} for who in ("", "mallory", "raises", "unauthorized", "ADA")]
    if "key" in kind:
        made += [{"X-Api-Key": key} for key in ("", "x", KEY.upper(), KEY[:-1])]
    if kind == "who+key":
        made += [right(walker, way, "who"), right(walker, way, "key")]
    if kind in ("execute-api", "lambda"):
        made += [
            signed(walker, way, kind, secret="wrong"),
            signed(walker, way, kind, late=True),
            signed(walker, way, "lambda" if kind == "execute-api" else "execute-api"),
            {"Authorization": "AWS4-HMAC-SHA256 x"},
        ]
    others: dict[str, str] = {}
    for each in KINDS:
        if each.partition(" ")[0] not in kind:
            others |= right(walker, way, each)
    return [*made, others]


def spellings(target: str) -> list[str]:
    """Return other ways to write a target that might reach the same route."""
    first = f"/%{ord(target[1]):02x}{target[2:]}" if len(target) > 1 else "/%2f"
    return [
        f"{target}/", f"/{target}", f"//{target}", target.upper(), target.swapcase(), first, f"{target}%2f",
        f"{target}/.", f"/.{target}", f"/x/..{target}", f"{target}/../{target.rpartition('/')[2]}", f"{target};a=b",
        f"{target}?a=b", f"{target}%00", f"{target}%20", f"{target}?", f"http://elsewhere.example{target}",
        target.replace("/", "//"), target.replace("/", "%2F")[3:] or "/", f"{target}%3F", f"{target}.json",
    ]  # fmt: skip


METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "get", "ANY"]
DETOURS = [
    {"X-HTTP-Method-Override": "GET"},
    {"X-HTTP-Method": "GET", "X-Method-Override": "GET"},
    {"X-Original-URL": "/jwt", "X-Rewrite-URL": "/jwt"},
    {"X-Forwarded-Host": "127.0.0.1", "X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"},
    {"X-Forwarded-Prefix": "/dev", "X-Amzn-Trace-Id": "Root=1-0-0"},
    {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"},
    {"Host": "localhost"},
    {"X-Amz-Invocation-Type": "RequestResponse"},
]
ELSEWHERE = [
    "/2015-03-31/functions/{name}/invocations", "/2015-03-31/functions/walk-dev-{name}/invocations", "/_bareboat/",
    "/_bareboat/api/send", "/2018-06-01/runtime/invocation/next", "/functions/{name}/invocations",
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.door} {way.method} {way.path}".replace("/", "."))
def test_a_route_is_reached_with_the_right_credential_alone(service, way):
    async def body(walker: Walker) -> None:
        credentials = wrong(walker, way)
        for headers in credentials:
            status, told = await walker.send(way.door, way.method, way.target, headers)
            assert status in {401, 403, 500}, headers
            assert b"secret" not in told
        for target in spellings(way.target):
            for headers in (credentials[0], credentials[1]):
                _, told = await walker.send(way.door, way.method, target, headers)
                assert b"secret" not in told, target
        for method in METHODS:
            for detour in DETOURS:
                _, told = await walker.send(way.door, method, way.target, detour)
                assert b"secret" not in told, (method, detour)
        assert walker.secrets() == 0

        status, told = await walker.send(way.door, way.method, way.target, right(walker, way, way.asks))

        assert (status, told) == (200, b"the secret")
        assert walker.secrets() == 1

    walk(service, body, console=False)


def test_other_doors_are_not_on_the_port_of_an_api(service):
    async def body(walker: Walker) -> None:
        for door in ("httpApi", "rest", "url:iam"):
            for template in ELSEWHERE:
                for name in service.functions:
                    for method in ("GET", "POST"):
                        status, told = await walker.send(door, method, template.format(name=name), {"X-Bareboat": "1"})
                        assert status in {401, 403, 404}
                        assert b"secret" not in told
        assert walker.called == []
        assert len({urlsplit(url).port for url in walker.cloud.urls.values()}) == len(walker.cloud.urls)
        assert urlsplit(walker.cloud.urls["console"]).hostname == "127.0.0.1"

    walk(service, body, console=True)


def test_what_is_local_lets_nobody_in_from_the_network(service):
    """An address of this machine that is not loopback would do; 0.0.0.0 is one that every machine has."""
    ways = [way for way in WAYS if way.asks in {"jwt", "cognito", "execute-api", "lambda"}]

    async def body(walker: Walker) -> None:
        for way in ways:
            status, told = await walker.send(way.door, way.method, way.target, right(walker, way, way.asks))
            assert status in {401, 403}, way
            assert b"secret" not in told
        assert walker.secrets() == 0

    walk(service, body, host="0.0.0.0", console=False)


def test_the_walk_leaves_out_no_route(service):
    """A route that is added above and not walked would prove nothing."""
    routes = [event for function in service.functions.values() for event in function.events]
    urls = [function for function in service.functions.values() if function.url is not None]

    assert len(routes) == 14
    assert len(urls) == 1
    assert json.dumps(sorted({way.door for way in WAYS})) == '["httpApi", "rest", "url:iam"]'
