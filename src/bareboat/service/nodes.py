"""YAML text -> Node: values that remember their line and column.

Scalars are read as js-yaml 4 reads them for the Serverless Framework: YAML 1.2 core, so `yes` and `on` are text, `017`
is seventeen, `0o17` is fifteen and dates stay text; merge keys and CloudFormation's short tags are understood.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Literal

import yaml

from bareboat.errors import ConfigurationError
from bareboat.service.model import Place

MAX_DEPTH = 100
MAX_BYTES = 5_000_000
MAX_VALUES = 200_000  # after aliases are followed: a bomb has billions

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

_CLOUDFORMATION = frozenset(
    [
        "And",
        "Base64",
        "Cidr",
        "Condition",
        "Equals",
        "FindInMap",
        "GetAtt",
        "GetAZs",
        "GetStackOutput",
        "If",
        "ImportValue",
        "Join",
        "Not",
        "Or",
        "Ref",
        "Select",
        "Split",
        "Sub",
        "Transform",
    ]
)
_STANDARD = "tag:yaml.org,2002:"


class Node:
    """A value with its place.

    Attributes:
        value: a scalar, a list of nodes, or a dict of nodes.
        place: where the value stands.
        keys: of a mapping: where each key stands.
        text: of a plain scalar: what was written, when the value differs from it.
        via: the variable that gave the value, as written, or "".
        origin: where the variable took it from (`--stage`, `.env`), or "".
        state: "" for a known value; "pending" when it needs AWS, and `value` is its text; "broken" after an error.
    """

    __slots__ = ("keys", "origin", "place", "state", "text", "value", "via")

    def __init__(
        self,
        value: Any,
        place: Place,
        *,
        keys: dict[str, Place] | None = None,
        text: str = "",
        via: str = "",
        origin: str = "",
        state: Literal["", "pending", "broken"] = "",
    ) -> None:
        self.value = value
        self.place = place
        self.keys = keys if keys is not None else {}
        self.text = text
        self.via = via
        self.origin = origin
        self.state = state

    def __repr__(self) -> str:
        return f"Node({plain(self)!r}, {self.place})"

    @property
    def is_mapping(self) -> bool:
        """Whether the value is a mapping."""
        return isinstance(self.value, dict)

    def get(self, *path: str) -> Node | None:
        """Return the node at a path of keys, or None when it is absent or null."""
        node: Node = self
        for key in path:
            if not isinstance(node.value, dict) or key not in node.value:
                return None
            node = node.value[key]
        return None if node.value is None else node

    def items(self) -> Iterator[tuple[str, Node]]:
        """Yield the entries of a mapping; nothing for any other value."""
        if isinstance(self.value, dict):
            yield from self.value.items()

    def key_place(self, key: str) -> Place:
        """Return where a key of this mapping stands."""
        return self.keys.get(key, self.place)

    def provenance(self) -> str:
        """Return the place, and the variable that gave the value when there is one."""
        if not self.via:
            return str(self.place)
        return f"{self.place} {self.via}" + (f" from {self.origin}" if self.origin else "")


def plain(node: Node) -> Any:
    """Return the value without places: dicts, lists and scalars."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def to_node(value: Any, place: Place) -> Node:
    """Return plain data as nodes that all stand at one place."""
    if isinstance(value, dict):
        return Node(
            {str(key): to_node(child, place) for key, child in value.items()},
            place,
            keys={str(key): place for key in value},
        )
    if isinstance(value, (list, tuple)):
        return Node([to_node(child, place) for child in value], place)
    return Node(value, place)


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


def compose(data: bytes, file: str) -> Node:
    """Parse one YAML document.

    Args:
        data: UTF-8, with or without a byte order mark.
        file: the name that places carry.
    Returns:
        The document; an empty one is a Node of None.
    Raises:
        ConfigurationError: not UTF-8, not YAML, two documents, a repeated key, an unknown tag, too deep, or aliases
            that blow up; with file, line and column.
    """
    text = decode(data, file)
    try:
        return _Composer(text, file).document()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text, file) from error
    except yaml.YAMLError as error:  # ReaderError: a control character
        position = getattr(error, "position", 0)
        raise ConfigurationError(
            f"the file holds the control character U+{int(getattr(error, 'character', 0)):04X}",
            expected="printable text",
            fix="remove it",
            where=str(_place_of(text, position, file)),
        ) from error


def decode(data: bytes, file: str) -> str:
    """Return UTF-8 bytes as text.

    Raises:
        ConfigurationError: it is not UTF-8, or larger than 5 MB.
    """
    if len(data) > MAX_BYTES:
        raise ConfigurationError(
            f"{file} has {len(data) / 1e6:.1f} MB", expected=f"at most {MAX_BYTES / 1e6:.0f} MB", where=file
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rsplit(b"\n", 1)[-1].decode("utf-8", "replace")) + 1
        raise ConfigurationError(
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            expected="a text file in UTF-8",
            fix="save it as UTF-8",
            where=str(Place(file, line, column)),
        ) from error


def _place_of(text: str, position: int, file: str) -> Place:
    before = text[:position]
    return Place(file, before.count("\n") + 1, len(before.rsplit("\n", 1)[-1]) + 1)


def _syntax_error(error: yaml.MarkedYAMLError, text: str, file: str) -> ConfigurationError:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    lines = text.splitlines()
    current = lines[line] if line < len(lines) else ""
    indent = current[: len(current) - len(current.lstrip())]
    if "\t" in indent or (column < len(current) and current[column] == "\t"):
        place = Place(file, line + 1, (current.index("\t")) + 1)
        return ConfigurationError(
            "a tab stands where YAML wants spaces", expected="spaces", fix="indent with spaces", where=str(place)
        )
    what = " ".join(filter(None, (error.context, error.problem)))
    return ConfigurationError(
        f"not valid YAML: {what}", expected="YAML 1.2", where=str(Place(file, line + 1, column + 1))
    )


def _parser(text: str) -> Any:
    """Return PyYAML's event parser: libyaml's when it was compiled in, else the one in Python."""
    if yaml.__with_libyaml__:
        from yaml._yaml import CParser

        return CParser(text)
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class PythonParser(Reader, Scanner, Parser):
        def __init__(self, stream: str) -> None:
            Reader.__init__(self, stream)
            Scanner.__init__(self)
            Parser.__init__(self)

    return PythonParser(text)


class _Composer:
    """Builds nodes from events, so that nothing recurses in C and depth is ours to limit."""

    def __init__(self, text: str, file: str) -> None:
        self.next = _parser(text).get_event
        self.file = file
        self.anchors: dict[str, Node] = {}
        self.sizes: dict[int, int] = {}
        self.depth = 0

    def document(self) -> Node:
        self.next()  # the start of the stream
        event = self.next()
        if isinstance(event, yaml.StreamEndEvent):
            return Node(None, Place(self.file, 1, 1))
        root = self.node(self.next())
        self.next()  # the end of the document
        event = self.next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise ConfigurationError(
                "a second document begins here",
                expected="one document in the file",
                fix="remove the '---' and what follows",
                where=str(self.place(event)),
            )
        return root

    def place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None
        return Place(self.file, mark.line + 1, mark.column + 1)

    def fail(self, event: yaml.Event, found: str, expected: str = "", fix: str = "") -> ConfigurationError:
        return ConfigurationError(found, expected=expected, fix=fix, where=str(self.place(event)))

    def node(self, event: Any) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(event, f"nested deeper than {MAX_DEPTH} levels")
        node = Node(None, self.place(event), state="broken")  # "broken" until complete: an alias may point at it
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        size = 1
        if isinstance(event, yaml.ScalarEvent):
            self.scalar(event, node)
        elif isinstance(event, yaml.SequenceStartEvent):
            size += self.sequence(node)
        else:
            size += self.mapping(node)
        self.sizes[id(node)] = size
        if size > MAX_VALUES:
            raise self.fail(event, f"aliases make this more than {MAX_VALUES:,} values", expected="fewer aliases")
        node.state = ""
        self.tag(event, node)
        self.depth -= 1
        return node

    def alias(self, event: Any) -> Node:
        target = self.anchors.get(event.anchor)
        if target is None:
            raise self.fail(event, f"alias *{event.anchor} has no anchor", expected=f"&{event.anchor} before it")
        if target.state == "broken":
            raise self.fail(event, f"alias *{event.anchor} stands inside what it names", expected="no circle")
        return target

    def scalar(self, event: Any, node: Node) -> None:
        node.value = event.value
        if event.implicit[0]:
            node.value = read_scalar(event.value)
            if not isinstance(node.value, str):
                node.text = event.value

    def sequence(self, node: Node) -> int:
        children: list[Node] = []
        size = 0
        while not isinstance(event := self.next(), yaml.SequenceEndEvent):
            child = self.node(event)
            children.append(child)
            size += self.sizes[id(child)]
        node.value = children
        return size

    def mapping(self, node: Node) -> int:
        entries: dict[str, Node] = {}
        merged: list[tuple[Any, Node]] = []
        size = 0
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            key = self.key(event)
            is_merge = key == "<<" and not getattr(event, "style", "")
            place = self.place(event)
            value_event = self.next()
            child = self.node(value_event)
            size += self.sizes[id(child)]
            if is_merge:
                merged.append((value_event, child))
                continue
            if key in entries:
                raise self.fail(event, f"key '{key}' stands here again", f"it once; first at {node.keys[key]}")
            entries[key] = child
            node.keys[key] = place
        for value_event, child in merged:
            self.merge(value_event, child, entries, node.keys)
        node.value = entries
        return size

    def key(self, event: Any) -> str:
        if isinstance(event, yaml.AliasEvent):
            node = self.alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            node = Node(None, self.place(event))
            self.scalar(event, node)
            if event.anchor is not None:
                self.sizes[id(node)] = 1
                self.anchors[event.anchor] = node
        else:
            raise self.fail(event, "a mapping or a list stands as a key", expected="text as a key")
        if isinstance(node.value, (dict, list)):
            raise self.fail(event, "a mapping or a list stands as a key", expected="text as a key")
        return "null" if node.value is None else js_text(node.value)

    def merge(self, event: Any, source: Node, entries: dict[str, Node], keys: dict[str, Place]) -> None:
        sources = source.value if isinstance(source.value, list) else [source]
        for mapping in sources:
            if not isinstance(mapping.value, dict):
                raise self.fail(
                    event, "<< merges something that is no mapping", expected="a mapping, or a list of them"
                )
            for key, child in mapping.value.items():
                if key not in entries:
                    entries[key] = child
                    keys[key] = mapping.key_place(key)

    def tag(self, event: Any, node: Node) -> None:
        """Apply an explicit tag: CloudFormation's short forms, and YAML's own simple ones."""
        tag = event.tag
        if tag is None or tag == "!":
            return
        name = tag.removeprefix("!")
        if tag.startswith("!") and name in _CLOUDFORMATION:
            self.cloudformation(node, name)
            return
        kind = tag.removeprefix(_STANDARD)
        simple: dict[str, Any] = {"str": str, "map": dict, "seq": list, "timestamp": str}
        if tag.startswith(_STANDARD) and kind in simple and isinstance(node.value, simple[kind]):
            return
        if tag.startswith(_STANDARD) and kind in ("int", "float", "bool", "null"):
            value = read_scalar(node.value) if isinstance(node.value, str) else node.value
            kinds: dict[str, Any] = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}
            if isinstance(value, kinds[kind]) and (kind == "bool" or not isinstance(value, bool)):
                node.value = value
                return
        shown = f"!!{kind}" if tag.startswith(_STANDARD) else tag
        raise self.fail(
            event,
            f"unknown tag {shown}",
            expected="one of " + ", ".join(f"!{known}" for known in sorted(_CLOUDFORMATION)),
        )

    def cloudformation(self, node: Node, name: str) -> None:
        inner = Node(node.value, node.place, keys=node.keys, text=node.text)
        if name == "GetAtt" and isinstance(inner.value, str):
            first, _, rest = inner.value.partition(".")
            inner.value = [Node(first, node.place), Node(rest, node.place)]
        key = name if name in ("Ref", "Condition") else f"Fn::{name}"
        self.sizes[id(inner)] = self.sizes[id(node)]
        node.value, node.keys, node.text = {key: inner}, {key: node.place}, ""
