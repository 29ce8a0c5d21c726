"""A JSON Web Token -> its claims, if it is one that the issuer signed and that is valid now.

The signature is verified by PyJWT with the public key that `kid` names; which claims count, and how, are AWS's rules.
Of the token's own header only `alg` and `kid` are read: keys that it brings or points to (`jwk`, `jku`, `x5u`, `x5c`)
are never looked at.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

ALGORITHMS = ("RS256", "RS384", "RS512")  # "only RSA-based algorithms are supported"
MAX_LENGTH = 16_384  # more than an API takes of headers


class InvalidTokenError(Exception):
    """The token lets nobody in. The text is what AWS says in `error_description`, as far as that is known.

    Args:
        why: the same for who reads the log; "" where the text does.
    """

    def __init__(self, said: str, why: str = "") -> None:
        super().__init__(said)
        self.why = why


@dataclass(frozen=True, slots=True)
class Token:
    """A token whose signature has not been verified yet.

    Args:
        text: all three segments.
        algorithm, kid: of its header.
    """

    text: str
    algorithm: str
    kid: str


def read_token(text: str) -> Token:
    """Return what the header of a token says.

    Raises:
        InvalidTokenError: it is no token, its algorithm is none of RSA, or it names no key.
    """
    if len(text) > MAX_LENGTH or not text.isascii():
        raise InvalidTokenError("the token is malformed")
    segments = text.split(".")
    if len(segments) != 3:
        raise InvalidTokenError("token contains an invalid number of segments")
    header = _object(segments[0])
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        shown = f" {algorithm}" if isinstance(algorithm, str) and algorithm.isalnum() and len(algorithm) < 10 else ""
        raise InvalidTokenError(f"signing method{shown} is invalid")
    if not isinstance(kid, str) or not kid:
        raise InvalidTokenError("the token names no key")
    if "crit" in header or header.get("b64", True) is not True:
        raise InvalidTokenError("the token is malformed")
    return Token(text, algorithm, kid)


def verified_claims(token: Token, key: RSAPublicKey) -> dict[str, Any]:
    """Return the claims of a token that a key has signed.

    Raises:
        InvalidTokenError: the signature is another one, or the claims are no object.
    """
    import jwt

    try:
        payload = jwt.PyJWS().decode(token.text, key, algorithms=[token.algorithm])
    except jwt.PyJWTError as error:
        why = f"the signature does not fit the key {token.kid}"
        raise InvalidTokenError("crypto/rsa: verification error", why) from error
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise InvalidTokenError("the token is malformed") from error
    if not isinstance(claims, dict):
        raise InvalidTokenError("the token is malformed")
    return claims


def check_claims(claims: Mapping[str, Any], *, issuer: str, audience: Sequence[str], now: float) -> None:
    """Check who the token is from and for, and that it is valid now.

    `client_id` counts where there is no `aud` at all. There is no leeway.

    Args:
        audience: () where none is asked for.
        now: seconds since 1970.
    Raises:
        InvalidTokenError: it is not.
    Source:
        AWS's guide "Control access to HTTP APIs with JWT authorizers in API Gateway".
    """
    if claims.get("iss") != issuer:
        raise InvalidTokenError("the token does not have a valid issuer")
    if audience:
        given = claims["aud"] if "aud" in claims else claims.get("client_id")
        named = given if isinstance(given, list) else [given]
        if not any(isinstance(name, str) and name in audience for name in named):
            raise InvalidTokenError("the token does not have a valid audience")
    expires = _moment(claims, "exp")
    if expires is None or now >= expires:
        raise InvalidTokenError("the token has expired")
    not_before = _moment(claims, "nbf")
    if not_before is not None and now < not_before:
        raise InvalidTokenError("the token is not valid yet")
    issued = _moment(claims, "iat")
    if issued is not None and now < issued:
        raise InvalidTokenError("the token was issued in the future")


def scopes_of(claims: Mapping[str, Any]) -> list[str]:
    """Return the scopes of a token: `scope`, or `scp` where there is none; text parted by spaces, or a list."""
    given = claims.get("scope", claims.get("scp"))
    if isinstance(given, str):
        return given.split()
    return [scope for scope in given if isinstance(scope, str)] if isinstance(given, list) else []


def claims_as_text(claims: Mapping[str, Any]) -> dict[str, str]:
    """Return claims as an HTTP API hands them on: all of them text, lists as `[a b]`."""
    return {name: claim_text(value) for name, value in claims.items()}


def claim_text(value: Any) -> str:
    """Return a claim as text: `true`, `1700000000`, `[a b]`, `map[a:1 b:2]`.

    Source:
        Lists and numbers as in events of HTTP APIs that people published (docs/fidelity.md); objects and null by the
        rules of the language whose notation `[a b]` is.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{' '.join(claim_text(entry) for entry in value)}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{name}:{claim_text(value[name])}' for name in sorted(value))}]"
    return "<nil>" if value is None else json.dumps(value)


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e15 < value < 1e15:
        raise InvalidTokenError(f"{name} is no time")
    return float(value)


def _object(segment: str) -> dict[str, Any]:
    try:
        found = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        found = None
    if not isinstance(found, dict):
        raise InvalidTokenError("the token is malformed")
    return found
