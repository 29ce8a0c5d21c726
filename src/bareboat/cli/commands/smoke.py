"""`bareboat smoke`: every route's sample against the live endpoint, compared with the local artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.functions import chosen, function_option
from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options, slim_option, slimmed
from bareboat.cli.printable import printable
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.aws.client import Aws
    from bareboat.aws.smoke import Smoke, Tried
    from bareboat.service.model import Service, Slim


@click.command(cls=Command)
@function_option("Only the routes of this function.")
@click.option("-H", "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header; may be repeated.")
@click.option("--token", metavar="TOKEN", help="A token: short for -H 'Authorization: Bearer TOKEN'.")
@slim_option
@service_options
@click.pass_obj
def smoke(
    terminal: Terminal,
    source: Source,
    name: str | None,
    headers: tuple[str, ...],
    token: str | None,
    slim: Slim | None,
) -> None:
    """Compare the live answers of every route with the local ones.

    What is sent are the samples of each function, or a row made up for its model. Labels and raw scores must be equal,
    probabilities to their last binary digit but one, all other JSON too. Routes that cannot be tried are listed with
    why. The exit code is 1 when an answer differs, when a function fails (5xx) both here
    and there, or when no route could be tried.
    """
    from bareboat.cli.aws import connected

    service, aws = connected(terminal, source)
    service = slimmed(service, slim)
    terminal.notes(service.notes)
    found = try_live(terminal, service, aws, _headers(headers, token), name=name)
    if terminal.as_json:
        terminal.document(smoke_document(found))
    if not all(one.passes for one in found.tried) or (found.untried and not found.tried):
        raise SystemExit(1)


def try_live(
    terminal: Terminal,
    service: Service,
    aws: Aws,
    headers: tuple[tuple[str, str], ...] = (),
    *,
    name: str | None = None,
) -> Smoke:
    """Build the artifacts for this machine, try the live service with them, and show what came of it."""
    from bareboat.aws.deployed import find_deployed
    from bareboat.aws.smoke import smoke as try_routes
    from bareboat.cli.cloud import build_for_here

    function = "" if name is None else chosen(service, name)
    deployed = find_deployed(aws, service)
    artifacts = build_for_here(terminal, service, function or None)
    with terminal.progress("Trying") as step:
        found = try_routes(aws, deployed, artifacts, function=function, headers=headers, on_step=step)
    _show(terminal, found)
    return found


def _headers(headers: tuple[str, ...], token: str | None) -> tuple[tuple[str, str], ...]:
    from bareboat.cli.sample import pairs

    found = pairs(headers, "--header", ":")
    return (*found, ("Authorization", f"Bearer {token}")) if token else found


def _show(terminal: Terminal, found: Smoke) -> None:
    if found.tried and not terminal.as_json:
        terminal.table(
            ("route", "function", "sample", "status", "answer", "latency_ms", "init_ms"),
            [
                (_route(one, found), one.trial.target.function, one.trial.sample, one.live.status or "-", _verdict(one),
                 f"{one.latency_ms:.1f}", "-" if one.init_ms is None else f"{one.init_ms:.1f}")
                for one in found.tried
            ],
            whole="route",
        )  # fmt: skip
    for one in found.tried:
        if not one.agrees:
            terminal.error(_difference(one, found))
        elif one.fails:
            terminal.error(
                f"{_route(one, found)} with {one.trial.sample}: the function fails here too, with {one.live.status}"
                f"\n  url       {one.url}"
                f"\n  fix       bareboat logs -f {one.trial.target.function} --errors tells why"
            )
    for each in found.untried:
        key = f"{each.target.function}'s URL" if each.target.api == "url" else each.target.key
        terminal.warning(f"{key} was not tried: {each.why}" + (f"\n  fix       {each.fix}" if each.fix else ""))
    if not found.tried and not found.untried:
        terminal.note("the service has no routes: nothing to try; bareboat invoke -f NAME calls a function")
        return
    same = sum(one.agrees for one in found.tried)
    failing = sum(one.fails for one in found.tried)
    terminal.say(
        f"{same} of {len(found.tried)} answers are the local artifact's"
        + (f"; {failing} of them are failures" if failing else "")
        + (f"; {len(found.untried)} routes were not tried" if found.untried else "")
    )


def _route(one: Tried, found: Smoke) -> str:
    """Return what was asked for; which API that is of, where a service has both kinds."""
    from bareboat.aws.trials import shown_path

    path, api = shown_path(one.trial.asked), one.trial.target.api
    if api == "url":
        return f"URL {path}"
    both = {"httpApi", "http"} <= {each.trial.target.api for each in found.tried}
    return f"{path} ({'HTTP' if api == 'httpApi' else 'REST'} API)" if both else path


def _verdict(one: Tried) -> str:
    if not one.agrees:
        return "DIFFERS"
    if one.fails:
        return "FAILS"
    words = [f"{one.agreement.off_by_one} off by 1 ulp"] if one.agreement.off_by_one else []
    words += [f"{one.agreement.ignored} parts not compared"] if one.agreement.ignored else []
    return f"same ({', '.join(words)})" if words else "same"


def _difference(one: Tried, found: Smoke) -> str:
    lines = [
        f"{_route(one, found)} with {one.trial.sample}: the live answer is not the local one",
        f"  url       {one.url}",
    ]
    if one.live.failure:
        lines.append(f"  live      {one.live.failure}")
    if one.local.failure:
        lines.append(f"  local     {one.local.failure}")
    for each in one.agreement.differences[:20]:
        lines.append(f"  {each.part}")
        lines.append(f"    live    {each.live or '(nothing)'}")
        lines.append(f"    local   {each.local or '(nothing)'}")
    if len(one.agreement.differences) > 20:
        lines.append(f"  and {len(one.agreement.differences) - 20} more")
    return printable("\n".join(lines))


def smoke_document(found: Smoke) -> dict[str, Any]:
    """Return what came of it as JSON has it."""
    import msgspec

    return {
        "tried": [
            {
                "api": one.trial.target.api,
                "route": one.trial.target.key,
                "function": one.trial.target.function,
                "sample": one.trial.sample,
                "method": one.trial.asked.method,
                "url": one.url,
                "status": one.live.status,
                "same": one.agrees,
                "fails": one.fails,
                "differences": msgspec.to_builtins(one.agreement.differences),
                "off_by_one_ulp": one.agreement.off_by_one,
                "not_compared": one.agreement.ignored,
                "failure": one.live.failure or None,
                "latency_ms": round(one.latency_ms, 2),
                "init_ms": one.init_ms,
            }
            for one in found.tried
        ],
        "untried": [
            {"api": one.target.api, "route": one.target.key, "function": one.target.function, "why": one.why,
             "fix": one.fix}
            for one in found.untried
        ],
    }  # fmt: skip
