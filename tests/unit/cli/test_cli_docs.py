"""docs/cli.md names what there is, and nothing else."""

from __future__ import annotations

import re

import click
import pytest

from bareboat.cli.root import bareboat


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "cli.md").read_text()


def every_command() -> dict[str, click.Command]:
    """`invoke local` and the like -> the command."""
    context = click.Context(bareboat)
    found = {}
    for name in bareboat.names:
        command = bareboat.get_command(context, name)
        if isinstance(command, click.Group):
            for below in command.list_commands(context):
                found[f"{name} {below}"] = command.get_command(context, below)
        else:
            found[name] = command
    return found


def test_every_command_has_a_section(page):
    assert re.findall(r"^## (.*)$", page, re.MULTILINE)[1:] == list(every_command())


def test_the_table_lists_every_command(page):
    table = page.partition("## ")[0]

    assert re.findall(r"^\| \[`(.*?)`\]", table, re.MULTILINE) == list(every_command())


def test_every_flag_is_named(page):
    flags = {
        parameter.opts[-1]
        for command in every_command().values()
        for parameter in command.params
        if isinstance(parameter, click.Option)
    }

    assert not sorted(flag for flag in flags if flag not in page)


def test_every_flag_and_command_that_is_named_exists(page):
    commands = every_command()
    known = {flag for command in commands.values() for parameter in command.params for flag in parameter.opts}

    for line in re.findall(r"^\$ bareboat (.*)$", page, re.MULTILINE):
        words = line.split()
        assert words[0] in {name.split()[0] for name in commands}
        assert {word for word in words if re.fullmatch(r"--?[a-z][a-zA-Z-]*", word)} <= known


def test_every_variable_is_named(page):
    variables = {
        parameter.envvar
        for command in every_command().values()
        for parameter in command.params
        if isinstance(parameter.envvar, str)
    }

    assert not sorted(variable for variable in variables if variable not in page)
