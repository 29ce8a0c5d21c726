"""`bareboat keys`: the API keys of the service, with the values that they have on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.service.model import Service


@click.command(cls=Command)
@service_options
@click.pass_obj
def keys(terminal: Terminal, source: Source) -> None:
    """List the API keys with their values on this machine.

    Where a route asks for aws_iam, also a pair of credentials that may sign requests here.
    A key that serverless.yml gives no value has one of its own on this machine, in .bareboat/; AWS makes another one.
    """
    from bareboat.local.access.api_keys import known_keys
    from bareboat.local.access.settings import secrets_of
    from bareboat.local.access.usage import FILE, Usage

    service = source.load(terminal)
    api = service.provider.rest_api
    secrets = secrets_of(service)
    known = known_keys(api.keys, api.plans, secrets)
    usage = Usage(secrets.folder / FILE)
    pair = secrets.credentials() if _asks_for_signatures(service) else None
    rows = [
        {
            "name": key.name,
            "value": key.value,
            "plan": (key.plan.name or "default") if key.plan is not None else None,
            "enabled": key.enabled,
            "from": "this machine" if key.is_local else "serverless.yml",
            "quota_left": usage.left(key),
        }
        for key in known
    ]
    if terminal.as_json:
        credentials = None if pair is None else {"accessKeyId": pair[0], "secretAccessKey": pair[1]}
        terminal.document({"keys": rows, "credentials": credentials})
        return
    if rows:
        shown = [
            (
                row["name"],
                row["value"],
                row["plan"] or "-",
                "yes" if row["enabled"] else "no",
                row["from"],
                "-" if row["quota_left"] is None else row["quota_left"],
            )
            for row in rows
        ]
        terminal.table(["key", "value", "plan", "enabled", "from", "quota_left"], shown, whole="value")
    else:
        terminal.note("there are no API keys: provider.apiGateway.apiKeys names none")
    if pair is not None:
        terminal.say("to sign requests for what asks for aws_iam, beside your own AWS credentials:")
        terminal.write(f"AWS_ACCESS_KEY_ID={pair[0]}\nAWS_SECRET_ACCESS_KEY={pair[1]}")


def _asks_for_signatures(service: Service) -> bool:
    """Return whether a route or a function URL asks for Signature Version 4."""
    from bareboat.service.api import IamAuthorizer

    return any(
        (function.url is not None and function.url.auth == "AWS_IAM")
        or any(isinstance(getattr(event, "authorizer", None), IamAuthorizer) for event in function.events)
        for function in service.functions.values()
    )
