"""`bareboat invoke local`: one event, one answer, by AWS's own runtime client on the artifact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.cloud import build_for_here
from bareboat.cli.event import event_options, read_event, read_object
from bareboat.cli.functions import chosen, function_option
from bareboat.cli.group import Command
from bareboat.cli.options import Source, key_values, service_options, slim_option, slimmed
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.local.invocation import Invocation
    from bareboat.service.model import Service, Slim


@click.command(cls=Command)
@function_option("The function; may be left out when there is one.")
@event_options
@click.option("-e", "--env", multiple=True, metavar="KEY=VALUE", help="A variable of the function; may be repeated.")
@slim_option
@service_options
@click.pass_obj
def local(  # noqa: PLR0913, PLR0917 - one argument a flag
    terminal: Terminal,
    source: Source,
    name: str | None,
    data: str | None,
    path: Path | None,
    raw: bool,
    context: str | None,
    context_path: Path | None,
    env: tuple[str, ...],
    slim: Slim | None,
) -> None:
    """Run a function once on this machine and print its answer.

    The event comes from --data, --path or standard input; without any it is {}. The answer goes to stdout as the
    function gave it, its log to stderr. The exit code is 1 when the function fails; its error is then the answer.
    """
    event = read_event(data, path, raw=raw)
    client_context = read_object(context, context_path, "--context")
    variables = key_values(env, "--env")
    service = slimmed(source.load(terminal), slim)
    terminal.notes(service.notes)
    name = chosen(service, name)
    if variables:
        service = _with_variables(service, name, variables)
    invocation = _invoke(terminal, service, name, event, client_context)
    _show(terminal, invocation)
    if invocation.error:
        raise SystemExit(1)


def _invoke(terminal: Terminal, service: Service, name: str, event: bytes, client_context: str) -> Invocation:
    from bareboat.local import invoke_local

    artifact = build_for_here(terminal, service, name)[name]
    return invoke_local(service, name, artifact, event, client_context=client_context)


def _with_variables(service: Service, name: str, variables: dict[str, str]) -> Service:
    function = service.functions[name]
    function = replace(function, environment={**function.environment, **variables})
    return replace(service, functions={**service.functions, name: function})


def _show(terminal: Terminal, invocation: Invocation) -> None:
    if invocation.log:
        terminal.say(invocation.log.rstrip("\n"))
    if terminal.as_json:
        terminal.document(_document(invocation))
    else:
        terminal.write_bytes(invocation.payload)


def _document(invocation: Invocation) -> dict[str, Any]:
    import json

    text = invocation.payload.decode("utf-8", "replace")
    try:
        payload = json.loads(text, parse_constant=_refuse)
    except ValueError:
        payload = text  # a handler may answer NaN, which is no JSON: shown as text
    return {
        "function": invocation.function,
        "payload": payload,
        "function_error": invocation.error or None,
        "request_id": invocation.request_id,
        "duration_ms": round(invocation.duration_ms, 2),
        "billed_ms": invocation.billed_ms,
        "init_ms": None if invocation.init_ms is None else round(invocation.init_ms, 2),
        "memory_mb": invocation.memory_mb,
        "max_memory_mb": invocation.max_memory_mb,
        "log": invocation.log.splitlines(),
    }


def _refuse(constant: str) -> None:
    raise ValueError(constant)
