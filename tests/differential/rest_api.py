"""The REST API beside LocalStack's: the same requests to both, every difference listed once with its reason.

    python tests/differential/rest_api.py /path/to/localstack-venv/bin/python [--requests N] [--seed N]

Run by hand. The other environment has localstack-core 2026.3.0 with the pins of its requirements-runtime.txt, Python
3.13. Its gateway runs in its own process, without its server; functions are Python on both sides. Exit code 1 when
there is a difference that EXPLAINED does not name.
"""

from __future__ import annotations

import argparse
import base64
import importlib.util
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from bareboat.service.api import RequestRules, RestApi, Schema

HERE = Path(__file__).parent
SCHEMA = {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]}
METHODS: dict[str, dict[str, Any] | None] = {
    "GET /": None,
    "GET /items": None,
    "GET /items/{id}": None,
    "POST /items/{id}": None,
    "ANY /files/{proxy+}": None,
    "GET /files/fixed": None,
    "PUT /a/{x}/b/{y}": None,
    "POST /checked": {"parameters": ["querystring.q", "header.X-Need"], "model": True},
    "POST /params": {"parameters": ["querystring.q"], "model": False},
}
BINARY = ["image/png", "application/x-*", "video/*"]


def explained(name: str, asked: dict[str, Any], ours: Any, peer: Any) -> str:
    """Return why a difference is one; "" when that is not known. docs/fidelity.md has the sources."""
    answer = None if asked["answer"] == "echo" else json.loads(asked["answer"])
    body = base64.b64decode(asked["body"])
    names = [header[0] for header in asked["headers"]]
    kind = next((value for header, value in asked["headers"] if header == "Content-Type"), "")
    if name == "body" and ours.replace(b": ", b":") == peer.replace(b": ", b":"):
        return "a space in the JSON of errors: recorded for 500; seen without one for 403"
    if name == "body" and b"Missing required" in ours and b"Missing required" in peer:
        return "a blank parameter is missing: AWS's guide; names in another case: not known of AWS"
    if name == "body" and {b'{"message": "Invalid request body"}'} & {ours, peer} and b"Missing" in ours + peer:
        return "a blank parameter is missing: AWS's guide; names in another case: not known of AWS"
    if name in {"event.headers", "event.multiValueHeaders"}:
        left = {header.lower() for header in ours} | {"accept", "user-agent"}
        if left == {header.lower() for header in peer} | {"accept", "user-agent"}:
            return "Accept and User-Agent that nobody sent; names as CloudFront writes them: seen in events"
    if name == "event.requestContext" and ours["identity"] | {"userAgent": ""} == peer["identity"] | {"userAgent": ""}:
        return "Accept and User-Agent that nobody sent; names as CloudFront writes them: seen in events"
    if name == "event.path" and (ours, peer) == ("/", ""):
        return "the path of the stage alone is /: seen in events; the peer has an empty one"
    if name in {"event.body", "event.isBase64Encoded"}:
        if kind in BINARY:
            return "a body of a binary type is base64: AWS's guide; the peer does not look at the type"
        if b"\xff" in body:
            return "a body that is no UTF-8 loses bytes: AWS's guide; the peer makes base64"
    if name == "status":
        if asked["answer"] != "echo" and not isinstance(answer, dict) and (ours, peer) == (502, 500):
            return "an answer that is no object is a 502: recorded for a string; the peer fails on a number"
        if isinstance(answer, dict) and answer.get("statusCode", 200) in {None, 0, 700}:
            return "a status that is null or outside 200 to 599: not known of AWS"
        if answer == {"headers": {"X-A": 5}}:
            return "a number as a header's value: not known of AWS"
        if isinstance(answer, dict) and not isinstance(answer.get("body"), str | None):
            return "a body that is no string: not known of AWS; the peer fails"
        if "/params" in asked["target"] and ours == 200 and peer == 400:
            return "no model is demanded: AWS's guide; the peer demands an object"
        if "/checked" in asked["target"] or "/params" in asked["target"]:
            if "q=" in asked["target"] and "q=x" not in asked["target"] and ours == 400:
                return "a blank parameter is missing: AWS's guide"
            if "X-Need" not in names and "x-need" in names:
                return "a header's name in another case: not known of AWS"
            if kind.startswith(("text/", "image/")) and peer == 400:
                return "a type without a model is not validated: AWS's guide"
    if name == "headers" and isinstance(answer, dict):
        if "Authorization" in (answer.get("headers") or {}):
            return "Authorization of a proxy's response is renamed: seen in reports, recorded for other integrations"
        if "multiValueHeaders" in answer and "headers" in answer:
            return "the same value in both kinds of headers is sent once: AWS's guide"
    return ""


def kit() -> Any:
    spec = importlib.util.spec_from_file_location("rest_kit", HERE.parent / "rest_kit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def generated(chance: random.Random) -> dict[str, Any]:
    """Return one request: method, target, headers, body, and what its function returns."""
    paths = [
        "/dev", "/dev/", "/dev/items", "/dev/items/", "/dev/items/7", "/dev/items/a%20b", "/dev/items/a%2Fb/",
        "/dev/items/é", "/dev/items//7", "/dev/files/a", "/dev/files/a/b/", "/dev/files/", "/dev/files/fixed",
        "/dev/files/a//b", "/dev/a/1/b/2", "/dev/a/1/b", "/dev//items", "/dev/checked", "/dev/params", "/dev/none",
        "/dev/items/%C3%A9", "/dev/items/+", "/dev/items/{id}",
    ]  # fmt: skip
    queries = ["", "?a=b", "?a=1&a=2", "?q=x", "?q=", "?a=%20+%2B", "?a", "?a=b=c", "?%C3%A9=%C3%A9", "?a=1&&b=2"]
    headers = [["Host", "h.example.com"]]
    pool = [
        ["X-Need", "1"], ["x-need", "1"], ["X-Two", "1"], ["X-Two", "2"], ["accept", "*/*"], ["Accept", "image/png"],
        ["Accept", "video/mp4, image/png"], ["authorization", "secret"], ["User-Agent", "me"], ["TE", "trailers"],
        ["Connection", "close"], ["Expect", "nothing"], ["Cookie", "a=b"], ["X-É", "1"],
    ]  # fmt: skip
    headers += chance.sample(pool[:-1], chance.randint(0, 5))
    sent = {name.lower() for name, _ in headers}
    headers += [[name, "own"] for name in ("Accept", "User-Agent") if name.lower() not in sent]
    kinds = ["application/json", "application/json; charset=utf-8", "text/plain", "image/png", ""]
    kind = chance.choice(kinds)
    if kind:
        headers.append(["Content-Type", kind])
    bodies = [b"", b"{}", b'{"a": 1}', b'{"a": "x"}', b"[1]", b"text", b"\xff\xfe", "é".encode()]
    answers: list[Any] = [
        "echo", "echo", "echo", {}, {"statusCode": 201}, {"statusCode": "201"}, {"statusCode": "x"}, {"statusCode": 0},
        {"statusCode": None}, {"statusCode": 700}, {"body": "b"}, {"body": None}, {"body": 5}, {"body": {"a": 1}},
        {"headers": {"X-A": "b"}}, {"headers": {"X-A": 5}}, {"headers": {"X-A": True}}, {"headers": []},
        {"headers": {"content-type": "text/html"}, "body": "<p>"}, {"multiValueHeaders": {"X-A": ["1", "2"]}},
        {"headers": {"X-A": "1"}, "multiValueHeaders": {"x-a": ["1", "2"]}}, {"multiValueHeaders": {"X-A": "1"}},
        {"isBase64Encoded": True, "body": "AP8="}, {"isBase64Encoded": True, "body": "no base64 é"}, {"unknown": 1},
        {"cookies": ["a=b"]}, "text", None, [1], 5, {"headers": {"Date": "never", "Authorization": "x", "Age": "1"}},
    ]  # fmt: skip
    answer = chance.choice(answers)
    return {
        "method": chance.choice(["GET", "GET", "POST", "POST", "PUT", "HEAD", "OPTIONS"]),
        "target": chance.choice(paths) + chance.choice(queries),
        "headers": headers,
        "body": base64.b64encode(chance.choice(bodies)).decode(),
        "answer": answer if answer == "echo" else json.dumps(answer),
    }


class Ours:
    """Our gateway, with functions that return what the request says."""

    def __init__(self) -> None:
        self._kit = kit()
        kit_ = self._kit
        events = []
        for key, rules in METHODS.items():
            fields = {}
            if rules:
                schemas = (Schema("application/json", SCHEMA, kit_.HERE),) if rules["model"] else ()
                fields["rules"] = RequestRules(dict.fromkeys(rules["parameters"], True), schemas)
            events.append(kit_.http(key, **fields))
        self._answer = "echo"
        service = kit_.service(*events, rest=RestApi(binary_types=tuple(BINARY)))
        self._rest = kit_.Rest(service, kit_.Functions(self._handler))

    def ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._answer = asked["answer"]
        self._rest.invoke.calls.clear()
        headers = [(name.encode().decode("latin-1"), value) for name, value in asked["headers"]]
        response = self._rest.ask(
            asked["method"], asked["target"].encode().decode("latin-1"), headers, base64.b64decode(asked["body"])
        )
        return {
            "status": response.status,
            "headers": [list(pair) for pair in response.headers],
            "body": response.body,
            "event": self._rest.event if self._rest.invoke.calls else None,
        }

    def _handler(self, _event: dict[str, Any]) -> Any:
        return {"statusCode": 200, "body": "echo"} if self._answer == "echo" else json.loads(self._answer)


class Peer:
    """LocalStack's gateway in a process of its own."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, str(HERE / "localstack_peer.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self._send({"methods": METHODS, "schema": SCHEMA, "binary": BINARY})

    def ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._send(asked)
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        answer["body"] = base64.b64decode(answer["body"])
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def _send(self, document: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(document) + "\n")
        self._process.stdin.flush()


IDS = {"x-amzn-requestid", "x-amz-apigw-id", "x-amzn-trace-id", "content-length", "date"}
OF_THE_EDGE = {"X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"}
OF_THE_CONTEXT = {
    "accountId", "apiId", "deploymentId", "domainName", "domainPrefix", "extendedRequestId", "requestId", "requestTime",
    "requestTimeEpoch", "resourceId",
}  # fmt: skip


def differences(ours: dict[str, Any], peer: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return what differs, by a short name; ids and times are left out."""
    found = []
    if ours["status"] != peer["status"]:
        return [("status", ours["status"], peer["status"])]
    if ours["body"] != peer["body"]:
        found.append(("body", ours["body"], peer["body"]))
    sides = [
        sorted((name.lower(), value) for name, value in side["headers"] if name.lower() not in IDS)
        for side in (ours, peer)
    ]
    if sides[0] != sides[1]:
        found.append(("headers", *sides))
    mine, theirs = ours["event"], peer["event"]
    if (mine is None) != (theirs is None):
        found.append(("event", mine is not None, theirs is not None))
    elif mine is not None:
        for key in sorted({*mine, *theirs}):
            left, right = _masked(key, mine.get(key, "absent")), _masked(key, theirs.get(key, "absent"))
            if left != right:
                found.append((f"event.{key}", left, right))
    return found


def _masked(key: str, value: Any) -> Any:
    if key in {"headers", "multiValueHeaders"}:
        return {name: values for name, values in (value or {}).items() if name not in OF_THE_EDGE}
    if key == "requestContext":
        return {name: each for name, each in value.items() if name not in OF_THE_CONTEXT}
    return value


def main() -> int:
    """Compare, and list what differs.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python")
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=2, help="how many unexplained ones to show of each kind")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    ours, peer = Ours(), Peer(options.python)
    counts: Counter[str] = Counter()
    unexplained: Counter[str] = Counter()
    same = 0
    try:
        for _ in range(options.requests):
            asked = generated(chance)
            found = differences(ours.ask(asked), peer.ask(asked))
            same += not found
            for name, left, right in found:
                why = explained(name, asked, left, right)
                (counts if why else unexplained)[why or name] += 1
                if not why and unexplained[name] <= options.show:
                    print(f"{name}: {asked}\n  ours {left}\n  peer {right}")
    finally:
        peer.close()
    print(f"{options.requests} requests, {same} answered alike")
    for why, count in counts.most_common():
        print(f"{count:6} {why}")
    for name, count in unexplained.most_common():
        print(f"{count:6} NOT EXPLAINED: {name}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
