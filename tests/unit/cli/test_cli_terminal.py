from __future__ import annotations

import io
import json
import logging
import sys
from pathlib import Path
from types import MappingProxyType

import pytest

from bareboat.cli.progress import Progress
from bareboat.cli.terminal import Terminal
from bareboat.service.model import Note


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def error_on_a_terminal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    """What `error: wrong` looks like on a terminal that knows colours."""
    stream = Tty()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    Terminal().error("wrong")
    return stream.getvalue()


def test_a_result_goes_to_stdout_and_the_rest_to_stderr(capsys):
    terminal = Terminal()

    terminal.result({"a": 1}, "a is 1")
    terminal.note("noted")
    terminal.warning("warned")
    terminal.next("bareboat check", "bareboat serve")

    captured = capsys.readouterr()
    assert captured.out == "a is 1\n"
    assert captured.err == "note: noted\nwarning: warned\nnext: bareboat check\n      bareboat serve\n"


def test_json_puts_one_document_on_stdout(capsys):
    terminal = Terminal(as_json=True)

    terminal.result({"path": Path("a"), "names": MappingProxyType({"x": {2, 1}}), "text": "für"}, "not shown")
    terminal.warning("warned")

    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"path": "a", "names": {"x": [1, 2]}, "text": "für"}
    assert captured.err == "warning: warned\n"


def test_json_has_no_nan(capsys):
    Terminal().document({"values": [float("nan"), 1.5, (float("-inf"),)]})

    assert json.loads(capsys.readouterr().out) == {"values": ["nan", 1.5, ["-inf"]]}


def test_json_is_ascii_on_a_terminal_that_is_not_utf8(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))

    Terminal(as_json=True).document({"text": "für ❤"})

    assert raw.getvalue().isascii()
    assert json.loads(raw.getvalue()) == {"text": "für ❤"}


def test_an_answer_is_written_byte_for_byte(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))

    Terminal().write_bytes('{"text": "für"}'.encode())

    assert raw.getvalue() == b'{"text": "f\xc3\xbcr"}\n'


def test_a_table_aligns_numbers_right_and_is_never_cut_off_a_terminal(capsys):
    long = "x" * 300

    Terminal().table(("package", "size_mb"), [("numpy", 24.1), (long, 3), ("[bold]", 0.25)])

    assert capsys.readouterr().out.splitlines() == [
        "package" + " " * 295 + "size_mb",
        "numpy" + " " * 297 + "   24.1",
        long + "  " + "      3",
        "[bold]" + " " * 296 + "   0.25",
    ]


def test_labels_are_coloured_on_a_terminal(monkeypatch):
    assert error_on_a_terminal(monkeypatch) == "\x1b[31;1merror:\x1b[0m wrong\n"


def test_no_color_drops_the_colour_and_keeps_bold(monkeypatch):
    assert error_on_a_terminal(monkeypatch, NO_COLOR="1") == "\x1b[1merror:\x1b[0m wrong\n"


def test_a_dumb_terminal_gets_plain_text(monkeypatch):
    assert error_on_a_terminal(monkeypatch, TERM="dumb") == "error: wrong\n"


NOTES = (Note("info", "frameworkVersion has no meaning here", "serverless.yml:2:1"), Note("warning", "no such plugin"))


def test_warnings_are_always_told_and_infos_when_asked(capsys):
    Terminal().notes(NOTES)
    assert capsys.readouterr().err == "warning: no such plugin\n"

    Terminal().notes(NOTES, infos=True)
    assert capsys.readouterr().err == (
        "note: serverless.yml:2:1: frameworkVersion has no meaning here\nwarning: no such plugin\n"
    )


def test_progress_that_is_quick_shows_nothing(capsys):
    with Terminal().progress("Packaging") as step:
        step("Resolving")

    assert capsys.readouterr().err == ""


class Listener(Terminal):
    """A terminal that tells when something was said."""

    def __init__(self) -> None:
        super().__init__()
        from threading import Event

        self.heard = Event()
        self.lines: list[str] = []

    def say(self, text: str = "") -> None:
        self.lines.append(text)
        self.heard.set()


def test_progress_shows_the_step_that_is_running_and_those_that_follow():
    terminal = Listener()

    with Progress("Packaging", terminal, patience_s=0.01) as progress:
        progress.step("Resolving")
        assert terminal.heard.wait(10)
        progress.step("Zipping")

    assert terminal.lines[-1] == "Packaging: Zipping"
    assert terminal.lines[0] in {"Packaging: Resolving", "Packaging"}


def test_progress_ends_when_the_act_fails():
    terminal = Listener()

    def failing() -> None:
        with Progress("Packaging", terminal, patience_s=0.01):
            assert terminal.heard.wait(10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()

    assert terminal.lines == ["Packaging"]


@pytest.fixture
def quiet_log():
    """Put the log's level back."""
    log = logging.getLogger("bareboat")
    level, handlers = log.level, list(log.handlers)
    yield log
    log.setLevel(level)
    log.handlers[:] = handlers


def test_verbose_raises_the_level_of_our_log_alone(quiet_log):
    terminal = Terminal()

    terminal.more_verbose(1)
    assert quiet_log.level == logging.INFO

    terminal.more_verbose(1)
    assert quiet_log.level == logging.DEBUG
    assert logging.getLogger("asyncio").level == logging.NOTSET


def test_nobody_listening_on_stderr_is_no_error(monkeypatch):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())

    Terminal().warning("nobody hears this")


@pytest.mark.parametrize("shows", ["error", "warning", "note", "say", "table", "write"])
def test_what_others_wrote_orders_the_terminal_about_nowhere(monkeypatch, shows):
    stream = Tty()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "stdout", stream)
    text = "AWS says \x1b]0;pwned\x07\x1b[2J no"

    terminal = Terminal()
    if shows == "table":
        terminal.table(("what",), [(text,)])
    else:
        getattr(terminal, shows)(text)

    assert "\x1b]" not in stream.getvalue()
    assert "\x1b[2J" not in stream.getvalue()
    assert "\\x1b]0;pwned\\x07" in stream.getvalue()


def test_a_document_is_held_back_until_all_of_it_is_known(capsys):
    terminal = Terminal(as_json=True)

    with terminal.held() as more:
        terminal.document({"a": 1})
        assert capsys.readouterr().out == ""
        more["b"] = 2
    assert json.loads(capsys.readouterr().out) == {"a": 1, "b": 2}

    def breaks() -> None:
        with terminal.held():
            terminal.document({"a": 1})
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        breaks()
    terminal.document({"error": "no"})
    assert json.loads(capsys.readouterr().out) == {"error": "no"}
