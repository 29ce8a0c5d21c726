"""Nodes and a declared type -> the typed value, with every problem noted on the way.

msgspec.convert stops at the first error and knows no places, so this walks the same types itself. Scalars are coerced
as Serverless coerces them: `timeout: '30'` is a number, `description: 5` is text, one value is a list of one.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import Meta, Struct
from msgspec.structs import fields

from bareboat.service.nodes import Node, js_text, plain
from bareboat.service.problems import Problems, listed, nearest, rename_fix

BAD: Any = object()  # what a value that has a problem converts to; its field is left unset
_MANY = 14
_NONE = type(None)


class Checker:
    """Converts nodes to declared types.

    Args:
        problems: where problems are noted.
        refused: by type: keys that are known and refused, with the reason.
    """

    def __init__(self, problems: Problems, refused: Mapping[type, Mapping[str, str]] | None = None) -> None:
        self.problems = problems
        self.refused = refused or {}

    def struct(self, node: Node, kind: type[Struct], path: str) -> Any:
        """Return a Struct with what of the mapping is right; a wrong value leaves its field at None.

        Args:
            node: what should be a mapping.
            kind: a Struct whose fields all have defaults.
            path: dotted, such as `functions.predict`; "" is the file itself.
        """
        if not isinstance(node.value, dict):
            return self._wrong(node, kind, path)
        known = struct_fields(kind)
        found: dict[str, Any] = {}
        for key, child in node.value.items():
            if key not in known:
                self._unknown(node, key, kind, path)
                continue
            value = self.convert(child, known[key][1], f"{path}.{key}" if path else key)
            if value is not BAD:
                found[known[key][0]] = value
        return kind(**found)

    def convert(self, node: Node, kind: Any, path: str) -> Any:
        """Return the node's value as a type, or BAD."""
        if node.state == "broken":
            return BAD
        kind, metas = _unwrap(kind)
        options = [option for option in _options(kind) if option is not _NONE]
        if node.value is None:
            return (
                None if len(options) < len(_options(kind)) or Any in options else self._wrong(node, kind, path, metas)
            )
        if node.state == "pending":
            return self._pending(node, kind, options, path, metas)
        for option in options:
            inner, own = _unwrap(option)
            if _fits(node, inner):
                value = self._container(node, inner, path)
                return (
                    value
                    if value is BAD or self._within(value, (*metas, *own))
                    else self._wrong(node, kind, path, (*metas, *own))
                )
        for option in options:
            inner, own = _unwrap(option)
            value = _coerced(node, inner)
            if value is not BAD:
                return value if self._within(value, (*metas, *own)) else self._wrong(node, kind, path, (*metas, *own))
        for option in options:
            if get_origin(option) is list and not isinstance(node.value, dict):
                return self._container(Node([node], node.place), option, path)
        return self._wrong(node, kind, path, metas)

    def _container(self, node: Node, kind: Any, path: str) -> Any:
        """Return a value whose own kind fits; the children of lists and mappings are converted."""
        origin = get_origin(kind)
        if origin is list:
            (item,) = get_args(kind)
            values = [self.convert(child, item, f"{path}[{index}]") for index, child in enumerate(node.value)]
            return [value for value in values if value is not BAD]
        if origin is dict:
            _, item = get_args(kind)
            entries = {key: self.convert(child, item, f"{path}.{key}") for key, child in node.value.items()}
            return {key: value for key, value in entries.items() if value is not BAD}
        if _is_struct(kind):
            return self.struct(node, kind, path)
        if origin is Literal:
            return next(choice for choice in get_args(kind) if _same(node, choice))
        return plain(node)

    def _pending(self, node: Node, kind: Any, options: list[Any], path: str, metas: tuple[Meta, ...]) -> Any:
        """A value that only AWS knows may stand where text may; a list or a mapping is left unset."""
        kinds = [_unwrap(option)[0] for option in options]
        if str in kinds or Any in kinds:
            return node.value
        if any(get_origin(option) in (list, dict) or _is_struct(option) for option in kinds):
            return None
        self.problems.add(
            node.place,
            f"{path} is {node.value}, which needs AWS",
            expected=expectation(kind, metas),
            fix="write the value, or give the variable a default",
        )
        return BAD

    def _within(self, value: Any, metas: tuple[Meta, ...]) -> bool:
        for meta in metas:
            if meta.ge is not None and value < meta.ge:
                return False
            if meta.le is not None and value > meta.le:
                return False
            if meta.max_length is not None and len(value) > meta.max_length:
                return False
            if meta.pattern is not None and re.search(meta.pattern, value) is None:
                return False
        return True

    def _wrong(self, node: Node, kind: Any, path: str, metas: tuple[Meta, ...] = ()) -> Any:
        if not node.state:
            fix = ""
            inner = _unwrap(kind)[0]
            choices = [
                choice for option in _options(inner) if get_origin(option) is Literal for choice in get_args(option)
            ]
            if choices and isinstance(node.value, str):
                near = nearest(node.value, [str(choice) for choice in choices])
                fix = f"write {near}" if near else ""
            found = f"{path or node.place.file} is {shown(node)}" + (f" ({node.via})" if node.via else "")
            self.problems.add(node.place, found, expected=expectation(kind, metas), fix=fix)
        return BAD

    def _unknown(self, node: Node, key: str, kind: type[Struct], path: str) -> None:
        place = node.key_place(key)
        label = path.rsplit(".", 1)[-1] if ".events[" in path else path or node.place.file
        is_event = label.startswith(
            "events["
        )  # `sqz` in `- sqz: ...` is an unknown event rather than a key of events[1]
        reason = self.refused.get(kind, {}).get(key)
        names = list(struct_fields(kind))
        if reason:
            self.problems.add(
                place, f"{'event' if is_event else label} '{key}' is refused: {reason}", fix="take it out"
            )
            return
        listing = names if len(names) <= _MANY else [name for name in names if struct_fields(kind)[name][2] != "could"]
        more = "" if len(listing) == len(names) else ", ..."
        self.problems.add(
            place,
            f"unknown event '{key}'" if is_event else f"{label} has no key '{key}'",
            expected=f"one of {listed(listing)}{more}",
            fix=rename_fix(key, names),
        )


@cache
def struct_fields(kind: type[Struct]) -> dict[str, tuple[str, Any, str]]:
    """Return the keys of a Struct as written: field name, type, tier."""
    found = {}
    for item in fields(kind):
        tiers = [meta.extra["tier"] for meta in _unwrap(item.type)[1] if meta.extra and "tier" in meta.extra]
        found[item.encode_name] = (item.name, item.type, tiers[0] if tiers else "could")
    return found


def shown(node: Node) -> str:
    """Return a value as an error message shows it."""
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, list):
        return "a list"
    if isinstance(node.value, str):
        return f"'{node.value}'" if len(node.value) <= 60 else f"'{node.value[:57]}...'"
    return "null" if node.value is None else node.text or js_text(node.value)


def expectation(kind: Any, metas: tuple[Meta, ...] = ()) -> str:
    """Return in words what a type expects."""
    kind, own = _unwrap(kind)
    for meta in (*own, *metas):
        if meta.extra and "expected" in meta.extra:
            return str(meta.extra["expected"])
    options = [option for option in _options(kind) if option is not _NONE]
    if len(options) > 1:
        return " or ".join(dict.fromkeys(expectation(option) for option in options))
    kind = options[0] if options else kind
    if _is_struct(kind):
        names = list(struct_fields(kind))
        return f"a mapping with {listed(names)}" if len(names) <= _MANY else "a mapping"
    origin = get_origin(kind)
    if origin is list:
        return f"a list of {_PLURALS.get(_unwrap(get_args(kind)[0])[0], 'values')}"
    if origin is Literal:
        return f"one of {listed(str(choice) for choice in get_args(kind))}"
    return "a mapping" if origin is dict else _WORDS.get(kind, "a value")


_WORDS: dict[Any, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
_PLURALS: dict[Any, str] = {str: "texts", int: "whole numbers"}


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _unwrap(kind: Any) -> tuple[Any, tuple[Meta, ...]]:
    if get_origin(kind) is Annotated:
        return kind.__origin__, tuple(meta for meta in kind.__metadata__ if isinstance(meta, Meta))
    return kind, ()


def _options(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _fits(node: Node, kind: Any) -> bool:
    """Tell whether the value is of a kind as it stands."""
    value = node.value
    origin = get_origin(kind)
    if kind is Any:
        return True
    if _is_struct(kind) or origin is dict:
        return isinstance(value, dict)
    if origin is list:
        return isinstance(value, list)
    if origin is Literal:
        return any(_same(node, choice) for choice in get_args(kind))
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, kind) or (kind is float and isinstance(value, int))


def _same(node: Node, choice: Any) -> bool:
    if isinstance(node.value, (dict, list, bool)):
        return node.value is choice
    return node.value == choice or (isinstance(choice, str) and choice in (node.text, js_text(node.value)))


def _coerced(node: Node, kind: Any) -> Any:
    """Return a scalar turned into another kind of scalar as Serverless's validator does, or BAD."""
    value = node.value
    if isinstance(value, (dict, list)):
        return BAD
    if kind is str:
        return js_text(value)
    if kind is bool:
        return {"true": True, "false": False, "1": True, "0": False}.get(js_text(value), BAD)
    if kind in (int, float) and isinstance(value, str):
        return _number(value, kind)
    if get_origin(kind) is Literal and isinstance(value, str):
        return next((choice for choice in get_args(kind) if js_text(choice) == value.strip()), BAD)
    return BAD


def _number(text: str, kind: Any) -> Any:
    if re.fullmatch(r"\s*[-+]?[0-9]{1,15}\s*", text):
        return int(text)
    if kind is float and re.fullmatch(r"\s*[-+]?[0-9]*\.?[0-9]+\s*", text):
        return float(text)
    return BAD
