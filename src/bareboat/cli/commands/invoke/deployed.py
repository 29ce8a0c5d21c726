"""`bareboat invoke deployed`, or `bareboat invoke -f NAME`: one event to the function on AWS."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.event import event_options, read_event, read_object
from bareboat.cli.functions import chosen, function_option
from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.printable import printable
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.aws.client import Aws
    from bareboat.aws.invoke import LiveInvocation
    from bareboat.service.model import Function, Service

_LONGEST_S = 900  # what Lambda lets a function take at most


@click.command(cls=Command)
@function_option("The function; may be left out when there is one.")
@event_options
@click.option("--qualifier", default="", metavar="VERSION", help="A version or an alias.  [default: the newest code]")
@click.option(
    "-t",
    "--type",
    "kind",
    type=click.Choice(["RequestResponse", "Event"]),
    default="RequestResponse",
    show_default=True,
    help="Whether to wait for the answer.",
)
@click.option("-l", "--log", "wants_log", is_flag=True, help="The whole log, where Lambda sends only its end.")
@service_options
@click.pass_obj
def deployed(  # noqa: PLR0913, PLR0917 - one argument a flag
    terminal: Terminal,
    source: Source,
    name: str | None,
    data: str | None,
    path: Path | None,
    raw: bool,
    context: str | None,
    context_path: Path | None,
    qualifier: str,
    kind: str,
    wants_log: bool,
) -> None:
    """Run a deployed function once, on AWS, and print its answer; `invoke -f NAME` is short for it.

    The event comes from --data, --path or standard input; without any it is {}. The answer goes to stdout as the
    function gave it, the end of its log to stderr. The exit code is 1 when the function fails; its error is then the
    answer.
    """
    from bareboat.aws.invoke import invoke, whole_log
    from bareboat.cli.aws import connected

    event = read_event(data, path, raw=raw)
    client_context = read_object(context, context_path, "--context")
    service, aws = connected(terminal, source, account=False)
    functions = {**service.functions, **service.image_functions}
    function = functions.get(name) if name is not None else functions[chosen(service, None, images=True)]
    if function is None:
        function = _former(service, aws, str(name))
    started = time.time()
    with terminal.progress(f"Invoking {function.full_name}"):
        found = invoke(
            aws,
            function,
            event,
            qualifier=qualifier,
            kind="Event" if kind == "Event" else "RequestResponse",
            client_context=client_context,
        )
    log = found.log
    if wants_log and found.is_log_cut:
        from bareboat.aws.deployed import find_deployed

        with terminal.progress("Waiting for CloudWatch"):
            group = find_deployed(aws, service).function(function.name).log_group
            log = whole_log(aws, group, found, started) or log
    if log:
        terminal.say(printable(log.rstrip("\n")))
    if found.is_log_cut and not wants_log:
        terminal.note("this is the end of the log: --log shows all of it")
    _show(terminal, found, log)
    if found.error:
        raise SystemExit(1)


def _former(service: Service, aws: Aws, name: str) -> Function:
    """Return a function of the stack that serverless.yml does not have any more, or has by another name.

    Raises:
        ConfigurationError: the stack has none of that name either.
    """
    from dataclasses import replace

    from bareboat.aws.deployed import find_deployed
    from bareboat.errors import RemoteError

    try:
        there = find_deployed(aws, service).function(name)
    except RemoteError:
        there = None
    like = next(iter((*service.functions.values(), *service.image_functions.values())), None)
    if there is None or like is None:
        chosen(service, name, images=True)  # says which ones there are
        raise AssertionError(name)
    return replace(like, name=there.name, full_name=there.full_name, timeout_s=_LONGEST_S)


def _show(terminal: Terminal, found: LiveInvocation, log: str) -> None:
    if terminal.as_json:
        terminal.document(_document(found, log))
    elif found.status == 202:
        terminal.say(f"taken as request {found.request_id}; its answer goes nowhere: bareboat logs shows what it wrote")
    else:
        terminal.write_bytes(found.payload)


def _document(found: LiveInvocation, log: str) -> dict[str, Any]:
    import json

    text = found.payload.decode("utf-8", "replace")
    try:
        payload = json.loads(text, parse_constant=_refuse) if text else None
    except ValueError:
        payload = text  # a handler may answer NaN, which is no JSON: shown as text
    report = found.report
    return {
        "function": found.function,
        "version": found.version,
        "status": found.status,
        "payload": payload,
        "function_error": found.error or None,
        "request_id": found.request_id,
        "duration_ms": None if report is None else report.duration_ms,
        "billed_ms": None if report is None else report.billed_ms,
        "init_ms": None if report is None else report.init_ms,
        "memory_mb": None if report is None else report.memory_mb,
        "max_memory_mb": None if report is None else report.max_memory_mb,
        "log": log.splitlines(),
    }


def _refuse(constant: str) -> None:
    raise ValueError(constant)
