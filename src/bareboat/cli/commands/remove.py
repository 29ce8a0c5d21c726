"""`bareboat remove`: everything of a stage, asked first, then proven gone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from bareboat.cli.aws import confirm, connected
from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bareboat.aws.belongings import Belongings, DataHolder
    from bareboat.aws.stays import Stay


@click.command(cls=Command)
@click.option("-y", "--yes", is_flag=True, help="Do not ask. What holds your own data needs --allow-loss too.")
@click.option(
    "--allow-loss",
    multiple=True,
    metavar="LOGICAL_ID",
    help="A resource whose data may be lost; its bucket is emptied. May be repeated.",
)
@click.option("--no-wait", is_flag=True, help="Fail rather than wait for what somebody else does to the stack.")
@service_options
@click.pass_obj
def remove(terminal: Terminal, source: Source, yes: bool, allow_loss: tuple[str, ...], no_wait: bool) -> None:
    """Remove a stage from AWS, and prove that it is gone.

    The stack, all versions of what its bucket holds, logs, layers, images and records. What stays on purpose, and
    could still cost money, is listed.
    """
    from bareboat.aws.belongings import find_belongings
    from bareboat.aws.remove import refuse_removal
    from bareboat.aws.remove import remove as remove_all
    from bareboat.aws.stays import what_stays
    from bareboat.cli.deploying import shown

    service, aws = connected(terminal, source)
    with terminal.progress("Asking AWS what there is"):
        found = find_belongings(aws, service)
    if found.is_empty:
        document = {"stack": service.provider.stack_name, "gone": [], "stays": []}
        terminal.result(document, f"nothing of {service.provider.stack_name} is there")
        _say_stays(terminal, what_stays(service, found))
        return
    refuse_removal(found)
    _show(terminal, service.provider.stack_name, found)
    _say_stays(terminal, what_stays(service, found))
    confirm(terminal, "Remove all of this?", yes=yes)
    lose = _agreed(terminal, found.data, allow_loss)
    with shown(terminal, f"bareboat remove{source.flags}") as progress:
        removed = remove_all(aws, service, found, lose=lose, wait=not no_wait, progress=progress)
    if terminal.as_json:
        stays = [{"what": one.what, "why": one.why, "costs": one.costs} for one in removed.stays]
        terminal.document(
            {"stack": service.provider.stack_name, "gone": [*removed.gone], "stays": stays, "asked": removed.asked}
        )
        return
    for line in removed.gone:
        terminal.write(f"removed {line}")
    terminal.say(f"AWS was asked for {removed.asked} things again, and has none of them")
    _say_stays(terminal, removed.stays)


def _show(terminal: Terminal, name: str, found: Belongings) -> None:
    terminal.say(f"This removes {name}:")
    for what, text in _lines(found):
        terminal.say(f"  {what:<10}{text}")


def _lines(found: Belongings) -> Iterator[tuple[str, str]]:
    if found.stack is not None:
        kinds = Counter(one.type.removeprefix("AWS::") for one in found.resources if one.status != "DELETE_COMPLETE")
        listed = ", ".join(f"{count} {kind}" if count > 1 else kind for kind, count in sorted(kinds.items()))
        yield "stack", f"{found.stack.name} ({found.stack.status}), {sum(kinds.values())} resources: {listed}"
    if found.bucket is not None:
        place = found.bucket.name if found.bucket.own else f"s3://{found.bucket.name}/{found.bucket.folder}/"
        what = f"{found.bucket_objects} versions of objects, {found.bucket_bytes / 1e6:.1f} MB"
        yield "bucket", f"{place}: {what}: code, records, all that rollback needs"
    for one in found.logs:
        yield "logs", f"{one.name}, {one.size_bytes / 1e6:.1f} MB"
    for layer, versions in found.layers.items():
        yield "layer", f"{layer}, versions {', '.join(map(str, versions))}"
    if found.repository:
        yield "images", f"{found.repository} in ECR, {found.images} images"


def _say_stays(terminal: Terminal, stays: Sequence[Stay]) -> None:
    for one in stays:
        cost = "; it can cost money" if one.costs else ""
        command = f": {one.command}" if one.command else ""
        terminal.note(f"stays: {one.what} ({one.why}{cost}){command}")


def _agreed(terminal: Terminal, data: Sequence[DataHolder], allowed: Sequence[str]) -> set[str]:
    """Ask for what is lost for good, each by name, and return what was agreed to."""
    left = [one for one in data if one.resource.logical_id not in allowed and "all" not in allowed]
    flags = " ".join(f"--allow-loss {one.resource.logical_id}" for one in left)
    for one in left:
        detail = f" ({one.detail})" if one.detail else ""
        question = f"Remove {one.resource.logical_id} ({one.resource.type} {one.resource.physical_id})"
        confirm(terminal, terminal.alarming(f"{question}, and lose {one.loss}{detail}?"), yes=False, flag=flags)
    return {one.resource.logical_id for one in data}
