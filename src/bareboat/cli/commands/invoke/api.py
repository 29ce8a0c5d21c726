"""`bareboat invoke api`: one request to a method of the REST API, with the log of each step."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.cloud import build_for_here
from bareboat.cli.group import Command
from bareboat.cli.options import Source, key_values, service_options, slim_option, slimmed
from bareboat.cli.terminal import Terminal
from bareboat.errors import ConfigurationError

if TYPE_CHECKING:
    from bareboat.local.rest.trial import Trial
    from bareboat.service.model import Slim


@click.command(cls=Command)
@click.argument("method", metavar="METHOD")
@click.argument("path", metavar="PATH")
@click.option("-H", "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header; may be repeated.")
@click.option("-d", "--data", metavar="TEXT", help="The body; @FILE is a file's bytes, @- standard input's.")
@click.option("--stage-variable", "variables", multiple=True, metavar="KEY=VALUE", help="In place of the stage's own.")
@slim_option
@service_options
@click.pass_obj
def api(
    terminal: Terminal,
    source: Source,
    method: str,
    path: str,
    headers: tuple[str, ...],
    data: str | None,
    variables: tuple[str, ...],
    slim: Slim | None,
) -> None:
    """Send one request to a method of the REST API, and print its body.

    It is API Gateway's TestInvokeMethod, without a server: authorizers and API keys are not asked, validators are. The
    body goes to stdout; the status, the headers and the log of each step to stderr. The exit code is 1 from status 500.
    """
    from bareboat.local.rest.once import find_method, try_once, without_stage
    from bareboat.local.rest.trial import TrialRequest

    sent = tuple(_header(header) for header in headers)
    body = _body(data)
    stage_variables = key_values(variables, "--stage-variable") if variables else None
    service = slimmed(source.load(terminal), slim)
    terminal.notes(service.notes)
    found = find_method(service, method.upper(), path)
    artifact = build_for_here(terminal, service, found.function)[found.function] if found.function else None
    request = TrialRequest(method.upper(), without_stage(service, path), sent, body, stage_variables)
    trial = try_once(service, found, request, artifact)
    _show(terminal, trial)
    if trial.status >= 500:
        raise SystemExit(1)


def _show(terminal: Terminal, trial: Trial) -> None:
    if terminal.as_json:
        terminal.document(_document(trial))
        return
    if trial.function_log:
        terminal.say(trial.function_log.rstrip("\n"))
    terminal.say(trial.log.rstrip("\n"))
    lines = [str(trial.status), *(f"{name}: {value}" for name, value in trial.headers)]
    terminal.say("\n".join(lines))
    terminal.write_bytes(trial.body)


def _document(trial: Trial) -> dict[str, Any]:
    return {**trial.to_dict(), "function": trial.function, "function_log": trial.function_log.splitlines()}


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or "\n" in text:
        raise click.UsageError(f"--header {text!r} is not 'NAME: VALUE'")
    return name.strip(), value.strip()


def _body(data: str | None) -> bytes:
    if data is None:
        return b""
    if not data.startswith("@"):
        return data.encode()
    if data == "@-":
        return sys.stdin.buffer.read()
    try:
        return Path(data[1:]).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {data[1:]}: {error.strerror}", expected="a file with the body", where=data[1:]
        ) from error
