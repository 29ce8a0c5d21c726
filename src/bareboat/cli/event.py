"""What the user types, names or pipes -> the event of an invocation."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from bareboat.errors import ConfigurationError

F = TypeVar("F", bound=Callable[..., Any])
RAW = "--raw hands a text over as it is"


def event_options(command: F) -> F:
    """Give a command the options that say what a function is invoked with: the event, and the client context."""
    file = click.Path(path_type=Path)
    for option in (
        click.option("--contextPath", "context_path", type=file, metavar="FILE", help="A file with it."),
        click.option("--context", metavar="JSON", help="The client context that the handler finds in its context."),
        click.option("--raw", is_flag=True, help="Hand the event over as a string, JSON or not."),
        click.option("-p", "--path", type=file, metavar="FILE", help="A file with the event; - is stdin."),
        click.option("-d", "--data", metavar="JSON", help="The event."),
    ):
        command = option(command)
    return command


def read_event(data: str | None, path: Path | None, *, raw: bool, fix: str = RAW) -> bytes:
    """Return the event as JSON: from `--data`, a file, or standard input when it is no terminal; else `{}`.

    Args:
        raw: hand the text over as it is, as a JSON string.
        fix: what helps where it is not JSON.
    Raises:
        ConfigurationError: it is not JSON, the file cannot be read, or both are given.
    """
    if data is not None and path is not None:
        raise ConfigurationError("--data and --path are both given", expected="one event", fix="leave one of them out")
    if data is not None:
        return _event(data, "--data", raw=raw, fix=fix)
    if path is not None and str(path) != "-":
        return _event(_text(_file(path), str(path)), str(path), raw=raw, fix=fix)
    if path is None and (sys.stdin is None or sys.stdin.isatty()):
        return b"{}"
    text = _text(sys.stdin.buffer.read(), "standard input")
    return _event(text, "standard input", raw=raw, fix=fix) if raw or text.strip() else b"{}"


def read_object(text: str | None, path: Path | None, flag: str) -> str:
    """Return a JSON object as text, from a flag or a file; "" when neither is given.

    Raises:
        ConfigurationError: it is no JSON object.
    """
    if path is not None:
        text, flag = _text(_file(path), str(path)), str(path)
    if text is None:
        return ""
    shape = 'a JSON object, such as {"client": {"installation_id": "x"}}'
    if not isinstance(_json(text, flag, expected=shape, fix=""), dict):
        raise ConfigurationError(f"{flag} is no JSON object", expected=shape)
    return text


def _event(text: str, origin: str, *, raw: bool, fix: str) -> bytes:
    if raw:
        return json.dumps(text).encode()
    _json(text, origin, expected="the event as JSON", fix=fix)
    return text.encode()


def _json(text: str, origin: str, *, expected: str, fix: str) -> object:
    try:
        document: object = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ConfigurationError(f"{origin} is nested too deeply to be read") from None
    except ValueError as error:
        where = f"{origin}:{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else origin
        what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise ConfigurationError(
            f"this is not JSON: {what}",
            expected=expected,
            fix=fix,
            where=where,
        ) from error
    return document


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}", expected="a file with the event"
        ) from error


def _text(content: bytes, origin: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"byte {error.start} of {origin} is not UTF-8", expected="the event as JSON in UTF-8"
        ) from error
