"""Where an issuer's public keys are -> the key that a token names.

Source:
    AWS's guide "Control access to HTTP APIs with JWT authorizers in API Gateway": keys by `kid` from the issuer's
    `jwks_uri`, RSA only, kept for two hours, fetches of 1,500 ms and 150,000 bytes at most.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bareboat.local.access.throttle import Clock
from bareboat.local.addresses import is_loopback_name

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

FETCH_S = 1.5
FETCH_BYTES = 150_000
KEPT_S = 7_200.0  # how long AWS may keep a key
FLOOR_S = 10.0  # between two fetches for a key that is not known
MIN_KEY_BITS = 1024
DISCOVERY = "/.well-known/openid-configuration"
Fetch = Callable[[str], bytes]


class KeysUnreachableError(Exception):
    """The keys cannot be had. The text says why."""


class Keys:
    """The public keys of one place, by their `kid`.

    Attributes:
        generation: changes with the keys, so that nothing which was verified with older ones is believed.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._keys: dict[str, tuple[RSAPublicKey, str]] = {}

    def take(self, document: bytes) -> None:
        """Take the keys of a JSON Web Key Set (RFC 7517); those that are no RSA keys for signatures are passed over.

        Raises:
            KeysUnreachableError: it is no key set.
        """
        self._keys = _rsa_keys(document)
        self.generation += 1

    def get(self, kid: str, algorithm: str) -> RSAPublicKey | None:
        """Return a key; None when there is none, or it is for another algorithm."""
        found = self._keys.get(kid)
        if found is None or found[1] not in ("", algorithm):
            return None
        return found[0]

    def knows(self, kid: str) -> bool:
        """Whether there is a key of this name."""
        return kid in self._keys


class FileKeys(Keys):
    """The keys of a file, read again when it has changed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._seen: tuple[int, int] = (0, 0)

    def refresh(self) -> None:
        """Read the file if it is another one than before.

        Raises:
            KeysUnreachableError: it cannot be read, or is no key set.
        """
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                if status.st_size > FETCH_BYTES:
                    raise KeysUnreachableError(f"{self._path} has more than {FETCH_BYTES} bytes")
                self.take(self._path.read_bytes())
                self._seen = seen
        except OSError as error:
            raise KeysUnreachableError(f"{self._path}: {error.strerror}") from error


class FetchedKeys(Keys):
    """The keys of an address: a JWKS, or an issuer's as its discovery document names it.

    Args:
        address: of the JWKS; "" to ask the issuer.
        issuer: `https://...`.
        fetch: gets a document; `fetch_document` unless a test says otherwise.
    """

    def __init__(self, address: str, issuer: str, *, clock: Clock = time.monotonic, fetch: Fetch | None = None) -> None:
        super().__init__()
        self._address = address
        self._issuer = issuer
        self._clock = clock
        self._fetch = fetch or fetch_document
        self._fetched: float | None = None  # when the keys came
        self._tried: float | None = None  # when they were asked for, with success or without
        self._failure = ""
        self._under_way: asyncio.Future[None] | None = None

    def needs_fetch(self, kid: str) -> bool:
        """Whether keys should be asked for before one is looked up: there are none, old ones, or not this one."""
        now = self._clock()
        old = self._fetched is None or now - self._fetched > KEPT_S
        if not old and self.knows(kid):
            return False
        return self._tried is None or now - self._tried >= FLOOR_S

    async def fetch(self) -> None:
        """Ask for the keys; who asks while that is under way waits for the same answer."""
        if self._under_way is None:
            self._under_way = asyncio.ensure_future(self._fetch_once())
            self._under_way.add_done_callback(self._over)
        await asyncio.shield(self._under_way)

    def check(self) -> None:
        """Say why there are no keys.

        Raises:
            KeysUnreachableError: there never were any, or they are too old by now.
        """
        if self._fetched is None or self._clock() - self._fetched > KEPT_S + FLOOR_S:
            raise KeysUnreachableError(self._failure or "the keys have not been fetched")

    async def _fetch_once(self) -> None:
        self._tried = self._clock()
        try:
            document = await asyncio.wait_for(asyncio.to_thread(self._get), 2 * FETCH_S + 1)
            self.take(document)
            self._fetched = self._clock()
        except KeysUnreachableError as error:
            self._failure = str(error)
        except TimeoutError:
            self._failure = "the issuer did not answer in time"

    def _get(self) -> bytes:
        address = self._address
        if not address:
            document = self._fetch(self._issuer.removesuffix("/") + DISCOVERY)
            try:
                found = json.loads(document)
            except (ValueError, RecursionError):
                found = None
            named = found.get("jwks_uri") if isinstance(found, dict) else None
            if not isinstance(named, str):
                raise KeysUnreachableError(f"the discovery document of {self._issuer} names no jwks_uri")
            address = named
        return self._fetch(address)

    def _over(self, _done: asyncio.Future[None]) -> None:
        self._under_way = None


def fetch_document(address: str) -> bytes:
    """Return what an address answers, within the limits.

    Raises:
        KeysUnreachableError: it is not https (http only on this machine), does not answer in time, or not with 200.
    """
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback_name(parts.hostname or "")):
        raise KeysUnreachableError(f"{address} is not fetched: https, or http on this machine")
    import urllib3

    until = time.monotonic() + FETCH_S
    try:
        with urllib3.PoolManager() as pool:
            response = pool.request(
                "GET", address, timeout=FETCH_S, retries=False, redirect=False, preload_content=False
            )
            try:
                if response.status != 200:
                    raise KeysUnreachableError(f"{address} answered {response.status}")
                data = bytearray()
                for piece in response.stream(8_192):
                    data += piece
                    if len(data) > FETCH_BYTES:
                        raise KeysUnreachableError(f"{address} answered more than {FETCH_BYTES} bytes")
                    if time.monotonic() > until:
                        raise KeysUnreachableError(f"{address} took more than {FETCH_S:g} s")
                return bytes(data)
            finally:
                response.release_conn()
                response.close()
    except urllib3.exceptions.HTTPError as error:
        raise KeysUnreachableError(f"{address}: {error}") from error


def _rsa_keys(document: bytes) -> dict[str, tuple[RSAPublicKey, str]]:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from jwt.algorithms import RSAAlgorithm
    from jwt.exceptions import InvalidKeyError

    try:
        found = json.loads(document)
        listed = found["keys"]
    except (ValueError, RecursionError, TypeError, KeyError):
        listed = None
    if not isinstance(listed, list):
        raise KeysUnreachableError("the key set has no list of keys")
    keys: dict[str, tuple[RSAPublicKey, str]] = {}
    for entry in listed:
        if not isinstance(entry, dict) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
            continue
        kid = entry.get("kid")
        public = {name: entry.get(name) for name in ("kty", "n", "e")}  # never a private part
        try:
            key = RSAAlgorithm.from_jwk(_strings(public))
        except (InvalidKeyError, ValueError, TypeError, KeyError):
            continue
        if isinstance(kid, str) and kid and isinstance(key, RSAPublicKey) and key.key_size >= MIN_KEY_BITS:
            keys.setdefault(kid, (key, str(entry.get("alg") or "")))
    return keys


def _strings(entry: dict[str, Any]) -> dict[str, Any]:
    if not all(isinstance(value, str) for value in entry.values()):
        raise ValueError("n and e are text")
    return entry
