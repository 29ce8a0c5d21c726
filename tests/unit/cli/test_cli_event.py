from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from bareboat.cli.event import read_event, read_object
from bareboat.errors import ConfigurationError


@pytest.fixture
def stdin(monkeypatch):
    def piped(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))

    return piped


def test_data_is_handed_over_as_typed():
    assert read_event('{"a":  1.10}', None, raw=False) == b'{"a":  1.10}'


def test_a_file_is_read_without_its_byte_order_mark(tmp_path):
    (tmp_path / "event.json").write_bytes(b'\xef\xbb\xbf{"a": "f\xc3\xbcr"}')

    assert read_event(None, tmp_path / "event.json", raw=False) == '{"a": "für"}'.encode()


@pytest.mark.parametrize("path", [None, Path("-")])
def test_the_event_is_read_from_a_pipe(stdin, path):
    stdin('{"a": "für"}\n'.encode())

    assert read_event(None, path, raw=False) == '{"a": "für"}\n'.encode()


def test_an_empty_pipe_is_an_empty_event(stdin):
    stdin(b"\n")

    assert read_event(None, None, raw=False) == b"{}"


def test_without_anything_the_event_is_empty(monkeypatch):
    class Tty(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Tty())

    assert read_event(None, None, raw=False) == b"{}"


def test_raw_makes_a_string_of_it():
    assert read_event('say "hi"', None, raw=True) == b'"say \\"hi\\""'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{'a': 1}", "--data:1:2: this is not JSON"),
        ('{"a": NaN}', "NaN is no number in JSON"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text, message):
    with pytest.raises(ConfigurationError, match=message):
        read_event(text, None, raw=False)


def test_two_events_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="--data and --path are both given"):
        read_event("{}", tmp_path / "event.json", raw=False)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"event\.json cannot be read: No such file"):
        read_event(None, tmp_path / "event.json", raw=False)


def test_a_file_that_is_not_utf8_is_named_with_the_byte(tmp_path):
    (tmp_path / "event.json").write_bytes(b'{"a": "\xff"}')

    with pytest.raises(ConfigurationError, match=r"byte 7 of .*event\.json is not UTF-8"):
        read_event(None, tmp_path / "event.json", raw=False)


def test_a_client_context_is_an_object():
    assert read_object(None, None, "--context") == ""
    assert read_object('{"custom": {}}', None, "--context") == '{"custom": {}}'
    with pytest.raises(ConfigurationError, match="--context is no JSON object"):
        read_object("[]", None, "--context")


def test_a_client_context_that_is_no_json_is_not_called_an_event():
    with pytest.raises(ConfigurationError, match="--context:1:2: this is not JSON") as caught:
        read_object("{", None, "--context")

    (problem,) = caught.value.problems
    assert problem.expected.startswith("a JSON object")
    assert "--raw" not in problem.fix
