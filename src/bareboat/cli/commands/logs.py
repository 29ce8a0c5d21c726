"""`bareboat logs`: what the functions wrote, on AWS or with --local here, from before and as it comes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.functions import function_option
from bareboat.cli.group import Command
from bareboat.cli.moments import Moment, check_span, clock_time, utc_time
from bareboat.cli.observed import known_function, local_option, nothing_kept, observed_file
from bareboat.cli.options import Source, service_options
from bareboat.cli.printable import printable
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bareboat.aws.deployed import Deployed, LiveFunction
    from bareboat.aws.logs import Found
    from bareboat.aws.reports import LogEvent
    from bareboat.local.observe.lines import LogLine
    from bareboat.local.observe.query import SeenInvocation

POLL_S = 0.25
LINES = 1000
_PAGE = 500
AWS_SINCE_S = 3600.0


@click.command(cls=Command)
@local_option
@function_option("Only this function.")
@click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--since", type=Moment(), metavar="WHEN", help="From then on: 10m, 2h, 1d, or a date and time.")
@click.option("--until", type=Moment(), metavar="WHEN", help="Up to then.")
@click.option(
    "--filter", "pattern", default="", metavar="PATTERN", help="Only lines that CloudWatch finds by its filter pattern."
)
@click.option("--grep", default="", metavar="PATTERN", help="Only lines with it: a regular expression, or a text.")
@click.option("--errors", is_flag=True, help="Only invocations that failed.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=LINES, show_default=True, metavar="N", help="The newest lines."
)
@service_options
@click.pass_obj
def logs(  # noqa: PLR0913, PLR0917 - one argument a flag
    terminal: Terminal,
    source: Source,
    is_local: bool,
    name: str | None,
    follow: bool,
    since: float | None,
    until: float | None,
    pattern: str,
    grep: str,
    errors: bool,
    limit: int,
) -> None:
    """Show what the functions wrote.

    Each line has its time and function. It is the log on AWS, of the last hour unless --since says otherwise. With
    --local it is what the local cloud did, whether `serve` runs or not; --follow then goes on over restarts of it.
    With --json and --follow each line is a document of its own.
    """
    if follow and until is not None:
        raise click.UsageError("--follow has no --until")
    check_span(since, until)
    if not is_local:
        _of_aws(terminal, source, name, since, until, pattern, grep, follow=follow, errors=errors, limit=limit)
        return
    if pattern:
        raise click.UsageError("--filter is CloudWatch's: with --local it is --grep")
    path = observed_file(terminal, source)
    function = known_function(terminal, source, path, name)
    asked: dict[str, Any] = {"function": function, "since": since, "until": until, "errors": errors}
    lines, is_cut, last = _newest(path, asked, grep, limit)
    if not lines and not follow and not (terminal.as_json and last):
        is_narrowed = bool(function or grep or errors or since is not None or until is not None)
        raise nothing_kept(source, path, narrowed=is_narrowed)
    width = max((len(line.function) for line in lines), default=0)
    if follow:
        _show(terminal, lines, width)
        _follow(terminal, path, asked, grep, last, width)
    elif terminal.as_json:
        terminal.document([_document(line) for line in lines])
    else:
        _show(terminal, lines, width)
        if is_cut:
            terminal.note(f"the newest {limit} lines; there are more: --limit N, or --since and --until")


def _newest(path: Path, asked: dict[str, Any], grep: str, limit: int) -> tuple[list[LogLine], bool, int]:
    """Return the newest lines, whether there are more, and the id of the newest invocation there is."""
    from bareboat.local.observe.lines import log_lines
    from bareboat.local.observe.query import invocations, last_ids

    last = last_ids(path).invocations
    before = last + 1
    pages: list[list[LogLine]] = []
    while sum(map(len, pages)) <= limit:
        page: list[SeenInvocation] = invocations(path, **asked, grep=grep, before_id=before, limit=_PAGE)
        if not page:
            break
        pages.append(list(log_lines(page, grep)))
        before = page[0].id
    lines = [line for page in reversed(pages) for line in page]
    return lines[-limit:], len(lines) > limit, last


def _follow(terminal: Terminal, path: Path, asked: dict[str, Any], grep: str, last: int, width: int) -> None:
    from bareboat.local.observe.lines import log_lines
    from bareboat.local.observe.query import invocations, last_ids

    while True:
        time.sleep(POLL_S)
        newest = last_ids(path).invocations
        if newest < last:
            last = 0  # the file was begun anew
        while last < newest:
            page = invocations(path, **asked, grep=grep, after_id=last, limit=_PAGE)
            _show(terminal, list(log_lines(page, grep)), width)
            last = page[-1].id if page else newest


def _of_aws(  # noqa: PLR0913 - one argument a flag
    terminal: Terminal,
    source: Source,
    name: str | None,
    since: float | None,
    until: float | None,
    pattern: str,
    grep: str,
    *,
    follow: bool,
    errors: bool,
    limit: int,
) -> None:
    from bareboat.aws.deployed import find_deployed
    from bareboat.aws.logs import Wanted, follow_logs, read_logs
    from bareboat.cli.aws import connected
    from bareboat.local.observe.query import pattern as compiled

    if errors and pattern:
        raise click.UsageError("--errors reads whole invocations, --filter single lines: --grep goes with --errors")
    service, aws = connected(terminal, source, account=False)
    deployed = find_deployed(aws, service)
    functions = list(deployed.functions) if name is None else [deployed.function(name)]
    is_narrowed = bool(pattern or grep or errors)
    if since is None:
        since = (time.time() if until is None else until) - AWS_SINCE_S
    wanted = Wanted(since, until, pattern, compiled(grep).search if grep else None, errors=errors)
    with terminal.progress("Reading the logs"):
        found = read_logs(aws, functions, wanted, limit=limit)
    _tell_missing(terminal, deployed, found.missing)
    width = max((len(one.name) for one in functions), default=0)
    if follow:
        _show(terminal, found.lines, width)
        for lines in follow_logs(aws, functions, wanted, known=found.lines):
            _show(terminal, lines, width)
        return
    if terminal.as_json:
        terminal.document([_document(line) for line in found.lines])
        return
    _show(terminal, found.lines, width)
    _tell_end(terminal, found, functions, since, until, limit, narrowed=is_narrowed)


def _tell_missing(terminal: Terminal, deployed: Deployed, missing: Iterable[LiveFunction]) -> None:
    for one in missing:
        terminal.warning(
            f"{one.name} has no log group {one.log_group} in {deployed.aws.region}: it has written nothing"
        )


def _tell_end(
    terminal: Terminal,
    found: Found,
    functions: Sequence[LiveFunction],
    since: float,
    until: float | None,
    limit: int,
    *,
    narrowed: bool,
) -> None:
    if found.is_cut:
        terminal.note(f"the newest {limit} lines; there are more: --limit N, or --since and --until")
    elif not found.lines and len(found.missing) < len(functions):
        what = "of what was written, nothing fits" if narrowed else "nothing was written"
        end = "" if until is None else f" to {clock_time(until)[:19]}"
        terminal.note(f"{what} from {clock_time(since)[:19]}{end or ' on'}: --since 1d looks further back")


def _show(terminal: Terminal, lines: Sequence[LogLine | LogEvent], width: int) -> None:
    if terminal.as_json:
        import json

        for line in lines:
            terminal.write(json.dumps(_document(line)))
    elif lines:
        terminal.write(
            "\n".join(
                f"{clock_time(line.at)}  {line.function:<{width}}  {printable(line.text)}".rstrip() for line in lines
            )
        )


def _document(line: LogLine | LogEvent) -> dict[str, str]:
    return {"at": utc_time(line.at), "function": line.function, "requestId": line.request_id, "message": line.text}
