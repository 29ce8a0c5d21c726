"""A request -> whether it carries a right Signature Version 4, in its headers or in its query.

Source:
    AWS's guide "Create a signed AWS API request": canonical request, string to sign, signing key. Paths are encoded
    once more, as for all services but S3. The tests hold it against botocore's signer.
"""

from __future__ import annotations

import calendar
import hmac
import re
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Callable

    from bareboat.local.messages import Request

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW_S = 300
MAX_EXPIRES_S = 604_800  # of a presigned request: a week
_FIELD = re.compile(r"\s*([A-Za-z]+)=([^,\s]+)\s*")
_SAFE = "-_.~"
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A pair of keys that may sign. `token` is that of a session, "" for long-lived ones."""

    access_key: str
    secret_key: str
    token: str = ""


class SignatureError(Exception):
    """The request is not signed by somebody who may. `code` and the text are AWS's own."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Signed:
    """What a request says of its signature."""

    credential: str
    signed_headers: list[str]
    signature: str
    date: str
    token: str
    expires_s: int | None  # None when the signature is in the headers


def verify(
    request: Request, find: Callable[[str], Credentials | None], *, service: str, region: str, now: float
) -> Credentials:
    """Return whose signature a request carries.

    Args:
        find: the credentials of an access key id; None where there are none.
        service: "execute-api" or "lambda".
        now: seconds since 1970.
    Raises:
        SignatureError: it is not signed, or not rightly, or not now.
    """
    path, _, query = request.target.partition("?")
    pairs = [(unquote(name), unquote(value)) for name, _, value in (part.partition("=") for part in query.split("&"))]
    pairs = [pair for pair in pairs if pair != ("", "")]
    signed = _from_headers(request) or _from_query(pairs)
    if signed is None:
        raise SignatureError("MissingAuthenticationTokenException", "Missing Authentication Token")
    access_key, *scope = signed.credential.split("/")
    if len(scope) != 4 or "host" not in signed.signed_headers:
        raise SignatureError("IncompleteSignatureException", "Credential or SignedHeaders is not complete")
    found = find(access_key)
    if found is None or not hmac.compare_digest(found.token.encode(), signed.token.encode()):
        raise SignatureError("UnrecognizedClientException", "The security token included in the request is invalid.")
    if scope != [signed.date[:8], region, service, "aws4_request"]:
        raise SignatureError(
            "InvalidSignatureException",
            f"Credential should be scoped to {region}/{service} and the day of the request.",
        )
    _check_time(signed, now)
    canonical = "\n".join(
        (
            request.method,
            quote(path.encode("latin-1"), safe="/" + _SAFE),
            _canonical_query(pairs if signed.expires_s is None else [p for p in pairs if p[0] != "X-Amz-Signature"]),
            _canonical_headers(request, signed.signed_headers),
            ";".join(signed.signed_headers),
            sha256(request.body).hexdigest(),
        )
    )
    string = "\n".join((ALGORITHM, signed.date, "/".join(scope), sha256(canonical.encode()).hexdigest()))
    expected = hmac.new(_signing_key(found.secret_key, scope), string.encode(), sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signed.signature.encode()):
        raise SignatureError("InvalidSignatureException", MISMATCH)
    return found


def _from_headers(request: Request) -> _Signed | None:
    headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        headers.setdefault(name.lower(), []).append(value.strip())
    given = headers.get("authorization", [])
    if not given:
        return None
    algorithm, _, rest = given[0].partition(" ")
    fields: dict[str, str] = {}
    for part in rest.split(","):
        match = _FIELD.fullmatch(part)
        if match is not None:
            fields[match[1]] = match[2]
    if len(given) > 1 or algorithm != ALGORITHM or not {"Credential", "SignedHeaders", "Signature"} <= fields.keys():
        raise SignatureError(
            "IncompleteSignatureException",
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.",
        )
    dates = headers.get("x-amz-date", [])
    signed_headers = fields["SignedHeaders"].split(";")
    if len(dates) != 1 or "x-amz-date" not in signed_headers:
        raise SignatureError("IncompleteSignatureException", "Authorization header requires a signed 'X-Amz-Date'.")
    tokens = headers.get("x-amz-security-token", [])
    return _Signed(
        fields["Credential"], signed_headers, fields["Signature"], dates[0], tokens[0] if tokens else "", None
    )


def _from_query(pairs: list[tuple[str, str]]) -> _Signed | None:
    given = dict(reversed(pairs))
    if "X-Amz-Algorithm" not in given and "X-Amz-Signature" not in given:
        return None
    names = ("X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date", "X-Amz-Expires")
    once = [name for name, _ in pairs]
    expires = given.get("X-Amz-Expires", "")
    if (
        given.get("X-Amz-Algorithm") != ALGORITHM
        or any(once.count(name) != 1 for name in names)
        or not (expires.isascii() and expires.isdigit() and len(expires) < 10 and 0 < int(expires) <= MAX_EXPIRES_S)
    ):
        raise SignatureError("IncompleteSignatureException", f"The query requires {', '.join(names)}.")
    return _Signed(
        given["X-Amz-Credential"],
        given["X-Amz-SignedHeaders"].split(";"),
        given["X-Amz-Signature"],
        given["X-Amz-Date"],
        given.get("X-Amz-Security-Token", ""),
        int(expires),
    )


def _check_time(signed: _Signed, now: float) -> None:
    try:
        at = calendar.timegm(time.strptime(signed.date, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise SignatureError("IncompleteSignatureException", "X-Amz-Date is no time.") from None
    clock = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    if at > now + SKEW_S:
        raise SignatureError(
            "InvalidSignatureException",
            f"Signature not yet current: {signed.date} is still later than {clock} (+ 5 min.)",
        )
    if now > at + (SKEW_S if signed.expires_s is None else signed.expires_s):
        raise SignatureError(
            "InvalidSignatureException", f"Signature expired: {signed.date} is now earlier than {clock} (- 5 min.)"
        )


def _canonical_query(pairs: list[tuple[str, str]]) -> str:
    encoded = [(quote(name, safe=_SAFE), quote(value, safe=_SAFE)) for name, value in pairs]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def _canonical_headers(request: Request, names: list[str]) -> str:
    lines = []
    for name in names:
        values = [" ".join(value.split()) for sent, value in request.headers if sent.lower() == name]
        if not values:
            raise SignatureError("InvalidSignatureException", MISMATCH)
        lines.append(f"{name}:{','.join(values)}\n")
    return "".join(lines)


def _signing_key(secret: str, scope: list[str]) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.new(key, part.encode(), sha256).digest()
    return key
