"""A running cloud -> what `serve` shows of it: each door, its routes, and who may call them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bareboat.service.api import IamAuthorizer, JwtAuthorizer, LambdaAuthorizer
from bareboat.service.triggers import HttpApiEvent, HttpEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.cli.terminal import Terminal
    from bareboat.local.cloud import LocalCloud
    from bareboat.service.model import Service

NAMES = {"httpApi": "HTTP API", "rest": "REST API", "lambda": "Lambda API", "console": "Console"}


def document_of(cloud: LocalCloud) -> dict[str, Any]:
    """Return what `serve --json` writes."""
    service, urls = cloud.service, cloud.urls
    routes = {kind: list(_routes(service, kind)) for kind in ("httpApi", "rest") if kind in urls}
    return {
        "url": cloud.url,
        "routes": [{"route": one["route"], "function": one["function"]} for each in routes.values() for one in each],
        "urls": urls,
        "apis": {kind: {"url": urls[kind], "routes": each} for kind, each in routes.items()},
        "functions": {
            name: {"full_name": one.full_name, "url": urls.get(f"url:{name}")}
            for name, one in service.functions.items()
        },
    }


def show_doors(terminal: Terminal, cloud: LocalCloud) -> None:
    """Show each door on stdout."""
    urls, service = cloud.urls, cloud.service
    width = max(len(NAMES.get(name, name.replace("url:", "URL of "))) for name in urls) + 2
    for kind in ("httpApi", "rest"):
        routes = list(_routes(service, kind)) if kind in urls else []
        if kind in urls:
            terminal.write(f"{NAMES[kind]:{width}}{urls[kind]}")
        if routes:
            guarded = any(one["access"] != "public" for one in routes)
            headers = ("route", "function", "who may call") if guarded else ("route", "function")
            rows = [(one["route"], one["function"], one["access"])[: len(headers)] for one in routes]
            _write_columns(terminal, [headers, *rows])
            terminal.write("")
    for name, url in urls.items():
        if name.startswith("url:"):
            terminal.write(f"{name.replace('url:', 'URL of '):{width}}{url}/")
    if "lambda" in urls:
        terminal.write(f"{NAMES['lambda']:{width}}{urls['lambda']}")
    if "console" in urls:
        terminal.write(f"{NAMES['console']:{width}}{urls['console']}")


def _write_columns(terminal: Terminal, rows: list[tuple[str, ...]]) -> None:
    """Write a table without rich, whose import would hold up the first request."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        terminal.write("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def show_notes(terminal: Terminal, cloud: LocalCloud) -> None:
    """Tell what a person should know of the doors, on stderr."""
    if "httpApi" in cloud.urls and not document_of(cloud)["routes"]:
        terminal.warning("no function has an httpApi event, so that every request is answered with 404")
    for name, port in cloud.moved.items():
        shown = NAMES.get(name, name.replace("url:", "the URL of "))
        terminal.note(f"port {port} is taken, so {shown} is at {cloud.urls[name]}")
    if cloud.is_open_to_the_network:
        terminal.warning("others on the network can call the functions: the address is not loopback")
        if any(isinstance(event.authorizer, JwtAuthorizer) for event in _events(cloud.service)):
            terminal.note("tokens of bareboat token are taken on loopback alone; here only the issuer's own let in")
    _show_keys(terminal, cloud.service)
    function = next(iter(cloud.service.functions.values()), None)
    if function is not None and "lambda" in cloud.urls:
        terminal.say(
            f"aws lambda invoke --endpoint-url {cloud.urls['lambda']} --function-name {function.full_name} out.json"
        )


def _show_keys(terminal: Terminal, service: Service) -> None:
    """Show the API keys that have a value on this machine alone; the others stand in serverless.yml."""
    if not any(isinstance(event, HttpEvent) and event.private for event in _events(service)):
        return
    from bareboat.local.access.api_keys import known_keys
    from bareboat.local.access.settings import secrets_of

    api = service.provider.rest_api
    for key in known_keys(api.keys, api.plans, secrets_of(service)):
        if key.is_local:
            terminal.say(f"API key {key.name} here: x-api-key: {key.value}")
    if not api.keys:
        terminal.warning("methods are private, and there is no API key: nobody can call them")


def _events(service: Service) -> Iterator[HttpApiEvent | HttpEvent]:
    for function in service.functions.values():
        for event in function.events:
            if isinstance(event, HttpApiEvent | HttpEvent):
                yield event


def _routes(service: Service, kind: str) -> Iterator[dict[str, str]]:
    wanted = HttpApiEvent if kind == "httpApi" else HttpEvent
    for function in service.functions.values():
        for event in function.events:
            if isinstance(event, wanted):
                yield {"route": event.route_key, "function": function.name, "access": who_may_call(event)}


def who_may_call(event: HttpApiEvent | HttpEvent) -> str:
    """Say in a few words who a route lets in: `public`, `JWT users (read)`, `Lambda gate, API key`."""
    words = []
    authorizer = event.authorizer
    if isinstance(authorizer, JwtAuthorizer):
        scopes = f" ({' or '.join(event.scopes)})" if event.scopes else ""
        words.append(f"{'Cognito' if authorizer.cognito else 'JWT'} {authorizer.name}{scopes}")
    elif isinstance(authorizer, LambdaAuthorizer):
        words.append(f"Lambda {authorizer.name}")
    elif isinstance(authorizer, IamAuthorizer):
        words.append("IAM")
    if isinstance(event, HttpEvent) and event.private:
        words.append("API key")
    return ", ".join(words) or "public"
