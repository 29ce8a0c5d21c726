"""`bareboat doctor`: what stands in the way here and in the AWS account, and what the real AWS says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.aws.client import Aws
    from bareboat.aws.doctor.machine import Check
    from bareboat.aws.doctor.probing import Findings
    from bareboat.service.model import Service

_REPORT = Path("bareboat-doctor.json")


@click.command(cls=Command)
@click.option("--aws", "with_aws", is_flag=True, help="Look at the AWS account too, and offer to deploy the probe.")
@click.option("--yes", is_flag=True, help="Deploy the probe without asking; it is removed again.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    default=_REPORT,
    help=f"Where the probe's report goes.  [default: {_REPORT}]",
)
@service_options
@click.pass_obj
def doctor(terminal: Terminal, source: Source, with_aws: bool, yes: bool, output: Path) -> None:
    """Check this machine, and with --aws the account.

    With --aws: who the credentials are, what they may do, how much is left of what AWS limits. Then, after a question,
    a small service is deployed that asks the real AWS what nobody has written down, compares it with what bareboat
    assumes, and is removed with all that it left. The report has no account number and no credentials in it.

    Exit 1 when something that a command needs is missing.
    """
    from bareboat.aws.doctor.machine import check_machine

    service = _service(terminal, source, strict=with_aws)
    checks = check_machine(service)
    if not with_aws:
        _show(terminal, checks)
        if terminal.as_json:
            terminal.document({"checks": [_document(one) for one in checks]})
        _exit(checks)
        return
    from bareboat.aws.accounts import check_account as check_right_account
    from bareboat.aws.client import Aws
    from bareboat.aws.doctor.account import check_account

    region = service.provider.region if service else source.region or "us-east-1"
    profile = str(service.provider.options.get("profile") or "") if service else ""
    aws = Aws(region, profile=profile)
    try:
        with terminal.progress("Asking AWS"):
            checks += check_account(aws)
    finally:
        _show(terminal, checks)
    if service is not None:
        check_right_account(service, aws.identity.account)
    findings = _probe(terminal, aws, output) if _wanted(terminal, aws, yes=yes) else None
    if terminal.as_json:
        from bareboat.aws.doctor.report import report

        document: dict[str, Any] = {"checks": [_document(one) for one in checks]}
        terminal.document({**document, **(report(aws.region, findings) if findings is not None else {})})
    _exit(checks)


def _service(terminal: Terminal, source: Source, *, strict: bool) -> Service | None:
    """Return the service of the folder; None where there is none. What is wrong with it `check` tells.

    Args:
        strict: whether one that is not valid is refused: it says which account and which region are right.
    """
    from bareboat.errors import ConfigurationError

    folder = source.config or Path()
    names = ("serverless.yml", "serverless.yaml", "serverless.json")
    if source.config is None and not any((folder / name).is_file() for name in names):
        return None
    try:
        return source.load(terminal)
    except ConfigurationError:
        if strict or source.config is not None:
            raise
        terminal.warning("serverless.yml is not valid: bareboat check tells why")
        return None


def _show(terminal: Terminal, checks: Sequence[Check]) -> None:
    if terminal.as_json:
        return
    terminal.table(("state", "what", "found"), [(one.state, one.name, one.found) for one in checks], whole="what")
    for one in checks:
        if one.fix and one.state != "ok":
            terminal.write(f"{one.name}: {one.fix}")


def _document(one: Check) -> dict[str, str]:
    return {"what": one.name, "state": one.state, "found": one.found, "fix": one.fix}


def _exit(checks: Sequence[Check]) -> None:
    if any(one.state == "missing" for one in checks):
        raise click.exceptions.Exit(1)


def _wanted(terminal: Terminal, aws: Aws, *, yes: bool) -> bool:
    """Ask whether the probe may be deployed; without anybody to ask it is not."""
    import sys

    if yes:
        return True
    if terminal.as_json or not sys.stdin.isatty():
        terminal.next("bareboat doctor --aws --yes  (deploys the probe, and removes it)")
        return False
    account = aws.identity.account
    question = (
        f"Deploy the probe to account {account}, region {aws.region}, for some minutes? It costs less than a cent."
    )
    return click.confirm(question, err=True)


def _probe(terminal: Terminal, aws: Aws, output: Path) -> Findings:
    import json

    from bareboat.aws.doctor.probing import probe_service, run_probe
    from bareboat.aws.doctor.report import report, rows

    with probe_service(aws.region) as service, terminal.progress("Deploying the probe") as step:
        terminal.say(f"the probe is the stack {service.provider.stack_name} in {aws.region}")
        findings = run_probe(aws, service, on_step=step)
    output.write_text(json.dumps(report(aws.region, findings), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if not terminal.as_json:
        terminal.table(("agrees", "what", "assumed", "found"), rows(findings), whole="what")
    told = [*(one.agrees for one in findings.replies), *(one.agrees for one in findings.facts)]
    differing = told.count(False)
    terminal.say(f"{len(told) - differing} of {len(told)} answers are as bareboat assumes; all of them are in {output}")
    if differing:
        terminal.next(f"send {output} to the authors of bareboat: docs/fidelity.md is wrong in {differing} places")
    return findings
