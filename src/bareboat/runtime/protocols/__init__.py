"""What clients other than bareboat's own speak: imported, with one module of it, only where a function names it.

Each module has `answer(function, request) -> Reply`, `refusal(error) -> Reply` for what a client got wrong, and
`FAILED`, the Reply to what it did not.
"""

from __future__ import annotations

from binascii import b2a_base64
from time import perf_counter

from bareboat.errors import InputError
from bareboat.runtime.faults import fault, missing
from bareboat.runtime.protocols.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bareboat.runtime.function import ModelFunction

JSON = "application/json"


class Reply:
    """An answer before it is what a gateway takes.

    Args:
        body: text, or bytes that are no text.
        headers: beside the content type, names in lower case.
        n_rows: how many rows it answers, for the log.
    """

    __slots__ = ("body", "content_type", "headers", "n_rows", "status")

    def __init__(
        self,
        status: int,
        body: str | bytes,
        content_type: str = JSON,
        headers: Mapping[str, str] | None = None,
        n_rows: int = 0,
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers: Mapping[str, str] = headers or {}
        self.n_rows = n_rows

    def response(self) -> dict[str, object]:
        """Return what the gateway is given. No body is left out, since some gateways then make one."""
        answer: dict[str, object] = {
            "statusCode": self.status,
            "headers": {"content-type": self.content_type, **self.headers},
        }
        if isinstance(self.body, bytes):
            answer["body"] = b2a_base64(self.body, newline=False).decode()
            answer["isBase64Encoded"] = True
        else:
            answer["body"] = self.body
        return answer


def respond(function: ModelFunction, event: Mapping[str, Any], context: Any) -> dict[str, object]:
    """Answer a gateway's event by the function's protocol, and log one line."""
    started = perf_counter()
    protocol = function.protocol
    try:
        reply = protocol.answer(function, Request(event))
        response = reply.response()
        if len(response["body"]) > function.MANY_BYTES:
            function.check_size(response["body"], reply.n_rows)
    except InputError as error:
        reply = protocol.refusal(error)
        function.log("WARNING", context, started, reply.status, f', "errors": {len(error.problems)}')
        return reply.response()  # type: ignore[no-any-return]
    except Exception as error:  # noqa: BLE001  logged; the client is told nothing of it
        failed = protocol.FAILED
        status = function.log_failure(error, context, started)
        if status != 500:
            body = failed.body.replace("Internal Server Error", "Service Unavailable")
            failed = Reply(status, body, failed.content_type, failed.headers)
        return failed.response()  # type: ignore[no-any-return]
    function.log("INFO", context, started, reply.status, f', "rows": {reply.n_rows}')
    return response  # type: ignore[no-any-return]


def allow(request: Request, *methods: str) -> None:
    """Refuse a method that a path does not have.

    Raises:
        InputError: of status 405.
    """
    if request.method not in methods:
        error = fault("method", request.method, " or ".join(methods))
        error.status = 405  # type: ignore[attr-defined]
        raise error


def no_path(request: Request, *there: str) -> InputError:
    """Return the error of status 404 that names the paths that there are."""
    return missing("path", "/" + "/".join(request.segments), "one of " + ", ".join(there))


def unsupported(request: Request, *there: str) -> InputError:
    """Return the error of status 415 that names the content types that there are."""
    error = fault("content-type", request.content_type or "nothing", "one of " + ", ".join(there))
    error.status = 415  # type: ignore[attr-defined]
    return error


def status_of(error: InputError) -> int:
    """Return the status that an error is answered with."""
    status: int = getattr(error, "status", 400)
    return status
