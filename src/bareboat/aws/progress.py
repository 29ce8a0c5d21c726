"""How far a deployment is: what whoever shows it is told."""

from __future__ import annotations

from typing import Literal

from bareboat.aws.stack import StackEvent

Phase = Literal[
    "look",
    "wait",
    "plan",
    "clear",
    "upload",
    "create",
    "update",
    "swap",
    "finish",
    "done",
    "ask",
    "empty",
    "delete",
    "prove",
    "watch",
]
# In which something goes on at AWS when nobody waits for it any more.
AT_WORK: frozenset[Phase] = frozenset(["clear", "create", "update", "swap", "delete"])


class Progress:
    """What is told, and dropped here; a class that shows it replaces the methods that it needs.

    Attributes:
        phase: what is being done.
        stack: the name of the stack, once it is known.
        removes: whether the stack is being removed.
    """

    def __init__(self) -> None:
        self.phase: Phase = "look"
        self.stack = ""
        self.removes = False

    def begin(self, phase: Phase, text: str, *, resources: int = 0) -> None:  # noqa: ARG002
        """Tell what begins, such as "Updating predict-dev", and how many resources it is about."""
        self.phase = phase

    def event(self, event: StackEvent) -> None:
        """Tell what happened to a resource."""

    def uploaded(self, sent_bytes: int, total_bytes: int) -> None:
        """Tell how much has been sent."""

    def note(self, text: str) -> None:
        """Tell something that is good to know."""
