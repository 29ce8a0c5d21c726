"""A JWT authorizer -> a token for local use that it takes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bareboat.errors import ConfigurationError
from bareboat.local.access.identity import header_name
from bareboat.local.access.local_issuer import LocalIssuer
from bareboat.local.access.settings import secrets_of
from bareboat.local.ids import request_id
from bareboat.service.api import JwtAuthorizer
from bareboat.service.problems import listed, nearest
from bareboat.service.triggers import HttpApiEvent, HttpEvent

if TYPE_CHECKING:
    from bareboat.service.model import Service

LOCAL = "local"  # who a token is for where nobody is named
EXPIRES_S = 3_600


@dataclass(frozen=True, slots=True)
class Wish:
    """What a token should say.

    Args:
        audience: "" for the first that the authorizer takes.
        claims: further ones; they win over all others.
    """

    subject: str = LOCAL
    scopes: tuple[str, ...] = ()
    audience: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)
    expires_s: float = EXPIRES_S


@dataclass(frozen=True, slots=True)
class Minted:
    """A token and what it says."""

    token: str
    authorizer: JwtAuthorizer
    claims: Mapping[str, Any]


def mint(service: Service, name: str | None = None, wish: Wish | None = None, *, now: float | None = None) -> Minted:
    """Return a token that an authorizer of the service takes on this machine.

    Args:
        name: of the authorizer; None for the only one.
    Raises:
        ConfigurationError: there is no such authorizer, or none is named and there are several.
        LocalError: the key of local tokens cannot be read or kept.
    """
    authorizer = _chosen(jwt_authorizers(service), name, service)
    claims = _claims(authorizer, wish or Wish(), time.time() if now is None else now)
    return Minted(LocalIssuer(secrets_of(service)).sign(claims), authorizer, claims)


def jwt_authorizers(service: Service) -> dict[str, JwtAuthorizer]:
    """Return the JWT authorizers of both APIs by name, those that routes ask for first."""
    asked = {one.name: one for _, one, _ in asking(service)}
    known = service.provider.http_api.authorizers.items()
    return asked | {name: one for name, one in known if isinstance(one, JwtAuthorizer) and name not in asked}


def asking(service: Service) -> Iterator[tuple[HttpApiEvent | HttpEvent, JwtAuthorizer, tuple[str, ...]]]:
    """Yield each route with a JWT authorizer, that authorizer, and the scopes that the route asks for."""
    for function in service.functions.values():
        for event in function.events:
            if isinstance(event, HttpApiEvent | HttpEvent) and isinstance(event.authorizer, JwtAuthorizer):
                is_rest = isinstance(event, HttpEvent)
                yield event, replace(event.authorizer, cognito=is_rest), event.scopes


def carried(authorizer: JwtAuthorizer, token: str) -> tuple[str, str]:
    """Return how a token is sent: ("header: value", "") or ("", "name=value" of the query)."""
    name = authorizer.identity_source.rpartition(".")[2].strip()
    if header_name(authorizer.identity_source):
        return f"{name}: Bearer {token}", ""
    return "", f"{name}={token}"


def _claims(authorizer: JwtAuthorizer, wish: Wish, now: float) -> dict[str, Any]:
    audience = wish.audience or (authorizer.audience[0] if authorizer.audience else LOCAL)
    claims: dict[str, Any] = {
        "iss": authorizer.issuer,
        "sub": wish.subject,
        "aud": audience,
        "iat": int(now),
        "exp": int(now + wish.expires_s),
        "jti": request_id(),
    }
    if wish.scopes:
        claims["scope"] = " ".join(wish.scopes)
    if authorizer.cognito:  # an identity token, or an access token where scopes are asked for
        claims["token_use"] = "access" if wish.scopes else "id"
        claims["cognito:username"] = wish.subject
        if wish.scopes and not authorizer.audience:
            claims["client_id"] = claims.pop("aud")
    return {**claims, **wish.claims}


def _chosen(known: Mapping[str, JwtAuthorizer], name: str | None, service: Service) -> JwtAuthorizer:
    names: Sequence[str] = list(known)
    if not names:
        raise ConfigurationError(
            f"{service.name} has no JWT authorizer, so no route asks for a token",
            expected="one under provider.httpApi.authorizers, or a Cognito user pool of an http event",
            fix="docs/access.md",
            where=str(service.path),
        )
    if name is None and len(names) > 1:
        raise ConfigurationError(
            f"{service.name} has {len(names)} JWT authorizers",
            expected=f"one of {listed(names)}",
            fix=f"bareboat token {names[0]}",
        )
    if name is not None and name not in known:
        near = nearest(name, names)
        raise ConfigurationError(
            f"{service.name} has no JWT authorizer {name!r}",
            expected=f"one of {listed(names)}",
            fix=f"bareboat token {near}" if near else "",
        )
    return known[names[0] if name is None else name]
