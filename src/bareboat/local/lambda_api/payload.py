"""A request's body -> whether Lambda takes it as an event, else its parser's own words.

AWS parses payloads with Jackson. Two of its messages are recorded (test_lambda_invoke_payload_encoding_error); those
for broken objects and bare words are seen in issues; for what else can be wrong the place is right and the words are
the nearest.
"""

from __future__ import annotations

import json
import re

import msgspec

from bareboat.local.lambda_api.refusal import ApiError, invalid_content

VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_decode = msgspec.json.Decoder().decode
_WORD = re.compile(rb"[A-Za-z0-9_$]*")
_WORDS = (b"null", b"true", b"false")
_MAX_DEPTH = 1000
_WANTED = {  # by the beginning of what Python's parser says
    "Expecting property name": "was expecting double-quote to start field name",
    "Illegal trailing comma": "was expecting double-quote to start field name",
    "Expecting ':'": "was expecting a colon to separate field name and value",
    "Expecting ','": "was expecting comma to separate entries",
    "Extra data": "Expected space separating root-level values",
}


def check(data: bytes) -> None:
    """Take bytes that are JSON.

    Raises:
        ApiError: they are not: 400 InvalidRequestContentException.
    """
    try:
        _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    except RecursionError:
        raise _fault(data, 0, f"Document nesting depth exceeds the maximum allowed ({_MAX_DEPTH})") from None
    else:
        return
    fault = _explain(data)
    if fault is not None:
        raise fault


class _NotANumberError(Exception):
    """Python's parser takes NaN and Infinity, which JSON does not have."""


def _refuse_constant(word: str) -> None:
    raise _NotANumberError(word)


def _explain(data: bytes) -> ApiError | None:
    """Return what is wrong, or None: half a surrogate pair and 1e999 are JSON, though msgspec has no value for them."""
    try:
        # one character a byte: places are those of the bytes
        json.loads(data.decode("latin-1"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        at = error.pos
        if error.msg.startswith("Expecting value"):
            return _no_value(data, at)
        if at >= len(data):
            return _fault(data, at, "Unexpected end-of-input: expected close marker")
        for said, wanted in _WANTED.items():
            if error.msg.startswith(said):
                return _fault(data, at, f"{_unexpected(data[at])}: {wanted}")
        if error.msg.startswith("Unterminated string"):
            return _fault(data, len(data), "Unexpected end-of-input: was expecting closing quote for a string value")
        return _fault(data, at, f"{_unexpected(data[at])}: {error.msg}")
    except RecursionError:
        return _fault(data, 0, f"Document nesting depth exceeds the maximum allowed ({_MAX_DEPTH})")
    except _NotANumberError as error:
        word = str(error)
        return _fault(data, data.find(word.encode()), f"Non-standard token '{word}': was expecting {VALUES}")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return _utf8(data, error.start)
    return None


def _no_value(data: bytes, at: int) -> ApiError:
    if at >= len(data):
        return _fault(data, at, "No content to map due to end-of-input" if not at else "Unexpected end-of-input")
    if not (data[at : at + 1].isalpha() and data[at] < 0x80):
        wanted = f"expected a valid value {VALUES}"
        return _fault(data, at, f"{_unexpected(data[at])}: {wanted}")
    end = at
    for word in _WORDS:  # the parser goes on as long as it may become one of these
        if data[at] == word[0]:
            while end < len(data) and end - at < len(word) and data[end] == word[end - at]:
                end += 1
    found = _WORD.match(data, at)
    end = max(end, found.end() if found else at)
    if end < len(data) and data[end] >= 0x80:
        return _utf8(data, end)
    return _fault(data, end, f"Unrecognized token '{data[at:end].decode('latin-1')}': was expecting {VALUES}")


def _utf8(data: bytes, at: int) -> ApiError:
    return _fault(data, at + 1, f"Invalid UTF-8 start byte 0x{data[at]:02x}")


def _unexpected(code: int) -> str:
    shown = f"'{chr(code)}' (code {code})" if 0x20 < code < 0x7F else f"(CTRL-CHAR, code {code})"
    return f"Unexpected character ({shown})"


def _fault(data: bytes, at: int, words: str) -> ApiError:
    line = data.count(b"\n", 0, at) + 1
    column = at - (data.rfind(b"\n", 0, at) + 1) + 1
    place = f"REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}"
    return invalid_content(
        f"Could not parse request body into json: Could not parse payload into json: {words}\n at [Source: {place}]"
    )
