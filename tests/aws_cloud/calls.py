"""The record of calls: what was asked, and who answered."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from aws_cloud.messages import Answerer


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `cloudformation:CreateChangeSet`, the status of its answer (0 for none), and who answered."""

    operation: str
    status: int
    by: Answerer
    target: str
    code: str = ""


class Calls:
    """Every call since the last reset, in order."""

    def __init__(self) -> None:
        self._all: list[Call] = []
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        with self._lock:
            self._all.append(call)

    def clear(self) -> None:
        self._all.clear()

    def __iter__(self) -> Iterator[Call]:
        return iter(tuple(self._all))

    def __len__(self) -> int:
        return len(self._all)

    @property
    def operations(self) -> list[str]:
        """The operations in order, one for each call."""
        return [one.operation for one in self]

    def count(self, operation: str) -> int:
        return self.operations.count(operation)

    @property
    def shares(self) -> Counter[str]:
        """How many calls each answered."""
        return Counter(one.by for one in self)
