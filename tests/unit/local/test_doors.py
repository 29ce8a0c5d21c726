"""Which port each door is to have, and what holds requests back."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess

import pytest

from bareboat.errors import ConfigurationError
from bareboat.local.doors import Gate, Ports
from bareboat.local.init_error import init_error
from bareboat.local.own_paths import own_paths
from bareboat.local.sandbox import InitFailure
from bareboat.local.serving import read_serving, remove_serving, write_serving

BOTH = ["httpApi", "rest", "lambda", "url:a", "url:b", "console"]


def test_doors_stand_behind_each_other():
    wanted = {door: Ports(3000).wanted(door, BOTH) for door in BOTH}

    assert wanted == {
        "httpApi": (3000, True), "rest": (3001, False), "lambda": (3002, False), "console": (3003, False),
        "url:a": (3004, False), "url:b": (3005, False),
    }  # fmt: skip


def test_a_rest_api_that_is_alone_has_the_first_port():
    assert Ports(3000).wanted("rest", ["rest", "lambda"]) == (3000, True)


def test_a_port_that_was_asked_for_must_be_that_one():
    ports = Ports(3000, rest=4001, lambda_api=4002, console=4003)

    assert [ports.wanted(door, BOTH) for door in ("rest", "lambda", "console")] == [
        (4001, True), (4002, True), (4003, True),
    ]  # fmt: skip


def test_behind_the_last_port_doors_stand_in_front():
    assert [Ports(65_534).wanted(door, BOTH)[0] for door in BOTH] == [65_534, 65_535, 65_532, 65_530, 65_529, 65_531]


def test_a_port_that_is_asked_for_twice_is_refused():
    with pytest.raises(ConfigurationError, match="port 4340 is asked for twice, by --port and --lambda-port"):
        Ports(4340, lambda_api=4340).all_wanted(BOTH)


def test_doors_that_were_asked_for_open_before_the_others():
    wanted = Ports(3000, lambda_api=3001).all_wanted(BOTH)

    assert list(wanted)[:2] == ["httpApi", "lambda"]
    assert wanted["rest"] == (3001, False)  # which then is taken


def test_a_rest_api_that_is_alone_may_have_any_port():
    assert Ports(3000, rest=3000).all_wanted(["rest", "lambda"])["rest"] == (3000, True)


def test_port_0_is_any_free_one_for_all():
    assert {Ports(0).wanted(door, BOTH)[0] for door in BOTH} == {0}


def test_requests_wait_at_a_closed_gate_but_not_for_ever():
    async def body() -> None:
        gate = Gate()
        assert gate.shut() is None
        gate.close(0.01)
        shut = gate.shut()
        assert shut is not None
        await asyncio.wait_for(shut.wait(), 10)
        assert gate.shut() is None

    asyncio.run(body())


def test_requests_look_for_changes_but_not_each():
    async def body() -> None:
        gate, looks = Gate(), []
        gate.look_with(lambda: looks.append(1), every_s=60)
        gate.shut()
        gate.shut()
        assert looks == [1]

    asyncio.run(body())


def test_a_serve_that_is_gone_is_none(tmp_path):
    write_serving(tmp_path, "hot", "dev", {"lambda": "http://127.0.0.1:3002"})
    assert read_serving(tmp_path).urls == {"lambda": "http://127.0.0.1:3002"}
    path = tmp_path / ".bareboat" / "serve.json"

    document = json.loads(path.read_text())
    assert document["pid"] == os.getpid()
    path.write_text(json.dumps({**document, "started": "1"}))  # another process has the number now
    assert read_serving(tmp_path) is None

    path.write_text("{")
    assert read_serving(tmp_path) is None
    remove_serving(tmp_path)


@pytest.mark.parametrize(
    ("document", "where"),
    [
        (
            {"errorMessage": "boom", "stackTrace": ['  File "/x/1/pack/deep.py", line 7\n']},
            "pack/deep.py:7",
        ),
        ({"errorMessage": "Syntax error in module 'a': invalid syntax (handler.py, line 3)"}, "handler.py:3"),
        ({"errorMessage": "Unable to import module 'handler': No module named 'nothing'"}, "handler.py:2"),
        ({"errorMessage": "boom", "stackTrace": ['  File "/usr/lib/python3/json.py", line 7, in f\n']}, ""),
    ],
    ids=["frame", "syntax", "module", "foreign"],
)
def test_an_init_error_names_the_line_of_the_project(tmp_path, document, where):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "deep.py").write_text("")
    (tmp_path / "handler.py").write_text("import os\nimport nothing\n")

    error = init_error("hello", InitFailure("error", json.dumps(document).encode()), tmp_path)

    assert error.problems[0].where == where
    assert document["errorMessage"] in error.problems[0].found


def test_tracebacks_name_the_projects_files(tmp_path):
    (tmp_path / "app.py").write_text("")
    copy = f"{tmp_path}/.bareboat/unpacked/{'a' * 32}"
    text = f'  File "{copy}/app.py", line 3\n  File "{copy}/numpy/core.py", line 4\n'

    assert own_paths(text) == f'  File "{tmp_path}/app.py", line 3\n  File "{copy}/numpy/core.py", line 4\n'


def test_an_older_serve_is_found_again_when_the_newer_ends(tmp_path):
    with subprocess.Popen(["sleep", "60"]) as other:
        write_serving(tmp_path, "hot", "dev", {"lambda": "http://127.0.0.1:1"})
        path = tmp_path / ".bareboat" / "serve.json"
        older = {**json.loads(path.read_text()), "pid": other.pid, "started": ""}
        path.write_text(json.dumps(older))

        before = write_serving(tmp_path, "hot", "dev", {"lambda": "http://127.0.0.1:2"})
        assert read_serving(tmp_path).urls == {"lambda": "http://127.0.0.1:2"}
        remove_serving(tmp_path, before)
        assert read_serving(tmp_path).pid == other.pid

        before = write_serving(tmp_path, "hot", "dev", {})
        other.kill()
        other.wait()
        remove_serving(tmp_path, before)
        assert not path.exists()
