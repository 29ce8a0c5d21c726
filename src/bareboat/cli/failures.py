"""What went wrong -> words for a person, a document for a program, and an exit code."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress

import click
from click.core import ParameterSource

from bareboat.cli.terminal import Terminal
from bareboat.errors import BareboatError, Problem

FAILED, USAGE, INTERRUPTED = 1, 2, 130


def exit_code_of(error: BaseException, terminal: Terminal, arguments: Sequence[str]) -> int | str | None:
    """Tell what ended the run, on stderr and with `--json` on stdout, and return the exit code.

    Args:
        arguments: as typed: a wrong option is found before `--json` has been read, and is told as JSON all the same.
    """
    if isinstance(error, SystemExit):
        return error.code
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError) or (isinstance(error, OSError) and error.errno == errno.EPIPE):
        return FAILED  # the reader has gone: there is nobody to tell
    if "--json" in arguments or os.environ.get("BAREBOAT_JSON", "") not in {"", "0", "false"}:
        terminal.as_json = True
    if isinstance(error, BareboatError):
        return _tell(terminal, type(error).__name__, error.problems, error.exit_code)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        terminal.say(error.format_message())
        return USAGE
    if isinstance(error, click.ClickException):
        return _tell(terminal, "UsageError", (_usage_problem(error),), USAGE)
    import traceback

    traceback.print_exception(error)
    problem = Problem(f"{type(error).__name__}: {error}", fix="report it with the traceback: this is a bug in bareboat")
    return _tell(terminal, "Bug", (problem,), FAILED)


def _tell(terminal: Terminal, kind: str, problems: Sequence[Problem], exit_code: int) -> int:
    for problem in problems:
        terminal.error(str(problem))
    if terminal.as_json:
        found = [problem.to_dict() for problem in problems]
        with suppress(BareboatError, BrokenPipeError):  # stdout may be what is wrong
            terminal.document({"error": {"kind": kind, "exit_code": exit_code, "problems": found}})
    return exit_code


def _usage_problem(error: click.ClickException) -> Problem:
    """Say click's usage error as ours are said: lower case, no full stop, the fix on a line of its own."""
    message = error.format_message().rstrip(".")
    message = message[:1].lower() + message[1:]
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "bareboat"
    fix = getattr(error, "fix", "")
    if isinstance(error, click.NoSuchOption):
        message = f"{command} has no option {error.option_name}"
        fix = f"{command} {error.possibilities[0]}" if error.possibilities else ""
    elif type(error) is click.BadParameter and error.param is not None:
        message = f"{_as_given(error.param, context)}: {error.message.rstrip('.')}"
    return Problem(message, expected=getattr(error, "expected", ""), fix=fix or f"{command} --help")


def _as_given(parameter: click.Parameter, context: click.Context | None) -> str:
    """Name a parameter as the person gave it: the flag, the variable, the argument."""
    assert parameter.name is not None
    if context is not None and context.get_parameter_source(parameter.name) is ParameterSource.ENVIRONMENT:
        return str(parameter.envvar)
    return parameter.opts[-1] if isinstance(parameter, click.Option) else parameter.name
