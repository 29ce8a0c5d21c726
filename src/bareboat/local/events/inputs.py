"""`input`, `inputPath` and `inputTransformer` of a rule: what of an event a function gets.

Source:
    EventBridge user guide, "Input transformation"; the Serverless Framework's schedule and eventBridge events.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_VARIABLE = re.compile(r"<([A-Za-z0-9_.-]+)>")


def event_for(event: Mapping[str, Any], said: Any, options: Mapping[str, Any]) -> bytes:
    """Return what a function gets, as JSON.

    Args:
        event: the whole event.
        said: `input`; None where there is none.
        options: `inputPath` and `inputTransformer`, where there are.
    """
    if said is not None:
        return _constant(said)
    path = options.get("inputPath")
    if isinstance(path, str):
        return _dump(_at(event, path))
    transformer = options.get("inputTransformer")
    if isinstance(transformer, dict) and isinstance(transformer.get("inputTemplate"), str):
        return _transformed(event, transformer["inputTemplate"], transformer.get("inputPathsMap") or {})
    return _dump(event)


def _constant(said: Any) -> bytes:
    if isinstance(said, str):
        try:
            json.loads(said)
        except ValueError:
            return _dump(said)
        return said.encode()
    if isinstance(said, dict) and isinstance(said.get("body"), str):
        try:
            return _dump({**said, "body": json.loads(said["body"])})  # as Serverless reads it
        except ValueError:
            return _dump(said)
    return _dump(said)


def _at(event: Any, path: str) -> Any:
    """Return what stands at `$.detail.name` or `$.list[0]`, None where there is nothing."""
    found = event
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path.removeprefix("$")):
        if name and isinstance(found, Mapping):
            found = found.get(name)
        elif index and isinstance(found, list) and int(index) < len(found):
            found = found[int(index)]
        else:
            return None
    return found


def _transformed(event: Mapping[str, Any], template: str, paths: Mapping[str, Any]) -> bytes:
    """Fill a template: a variable of its own is JSON, one within quotes is the text of it."""

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name not in paths:
            return match[0]
        value = _at(event, str(paths[name]))
        quoted = template[: match.start()].replace('\\"', "").count('"') % 2 == 1
        if quoted:
            text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
            return json.dumps(text)[1:-1]
        return json.dumps(value)

    text = _VARIABLE.sub(fill, template)
    try:
        json.loads(text)
    except ValueError:
        return _dump(text)  # a template that is no JSON is handed over as a text
    return text.encode()


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
