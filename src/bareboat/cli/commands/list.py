"""`bareboat list`: what was deployed when, by whom, and with which models; and the service's stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.aws import connected
from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.aws.listing import Listing, StageListing
    from bareboat.aws.versions import Version


@click.command("list", cls=Command)
@click.option("--all", "everything", is_flag=True, help="Show failed and pruned versions too.")
@service_options
@click.pass_obj
def list(terminal: Terminal, source: Source, everything: bool) -> None:  # noqa: A001 - the command's name
    """List what was deployed, when and by whom.

    The versions of the stage with their models' digests and the commit, and the service's other stages.
    """
    from bareboat.aws.listing import list_deployed

    service, aws = connected(terminal, source, account=False)
    with terminal.progress("Asking AWS"):
        listing = list_deployed(aws, service)
    if terminal.as_json:
        terminal.document(
            {
                "service": service.name,
                "stage": service.provider.stage,
                "stack": service.provider.stack_name,
                "status": listing.stack.status if listing.stack else None,
                "bucket": listing.bucket or None,
                "versions": [version_document(one) for one in listing.versions],
                "stages": [_stage_document(one) for one in listing.stages],
            }
        )
        return
    _show(terminal, listing, service.provider.stage, everything=everything)
    _hint(terminal, listing, source)


def version_document(version: Version) -> dict[str, Any]:
    """Return a version as JSON has it."""
    record = version.record
    document: dict[str, Any] = {
        "version": version.name,
        "state": version.state,
        "at": version.at,
        "deployed_with": "serverless" if record is None else "bareboat",
        "template_sha256": version.template_sha256,
        "missing": [*version.missing],
    }
    if record is not None:
        document |= {
            "by": record.by,
            "finished_at": record.finished_at or None,
            "commit": record.commit or None,
            "dirty": record.dirty,
            "action": record.action,
            "restores": record.restores,
            "why": record.why or None,
            "models": record.models,
            "functions": {
                name: {"code": code.place, "sha256": code.sha256, "models": code.models}
                for name, code in record.functions.items()
            },
        }
    return document


def _stage_document(stage: StageListing) -> dict[str, Any]:
    live = version_document(stage.live) if stage.live is not None else None
    return {"stage": stage.stage, "stack": stage.stack, "status": stage.status, "live": live}


def _show(terminal: Terminal, listing: Listing, stage: str, *, everything: bool) -> None:
    shown = [one for one in listing.versions if everything or one.state in ("live", "kept", "pending")]
    if shown:
        headers = ("version", "state", "when_utc", "by", "commit", "models", "what")
        terminal.table(headers, [_row(one) for one in shown], whole="version")
    hidden = len(listing.versions) - len(shown)
    if hidden:
        terminal.say(f"{hidden} failed or pruned not shown: --all")
    others = [one for one in listing.stages if one.stage != stage]
    if others:
        if shown:
            terminal.write("")
        rows = [
            (one.stage, one.stack, one.status, one.live.name if one.live else "-", *(_facts(one.live)))
            for one in listing.stages
        ]
        terminal.table(("stage", "stack", "status", "version", "when_utc", "by", "models"), rows, whole="stage")


def _row(version: Version) -> tuple[str, ...]:
    when, by, models = _facts(version)
    return version.name, version.state, when, by, _commit(version), models, _what(version)


def _facts(version: Version | None) -> tuple[str, str, str]:
    if version is None:
        return "-", "-", "-"
    models = version.record.models if version.record is not None else {}
    text = ", ".join(f"{name} {sha256[:8]}" for name, sha256 in models.items())
    return version.at[:16].replace("T", " "), version.by or "-", text or "-"


def _commit(version: Version) -> str:
    if version.record is None or not version.record.commit:
        return "-"
    return version.record.commit[:8] + ("+" if version.record.dirty else "")


def _what(version: Version) -> str:
    record = version.record
    if record is None:
        return "Serverless"
    what = f"rollback to {record.restores}" if record.restores else record.action
    return f"{what}: {record.why}" if record.why else what


def _hint(terminal: Terminal, listing: Listing, source: Source) -> None:
    if listing.stack is None:
        terminal.say("this stage is not deployed")
        terminal.next(f"bareboat deploy{source.flags}")
        return
    if listing.is_bare:
        terminal.say(f"{listing.stack.name} has its bucket alone: no deployment of it has ended well yet")
        terminal.next(f"bareboat deploy{source.flags}")
        return
    if not listing.has_records:
        if listing.lost:
            terminal.warning(f"the records of {listing.stack.name} are gone from s3://{listing.bucket}")
            terminal.next(f"bareboat deploy{source.flags}")
            return
        found = "; the versions are Serverless's" if listing.versions else ""
        terminal.say(f"bareboat has not deployed this stack yet, so that there are no records of its own{found}")
    elif not any(one.state == "live" for one in listing.versions):
        terminal.warning("the stack has a template that no record knows: somebody else changed it, or the bucket")
    if listing.back is not None:
        terminal.next(f"bareboat rollback --to {listing.back.name}{source.flags}")
