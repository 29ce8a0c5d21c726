"""A deployment under way: nothing is wider than the terminal, and nothing is drawn over a question."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bareboat.aws.stack import StackEvent
from bareboat.cli.deploying import Shown, asking, event_lines, live_line
from bareboat.cli.fitted import cropped, shortened
from bareboat.cli.terminal import Terminal

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
LONG = "PredictLambdaVersion4pp7sWF4CDcU5o9Exe7wCGck6yJwVacSkhAK1kU"


def event(status: str, logical_id: str = LONG, reason: str = "") -> StackEvent:
    return StackEvent("1", WHEN, logical_id, "", "AWS::Lambda::Version", status, reason)


@pytest.mark.parametrize("width", [79, 40])
def test_a_line_of_a_resource_is_no_wider_than_the_terminal(width: int) -> None:
    found = event_lines(event("UPDATE_FAILED", reason="because " * 30), WHEN, width)

    assert all(len(line) <= width for line in found)
    assert len(found) == 2


def test_a_line_of_a_resource_keeps_both_ends_of_its_name() -> None:
    (line,) = event_lines(event("CREATE_COMPLETE"), WHEN, 79)

    assert line.startswith("   0.0 s  CREATE_COMPLETE  Lambda::Version  PredictLambda")
    assert "…" in line
    assert line.endswith("K1kU")


def test_off_a_terminal_nothing_is_cut() -> None:
    assert event_lines(event("CREATE_COMPLETE"), WHEN, None)[0].endswith(LONG)


@pytest.mark.parametrize("width", [20, 38, 60, 77, 200])
@pytest.mark.parametrize("names", [[], ["HttpApi"], [LONG] * 2, [LONG] * 9], ids=["none", "one", "two", "nine"])
def test_the_live_line_is_no_wider_than_the_terminal(names: list[str], width: int) -> None:
    assert len(live_line("Updating predict-dev: 3 of 22", names, width)) <= width


def test_the_live_line_names_what_is_under_way_as_far_as_there_is_room() -> None:
    assert live_line("Updating a-dev: 3 of 22", ["HttpApi"], 60) == "Updating a-dev: 3 of 22; HttpApi"
    assert live_line("Updating a-dev: 3 of 22", [LONG] * 9, 77).endswith(" and 7 more")
    assert live_line("Updating a-dev: 3 of 22", [LONG], 30) == "Updating a-dev: 3 of 22"


def test_texts_are_cut_where_they_say_least() -> None:
    assert (shortened("abcdefgh", 5), shortened("abc", 5), cropped("abcdefgh", 5)) == ("ab…gh", "abc", "abcd…")


def test_nothing_is_drawn_while_a_question_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    progress = Shown(terminal)
    drawn: list[Any] = []
    monkeypatch.setattr(Shown, "close", lambda _: drawn.append("closed"))
    monkeypatch.setattr("bareboat.cli.aws.confirm", lambda *_, **__: drawn.append("asked"))

    asking(terminal, progress, yes=False)("Apply these changes?")

    assert drawn == ["closed", "asked"]
