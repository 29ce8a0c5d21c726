"""A registry's challenge (`WWW-Authenticate`) and a person's credentials -> the Authorization of the next request.

Basic is RFC 7617. Bearer is the token specification of Docker's registry (distribution/distribution, "Token
Authentication Specification", and its OAuth2 form for identity tokens): the challenge names a server of tokens, which
gives one for each scope, `repository:NAME:pull,push`.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from bareboat.container.credentials import Credentials
from bareboat.container.reference import is_loopback
from bareboat.container.refusal import refused_login
from bareboat.container.transport import Lost, Response, Transport, read_text
from bareboat.errors import RemoteError

_MOST_BYTES = 1 << 20
_PART = re.compile(r'(?P<key>[\w-]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,"]+))|(?P<scheme>[A-Za-z]+)')


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry asks for: `basic` or `bearer`, with its parameters (realm, service, scope)."""

    scheme: str
    parameters: Mapping[str, str]


class Authorization:
    """What to say at one registry, kept for as long as it is taken. Several threads may ask.

    Args:
        registry: its host, for errors.
        credentials: asked once, when the registry first wants to know.
        plain: let them go to a server of tokens by plain HTTP, which one on this machine may have anyway.
    """

    def __init__(
        self, transport: Transport, registry: str, credentials: Callable[[], Credentials | None], *, plain: bool = False
    ) -> None:
        self._transport = transport
        self._registry = registry
        self._find = credentials
        self._plain = plain
        self._found: tuple[Credentials | None] | None = None
        self._headers: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def has_credentials(self) -> bool:
        """Whether there are credentials, as far as anybody has asked for them."""
        return self._found is not None and self._found[0] is not None

    def header(self, scope: str) -> dict[str, str]:
        """Return the header for a scope; empty as long as the registry has not asked for one."""
        said = self._headers.get(scope) or self._headers.get("")
        return {"Authorization": said} if said else {}

    def renew(self, scope: str, answer: Response, refused: Mapping[str, str]) -> bool:
        """Take a 401's challenge up.

        Args:
            refused: the header that was not taken.
        Returns:
            Whether there is something new to try.
        Raises:
            RemoteError: the server of tokens refuses, or the challenge makes no sense.
        """
        with self._lock:
            if self.header(scope) != dict(refused):
                return True  # another thread has been here
            challenges = parse_challenges(answer.headers.get("WWW-Authenticate", ""))
            bearer = next((one for one in challenges if one.scheme == "bearer"), None)
            credentials = self._credentials()
            if bearer is not None:
                self._headers[scope] = f"Bearer {self._token(bearer, scope, credentials)}"
                return True
            if any(one.scheme == "basic" for one in challenges):
                if credentials is None or not credentials.user or refused:
                    return False
                self._headers[""] = _basic(credentials)
                return True
            return False

    def _credentials(self) -> Credentials | None:
        if self._found is None:
            self._found = (self._find(),)
        return self._found[0]

    def _token(self, challenge: Challenge, scope: str, credentials: Credentials | None) -> str:
        realm = challenge.parameters.get("realm", "")
        parts = urlsplit(realm)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise RemoteError(
                f"{self._registry} asks for a token of {realm!r}", expected="the address of a server of tokens"
            )
        if parts.scheme == "http" and credentials is not None and not (self._plain or is_loopback(parts.netloc)):
            raise RemoteError(
                f"{self._registry} wants the credentials by plain HTTP, at {parts.netloc}",
                expected="HTTPS",
                fix="--insecure, if you trust the network in between",
            )
        scopes = sorted({*scope.split(), *challenge.parameters.get("scope", "").split()})
        try:
            answer = self._ask(realm, challenge.parameters.get("service", ""), scopes, credentials)
            data = read_text(answer, _MOST_BYTES)
        except Lost as lost:
            raise RemoteError(f"{parts.netloc} gives no token: {lost}") from lost
        if answer.status != 200:
            raise self._no_token(parts.netloc, answer.status, credentials)
        try:
            document = json.loads(data)
            token = document.get("token") or document.get("access_token")
        except (ValueError, AttributeError) as error:
            raise RemoteError(f"{parts.netloc} answers no token, but something else than JSON") from error
        if not isinstance(token, str) or not token:
            raise RemoteError(f"{parts.netloc} answers no token", expected='{"token": ...}')
        return token

    def _ask(self, realm: str, service: str, scopes: list[str], credentials: Credentials | None) -> Response:
        if credentials is not None and credentials.identity_token:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": credentials.identity_token,
                "client_id": "bareboat",
                "scope": " ".join(scopes),
                "service": service,
            }
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            return self._transport.send("POST", realm, kind, urlencode(form).encode())
        pairs = [("scope", one) for one in scopes] + [("service", service)] * bool(service)
        headers = {} if credentials is None else {"Authorization": _basic(credentials)}
        return self._transport.send("GET", f"{realm}{'&' if '?' in realm else '?'}{urlencode(pairs)}", headers)

    def _no_token(self, host: str, status: int, credentials: Credentials | None) -> RemoteError:
        if status in {400, 401, 403}:
            return refused_login(self._registry, credentials is not None)
        return RemoteError(f"{host} answers {status} in place of a token", fix="try again later")


def parse_challenges(text: str) -> tuple[Challenge, ...]:
    """Read `WWW-Authenticate` (RFC 9110, section 11.6.1), several challenges in one too."""
    challenges: list[tuple[str, dict[str, str]]] = []
    for part in _PART.finditer(text):
        if part["scheme"]:
            challenges.append((part["scheme"].lower(), {}))
        elif challenges:
            value = part["bare"] if part["quoted"] is None else re.sub(r"\\(.)", r"\1", part["quoted"])
            challenges[-1][1][part["key"].lower()] = value
    return tuple(Challenge(scheme, parameters) for scheme, parameters in challenges)


def _basic(credentials: Credentials) -> str:
    word = base64.b64encode(f"{credentials.user}:{credentials.password}".encode()).decode()
    return f"Basic {word}"
