from __future__ import annotations

import json
from typing import Any

import click
import pytest
from click.testing import CliRunner

from bareboat import __version__
from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.root import SECTIONS, Bareboat, bareboat
from bareboat.cli.terminal import Terminal
from bareboat.errors import ArtifactError, ConfigurationError, Problem, RemoteError


def test_help_lists_every_command_with_a_line_that_is_not_cut(run):
    result = run("--help")

    assert result.exit_code == 0
    assert result.stderr == ""
    for name in (name for names in SECTIONS.values() for name in names):
        line = next(line for line in result.stdout.splitlines() if line.startswith(f"  {name} "))
        assert not line.endswith("...")


@pytest.mark.parametrize("name", [name for names in SECTIONS.values() for name in names])
def test_every_command_explains_itself_and_takes_json(run, name):
    result = run(name, "--help")

    assert result.exit_code == 0
    assert "--json" in result.stdout
    assert "--verbose" in result.stdout


def test_offline_is_serve(run):
    assert run("offline", "--help").stdout.replace("offline", "serve") == (
        run("serve", "--help").stdout.replace("offline", "serve")
    )


def test_version_is_one_line(run):
    assert run("--version").stdout == f"bareboat {__version__}\n"


@pytest.mark.parametrize("words", [("--version", "--json"), ("--json", "--version")])
def test_version_as_json(run, words):
    assert json.loads(run(*words).stdout) == {"version": __version__}


def test_nothing_typed_shows_the_help_on_stderr_and_leaves_with_2(run):
    result = run()

    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Your service:" in result.stderr


def test_a_mistyped_command_names_the_nearest(run):
    result = run("pakcage")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: bareboat has no command 'pakcage'\n  fix       bareboat package\n"


def test_a_mistyped_option_names_the_nearest(run):
    result = run("check", "--jsn")

    assert result.exit_code == 2
    assert result.stderr == "error: bareboat check has no option --jsn\n  fix       bareboat check --json\n"


def test_a_wrong_option_beside_json_is_told_as_json_too(run):
    result = run("check", "--json", "--zzz")

    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"] == {
        "kind": "UsageError",
        "exit_code": 2,
        "problems": [
            {
                "found": "bareboat check has no option --zzz",
                "expected": "",
                "fix": "bareboat check --help",
                "where": "",
            }
        ],
    }


# --- how runs end, on a small command line of our own


def cli_of(callback: Any) -> Bareboat:
    """A root group with the single command `go`, which needs no file."""
    command = callback if isinstance(callback, click.Command) else click.command("go", cls=Command)(callback)

    class Small(Bareboat):
        def get_command(self, ctx, cmd_name):
            return command if cmd_name == "go" else None

    return Small(
        name="bareboat",
        package="nowhere",
        sections={"Commands": ("go",)},
        about_a_service=True,
        callback=lambda **_: None,
    )


def go(callback: Any, *words: str, **kwargs: Any) -> Any:
    return CliRunner().invoke(cli_of(callback), list(words), prog_name="bareboat", **kwargs)


def raising(error: BaseException) -> Any:
    def callback() -> None:
        raise error

    return callback


TWO = ConfigurationError(
    "",
    problems=(
        Problem("memorySize is 64", expected="128 to 10240", where="serverless.yml:9:17"),
        Problem("httpApi has no key 'methd'", fix="rename it to 'method'", where="serverless.yml:11:9"),
    ),
)


def test_every_problem_of_an_error_is_told_on_stderr():
    result = go(raising(TWO), "go")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "error: serverless.yml:9:17: memorySize is 64\n"
        "  expected  128 to 10240\n"
        "error: serverless.yml:11:9: httpApi has no key 'methd'\n"
        "  fix       rename it to 'method'\n"
    )


@pytest.mark.parametrize("words", [("go", "--json"), ("--json", "go")])
def test_json_tells_every_problem_on_stdout(words):
    result = go(raising(TWO), *words)

    error = json.loads(result.stdout)["error"]
    assert (result.exit_code, error["kind"], error["exit_code"]) == (2, "ConfigurationError", 2)
    assert [problem["where"] for problem in error["problems"]] == ["serverless.yml:9:17", "serverless.yml:11:9"]
    assert "memorySize is 64" in result.stderr


def test_json_can_be_asked_for_by_a_variable():
    result = go(raising(TWO), "go", env={"BAREBOAT_JSON": "1"})

    assert json.loads(result.stdout)["error"]["exit_code"] == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ArtifactError("cut off"), 1),
        (ConfigurationError("wrong"), 2),
        (RemoteError("refused"), 3),
        (click.UsageError("wrong"), 2),
        (KeyboardInterrupt(), 130),
        (SystemExit(7), 7),
        (BrokenPipeError(), 1),
    ],
)
def test_exit_codes(error, code):
    assert go(raising(error), "go").exit_code == code


@pytest.mark.parametrize("error", [KeyboardInterrupt(), BrokenPipeError(), OSError(32, "Broken pipe")])
def test_an_interruption_and_a_closed_pipe_say_nothing(error):
    result = go(raising(error), "go")

    assert (result.stdout, result.stderr.strip()) == ("", "")


def test_a_bug_keeps_its_traceback():
    result = go(raising(ZeroDivisionError("division by zero")), "go", "--json")

    assert result.exit_code == 1
    assert "Traceback (most recent call last)" in result.stderr
    assert "in callback" in result.stderr
    assert json.loads(result.stdout)["error"]["kind"] == "Bug"


def test_a_mistake_has_no_traceback():
    assert "Traceback" not in go(raising(ArtifactError("cut off")), "go").stderr


# --- options before and after the command's name


@click.command("go", cls=Command)
@service_options
@click.pass_obj
def shows_its_source(terminal: Terminal, source: Source) -> None:
    document = {"config": str(source.config), "stage": source.stage, "region": source.region}
    terminal.document({**document, "params": source.params, "verbosity": terminal.verbosity})


def source_of(*words: str, **kwargs: Any) -> Any:
    return json.loads(go(shows_its_source, *words, **kwargs).stdout)


OPTIONS = ("--stage", "prod", "--region", "eu-west-1", "-c", "x/serverless.yml", "--param", "a=1", "--param", "b=2=3")


@pytest.mark.parametrize("words", [(*OPTIONS, "go"), ("go", *OPTIONS)], ids=["before", "after"])
def test_the_service_is_named_before_or_after_the_command(words):
    assert source_of(*words) == {
        "config": "x/serverless.yml",
        "stage": "prod",
        "region": "eu-west-1",
        "params": {"a": "1", "b": "2=3"},
        "verbosity": 0,
    }


def test_an_option_after_the_command_wins_over_the_one_before():
    assert source_of("--stage", "prod", "go", "--stage", "test")["stage"] == "test"


def test_params_before_and_after_the_command_add_up():
    assert source_of("--param", "a=1", "--param", "b=1", "go", "--param", "b=2")["params"] == {"a": "1", "b": "2"}


def test_a_flag_before_the_command_wins_over_the_variable():
    env = {"BAREBOAT_CONFIG": "variable.yml"}

    assert source_of("-c", "flag.yml", "go", env=env)["config"] == "flag.yml"
    assert source_of("go", env=env)["config"] == "variable.yml"


def test_verbose_counts_before_and_after_the_command():
    assert source_of("-v", "go", "-v")["verbosity"] == 2


def test_a_param_without_a_value_is_wrong_usage():
    result = go(shows_its_source, "go", "--param", "a")

    assert result.exit_code == 2
    assert result.stderr == "error: --param a is not KEY=VALUE\n  fix       bareboat go --help\n"


def test_the_real_root_takes_the_service_before_the_command(run):
    result = run("--config", "nowhere.yml", "check")

    assert result.exit_code == 2
    assert "nowhere.yml" in result.stderr


def test_the_root_is_called_bareboat():
    assert bareboat.name == "bareboat"
