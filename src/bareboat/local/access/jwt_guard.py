"""The guard of a JWT authorizer (HTTP API) or of a Cognito user pool (REST API)."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat.local.access.guard import Closed, Guard, RouteLike
from bareboat.local.access.identity import all_headers, header_name, source_of
from bareboat.local.access.jwks import FetchedKeys, FileKeys, Keys, KeysUnreachableError
from bareboat.local.access.tokens import (
    InvalidTokenError,
    Token,
    check_claims,
    claims_as_text,
    read_token,
    scopes_of,
    verified_claims,
)
from bareboat.local.verdict import Allowed, Refused, Verdict

if TYPE_CHECKING:
    from bareboat.local.access.local_issuer import LocalIssuer
    from bareboat.local.access.throttle import Clock
    from bareboat.local.gateway.call import Call
    from bareboat.service.api import JwtAuthorizer

KEPT_TOKENS = 1024  # whose signature need not be verified again
UNREACHABLE = "OIDC discovery endpoint communication error"


def jwt_guard(
    authorizer: JwtAuthorizer,
    *,
    local: LocalIssuer | None = None,
    now: Clock = time.time,
    fetch: Any = None,
) -> Guard:
    """Return the guard of an authorizer; one that lets nobody in where its identity source means nothing.

    Args:
        local: whose tokens are taken beside the issuer's own; None for nobody's.
        now: seconds since 1970.
    """
    if source_of(authorizer.identity_source) is None:
        return Closed(
            authorizer.name, f"the identity source {authorizer.identity_source} is not known", authorizer.cognito
        )
    keys: FileKeys | FetchedKeys
    if authorizer.jwks and "://" not in authorizer.jwks:
        keys = FileKeys(Path(authorizer.jwks))
    else:
        keys = FetchedKeys(authorizer.jwks, authorizer.issuer, clock=now, fetch=fetch)
    return JwtGuard(authorizer, keys, local=local, now=now)


@dataclass(slots=True)
class _Kept:
    """A token that was verified, and what came of it.

    Args:
        keys, generation: what it was verified with.
        verdicts: by the scopes that a route asks for, as long as the claims hold.
    """

    token: Token
    keys: Keys
    generation: int
    claims: dict[str, Any]
    verdicts: dict[tuple[str, ...], Verdict] = field(default_factory=dict)


class JwtGuard:
    """Lets in who has a token of the issuer."""

    def __init__(
        self, authorizer: JwtAuthorizer, keys: FileKeys | FetchedKeys, *, local: LocalIssuer | None, now: Clock
    ) -> None:
        self._authorizer = authorizer
        self._keys = keys
        self._local = local
        self._now = now
        source = source_of(authorizer.identity_source)
        assert source is not None, "jwt_guard has looked"
        self._source = source
        self._header = header_name(authorizer.identity_source)
        self._verified: OrderedDict[str, _Kept] = OrderedDict()

    def check(self, call: Call, route: RouteLike, scopes: tuple[str, ...]) -> Verdict | Awaitable[Verdict]:
        """Return what becomes of a request; a token of a key that has to be fetched first is awaited."""
        if self._header and len(all_headers(call, self._header)) > 1:
            return self._refused("the token is malformed", f"{self._header} was sent more than once")
        text = self._source(call, route)
        if text[:6].lower() == "bearer" and (len(text) == 6 or text[6] == " "):
            text = text[6:].strip()
        if not text:
            return self._missing()
        try:
            kept = self._verified.get(text)
            token = read_token(text) if kept is None else kept.token
            keys = self._keys_of(token)
            if keys is None:
                return self._after_fetch(token, scopes)
            return self._decide(token, keys, scopes)
        except InvalidTokenError as error:
            return self._refused(str(error), error.why)
        except KeysUnreachableError as error:
            return self._refused(UNREACHABLE, str(error))

    async def _after_fetch(self, token: Token, scopes: tuple[str, ...]) -> Verdict:
        assert isinstance(self._keys, FetchedKeys), "a file is read at once"
        await self._keys.fetch()
        try:
            self._keys.check()
            return self._decide(token, self._keys, scopes)
        except InvalidTokenError as error:
            return self._refused(str(error), error.why)
        except KeysUnreachableError as error:
            return self._refused(UNREACHABLE, str(error))

    def _keys_of(self, token: Token) -> Keys | None:
        """Return the keys to look the token's own up in; None when they have to be fetched before."""
        if self._local is not None and self._local.owns(token.kid):
            return self._local.keys()
        if isinstance(self._keys, FileKeys):
            self._keys.refresh()
        elif self._keys.needs_fetch(token.kid):
            return None
        else:
            self._keys.check()
        return self._keys

    def _decide(self, token: Token, keys: Keys, scopes: tuple[str, ...]) -> Verdict:
        kept = self._known(token, keys)
        authorizer = self._authorizer
        check_claims(kept.claims, issuer=authorizer.issuer, audience=authorizer.audience, now=self._now())
        verdict = kept.verdicts.get(scopes)
        if verdict is None:
            verdict = kept.verdicts[scopes] = self._verdict(kept.claims, scopes)
        return verdict

    def _verdict(self, claims: dict[str, Any], scopes: tuple[str, ...]) -> Verdict:
        """Decide on claims that hold."""
        authorizer = self._authorizer
        has = scopes_of(claims)
        if authorizer.cognito:
            return self._cognito(claims, has, scopes)
        if scopes and not set(scopes) & set(has):
            return Refused(
                "ACCESS_DENIED",
                403,
                "Forbidden",
                (("www-authenticate", f'Bearer scope="{" ".join(scopes)}" error="insufficient_scope"'),),
                reason=f"the token has none of the scopes {', '.join(scopes)}",
                authorizer=authorizer.name,
            )
        context = {"claims": claims_as_text(claims), "scopes": has if scopes else None}
        return Allowed(context=context, authorizer=authorizer.name)

    def _known(self, token: Token, keys: Keys) -> _Kept:
        """Return a token with its claims, verified now or before with the same keys."""
        known = self._verified.get(token.text)
        if known is not None and known.keys is keys and known.generation == keys.generation:
            self._verified.move_to_end(token.text)
            return known
        key = keys.get(token.kid, token.algorithm)
        if key is None:
            raise InvalidTokenError("the issuer has no such key")
        kept = self._verified[token.text] = _Kept(token, keys, keys.generation, verified_claims(token, key))
        if len(self._verified) > KEPT_TOKENS:
            self._verified.popitem(last=False)
        return kept

    def _cognito(self, claims: dict[str, Any], has: list[str], scopes: tuple[str, ...]) -> Verdict:
        """Decide as a user pool's authorizer: an identity token, or an access token where the method has scopes."""
        wanted = "access" if scopes else "id"
        if claims.get("token_use") != wanted:
            return self._refused("", f"the token is no {wanted} token (token_use)")
        if scopes and not set(scopes) & set(has):
            return self._refused("", f"the token has none of the scopes {', '.join(scopes)}")
        return Allowed(context={"claims": cognito_claims(claims)}, authorizer=self._authorizer.name)

    def _missing(self) -> Refused:
        headers = () if self._authorizer.cognito else (("www-authenticate", "Bearer"),)
        return Refused(
            "UNAUTHORIZED", 401, "Unauthorized", headers, reason="there is no token", authorizer=self._authorizer.name
        )

    def _refused(self, description: str, reason: str = "") -> Refused:
        name = self._authorizer.name
        if self._authorizer.cognito:
            expired = description == "the token has expired"
            text = "The incoming token has expired" if expired else "Unauthorized"
            return Refused("UNAUTHORIZED", 401, text, reason=reason or description, authorizer=name)
        header = f'Bearer scope="" error="invalid_token" error_description="{description}"'
        return Refused(
            "UNAUTHORIZED",
            401,
            "Unauthorized",
            (("www-authenticate", header),),
            reason=reason or description,
            authorizer=name,
        )


def cognito_claims(claims: dict[str, Any]) -> dict[str, str]:
    """Return claims as a REST API hands on those of a user pool: lists with commas, `exp` and `iat` as dates."""
    result: dict[str, str] = {}
    for name, value in claims.items():
        if name in ("exp", "iat") and isinstance(value, int | float):
            result[name] = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(value))
        elif isinstance(value, list):
            result[name] = ",".join(str(entry) for entry in value)
        else:
            result[name] = claims_as_text({name: value})[name]
    return result
