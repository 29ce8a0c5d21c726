"""An AWS that answers from a list, as the real one's answers are shaped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bareboat.aws.client import AwsError


class ScriptedAws:
    """Answers calls by what `answers` says of them; what it does not know is an error of the test.

    Attributes:
        answers: `service:operation` -> an answer, an exception, or a function of the call's arguments.
        calls: (`service:operation`, arguments) of each call, in order.
    """

    region = "us-east-1"
    profile = ""
    endpoint = ""

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        self.answers = answers or {}
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def client(self, service: str, region: str = "") -> Any:
        return None

    def call(self, service: str, operation: str, /, *, region: str = "", **arguments: Any) -> Any:
        name = f"{service}:{operation}"
        self.calls.append((name, arguments))
        assert name in self.answers, f"nobody said what {name} answers"
        answer = self.answers[name]
        if callable(answer):
            answer = answer(**arguments)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pages(self, service: str, operation: str, key: str, /, *, region: str = "", **arguments: Any) -> Iterator[Any]:
        yield from self.call(service, operation, region=region, **arguments).get(key) or ()

    def asked(self, name: str) -> list[dict[str, Any]]:
        """Return the arguments of each call of an operation."""
        return [arguments for called, arguments in self.calls if called == name]


def refused(code: str, operation: str = "", *, status: int = 400, message: str = "no") -> AwsError:
    """Return an error as AWS's."""
    return AwsError(f"{operation}: {message} ({code})", code=code, operation=operation, status=status)


@pytest.fixture
def scripted() -> type[ScriptedAws]:
    """The class of AWS that answers from a list."""
    return ScriptedAws


@pytest.fixture
def refusal() -> Any:
    """Make an error as AWS's."""
    return refused
