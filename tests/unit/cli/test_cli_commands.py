from __future__ import annotations

import json
from pathlib import Path

import pytest

from bareboat.project import find_template

IRIS = find_template("lightgbm-iris").folder / "lgb.model"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Every command is typed in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str) -> None:
    Path("serverless.yml").write_text(text)


HEAD = "service: shop\nprovider: {name: aws, runtime: python3.13}\n"
GOOD = HEAD + "functions:\n  go:\n    handler: handler.go\n    memorySize: 512\n"


# --- create


def test_create_lists_the_templates(run):
    result = run("create", "--list")

    assert result.exit_code == 0
    assert "lightgbm-iris" in result.stdout
    assert [entry["name"] for entry in json.loads(run("create", "--list", "--json").stdout)] == [
        "aws-python3",
        "keyword",
        "lightgbm-handler",
        "lightgbm-iris",
    ]


def test_create_writes_the_template_and_says_what_to_type_next(run):
    result = run("create", "--template", "lightgbm-iris", "--name", "predict", "--path", "iris")

    assert result.exit_code == 0
    assert "iris/serverless.yml" in result.stdout.splitlines()
    assert result.stderr == "next: cd iris\n      bareboat check\n      bareboat serve\n"
    assert "\nservice: predict\n" in Path("iris/serverless.yml").read_text()


def test_create_without_anything_takes_the_iris_model(run):
    assert run("create").exit_code == 0
    assert "\nservice: lightgbm-iris\n" in Path("lightgbm-iris/serverless.yml").read_text()


def test_create_makes_the_folder_of_the_name(run):
    assert json.loads(run("create", "-t", "keyword", "-n", "find", "--json").stdout)["folder"] == str(
        Path("find").resolve()
    )


def test_create_refuses_to_overwrite(run, here):
    run("create")

    result = run("create")

    assert result.exit_code == 2
    assert "already has" in result.stderr
    assert "nothing is overwritten" in result.stderr


def test_create_round_a_model_of_ones_own(run):
    Path("churn.txt").write_bytes(IRIS.read_bytes())

    result = run("create", "--model", "churn.txt")

    assert result.exit_code == 0
    assert "    model: churn.txt\n" in Path("churn/serverless.yml").read_text()
    assert run("-c", "churn", "check").exit_code == 0


def test_create_round_a_model_in_the_current_folder(run):
    Path("lgb.model").write_bytes(IRIS.read_bytes())

    result = run("create", "--model", "lgb.model", "--path", ".", "--name", "iris")

    assert result.exit_code == 0
    assert result.stderr == "next: bareboat check\n      bareboat serve\n"


def test_create_refuses_a_template_and_a_model_together(run):
    result = run("create", "-t", "keyword", "--model", "m.txt")

    assert result.exit_code == 2
    assert result.stderr.startswith("error: --template and --model exclude each other\n")


BROKEN = {
    "empty": b"",
    "binary": bytes(range(256)) * 4,
    "cut off": IRIS.read_bytes()[:3000],
    "cut off in a number": IRIS.read_bytes()[:620],
    "wrong count": IRIS.read_bytes().replace(b"num_leaves=3", b"num_leaves=4", 1),
    "feature outside": IRIS.read_bytes().replace(b"split_feature=2 1", b"split_feature=9 1", 1),
    "child outside": IRIS.read_bytes().replace(b"left_child=1 -1", b"left_child=7 -1", 1),
}


@pytest.mark.parametrize("content", list(BROKEN.values()), ids=list(BROKEN))
def test_create_tells_what_is_wrong_with_a_model_file_and_writes_nothing(run, here, content):
    Path("m.txt").write_bytes(content)

    result = run("create", "--model", "m.txt", "--path", "new")

    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert "m.txt" in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in here.iterdir()] == ["m.txt"]


# --- check


def test_check_shows_each_value_with_its_origin(run):
    write(GOOD)
    Path("handler.py").write_text("")

    result = run("check", "--stage", "prod")

    assert result.exit_code == 0
    rows = {line.split("  ")[0]: line for line in result.stdout.splitlines()}
    assert rows["functions.go.memorySize"].split() == ["functions.go.memorySize", "512", "serverless.yml:6:17"]
    assert rows["provider.stage"].split() == ["provider.stage", "prod", "--stage"]
    assert rows["functions.go.timeout"].split() == ["functions.go.timeout", "6", "default"]
    assert result.stderr.endswith(
        "serverless.yml is valid: 1 function.\nnext: bareboat package -s prod\n      bareboat serve -s prod\n"
    )


def test_check_names_the_variable_that_a_value_came_from(run):
    write(GOOD)
    Path("handler.py").write_text("")

    result = run("check", "--json", env={"BAREBOAT_STAGE": "test"})

    values = {value["path"]: (value["value"], value["origin"]) for value in json.loads(result.stdout)["values"]}
    assert values["provider.stage"] == ("test", "BAREBOAT_STAGE")


def test_check_tells_the_notes(run):
    write("frameworkVersion: '2'\n" + GOOD.replace("3.13", "3.7"))
    Path("handler.py").write_text("")

    result = run("check")

    assert result.exit_code == 0
    assert "note: serverless.yml:1:1: frameworkVersion" in result.stderr
    assert "warning: serverless.yml:3:" in result.stderr
    levels = [note["level"] for note in json.loads(run("check", "--json").stdout)["notes"]]
    assert sorted(levels) == ["info", "warning"]


WRONG = {
    "no file": (None, "there is no serverless.yml"),
    "tabs": ("service: shop\nprovider:\n\tname: aws\n", "serverless.yml:3:1: a tab"),
    "duplicate key": ("service: shop\n" + GOOD, "serverless.yml:2:1: key 'service' stands here again"),
    "unknown event": (GOOD + "    events: [{htpApi: GET /x}]\n", "unknown event 'htpApi'"),
    "refused event": (GOOD + "    events: [{websocket: x}]\n", "event 'websocket' is refused"),
    "missing handler": (GOOD.replace("handler.go", "nowhere.go"), "there is no file nowhere.py"),
    "missing model": (HEAD + "functions:\n  go:\n    model: m.txt\n", "there is no file m.txt"),
    "empty": ("", "serverless.yml is empty"),
    "not YAML": ("service: [", "serverless.yml:"),
    "list": ("- a\n", "serverless.yml is a list"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("command", [("check",), ("package",), ("invoke", "local"), ("serve",)], ids=" ".join)
def test_a_wrong_configuration_stops_every_command(run, here, name, command):
    text, message = WRONG[name]
    Path("handler.py").write_text("")
    if text is not None:
        write(text)

    result = run(*command)

    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not Path(".bareboat").exists()


def test_every_problem_is_told_at_once(run):
    write(GOOD.replace("512", "64") + "    timeot: 3\n")
    Path("handler.py").write_text("")

    problems = json.loads(run("check", "--json").stdout)["error"]["problems"]

    assert [problem["where"] for problem in problems] == ["serverless.yml:6:17", "serverless.yml:7:5"]
    assert problems[1]["fix"] == "rename it to 'timeout'"


# --- package, invoke, serve: what is decided before anything is built


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--image", "--treemap", "x.html"), "--treemap draws archives"),
        (("--insecure",), "--insecure needs --image"),
        (("--base", "python:3.13"), "--base needs --image"),
    ],
    ids=["treemap", "insecure", "base"],
)
def test_package_refuses_flags_that_do_not_go_together(run, flags: tuple[str, ...], says: str):
    write(GOOD)

    result = run("package", *flags)

    assert result.exit_code == 2
    assert says in result.stderr


def test_package_refuses_a_function_that_does_not_exist(run):
    write(GOOD)
    Path("handler.py").write_text("")

    result = run("package", "-f", "g")

    assert result.exit_code == 2
    assert result.stderr == "error: shop has no function 'g'\n  expected  one of go\n  fix       -f go\n"


def test_invoke_local_asks_which_of_several_functions(run):
    write(GOOD + "  come:\n    handler: handler.come\n")
    Path("handler.py").write_text("")

    result = run("invoke", "local", "--data", "{}")

    assert result.exit_code == 2
    assert result.stderr == "error: shop has 2 functions\n  expected  one of go, come\n  fix       -f go\n"


def test_invoke_local_refuses_an_event_that_is_no_json(run):
    result = run("invoke", "local", "--data", "{'a': 1}")

    assert result.exit_code == 2
    assert "--data:1:2: this is not JSON" in result.stderr
    assert "--raw" in result.stderr


@pytest.mark.parametrize("port", ["abc", "70000", "-1", "3.5"])
def test_a_port_that_is_none_is_refused(run, port):
    expected = f": '{port}' is no port\n  expected  a whole number from 0 to 65535\n  fix       bareboat serve --help\n"

    assert run("serve", f"--port={port}").stderr == f"error: --port{expected}"
    assert run("serve", env={"BAREBOAT_PORT": port}).stderr == f"error: BAREBOAT_PORT{expected}"


# --- schema, completion


def test_schema_is_a_json_schema_with_our_keys(run):
    document = json.loads(run("schema").stdout)

    assert document["$schema"].startswith("http")
    assert '"features"' in json.dumps(document)
    assert json.loads(run("schema", "--json").stdout) == document


def test_schema_is_written_to_a_file(run):
    result = run("schema", "--output", "s.json")

    assert result.stdout == "s.json\n"
    assert "yaml-language-server: $schema=s.json" in result.stderr
    assert json.loads(Path("s.json").read_text())["$schema"]


def test_schema_names_a_file_that_cannot_be_written(run):
    result = run("schema", "--output", "no/where.json")

    assert result.exit_code == 1
    assert result.stderr == "error: no/where.json cannot be written: No such file or directory\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_that_asks_bareboat(run, shell):
    result = run("completion", shell)

    assert result.exit_code == 0
    assert f"_BAREBOAT_COMPLETE={shell}_complete" in result.stdout


def test_completion_knows_three_shells(run):
    result = run("completion", "tcsh")

    assert result.exit_code == 2
    assert "'tcsh' is not one of 'bash', 'fish', 'zsh'" in result.stderr


def completed(run, words: str) -> list[str]:
    """What bash offers after these words."""
    env = {"_BAREBOAT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    return [line.partition(",")[2] for line in run(env=env).stdout.splitlines() if line]


def test_names_are_completed(run):
    write(GOOD)
    Path("handler.py").write_text("")

    assert completed(run, "bareboat s") == ["serve", "smoke", "strip", "schema"]
    assert completed(run, "bareboat package -f ") == ["go"]
    assert completed(run, "bareboat invoke ") == ["local", "api", "deployed"]
    assert completed(run, "bareboat create --template key") == ["keyword"]


def test_names_are_not_completed_where_nothing_can_be_read(run):
    write("service: [")

    assert completed(run, "bareboat package -f ") == []
