"""A request to Lambda's API -> what it asks for, and the shape of its answer."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs

import msgspec

from bareboat.local.lambda_api import payload, refusal
from bareboat.local.messages import Request, Response

SOURCE_HEADER = "x-bareboat-source"


class Asked:
    """One request to the API, and how its answer looks.

    Args:
        names: the decoded segments of the path that name something.
    """

    __slots__ = ("_headers", "_query", "names", "request", "request_id")

    def __init__(self, request: Request, request_id: str, names: tuple[str, ...], query: str) -> None:
        self.request = request
        self.request_id = request_id
        self.names = names
        self._query = parse_qs(query, keep_blank_values=True) if query else {}
        self._headers = {name.lower(): value for name, value in request.headers}

    def one(self, name: str) -> str | None:
        """Return a parameter of the query, None when it is not there."""
        values = self._query.get(name)
        return values[0] if values else None

    @property
    def trace_id(self) -> str:
        """The trace header of the client; "" for one that is made up."""
        sent = self._headers.get("x-amzn-trace-id", "")
        return sent if sent.startswith("Root=1-") else ""

    @property
    def source(self) -> str:
        """Who is said to ask: what `bareboat event --send` names in a header of its own, such as `sqs`."""
        sent = self._headers.get(SOURCE_HEADER, "")
        return sent if sent.isalnum() and sent.isascii() and len(sent) <= 20 else "invoke"

    def choice(self, header: str, name: str, allowed: tuple[str, ...], default: str) -> str:
        """Return a header's value, one of those that are allowed."""
        value = self._headers.get(header) or default
        if value not in allowed:
            rule = f"satisfy enum value set: [{', '.join(allowed)}]"
            raise refusal.validation([refusal.breaks(value, name, rule)])
        return value

    def event(self, limit: int) -> bytes:
        """Return the body as the function's event; nothing is `{}`."""
        body = self.request.body
        if len(body) > limit:
            if limit == refusal.MAX_EVENT_BYTES:
                raise refusal.event_too_large(len(body))
            raise refusal.request_too_large()
        if not body:
            return b"{}"
        payload.check(body)
        return body

    def client_context(self) -> str:
        """Return the client context as JSON; "" when there is none."""
        sent = self._headers.get("x-amz-client-context", "")
        if not sent:
            return ""
        try:
            text = b64decode(sent, validate=True).decode()
            if not isinstance(json.loads(text), dict):
                raise ValueError("no object")
        except (binascii.Error, ValueError, RecursionError):
            raise refusal.invalid_content("Client context must be a valid Base64-encoded JSON object.") from None
        return text

    def headers(self, content_type: str = "application/json") -> list[tuple[str, str]]:
        """Return the headers that every answer has."""
        return [("Content-Type", content_type), ("x-amzn-RequestId", self.request_id)]

    def empty(self, status: int) -> Response:
        """Return an answer without a body."""
        return Response(status, self.headers())

    def answer(self, document: dict[str, Any]) -> Response:
        """Return a document."""
        return Response(200, self.headers(), msgspec.json.encode(document))
