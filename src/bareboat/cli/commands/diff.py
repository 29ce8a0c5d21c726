"""`bareboat diff`: what differs between two stages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.group import Command
from bareboat.cli.moments import clock_time, utc_time
from bareboat.cli.options import Source, service_options
from bareboat.cli.printable import printable
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.aws.compare import Comparison, StageState


@click.command(cls=Command)
@click.argument("stages", metavar="[STAGE] STAGE", nargs=-1)
@service_options
@click.pass_obj
def diff(terminal: Terminal, source: Source, stages: tuple[str, ...]) -> None:
    """Show what differs between two stages as they are live.

    With one STAGE it is that of serverless.yml, or of --stage, against it. Names that hold the stage or the region
    count as the same. Values of variables are not shown.
    """
    from bareboat.aws.compare import compare

    if not 1 <= len(stages) <= 2:
        error = click.UsageError(f"diff is between two stages, and {len(stages)} are named")
        error.fix = "bareboat diff dev prod; what a deployment would change, bareboat deploy --plan shows"  # type: ignore[attr-defined]
        raise error
    if len(stages) == 1:
        stages = (source.load(terminal).provider.stage, *stages)
    if stages[0] == stages[1]:
        raise click.UsageError(f"both stages are {stages[0]}")
    with terminal.progress("Reading both stages"):
        one, other = (_state(terminal, replace(source, stage=stage)) for stage in stages)
    found = compare(one, other)
    if terminal.as_json:
        terminal.document(_document(found))
        return
    _show(terminal, found)


def _state(terminal: Terminal, source: Source) -> StageState:
    from bareboat.aws.compare import stage_state
    from bareboat.aws.deployed import find_deployed
    from bareboat.cli.aws import connected

    service, aws = connected(terminal, source, account=False)
    return stage_state(aws, find_deployed(aws, service))


def _show(terminal: Terminal, found: Comparison) -> None:
    one, other = found.one, found.other
    head = ("", one.stage, other.stage)
    terminal.table(head, _facts(one, other))
    if not found.rows:
        terminal.say(f"nothing differs between {one.stage} and {other.stage}")
        return
    terminal.write("")
    terminal.table(
        ("what", "name", "property", one.stage, other.stage),
        [
            (row.kind, row.name, row.path or "-", printable(row.one) or "-", printable(row.other) or "-")
            for row in found.rows
        ],
    )


def _facts(one: StageState, other: StageState) -> list[tuple[str, str, str]]:
    return [(name, mine, theirs) for (name, mine), (_, theirs) in zip(_facts_of(one), _facts_of(other), strict=True)]


def _facts_of(state: StageState) -> list[tuple[str, str]]:
    record = state.record
    return [
        ("version", "-" if record is None else str(record.number)),
        ("deployed", clock_time(state.deployed)[:19]),
        ("by", "-" if record is None else record.by.rpartition(":")[2]),
        ("commit", "-" if record is None else record.commit[:12] or "-"),
        ("stack", f"{state.stack}  {state.status}"),
        ("region", state.region),
        ("account", state.account),
    ]


def _document(found: Comparison) -> dict[str, Any]:
    import msgspec

    return {
        "stages": [
            {
                "stage": state.stage,
                "region": state.region,
                "account": state.account,
                "stack": state.stack,
                "status": state.status,
                "deployed": utc_time(state.deployed),
                "version": None if state.record is None else state.record.number,
                "by": None if state.record is None else state.record.by,
                "commit": None if state.record is None else state.record.commit or None,
            }
            for state in (found.one, found.other)
        ],
        "differences": msgspec.to_builtins(found.rows),
    }
