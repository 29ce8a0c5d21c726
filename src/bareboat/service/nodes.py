"""Node: a value of a configuration that remembers its line and column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from bareboat.service.model import Place

MAX_DEPTH = 100
MAX_VALUES = 200_000  # after aliases and variables are followed: a bomb has billions


class Node:
    """A value with its place.

    Attributes:
        value: a scalar, a list of nodes, or a dict of nodes.
        place: where the value stands.
        keys: of a mapping: where each key stands.
        text: of a plain scalar: what was written, when the value differs from it.
        via: the variable that gave the value, as written, or "".
        origin: where the variable took it from (`--stage`, `.env`), or "".
        secret: whether the value came from AWS's stores (`${ssm:}`, `${s3:}`), so that it is not shown.
        state: "" for a known value; "pending" when it needs AWS, and `value` is its text; "broken" after an error.
    """

    __slots__ = ("keys", "origin", "place", "secret", "state", "text", "value", "via")

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
        self.secret = False

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
