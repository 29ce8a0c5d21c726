"""Names -> the letters and digits that logical ids are made of, as Serverless 3 and osls 4.3.1 make them."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
SIGN = re.compile(r"[^0-9A-Za-z]")


def normal(name: str) -> str:
    """Return a name as part of a logical id: `my-function_1` is MyDashfunctionUnderscore1."""
    return upper_first(name.replace("-", "Dash").replace("_", "Underscore"))


def alphanumeric(name: str) -> str:
    """Return what of a name is letters and digits, the first one upper: `my.topic` is Mytopic."""
    return upper_first(SIGN.sub("", name))


def upper_first(text: str) -> str:
    """Return a text with its first letter upper."""
    return text[:1].upper() + text[1:]


def start_case(text: str) -> str:
    """Return words with their first letters upper, without spaces: `application/json` is ApplicationJson."""
    return "".join(upper_first(word) for word in _WORD.findall(text))


def camel_case(text: str) -> str:
    """Return words in camel case: `my-model` is myModel."""
    words: list[str] = [word.lower() for word in _WORD.findall(text)]
    first, *rest = words or [""]
    return first + "".join(upper_first(word) for word in rest)


def path(text: str) -> str:
    """Return a path, or a route key, as part of a logical id: `GET /items/{id}` is GetItemsIdVar."""
    return "".join(_path_part(part) for part in text.split("/"))


def _path_part(part: str) -> str:
    part = re.sub(r"\{(.*)\}", r"\1Var", part.lower().replace("-", "Dash"))
    return upper_first(SIGN.sub("", part))
