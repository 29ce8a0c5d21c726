"""Scalars as js-yaml 4 reads them for the Serverless Framework, and as JavaScript writes them into text.

YAML 1.2 core: `yes` and `on` are text, `017` is seventeen, `0o17` is fifteen and dates stay text.
"""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

# js-yaml 4, lib/type/{null,bool,int,float}.js
_CONSTANTS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?(?:0b[01]+|0o[0-7]+|0x[0-9a-fA-F]+|[0-9]+)\Z")
_FLOAT = re.compile(r"(?:[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)\Z")
_NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
_BASES = {"0b": 2, "0o": 8, "0x": 16}


def read_scalar(text: str) -> Scalar:
    """Return the value of a plain scalar by YAML 1.2's core schema, as js-yaml 4 implements it.

    Infinities and NaN become None, as Serverless passes its configuration through JSON.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.match(text):
        digits = text.lstrip("+-")
        number = int(digits[2:], _BASES[digits[:2]]) if digits[:2] in _BASES else _decimal(digits)
        return -number if text.startswith("-") else number
    if _FLOAT.match(text):
        return _finite(float(text))
    if _NOT_FINITE.match(text):
        return None
    return text


def _decimal(digits: str) -> int | float:
    return int(digits) if len(digits) < 16 else _finite(float(digits)) or 0  # JavaScript's numbers are float64


def _finite(number: float) -> int | float | None:
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def js_text(value: Scalar) -> str:
    """Return a scalar as JavaScript writes it into a string, which is what Serverless sends to AWS."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _js_float(value)
    return str(value)


def _js_float(value: float) -> str:
    """ECMAScript's Number::toString: the shortest digits that read back, an exponent outside 1e-6 to 1e21."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    unpadded = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(unpadded))  # value = 0.digits * 10**point
    digits = unpadded.rstrip("0")
    sign = "-" if value < 0 else ""
    if not digits:
        return "0"
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{point - 1:+d}"
