"""`bareboat token`: a token for local use that a JWT authorizer of the service takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.local.access.mint import Minted
    from bareboat.service.model import Service

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def _duration(_ctx: click.Context, _option: click.Parameter, value: str) -> float:
    match = re.fullmatch(r"(-?\d{1,9})([smhd]?)", value.strip())
    if match is None:
        raise click.BadParameter(f"{value!r} is no duration; expected a number with s, m, h or d, such as 30m")
    return int(match[1]) * _SECONDS[match[2]]


def _claim(_ctx: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    import json

    claims: dict[str, Any] = {}
    for value in values:
        name, given, text = value.partition("=")
        if not name or not given:
            raise click.BadParameter(f"{value!r} is no claim; expected NAME=VALUE")
        try:
            claims[name] = json.loads(text)
        except ValueError:
            claims[name] = text
    return claims


@click.command(cls=Command)
@click.argument("authorizer", required=False)
@click.option("--sub", "subject", metavar="NAME", default="local", show_default=True, help="Who the token is for.")
@click.option("--scope", "scopes", metavar="SCOPE", multiple=True, help="A scope that it has; may be repeated.")
@click.option(
    "--claim",
    "claims",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_claim,
    help="A further claim, as JSON or as text; may be repeated. It wins over the others.",
)
@click.option("--audience", metavar="NAME", default="", help="Its audience.  [default: the authorizer's first]")
@click.option(
    "--expires",
    "expires_s",
    metavar="TIME",
    default="1h",
    show_default=True,
    callback=_duration,
    help="How long it is valid: 90s, 15m, 1h, 7d.",
)
@service_options
@click.pass_obj
def token(
    terminal: Terminal,
    source: Source,
    authorizer: str | None,
    subject: str,
    scopes: tuple[str, ...],
    claims: dict[str, Any],
    audience: str,
    expires_s: float,
) -> None:
    """Print a token for local use that a JWT authorizer takes.

    It is signed with a key of this service and this machine, in .bareboat/, which bareboat serve trusts beside the
    issuer's own as long as it listens on this machine alone. AWS knows nothing of it.

    AUTHORIZER can be left out where there is one.
    """
    from bareboat.local.access.mint import Wish, mint

    service = source.load(terminal)
    wish = Wish(subject=subject, scopes=scopes, audience=audience, claims=claims, expires_s=expires_s)
    minted = mint(service, authorizer, wish)
    document = {"token": minted.token, "authorizer": minted.authorizer.name, "claims": dict(minted.claims)}
    terminal.result(document, minted.token)
    if not terminal.as_json:
        _tell(terminal, service, minted, authorizer)


def _tell(terminal: Terminal, service: Service, minted: Minted, named: str | None) -> None:
    """Show a request that carries the token, and what the route asks for that it has not."""
    from bareboat.local.access.mint import asking
    from bareboat.service.triggers import HttpEvent

    found = [(event, scopes) for event, one, scopes in asking(service) if one.name == minted.authorizer.name]
    if not found:
        return
    has = str(minted.claims.get("scope", "")).split()
    fitting = [one for one in found if set(one[1]) & set(has)] or [one for one in found if not one[1]]
    event, scopes = (fitting or found)[0]
    if not fitting:
        terminal.note(f"{event.route_key} asks for a scope: --scope {scopes[0]}")
    path = "/" if event.path == "*" else event.path
    words = ["bareboat token", *([named] if named else []), *(f"--scope {scope}" for scope in has)]
    url = _base(service, "rest" if isinstance(event, HttpEvent) else "httpApi") + path
    terminal.next(_curl(event.method, url, minted.authorizer.identity_source, f"$({' '.join(words)})"))


def _base(service: Service, door: str) -> str:
    """Return where an API is: as the running serve says, else where it would be."""
    from bareboat.local.serving import read_serving
    from bareboat.service.triggers import HttpApiEvent

    serving = read_serving(service.folder)
    if serving is not None and door in serving.urls:
        return serving.urls[door]
    if door == "httpApi":
        return "http://127.0.0.1:3000"
    events = [event for function in service.functions.values() for event in function.events]
    has_http_api = any(isinstance(event, HttpApiEvent) for event in events)
    return f"http://127.0.0.1:{3001 if has_http_api else 3000}/{service.provider.stage}"


def _curl(method: str, url: str, identity_source: str, token: str) -> str:
    name = identity_source.rpartition(".")[2].strip()
    how = "" if method in ("*", "GET") else f"-X {method} "
    if ".querystring." in identity_source:
        return f'curl {how}"{url}?{name}={token}"'
    return f'curl {how}-H "{name}: Bearer {token}" {url}'
