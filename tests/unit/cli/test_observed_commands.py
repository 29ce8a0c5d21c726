"""`logs --local` and `metrics --local` on what was kept, without a cloud."""

from __future__ import annotations

import json
import re
import sys
import time

import pytest

from bareboat.local.access_record import AccessRecord
from bareboat.local.invocation import Invocation
from bareboat.local.observe.store import Store

NOW = 1_795_000_000.0
SERVICE = """\
service: shop
provider: {name: aws, runtime: python3.13}
functions:
  hello: {handler: app.hello}
  other: {handler: app.other}
  unused: {handler: app.unused}
"""


def invocation(number: int, function: str, at: float, *, error: str = "") -> Invocation:
    log = f"START RequestId: id-{number} Version: $LATEST\nsaid {number}\nEND RequestId: id-{number}\n"
    return Invocation(
        f"id-{number}", function, b"{}", error, 10.0 + number, 11, 1024, 30, 50.0 if number == 0 else None, log, at=at
    )


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "serverless.yml").write_text(SERVICE)
    (tmp_path / "app.py").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def kept(project):
    path = project / ".bareboat" / "observed.sqlite"
    store = Store(path)
    for number, (function, after, error) in enumerate(
        [("hello", 0, ""), ("other", 30, ""), ("hello", 60, "Unhandled"), ("hello", 90, "")]
    ):
        store.invocation(invocation(number, function, NOW + after, error=error))
        store.request(
            AccessRecord("GET", f"/{number}", 500 if error else 200, 12.0 + number, function, f"r{number}", cold=False,
                         at=NOW + after, route=f"GET /{function}")
        )  # fmt: skip
    assert store.flush()
    store.close()
    return path


def test_lines_have_their_time_and_their_function(run, kept):
    result = run("logs", "--local", "-f", "other")

    assert result.exit_code == 0
    assert result.stdout == (
        "2026-11-18 08:27:10.000  other  START RequestId: id-1 Version: $LATEST\n"
        "2026-11-18 08:27:10.000  other  said 1\n"
        "2026-11-18 08:27:10.011  other  END RequestId: id-1\n"
    ).replace("2026-11-18 08:27:10", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(NOW + 30)))


def test_json_is_one_document(run, kept):
    result = run("logs", "--local", "--grep", "said [03]", "--json")

    assert [(line["function"], line["requestId"], line["message"]) for line in json.loads(result.stdout)] == [
        ("hello", "id-0", "said 0"),
        ("hello", "id-3", "said 3"),
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", json.loads(result.stdout)[0]["at"])


@pytest.mark.parametrize(
    ("flags", "numbers"),
    [
        (["--errors"], ["2"]),
        (["--limit", "2"], ["3"]),
        (["--grep", "said ["], []),
        (["--grep", "said 1"], ["1"]),
        (["--since", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW + 60))], ["2", "3"]),
        (["--until", time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(NOW + 60))], ["0", "1"]),
        (["--since", "1d"], []),
    ],
    ids=["errors", "limit", "no-regexp", "grep", "since", "until", "ago"],
)
def test_flags_choose(run, kept, flags, numbers):
    result = run("logs", "--local", *flags)

    assert re.findall(r"said (\d)", result.stdout) == numbers
    if not numbers:
        assert result.exit_code == 1
        assert "of what was kept, nothing fits" in result.stderr


def test_more_than_the_limit_is_told(run, kept):
    assert "the newest 3 lines; there are more" in run("logs", "--local", "--limit", "3").stderr
    assert "there are more" not in run("logs", "--local", "--limit", "12").stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--local", "--filter", "ERROR"), "with --local it is --grep"),
        (("--errors", "--filter", "ERROR"), "--grep goes with --errors"),
        (("--follow", "--until", "1m"), "--follow has no --until"),
    ],
)
def test_what_does_not_go_together_is_refused(run, kept, flags, said):
    result = run("logs", *flags)

    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("command", ["logs", "metrics"])
def test_where_nothing_was_kept_the_next_step_is_told(run, project, command):
    result = run(command, "--local")

    assert result.exit_code == 1
    assert "bareboat serve, then send a request" in result.stderr
    assert not (project / ".bareboat").exists()


def test_a_function_that_nobody_knows_is_an_error_with_the_nearest(run, kept):
    result = run("logs", "--local", "-f", "helo")

    assert result.exit_code == 2
    assert "fix       -f hello" in result.stderr


def test_a_broken_file_does_not_hide_what_was_kept(run, kept, project):
    (project / "serverless.yml").write_text("functions: [")

    assert "said 3" in run("logs", "--local").stdout


@pytest.mark.parametrize("when", ["soon", "10x", "2026-13-01", "-5m", ""])
def test_a_moment_that_is_none_is_refused(run, kept, when):
    result = run("logs", "--local", "--since", when)

    assert result.exit_code == 2
    assert "expected  how long ago, such as 30s, 10m, 2h, 1d" in result.stderr


def test_metrics_are_tables_of_functions_and_routes(run, kept):
    result = run("metrics", "--local")

    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        "function", "invocations", "errors", "throttles", "cold", "p50_ms", "p90_ms", "p99_ms", "init_p50_ms",
        "billed_ms", "gb_s", "max_mb", "at_once",
    ]  # fmt: skip
    assert lines[1].split() == ["hello", "3", "1", "0", "1", "12.0", "12.8", "13.0", "50.0", "33", "0.033", "30", "1"]
    assert lines[2].split() == ["other", "1", "0", "0", "0", "11.0", "11.0", "11.0", "-", "11", "0.011", "30", "1"]
    assert lines[5].split() == ["HTTP", "GET", "/hello", "3", "0", "1", "0", "0", "14.0", "14.8", "15.0"]


def test_metrics_as_a_chart_and_as_json(run, kept):
    charted = run("metrics", "--local", "--chart", "-f", "hello")
    document = json.loads(run("metrics", "--local", "--json").stdout)

    assert "each line is 5 s" in charted.stdout
    assert "1 (1)  ████████████████████████" in charted.stdout
    assert [each["function"] for each in document["functions"]] == ["hello", "other"]
    assert document["functions"][0]["duration"]["p50"] == 12.0
    assert sum(bucket["invocations"] for bucket in document["buckets"]) == 4
    assert document["bucket_s"] == 5.0
    assert document["dropped_rows"] == 0


def test_metrics_as_a_picture(run, kept, project):
    result = run("metrics", "--local", "--plot", "m.png")

    assert result.exit_code == 0, result.stderr
    assert (project / "m.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_extra_is_named(run, kept, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    result = run("metrics", "--local", "--plot", "m.png")

    assert result.exit_code == 1
    assert "fix       pip install 'bareboat[plots]'" in result.stderr


@pytest.mark.parametrize("command", ["logs", "metrics"])
def test_a_damaged_store_is_told(run, tmp_path, monkeypatch, command):
    (tmp_path / "serverless.yml").write_text("service: s\nprovider: {name: aws}\n")
    (tmp_path / ".bareboat").mkdir()
    (tmp_path / ".bareboat" / "observed.sqlite").write_text("garbage" * 1000)
    monkeypatch.chdir(tmp_path)

    result = run(command, "--local")

    assert result.exit_code == 1
    assert "observed.sqlite is damaged" in result.stderr


@pytest.mark.parametrize("command", ["logs", "metrics"])
@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--since", "1h", "--until", "2h"], "is not after --since"),
        (["--since", "2099-01-01"], "is in the future"),
    ],
    ids=["reversed", "future"],
)
def test_a_time_that_holds_nothing_is_refused(run, kept, command, flags, said):
    result = run(command, "--local", *flags)

    assert result.exit_code == 2
    assert said in result.stderr


def test_json_of_nothing_is_an_empty_list(run, kept):
    result = run("logs", "--local", "--since", "1s", "--json")

    assert (result.exit_code, result.stdout) == (0, "[]\n")
