"""Nodes and a declared type -> the typed value, with every problem noted on the way.

msgspec.convert stops at the first error and knows no places, so this walks the same types itself. Scalars are coerced
as Serverless coerces them: `timeout: '30'` is a number, `description: 5` is text, one value is a list of one.
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from bareboat.service.keys.base import Keys, Said, key_of
from bareboat.service.nodes import Node, plain
from bareboat.service.problems import Problems, listed, nearest, rename_fix
from bareboat.service.scalars import js_text

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

    def keys(self, node: Node, kind: type[Keys], path: str) -> Any:
        """Return the keys with what of the mapping is right; a wrong value leaves its field at None.

        Args:
            node: what should be a mapping.
            kind: a class of keys.
            path: dotted, such as `functions.predict`; "" is the file itself.
        """
        if not isinstance(node.value, dict):
            return self._wrong(node, kind, path)
        known = known_keys(kind)
        found = kind()
        for key, child in node.value.items():
            if key not in known:
                self._unknown(node, key, kind, path)
                continue
            value = self.convert(child, known[key].type, f"{path}.{key}" if path else key)
            if value is not BAD:
                setattr(found, known[key].attribute, value)
        return found

    def convert(self, node: Node, kind: Any, path: str) -> Any:
        """Return the node's value as a type, or BAD."""
        if node.state == "broken":
            return BAD
        kind, said = _unwrap(kind)
        options = [option for option in _options(kind) if option is not _NONE]
        if node.value is None:
            return None if len(options) < len(_options(kind)) or Any in options else self._wrong(node, kind, path, said)
        if node.state == "pending":
            return self._pending(node, kind, options, path, said)
        for option in options:
            inner, own = _unwrap(option)
            if _fits(node, inner):
                value = self._container(node, inner, path)
                return (
                    value
                    if value is BAD or self._within(value, (*said, *own))
                    else self._wrong(node, kind, path, (*said, *own))
                )
        for option in options:
            inner, own = _unwrap(option)
            value = _coerced(node, inner)
            if value is not BAD:
                return value if self._within(value, (*said, *own)) else self._wrong(node, kind, path, (*said, *own))
        for option in options:
            if get_origin(option) is list and not isinstance(node.value, dict):
                return self._container(Node([node], node.place), option, path)
        return self._wrong(node, kind, path, said)

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
        if _is_keys(kind):
            return self.keys(node, kind, path)
        if origin is Literal:
            return next(choice for choice in get_args(kind) if _same(node, choice))
        return plain(node)

    def _pending(self, node: Node, kind: Any, options: list[Any], path: str, said: tuple[Said, ...]) -> Any:
        """A value that only AWS knows may stand where text may; a list or a mapping is left unset."""
        kinds = [_unwrap(option)[0] for option in options]
        if str in kinds or Any in kinds:
            return node.value
        if any(get_origin(option) in (list, dict) or _is_keys(option) for option in kinds):
            return None
        self.problems.add(
            node.place,
            f"{path} is {node.value}, which needs AWS",
            expected=expectation(kind, said),
            fix="write the value, or give the variable a default",
        )
        return BAD

    def _within(self, value: Any, said: tuple[Said, ...]) -> bool:
        for each in said:
            if each.ge is not None and value < each.ge:
                return False
            if each.le is not None and value > each.le:
                return False
            if each.max_length is not None and len(value) > each.max_length:
                return False
            if each.pattern is not None and re.search(each.pattern, value) is None:
                return False
        return True

    def _wrong(self, node: Node, kind: Any, path: str, said: tuple[Said, ...] = ()) -> Any:
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
            self.problems.add(node.place, found, expected=expectation(kind, said), fix=fix)
        return BAD

    def _unknown(self, node: Node, key: str, kind: type[Keys], path: str) -> None:
        place = node.key_place(key)
        label = path.rsplit(".", 1)[-1] if ".events[" in path else path or node.place.file
        is_event = label.startswith(
            "events["
        )  # `sqz` in `- sqz: ...` is an unknown event rather than a key of events[1]
        if is_event and len(node.value) > 1:
            return  # events.py says that an event has one key
        reason = self.refused.get(kind, {}).get(key)
        names = list(known_keys(kind))
        if reason:
            self.problems.add(
                place, f"{'event' if is_event else label} '{key}' is refused: {reason}", fix="take it out"
            )
            return
        listing = (
            names if len(names) <= _MANY else [name for name in names if known_keys(kind)[name].said.tier != "could"]
        )
        more = "" if len(listing) == len(names) else ", ..."
        self.problems.add(
            place,
            f"unknown event '{key}'" if is_event else f"{label} has no key '{key}'",
            expected=f"one of {listed(listing)}{more}",
            fix=rename_fix(key, names),
        )


class Known:
    """One key of a class of keys; its type is evaluated when it is first asked for."""

    __slots__ = ("_annotation", "_module", "_type", "attribute")

    def __init__(self, attribute: str, annotation: str, module: str) -> None:
        self.attribute = attribute
        self._annotation = annotation
        self._module = module
        self._type: Any = BAD

    @property
    def type(self) -> Any:
        """The declared type, with what is said of it."""
        if self._type is BAD:
            self._type = eval(self._annotation, vars(sys.modules[self._module]))  # noqa: S307  our own source text
        return self._type

    @property
    def said(self) -> Said:
        """The description and tier of the key."""
        return next((said for said in _unwrap(self.type)[1] if said.description), Said())


_KNOWN: dict[str, dict[str, Known]] = {}


def known_keys(kind: type[Keys]) -> dict[str, Known]:
    """Return the keys of a class as a file writes them."""
    if kind.__name__ in _KNOWN:
        return _KNOWN[kind.__name__]
    annotations = {name: text for name, text in vars(kind)["__annotations__"].items() if name != "NAMES"}
    _KNOWN[kind.__name__] = {
        kind.NAMES.get(name) or key_of(name): Known(name, text, kind.__module__) for name, text in annotations.items()
    }
    return _KNOWN[kind.__name__]


def checked_value(keys: Keys, key: str, node: Node) -> Any:
    """Return the value of a key as JSON: of the type that it has where it was converted, else as written."""
    value = getattr(keys, known_keys(type(keys))[key].attribute)
    return plain(node) if value is None or isinstance(value, (Keys, list, dict)) else value


def shown(node: Node) -> str:
    """Return a value as an error message shows it."""
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, list):
        return "a list"
    if node.secret:
        return f"a value of {len(str(node.value))} characters"
    if isinstance(node.value, str):
        return f"'{node.value}'" if len(node.value) <= 60 else f"'{node.value[:57]}...'"
    return "null" if node.value is None else node.text or js_text(node.value)


def expectation(kind: Any, said: tuple[Said, ...] = ()) -> str:
    """Return in words what a type expects."""
    kind, own = _unwrap(kind)
    for each in (*own, *said):
        if each.expected:
            return each.expected
    options = [option for option in _options(kind) if option is not _NONE]
    if len(options) > 1:
        return " or ".join(dict.fromkeys(expectation(option) for option in options))
    if options and options[0] is not kind:
        return expectation(options[0])
    if _is_keys(kind):
        names = list(known_keys(kind))
        return f"a mapping with {listed(names)}" if len(names) <= _MANY else "a mapping"
    origin = get_origin(kind)
    if origin is list:
        return f"a list of {_PLURALS.get(_unwrap(get_args(kind)[0])[0], 'values')}"
    if origin is Literal:
        return f"one of {listed(str(choice) for choice in get_args(kind))}"
    return "a mapping" if origin is dict else _WORDS.get(kind, "a value")


_WORDS: dict[Any, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
_PLURALS: dict[Any, str] = {str: "texts", int: "whole numbers"}


def _is_keys(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Keys)


def _unwrap(kind: Any) -> tuple[Any, tuple[Said, ...]]:
    if get_origin(kind) is Annotated:
        return kind.__origin__, tuple(each for each in kind.__metadata__ if isinstance(each, Said))
    return kind, ()


def _options(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _fits(node: Node, kind: Any) -> bool:
    """Tell whether the value is of a kind as it stands."""
    value = node.value
    origin = get_origin(kind)
    if kind is Any:
        return True
    if _is_keys(kind) or origin is dict:
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
