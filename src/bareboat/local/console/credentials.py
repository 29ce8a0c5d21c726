"""A route -> what a caller must show to get through: a token, an API key. Made or told only when somebody asks."""

from __future__ import annotations

from typing import Any

from bareboat.errors import InputError, LocalError
from bareboat.service.api import IamAuthorizer, JwtAuthorizer, LambdaAuthorizer
from bareboat.service.model import Service
from bareboat.service.triggers import HttpApiEvent, HttpEvent


def credential(service: Service, route: str) -> dict[str, Any]:
    """Return `{"headers": [[name, value], ...], "query": [[name, value], ...], "notes": [...]}` for a route.

    Args:
        route: "httpApi" or "http", and the route's key.
    Raises:
        InputError: there is no such route.
        LocalError: nothing is known that would let a caller in, or what is cannot be read.
    """
    event = _event(service, route)
    found: dict[str, Any] = {"headers": [], "query": [], "notes": []}
    authorizer = event.authorizer
    if isinstance(authorizer, JwtAuthorizer):
        _token(service, authorizer, event.scopes, found)
    elif isinstance(authorizer, LambdaAuthorizer):
        _sources(authorizer, found)
    elif isinstance(authorizer, IamAuthorizer):
        raise LocalError(
            "each request must be signed (Signature Version 4), which this page does not do",
            fix="curl --aws-sigv4 with the pair that `bareboat keys` shows",
        )
    if isinstance(event, HttpEvent) and event.private:
        _api_key(service, found)
    return found


def _event(service: Service, route: str) -> HttpApiEvent | HttpEvent:
    for function in service.functions.values():
        for event in function.events:
            if (isinstance(event, HttpApiEvent) and f"httpApi {event.route_key}" == route) or (
                isinstance(event, HttpEvent) and f"http {event.route_key}" == route
            ):
                return event
    raise InputError(f"there is no route {route!r:.100}", expected="one of serverless.yml")


def _token(service: Service, authorizer: JwtAuthorizer, scopes: tuple[str, ...], found: dict[str, Any]) -> None:
    from bareboat.local.access.mint import Wish, carried, mint

    minted = mint(service, authorizer.name, Wish(scopes=scopes[:1]))
    header, query = carried(minted.authorizer, minted.token)
    if header:
        name, _, value = header.partition(": ")
        found["headers"].append([name, value])
    else:
        found["query"].append(list(query.partition("=")[::2]))
    found["notes"].append("A token that only this machine takes, for an hour.")


def _sources(authorizer: LambdaAuthorizer, found: dict[str, Any]) -> None:
    """Fill in where the function looks; what it takes is its own affair."""
    for source in authorizer.identity_sources:
        place, _, name = source.rpartition(".")
        if place.endswith("header"):
            found["headers"].append([name, "local"])
        elif place.endswith("querystring"):
            found["query"].append([name, "local"])
    who = f"the function {authorizer.function}" if authorizer.function else authorizer.arn
    found["notes"].append(f"What it takes is for {who} to say: put in a value that it knows.")


def _api_key(service: Service, found: dict[str, Any]) -> None:
    from bareboat.local.access.api_keys import known_keys
    from bareboat.local.access.settings import secrets_of

    api = service.provider.rest_api
    if api.key_source == "AUTHORIZER":
        found["notes"].append("The API key is what the authorizer answers as usageIdentifierKey.")
        return
    keys = [key for key in known_keys(api.keys, api.plans, secrets_of(service)) if key.enabled]
    if not keys:
        raise LocalError("no API key is enabled", fix="provider.apiGateway.apiKeys")
    found["headers"].append(["x-api-key", keys[0].value])
    found["notes"].append(f"The API key {keys[0].name}." if keys[0].name else "The first API key.")
