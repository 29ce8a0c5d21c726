"""`bareboat event` with what does not fit, or is no text."""

from __future__ import annotations

import json

import pytest

SERVICE = """\
service: sch
provider: {name: aws, runtime: python3.12}
functions:
  echo:
    handler: app.echo
    events: [httpApi: GET /items, http: "GET /items/{id}"]
  other:
    handler: app.other
    events: [sqs: "arn:aws:sqs:us-east-1:123456789012:jobs"]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "serverless.yml").write_text(SERVICE)
    (tmp_path / "app.py").write_text("def echo(event, context): ...\ndef other(event, context): ...\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("words", [("sqs", "--body"), ("sns", "--message"), ("http-api", "--header")])
def test_bytes_that_are_no_text_are_refused(run, folder, words):
    result = run("event", *words, "X:\udcff")

    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{words[1]} has a byte that is not UTF-8" in result.stderr


def test_half_a_surrogate_pair_of_a_file_is_printed_as_an_escape(run, folder):
    (folder / "event.json").write_text('{"a": "\\ud800"}')

    assert json.loads(run("event", "sqs", "--from-file", "event.json").stdout) == {"a": "\ud800"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("http-api", "--method", "FOO", "--path", "/open", "-f", "echo"), "no route takes FOO /open: the gateway"),
        (("http-api", "--path", "/items", "-f", "other"), "GET /items calls echo: the gateway never"),
        (("http", "--path", "/dev/items/1", "-f", "echo"), "no route takes GET /dev/items/1"),
        (("sqs", "-f", "echo"), "echo has no sqs event: AWS never"),
        (("url", "-f", "echo"), "echo has no url: AWS never"),
    ],
    ids=lambda words: "-".join(words[:2]) if isinstance(words, tuple) else "",
)
def test_an_event_that_never_comes_is_told(run, folder, words, said):
    result = run("event", *words)

    assert (result.exit_code, said in result.stderr) == (0, True), result.stderr


@pytest.mark.parametrize(
    "words", [("http-api", "--path", "/items", "-f", "echo"), ("http", "--path", "/items/1"), ("sqs", "-f", "other")]
)
def test_an_event_that_fits_needs_no_word(run, folder, words):
    assert "never makes" not in run("event", *words).stderr


def test_a_group_needs_a_fifo_queue(run, folder):
    result = run("event", "sqs", "--group", "g", "--queue", "q")

    assert result.exit_code == 2
    assert "--group is given and the queue is q" in result.stderr


def test_bad_json_names_no_flag_that_is_not_there(run, folder):
    (folder / "event.json").write_text("{")

    result = run("event", "sqs", "--from-file", "event.json")

    assert "event.json:1:2" in result.stderr
    assert "--raw" not in result.stderr
