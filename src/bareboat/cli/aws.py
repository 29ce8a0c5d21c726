"""Which AWS a command speaks to: region and profile of serverless.yml, the account shown, questions asked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from bareboat.cli.options import Source
from bareboat.cli.printable import printable
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.aws.client import Aws
    from bareboat.service.model import Service


def connected(terminal: Terminal, source: Source, *, account: bool = True) -> tuple[Service, Aws]:
    """Read the service, its variables that need AWS included, and return it with the AWS that it is about.

    Args:
        account: whether to ask AWS who calls, to show it and to check it; what changes something does. Without it the
            account is asked for only where serverless.yml lists which ones are right.
    Raises:
        ConfigurationError: serverless.yml is not valid, or does not list the account (`custom.bareboat.accounts`).
        RemoteError: no boto3, no credentials, or AWS refuses.
    """
    from bareboat.aws.client import Aws

    service = source.load(terminal)
    aws = Aws(service.provider.region, profile=str(service.provider.options.get("profile") or ""))
    if service.awaits:
        from bareboat.aws.resolvers import resolvers

        service = source.load(terminal, resolvers(aws))
    if account or service.custom_bareboat.get("accounts") is not None:
        show_account(terminal, service, aws, tell=account)
    return service, aws


def show_account(terminal: Terminal, service: Service, aws: Aws, *, tell: bool = True, account: str = "") -> None:
    """Say which account, region and stage are meant, and refuse an account that serverless.yml does not list.

    Args:
        account: where it is known already, such as from a stack; "" asks AWS.
    Raises:
        ConfigurationError: it is not listed.
        AwsError: there are no credentials, or AWS refuses them.
    """
    from bareboat.aws.accounts import check_account

    account = account or aws.identity.account
    if tell:
        where = f" at {aws.endpoint}" if aws.endpoint else ""
        terminal.say(f"account {account}, region {aws.region}, stage {service.provider.stage}{where}")
    check_account(service, account)


def confirm(terminal: Terminal, question: str, *, yes: bool, flag: str = "--yes") -> None:
    """Ask before something is changed.

    Args:
        question: such as "Apply these changes?".
        yes: whether the flag was given that answers it.
        flag: its name.
    Raises:
        click.UsageError: nobody is there to ask, and the flag was not given (exit 2).
        click.exceptions.Exit: the answer is no (exit 1).
    """
    if yes:
        return
    if terminal.as_json or not sys.stdin.isatty():
        error = click.UsageError(f"nobody is there to ask: {question}")
        error.fix = flag  # type: ignore[attr-defined]
        raise error
    if not click.confirm(printable(question), err=True):
        terminal.say("nothing was changed")
        raise click.exceptions.Exit(1)
