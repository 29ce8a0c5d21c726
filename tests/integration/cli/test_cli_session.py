"""The session of a new user, typed in an empty folder: every command, the answers to the last digit, nothing left."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import time
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bareboat.project import find_template

BODY = '{"sepal length": 6, "sepal width": 3, "petal length": 5, "petal width": 2}'
EVENT = json.dumps({"body": BODY})
# LightGBM 4.x on scikit-learn's iris; issue 2 gives the numbers
ANSWER = '{"proba": [0.11376620900197651, 0.17004835386299028, 0.7161854371350332], "label": "virginica"}'
INVOKED = json.dumps({"statusCode": 200, "body": ANSWER}) + "\n"
IRIS = find_template("lightgbm-iris").folder / "lgb.model"


def ask(url: str, path: str, body: str | None = None) -> tuple[int, str]:
    """Ask as curl does."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        connection.request("POST" if body else "GET", path, body, {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.fixture
def assert_nothing_is_left(running_now):
    def check(below: set[int], url: str) -> None:
        assert below, "there was a process to leave behind"
        assert not below & set(running_now())
        assert is_free(urlsplit(url).port)

    return check


@pytest.fixture
def iris(shell):
    """The project that the template makes."""
    assert shell.type("create", "--template", "lightgbm-iris", "--name", "predict", "--path", "iris").returncode == 0
    shell.folder /= "iris"
    return shell


def test_the_session_of_a_new_user(shell, assert_nothing_is_left):
    created = shell.type("create", "--template", "lightgbm-iris", "--name", "predict", "--path", "iris")
    assert created.returncode == 0
    assert "next: cd iris" in created.stderr
    shell.folder /= "iris"

    checked = shell.type("check")
    assert checked.returncode == 0
    assert "functions.predict.memorySize" in checked.stdout

    packaged = json.loads(shell.type("package", "--json").stdout)
    assert [artifact["target"] for artifact in packaged] == ["python3.13 on linux arm64"]
    assert packaged[0]["size_bytes"] < 150_000
    assert Path(packaged[0]["artifact"]).stat().st_size == packaged[0]["size_bytes"]
    assert "unchanged" in shell.type("package").stdout

    invoked = shell.type("invoke", "local", "-f", "predict", "--data", EVENT)
    assert (invoked.returncode, invoked.stdout) == (0, INVOKED)
    assert "REPORT RequestId: " in invoked.stderr

    with shell.started("serve", "--port", "0") as serving:
        serving.wait_for("Ctrl-C ends it")
        url = serving.wait_for(r"http://127\.0\.0\.1:\d+")
        assert ask(url, "/predict", BODY) == (200, ANSWER)
        assert ask(url, "/nothing") == (404, '{"message":"Not Found"}')
        assert "POST /predict" in serving.stdout
        serving.wait_for(r"POST /predict 200 [\d.]+ ms predict \(cold start\)")
        serving.wait_for(r"GET /nothing 404 [\d.]+ ms")
        below = serving.descendants()

        assert serving.end(signal.SIGINT) == 130

        assert "Traceback" not in serving.stderr
        assert_nothing_is_left(below, url)


def test_sigterm_ends_serve_in_good_order(iris, assert_nothing_is_left):
    with iris.started("offline", "--port", "0", "--json") as serving:
        serving.wait_for("Ctrl-C ends it")
        document = json.loads(serving.stdout)
        assert document["routes"] == [{"route": "POST /predict", "function": "predict"}]
        assert ask(document["url"], "/predict", BODY) == (200, ANSWER)
        below = serving.descendants()

        assert serving.end(signal.SIGTERM) == 0

        assert "Traceback" not in serving.stderr
        assert_nothing_is_left(below, document["url"])


def test_a_port_in_use_is_told_with_a_free_one(iris):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        result = iris.type("serve", "--port", str(port))

    assert (result.returncode, result.stdout) == (1, "")
    assert f"port {port} on 127.0.0.1 is in use" in result.stderr
    assert "--port " in result.stderr.split("fix")[1]
    assert "Traceback" not in result.stderr


def test_demo_once_answers_measures_and_leaves_nothing(shell):
    shell.folder.joinpath("tmp").mkdir()

    result = shell.type("demo", "--once", "--port", "0", "--json", TMPDIR=str(shell.folder / "tmp"))

    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert (document["status"], document["answer"]) == (200, json.loads(ANSWER))
    assert 0 < document["artifact_bytes"] < 150_000
    assert 0 < document["warm_ms"] < document["cold_start_ms"]
    assert list(shell.folder.joinpath("tmp").iterdir()) == []


def test_demo_stays_up_to_be_tried_and_leaves_nothing_after_ctrl_c(shell, assert_nothing_is_left):
    shell.folder.joinpath("tmp").mkdir()

    with shell.started("demo", "--port", "0", TMPDIR=str(shell.folder / "tmp")) as running:
        running.wait_for("Ctrl-C ends it")
        assert ANSWER in running.stdout
        curl = running.wait_for(r"curl -H .*/predict\n")
        url = curl.split()[-1].removesuffix("/predict")
        assert f"-d '{BODY}'" in curl
        assert ask(url, "/predict", BODY) == (200, ANSWER)
        running.wait_for(r"POST /predict 200 [\d.]+ ms predict\n")
        below = running.descendants()

        assert running.end(signal.SIGINT) == 130

        assert "Traceback" not in running.stderr
        assert_nothing_is_left(below, url)
    assert list(shell.folder.joinpath("tmp").iterdir()) == []


def test_a_project_round_ones_own_model_serves_it(shell):
    (shell.folder / "churn.txt").write_bytes(IRIS.read_bytes())

    assert shell.type("create", "--model", "churn.txt").returncode == 0
    shell.folder /= "churn"
    answer = json.loads(shell.type("invoke", "local", "--path", "event.json").stdout)

    assert answer["statusCode"] == 200
    body = json.loads(answer["body"])
    assert sum(body["proba"]) == pytest.approx(1)
    assert body["label"] in {0, 1, 2}


BROKEN = {
    "empty": b"",
    "binary": bytes(range(256)) * 4,
    "cut off": IRIS.read_bytes()[:3000],
    "wrong count": IRIS.read_bytes().replace(b"num_leaves=3", b"num_leaves=4", 1),
    "index outside": IRIS.read_bytes().replace(b"split_feature=2 1", b"split_feature=9 1", 1),
}


@pytest.mark.parametrize("content", list(BROKEN.values()), ids=list(BROKEN))
def test_a_damaged_model_stops_the_build_and_leaves_no_archive(iris, content):
    (iris.folder / "lgb.model").write_bytes(content)

    result = iris.type("package", "--json")

    assert result.returncode == 1
    assert json.loads(result.stdout)["error"]["kind"] == "ModelError"
    assert "lgb.model" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(iris.folder.glob(".bareboat/*.zip"))


HANDLERS = """\
import os, sys, time
def echo(event, context):
    custom = context.client_context.custom if context.client_context else None
    return {"event": event, "custom": custom, "greeting": os.environ.get("GREETING")}
def raises(event, context):
    print("on the way")
    raise ValueError("no such row")
def leaves(event, context):
    os._exit(3)
def hangs(event, context):
    print("hanging", flush=True)
    time.sleep(600)
def nan(event, context):
    return float("nan")
"""


@pytest.fixture
def handlers(shell):
    """A service of bare handlers, on the Python that runs the tests."""
    import sys

    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    names = ("echo", "raises", "leaves", "hangs", "nan")
    functions = "".join(f"  {name}: {{handler: handler.{name}, timeout: 60}}\n" for name in names)
    config = (
        f"service: shop\nprovider: {{name: aws, runtime: {version}, architecture: x86_64}}\nfunctions:\n{functions}"
    )
    (shell.folder / "serverless.yml").write_text(config)
    (shell.folder / "handler.py").write_text(HANDLERS)
    return shell


def test_events_come_from_a_flag_a_file_or_a_pipe(handlers):
    (handlers.folder / "event.json").write_text('{"from": "a file"}')

    def event_of(*words: str, stdin: str | None = None) -> object:
        return json.loads(handlers.type("invoke", "local", "-f", "echo", *words, stdin=stdin).stdout)["event"]

    assert event_of("--data", '{"from": "a flag"}') == {"from": "a flag"}
    assert event_of("--path", "event.json") == {"from": "a file"}
    assert event_of(stdin='{"from": "a pipe"}') == {"from": "a pipe"}
    assert event_of("--raw", "--data", "no JSON") == "no JSON"
    assert event_of() == {}


def test_context_and_variables_reach_the_handler(handlers):
    result = handlers.type(
        "invoke", "local", "-f", "echo", "--context", '{"custom": {"k": "v"}}', "-e", "GREETING=hello", "-d", "{}"
    )

    assert json.loads(result.stdout) == {"event": {}, "custom": {"k": "v"}, "greeting": "hello"}


@pytest.mark.parametrize(("name", "error_type"), [("raises", "ValueError"), ("leaves", "Runtime.ExitError")])
def test_a_function_that_fails_exits_with_1_and_its_error_is_the_answer(handlers, name, error_type):
    result = handlers.type("invoke", "local", "-f", name)
    document = json.loads(handlers.type("invoke", "local", "-f", name, "--json").stdout)

    assert result.returncode == 1
    assert json.loads(result.stdout)["errorType"] == error_type
    assert (document["function_error"], document["payload"]["errorType"]) == ("Unhandled", error_type)
    assert "bareboat/cli" not in result.stderr


def test_json_of_an_answer_that_is_no_json_is_json_all_the_same(handlers):
    result = handlers.type("invoke", "local", "-f", "nan", "--json")

    assert json.loads(result.stdout, parse_constant=pytest.fail)["payload"] == "NaN"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_invocation_that_is_interrupted_leaves_no_process(handlers, running_now, number, code):
    # the package is built first, so that the signal meets the function and not the build
    handlers.type("invoke", "local", "-f", "echo")

    with handlers.started("invoke", "local", "-f", "hangs") as running:
        below: set[int] = set()
        while not any("launch.py" in running_now().get(pid, (0, ""))[1] for pid in below):
            assert running.process.poll() is None, running.stderr
            below = running.descendants()

        assert running.end(number) == code

        assert "Traceback" not in running.stderr
        assert not below & set(running_now())


def test_an_impatient_ctrl_c_ends_serve_at_once_and_without_a_traceback(handlers, running_now):
    config = handlers.folder / "serverless.yml"
    config.write_text(config.read_text().replace("handler.hangs,", "handler.hangs, events: [{httpApi: GET /hangs}],"))

    with handlers.started("serve", "--port", "0") as serving:
        serving.wait_for("Ctrl-C ends it")
        url = urlsplit(serving.wait_for(r"http://127\.0\.0\.1:\d+"))
        client = socket.create_connection((url.hostname, url.port))
        client.sendall(b"GET /hangs HTTP/1.1\r\nHost: x\r\n\r\n")
        below: set[int] = set()
        while not any("launch.py" in running_now().get(pid, (0, ""))[1] for pid in below):
            below = serving.descendants()
        said = serving.stderr

        for _ in range(2):
            serving.process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        assert serving.end(signal.SIGINT) == 130

        client.close()
        ending = "ending: requests under way have 10 seconds; Ctrl-C again ends at once"
        assert serving.stderr[len(said) :].strip() == ending
        assert not below & set(running_now())


def test_package_copies_the_archives_where_they_are_wanted(handlers):
    result = handlers.type("package", "--output", "dist")

    archives = list((handlers.folder / "dist").glob("*.zip"))
    assert result.returncode == 0
    assert len(archives) == 1
    assert "handler.py" in zipfile.ZipFile(archives[0]).namelist()
    assert f"copied to dist/{archives[0].name}" in result.stderr
