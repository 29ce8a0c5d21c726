"""A Lambda event of an HTTP gateway -> the document of its request; an answer -> what the gateway is given."""

from __future__ import annotations

from bareboat.runtime.document import JSON, parse
from bareboat.runtime.faults import Faults, describe, fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

VERSION_HEADER = "x-model-version"
_JSON = {"content-type": "application/json"}


def is_http(event: object, *, knows_body: bool) -> bool:
    """Tell whether an event comes from an HTTP API, a REST API or a Function URL, or looks like a small one.

    `{"body": "..."}` alone is enough, as in `bareboat invoke local`, unless the model has a feature called body.
    """
    return isinstance(event, dict) and ("requestContext" in event or ("body" in event and not knows_body))


def document_of(event: Mapping[str, Any]) -> tuple[object, bool]:
    """Read the request's document out of an event of payload 2.0 or 1.0.

    A body is JSON whatever its content type says. Without one, the query string of a GET is an object of texts.

    Returns:
        The document, and whether its values are texts of a query string.
    Raises:
        InputError: there is neither, or the body cannot be read.
    """
    body = event.get("body")
    if body is None or body == "":
        query = _query(event)
        if query is None:
            raise fault("body", "nothing", JSON)
        return query, True
    if not isinstance(body, str):
        raise fault("body", describe(body), "the text of a JSON document")
    return parse(_decode(body) if event.get("isBase64Encoded") else body), False


def raw_body(event: Mapping[str, Any]) -> bytes:
    """Return the bytes of the request's body, b"" when there is none.

    Raises:
        InputError: it is no text, or no base64 where the event says that it is.
    """
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise fault("body", describe(body), "a text")
    return _bytes_of(body) if event.get("isBase64Encoded") else body.encode("utf-8", "replace")


def header(event: Mapping[str, Any], name: str) -> str:
    """Return a request's header, "" when there is none. The name is in lower case, as payload 2.0 has them."""
    headers = event.get("headers")
    if not isinstance(headers, dict):
        return ""
    value = headers.get(name)
    if value is None:
        for key, each in headers.items():
            if isinstance(key, str) and key.lower() == name:
                value = each
    return value if isinstance(value, str) else ""


def response(
    event: Mapping[str, Any], status: int, body: str, headers: Mapping[str, str] | None = None
) -> dict[str, object]:
    """Return the answer to an HTTP event.

    Args:
        headers: beside the content type.

    A request that came through a gateway is given its content type: an HTTP API would say text/plain otherwise, where
    a Function URL would say application/json (recorded 2025-11-24).
    """
    answer: dict[str, object] = {"statusCode": status, "body": body}
    if "requestContext" in event:
        answer["headers"] = {"content-type": "application/json", **headers} if headers else {**_JSON}
    return answer


def _query(event: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the query string of a GET: payload 2.0 joins repeated names with commas, 1.0 lists them."""
    query = event.get("queryStringParameters")
    if not query or not isinstance(query, dict) or method_of(event) not in {"GET", "HEAD"}:
        return None
    several = event.get("multiValueQueryStringParameters")
    if isinstance(several, dict):
        faults = Faults()
        for name, values in several.items():
            if isinstance(values, list) and len(values) > 1:
                faults.add(str(name), f"{len(values)} values", "one value")
        faults.refuse()
    return query


def method_of(event: Mapping[str, Any]) -> str:
    """Return the request's method in upper case, "NONE" when the event has none."""
    context = event.get("requestContext")
    http = context.get("http") if isinstance(context, dict) else None
    method = http.get("method") if isinstance(http, dict) else event.get("httpMethod")
    return str(method).upper()


def _decode(body: str) -> str:
    raw = _bytes_of(body)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise fault("body", f"a byte that is not UTF-8 at position {error.start}", "JSON in UTF-8") from None


def _bytes_of(body: str) -> bytes:
    """Decode the base64 that gateways make of bodies whose content type they do not take for text."""
    from binascii import a2b_base64, b2a_base64

    try:
        raw = a2b_base64(body)
        if b2a_base64(raw, newline=False) != body.encode("ascii"):  # Python 3.10 skips what is not base64
            raise ValueError
    except ValueError:  # binascii.Error and UnicodeEncodeError are ValueErrors
        raise fault("body", "text that is no base64", "base64, since isBase64Encoded is true") from None
    return raw
