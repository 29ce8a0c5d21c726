"""`bareboat deploy`: the service to AWS, or the code of one function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bareboat.cli.functions import chosen, function_option
from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options, slim_option, slimmed
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.service.model import Slim


@click.command(cls=Command)
@click.option("--plan", "plan_only", is_flag=True, help="Show what would change, and change nothing.")
@function_option("Swap the code of this function alone, in seconds, without CloudFormation.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing. What loses data is asked for all the same.")
@click.option(
    "--allow-loss",
    "allowed",
    multiple=True,
    metavar="LOGICAL_ID",
    help="Let this resource be removed or replaced with what it holds; may be repeated.",
)
@click.option("--runtime", metavar="NAME", help="Such as python3.13, over the file's, which may be a retired one.")
@click.option("--no-wait", is_flag=True, help="Fail rather than wait when somebody else is changing the stack.")
@click.option("--canary", metavar="SHARE/TIME", help="Try new versions with a share of the calls first: 10%/5m.")
@click.option("--locked", is_flag=True, help="Fail rather than change bareboat.lock, as a pipeline should.")
@click.option("--smoke", "tries", is_flag=True, help="Try every route afterwards, as bareboat smoke does.")
@slim_option
@service_options
@click.pass_obj
def deploy(  # noqa: PLR0913, PLR0917 - one argument a flag
    terminal: Terminal,
    source: Source,
    plan_only: bool,
    name: str | None,
    yes: bool,
    allowed: tuple[str, ...],
    runtime: str | None,
    no_wait: bool,
    canary: str | None,
    locked: bool,
    tries: bool,
    slim: Slim | None,
) -> None:
    """Deploy the service, showing first what changes.

    CloudFormation works the changes out and carries them out.

    What loses data (a table that is removed, an API whose address changes) is asked for by name, with --yes too:
    --allow-loss answers that. A deployment that fails is taken back, and its first cause is told.

    The account, the region and the stage are shown before anything is changed; custom.bareboat.accounts says which
    accounts are right.
    """
    from bareboat.cli.aws import connected

    if plan_only and name is not None:
        raise click.UsageError("--plan shows what changes in the stack, and -f changes code alone")
    if plan_only and tries:
        raise click.UsageError("--plan deploys nothing that --smoke could try")
    if canary is not None and name is not None:
        raise click.UsageError("--canary does not go with -f")
    service, aws = connected(terminal, source, account=False)
    from bareboat.aws.bucket import require_given_bucket
    from bareboat.aws.refill import look_ahead
    from bareboat.aws.together import Ahead

    require_given_bucket(aws, service)  # before `look`: a client is not made in two threads at once
    asked = [] if name is not None else [one.full_name for one in service.functions.values()]
    # AWS answers while what packages is imported
    live_then = Ahead(lambda: look_ahead(aws, service, asked, keys=name is None))
    from bareboat.artifact.locking import Locking
    from bareboat.aws.cargo import refuse_retired, with_runtime
    from bareboat.cli.deploying import shown
    from bareboat.cli.deployment import Work

    service = slimmed(service if runtime is None else with_runtime(service, runtime), slim)
    # a retired runtime that a flag overrides is none
    terminal.notes(one for one in service.notes if runtime is None or " is retired: packaged " not in one.text)
    if name is not None:
        if name in service.image_functions:
            raise click.UsageError(f"-f swaps the code of archives, and {name} is an image: deploy without -f")
        chosen(service, name)
    refuse_retired(service)
    locking = Locking(write=not locked, locked=locked)
    words = {"--runtime": runtime, "--slim": slim, "--canary": canary}
    flags = source.flags + "".join(f" {flag} {value}" for flag, value in words.items() if value is not None)
    flags += "".join(f" --allow-loss {one}" for one in allowed)
    with terminal.held() as more:
        with shown(terminal, f"bareboat deploy{flags}") as progress:
            again = f"bareboat deploy{flags}"
            work = Work(terminal, source, service, aws, locking, progress, live_then, again=again)
            if name is not None:
                work.swap(name)
            elif plan_only:
                work.show_plan(wait=not no_wait, canary=canary)
            else:
                work.deploy(yes=yes, allowed=allowed, wait=not no_wait, canary=canary)
        if tries:
            from bareboat.cli.commands.smoke import smoke_document, try_live

            found = try_live(terminal, service, aws, name=name)
            more["smoke"] = smoke_document(found)
    if tries and not all(one.passes for one in found.tried):
        raise SystemExit(1)
