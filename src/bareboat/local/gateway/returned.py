"""What a function returned -> the parts of a response, as every kind of API reads them."""

from __future__ import annotations

import binascii
import re
from typing import Any

import msgspec

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_decode = msgspec.json.Decoder().decode
_KINDS = {dict: "an object", list: "a list", str: "a string", int: "a number", float: "a number"}


class MalformedResponseError(Exception):
    """What a function returned is no response. The text says why; the client gets 500, of a REST API 502."""


class BadBase64Error(MalformedResponseError):
    """The body should be base64 and is none: 500 of a REST API too."""


def document(payload: bytes) -> Any:
    """Return what a payload says.

    Raises:
        MalformedResponseError: it is not JSON.
    """
    try:
        return _decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedResponseError(f"the function's answer is not JSON: {error}") from None
    except RecursionError:
        raise MalformedResponseError("the function's answer is nested too deeply") from None


def kind(value: object) -> str:
    """Return what a value of JSON is, in words: `a list`; `null`, `true` and `false` are themselves."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _KINDS[type(value)]


def text_of(name: str, value: Any) -> str:
    """Return a plain value as text: `true`, `201`.

    Raises:
        MalformedResponseError: it is null, a list or an object.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return msgspec.json.encode(value).decode()
    raise MalformedResponseError(f"{name!r:.80} is {kind(value)}, expected a string")


def header_value(name: str, value: Any) -> str:
    """Return a header's value as text.

    Raises:
        MalformedResponseError: it is no plain value, or it holds a line break or NUL.
    """
    text = value if type(value) is str else text_of(name, value)
    if not text.isprintable() and ("\r" in text or "\n" in text or "\0" in text):
        raise MalformedResponseError(f"the value of {name!r:.80} holds a line break")
    return text


def from_base64(text: str) -> bytes:
    """Return a body whose `isBase64Encoded` is true, with its padding or without.

    Raises:
        BadBase64Error: it is no base64.
    """
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError as error:  # binascii.Error among them
        raise BadBase64Error(f"isBase64Encoded is true and body is not base64: {error}") from None
