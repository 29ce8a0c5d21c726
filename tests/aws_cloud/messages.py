"""Requests as the proxy takes them, and answers as it gives them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import uuid4
from xml.sax.saxutils import escape

from aws_cloud.operations import Operation, model

Answerer = Literal["moto", "moto, with what it forgets", "proxy", "local cloud", "fault"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request and the operation that it asks for."""

    method: str
    target: str
    headers: Message
    body: bytes
    operation: Operation

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else {}


@dataclass(slots=True)
class Answer:
    """What goes back, and who answered."""

    status: int
    headers: dict[str, str]
    body: bytes
    by: Answerer = "proxy"
    more: list[tuple[str, str]] = field(default_factory=list)

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else {}


class Refused(Exception):
    """AWS refuses a call."""

    def __init__(self, code: str, message: str, status: int = 400, **more: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.more = more


def as_json(document: Any, status: int = 200, **headers: str) -> Answer:
    """Return an answer of a JSON protocol."""
    body = b"" if document is None else json.dumps(document, separators=(",", ":")).encode()
    return Answer(status, {"Content-Type": "application/json", "x-amzn-RequestId": str(uuid4()), **headers}, body)


def refusal(operation: Operation, error: Refused) -> Answer:
    """Return an error as the protocol of its service has it."""
    protocol = model(operation.service).resolved_protocol if operation.service else "rest-json"
    request_id = str(uuid4())
    if protocol in {"query", "ec2"}:
        kind = "Sender" if error.status < 500 else "Receiver"
        text = (
            f'<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>{kind}</Type>'
            f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return Answer(error.status, {"Content-Type": "text/xml"}, text.encode())
    if protocol == "rest-xml":
        text = (
            f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{escape(error.code)}</Code>"
            f"<Message>{escape(error.message)}</Message><RequestId>{request_id}</RequestId></Error>"
        )
        return Answer(error.status, {"Content-Type": "application/xml"}, text.encode())
    if protocol == "smithy-rpc-v2-cbor":
        body = b"\xa2" + b"".join(_cbor(text) for text in ("__type", error.code, "message", error.message))
        return Answer(error.status, {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, body)
    document = {"__type": error.code, "message": error.message, "Message": error.message, **error.more}
    return as_json(document, error.status, **{"x-amzn-errortype": error.code})


def _cbor(text: str) -> bytes:
    data = text.encode()
    return b"\x79" + len(data).to_bytes(2, "big") + data
