"""Who may call a route -> security schemes and requirements of an OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bareboat.service.api import Authorizer, IamAuthorizer, JwtAuthorizer

_SOURCE = re.compile(r"(?:\$request\.|method\.request\.|\$\{request\.)(header|querystring)\.([^\s,}]+)")
_PLACES = {"header": "header", "querystring": "query"}
API_KEY = "api_key"


def requirement(
    authorizer: Authorizer | None, scopes: Sequence[str], schemes: dict[str, Any], *, needs_key: bool
) -> dict[str, list[str]]:
    """Return what a request must carry, all of it; {} where anyone may call.

    Args:
        scopes: of which a token must have one.
        schemes: of the document; those that are missing are added.
        needs_key: whether an API key in X-Api-Key is asked for.
    """
    asked: dict[str, list[str]] = {}
    if authorizer is not None:
        for name, scheme in _schemes(authorizer):
            schemes.setdefault(name, scheme)
            asked[name] = list(scopes) if isinstance(authorizer, JwtAuthorizer) and not authorizer.cognito else []
    if needs_key:
        schemes.setdefault(API_KEY, {"type": "apiKey", "in": "header", "name": "x-api-key"})
        asked[API_KEY] = []
    return asked


def _schemes(authorizer: Authorizer) -> list[tuple[str, dict[str, Any]]]:
    name = re.sub(r"[^A-Za-z0-9._-]", "_", authorizer.name)
    if isinstance(authorizer, IamAuthorizer):
        about = "A request signed by AWS Signature Version 4."
        return [(name, _in("header", "Authorization", about) | {"x-amazon-apigateway-authtype": "awsSigv4"})]
    if isinstance(authorizer, JwtAuthorizer):
        about = f"A token of {authorizer.issuer}"
        about += f" for {' or '.join(authorizer.audience)}." if authorizer.audience else "."
        place, header = _place(authorizer.identity_source) or ("header", "Authorization")
        if (place, header.lower()) == ("header", "authorization") and not authorizer.cognito:
            return [(name, {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": about})]
        return [(name, _in(place, header, about))]
    about = f"What {authorizer.function or 'a function elsewhere'} lets in."
    found = [source for source in map(_place, authorizer.identity_sources) if source is not None]
    if not found and authorizer.kind == "token":
        found = [("header", "Authorization")]
    several = len(found) > 1
    return [(f"{name}.{what}" if several else name, _in(where, what, about)) for where, what in found]


def _place(source: str) -> tuple[str, str] | None:
    """Return where an identity source is in a request; None for what no client sends."""
    found = _SOURCE.match(source)
    return None if found is None else (_PLACES[found[1]], found[2])


def _in(place: str, name: str, about: str) -> dict[str, Any]:
    return {"type": "apiKey", "in": place, "name": name, "description": about}
