"""YAML text -> Node.

Merge keys, anchors and CloudFormation's short tags are understood; how scalars are read stands in scalars.py.
"""

from __future__ import annotations

from typing import Any

import yaml

from bareboat.errors import ConfigurationError
from bareboat.service.model import Place
from bareboat.service.nodes import MAX_DEPTH, MAX_VALUES, Node
from bareboat.service.scalars import js_text, read_scalar

MAX_BYTES = 5_000_000

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
