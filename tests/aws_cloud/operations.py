"""An HTTP request -> the operation of AWS that it asks for, found in botocore's own models."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from botocore.session import Session

_CREDENTIAL = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")
_SERVICES = {"monitoring": "cloudwatch"}
_session = Session()


@dataclass(frozen=True, slots=True)
class Operation:
    """`lambda` and `Invoke`; both "" for what is signed for no service."""

    service: str
    name: str
    region: str = ""

    def __str__(self) -> str:
        return f"{self.service}:{self.name}"


def operation_of(method: str, target: str, headers: Any, body: bytes) -> Operation:
    """Return what a request asks for; its name is "" where the service has no such operation.

    Args:
        target: path and query, as sent.
        headers: with `.get`, whatever the case.
    """
    parts = urlsplit(target)
    found = _CREDENTIAL.search(headers.get("Authorization") or parse_qs(parts.query).get("X-Amz-Credential", [""])[0])
    if found is None and "X-Amz-Credential" in target:
        found = re.search(r"X-Amz-Credential=[^%]+%2F\d+%2F([^%]+)%2F([^%]+)%2F", target)
    if found is None:
        return Operation("", "")
    region, service = found.groups()
    service = _SERVICES.get(service, service)
    if service == "apigateway" and parts.path.startswith("/v2/"):
        service = "apigatewayv2"
    if wanted := headers.get("X-Amz-Target"):
        return Operation(service, wanted.rpartition(".")[2], region)
    if "/operation/" in parts.path:  # smithy-rpc-v2-cbor
        return Operation(service, parts.path.rpartition("/")[2], region)
    if model(service).metadata.get("protocol") in {"query", "ec2"}:
        form = parse_qs(body.decode("utf-8", "replace")) or parse_qs(parts.query)
        return Operation(service, form.get("Action", [""])[0], region)
    return Operation(service, _of_path(service, method, parts.path, parts.query, headers), region)


@cache
def model(service: str) -> Any:
    """Return botocore's model of a service."""
    return _session.get_service_model(service)


def _of_path(service: str, method: str, path: str, query: str, headers: Any) -> str:
    """Return the operation whose path and most of whose required parameters are there."""
    asked = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    best, most = "", -1
    for name, verb, pattern, literals, required, wanted in _patterns(service):
        if verb != method or not pattern.fullmatch(path) or not all(f"{one}" in query for one in literals):
            continue
        if not required <= asked or not all(headers.get(one) for one in wanted):
            continue
        score = 2 * len(literals) + len(required) + len(wanted)
        if score > most:
            best, most = name, score
    return best


@cache
def _patterns(service: str) -> list[tuple[str, str, re.Pattern[str], tuple[str, ...], frozenset[str], tuple[str, ...]]]:
    made = []
    for name in model(service).operation_names:
        operation = model(service).operation_model(name)
        path, _, query = operation.http["requestUri"].partition("?")
        pattern = re.sub(r"\\\{[^}]+?\\\+\\\}", ".+", re.escape(path))
        pattern = re.sub(r"\\\{[^}]+?\\\}", "[^/]+", pattern)
        required, wanted = set(), []
        shape = operation.input_shape
        for member in shape.required_members if shape else ():
            where = shape.members[member].serialization
            if where.get("location") == "querystring":
                required.add(where["name"])
            elif where.get("location") == "header":
                wanted.append(where["name"])
        literals = tuple(one for one in query.split("&") if one)
        made.append(
            (name, operation.http["method"], re.compile(pattern + "/?"), literals, frozenset(required), tuple(wanted))
        )
    return made
