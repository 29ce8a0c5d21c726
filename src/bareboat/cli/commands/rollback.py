"""`bareboat rollback`: back to an older version, shown and asked as a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bareboat.cli.aws import connected
from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.aws.deploy import Deployment
    from bareboat.aws.rollback import Rollback


@click.command(cls=Command)
@click.option("--to", metavar="VERSION", help="A version of `bareboat list`.  [default: the one before the live one]")
@click.option("--plan", "plan_only", is_flag=True, help="Show what would change, and change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing. What loses data is asked for all the same.")
@click.option(
    "--allow-loss",
    "allowed",
    multiple=True,
    metavar="LOGICAL_ID",
    help="Let this resource be removed or replaced with what it holds; may be repeated.",
)
@click.option("--no-wait", is_flag=True, help="Fail rather than wait when somebody else is changing the stack.")
@service_options
@click.pass_obj
def rollback(
    terminal: Terminal,
    source: Source,
    to: str | None,
    plan_only: bool,
    yes: bool,
    allowed: tuple[str, ...],
    no_wait: bool,
) -> None:
    """Go back to an older version of the stage.

    Its code and its template, as they were deployed, through the same change set and questions as `deploy`. A stack
    that a failure or an interruption left behind is mended first; `--to` with the live version puts code back that
    `deploy -f` swapped.
    """
    from bareboat.aws.bucket import require_given_bucket
    from bareboat.aws.commit import commit_of
    from bareboat.aws.plan import discard
    from bareboat.aws.rollback import plan_rollback, roll_back
    from bareboat.cli.changes import plan_document, refuse_fixed_names, show_changes
    from bareboat.cli.deploying import agree_to_losses, asking, refuse_unknown, shown

    service, aws = connected(terminal, source)
    require_given_bucket(aws, service)
    flags = source.flags + (f" --to {to}" if to else "")
    flags += "".join(f" --allow-loss {one}" for one in allowed)
    with shown(terminal, f"bareboat rollback{flags}") as progress:
        ask = asking(terminal, progress, yes=yes)
        found = plan_rollback(
            aws,
            service,
            to or "",
            ask=None if plan_only else ask,
            wait=not no_wait,
            progress=progress,
        )
        # Without a version the command would go back once more, when CloudFormation has finished by then.
        progress.command = f"bareboat rollback{source.flags} --to {found.version.name}"
        progress.close()
        terminal.say(_told(found))
        if plan_only or found.plan.is_empty:
            discard(aws, found.plan)
            if plan_only:
                show_changes(terminal, found.plan, is_result=True)
            document = {**plan_document(found.plan), "to": found.version.name, "changed": False}
            terminal.result(document, None if plan_only else f"{found.plan.stack_name}: it runs that already")
            if plan_only and not found.plan.is_empty:
                terminal.next(f"bareboat rollback{flags}")
            return
        try:
            refuse_unknown(allowed, found.plan)
            show_changes(terminal, found.plan)
            refuse_fixed_names(found.plan)
            agree_to_losses(terminal, found.plan.losses, allowed)
            ask(f"Go back to version {found.version.name}?")
        except BaseException:
            discard(aws, found.plan)
            raise
        deployment = roll_back(aws, found, commit=commit_of(service.folder), progress=progress)
    _show(terminal, found, deployment, source)


def _told(found: Rollback) -> str:
    record = found.version.record
    by = f" by {found.version.by}" if found.version.by else ""
    commit = f", commit {record.commit[:8]}" if record is not None and record.commit else ""
    with_ = ", with Serverless" if found.version.is_serverless else ""
    when = found.version.at[:16].replace("T", " ")
    return f"version {found.version.name} of {when} UTC{by}{commit}{with_}"


def _show(terminal: Terminal, found: Rollback, deployment: Deployment, source: Source) -> None:
    from bareboat.cli.changes import outcomes, plan_document

    record = deployment.record
    document = {
        **plan_document(deployment.plan),
        "to": found.version.name,
        "changed": True,
        "version": str(record.number) if record is not None else None,
        "swapped": [*deployment.swapped],
        "outputs": dict(deployment.outputs),
    }
    number = f", as version {record.number}" if record is not None else ""
    terminal.result(document, f"{deployment.plan.stack_name} runs version {found.version.name} again{number}")
    if not terminal.as_json:
        for line in outcomes(deployment.plan):
            terminal.write(line)
    terminal.next(f"bareboat smoke{source.flags}", f"bareboat list{source.flags}")
