"""One HTTP request to a registry -> its answer: waited for, tried again, redirected without telling a secret.

Connections are kept and shared between threads. What goes wrong below HTTP is told in plain words.
"""

from __future__ import annotations

import logging
import random
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    InsecureRequestWarning,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

from bareboat import __version__
from bareboat.container.reference import is_loopback
from bareboat.errors import RemoteError

log = logging.getLogger(__name__)

Response = urllib3.BaseHTTPResponse
Body = bytes | Callable[[], Iterable[bytes]] | None  # a callable makes the body anew for each try

BLOCK_BYTES = 1 << 18
TRIES = 5
FIRST_TRIES = 3  # as long as nobody has answered; a firewall that drops all costs a whole timeout each
MOST_REDIRECTS = 5
LONGEST_WAIT_S = 60.0
LATER = "try again later: what has come whole is not sent again"
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # a later try may do better
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CERTIFICATES = ("/etc/docker/certs.d", "/etc/containers/certs.d", "~/.docker/certs.d", "~/.config/containers/certs.d")


class Lost(RemoteError):  # noqa: N818 - mostly it is caught, and the transfer goes on
    """The connection ended in the middle, or the server asked to come again later."""

    def __init__(self, reason: str, *, fix: str = "", wait_s: float = 0.0) -> None:
        super().__init__(reason, fix=fix)
        self.wait_s = wait_s


class Transport:
    """HTTP(S) to registries.

    Args:
        insecure: take any certificate.
        sleep: how to wait before another try; without it a wait ends when `end` is called.
        timeout_s: how long to wait for a connection, and for the next byte of an answer twice as long.
    """

    def __init__(
        self, *, insecure: bool = False, sleep: Callable[[float], object] | None = None, timeout_s: float = 30.0
    ) -> None:
        if insecure:  # the person asked for it, and need not be told at every request
            urllib3.disable_warnings(InsecureRequestWarning)
        self.insecure = insecure
        self._ended = threading.Event()
        self.sleep = self._ended.wait if sleep is None else sleep
        self._timeout = urllib3.Timeout(connect=timeout_s, read=2 * timeout_s)
        self._pools: dict[str, urllib3.PoolManager] = {}
        self._making = threading.Lock()  # of a pool, so that two threads do not make two
        self._answered: set[str] = set()

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        *,
        again: bool = True,
    ) -> Response:
        """Send a request and return the answer's head; its body is still to be read, or to be drained.

        Args:
            again: try again after a lost connection or a passing refusal; never for a body that must not come twice.
        Raises:
            Lost: the connection broke, with `again` false or after the last try.
            RemoteError: there is no way to the server.
        """
        wait_s = 0.0
        for attempt in range(1, TRIES + 1):
            try:
                response = self._redirected(method, url, dict(headers or {}), body)
            except Lost as lost:
                if not again:
                    raise
                if attempt >= FIRST_TRIES and _origin(url) not in self._answered:
                    raise no_way(url, lost.__cause__ or lost) from lost
                if attempt == TRIES:
                    host = urlsplit(url).netloc
                    raise Lost(f"{host} drops the connection again and again: {lost}", fix=LATER) from lost
                wait_s = backoff_s(attempt)
                log.info("%s: %s; again in %.1f s", urlsplit(url).netloc, lost, wait_s)
            else:
                if response.status not in PASSING or not again or attempt == TRIES:
                    return response
                wait_s = retry_after_s(response) or backoff_s(attempt)
                log.info("%s answers %d; again in %.1f s", urlsplit(url).netloc, response.status, wait_s)
                response.drain_conn()
                response.release_conn()
            self.sleep(wait_s)
        raise AssertionError("the last try returns or raises")

    def _redirected(self, method: str, url: str, headers: dict[str, str], body: Body) -> Response:
        """Follow redirects of reads, as to the storage behind a registry, which must not see the credentials."""
        for _ in range(MOST_REDIRECTS + 1):
            response = self._once(method, url, headers, body)
            target = response.headers.get("Location")
            if response.status not in _REDIRECTS or method not in {"GET", "HEAD"} or not target:
                return response
            response.drain_conn()
            response.release_conn()
            new = urljoin(url, target)
            if _origin(new) != _origin(url):
                headers = {key: value for key, value in headers.items() if key.lower() != "authorization"}
            if urlsplit(url).scheme == "https" and urlsplit(new).scheme != "https" and not self.insecure:
                raise RemoteError(
                    f"{urlsplit(url).netloc} sends us on to plain HTTP at {urlsplit(new).netloc}",
                    expected="HTTPS all the way",
                    fix="--insecure, if you trust the network in between",
                )
            url = new
        raise RemoteError(f"{urlsplit(url).netloc} redirects in a circle", expected=f"at most {MOST_REDIRECTS} times")

    def _once(self, method: str, url: str, headers: dict[str, str], body: Body) -> Response:
        origin = _origin(url)
        if self._ended.is_set():
            raise Lost("this transfer was ended")
        try:
            response = self._pool(url).urlopen(
                method,
                url,
                body=body() if callable(body) else body,
                headers={"User-Agent": f"bareboat/{__version__}", "Accept-Encoding": "identity"} | headers,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=self._timeout,
            )
        except (HTTPError, OSError) as error:
            if _is_final(error, has_answered=origin in self._answered):
                raise no_way(url, error) from error
            raise Lost(plain_words(error)) from error
        self._answered.add(origin)
        return response

    def _pool(self, url: str) -> urllib3.PoolManager:
        parts = urlsplit(url)
        key = _origin(url)
        with self._making:
            if key not in self._pools:
                proxy = _proxy_for(parts.scheme, parts.netloc)
                context = _tls(parts.netloc, insecure=self.insecure) if parts.scheme == "https" else None
                make = urllib3.PoolManager if proxy is None else _through(proxy)
                self._pools[key] = make(ssl_context=context, maxsize=8, blocksize=BLOCK_BYTES)
            return self._pools[key]

    def end(self) -> None:
        """Let no request begin any more, and wait for none."""
        self._ended.set()

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.clear()
        self._pools.clear()


def read_text(response: Response, most_bytes: int) -> bytes:
    """Read an answer's body as far as `most_bytes`, and give the connection back.

    Raises:
        Lost: the connection broke.
    """
    try:
        data = response.read(most_bytes + 1)
        if len(data) > most_bytes:
            response.close()
        else:
            response.drain_conn()
    except (HTTPError, OSError) as error:
        raise Lost(plain_words(error)) from error
    finally:
        response.release_conn()
    return data


def backoff_s(attempt: int) -> float:
    """Return how long to wait before another try: 0.5, 1, 2, 4 s, and up to as much again, so that many part."""
    return min(0.5 * 2.0 ** (attempt - 1) * (1 + random.random()), LONGEST_WAIT_S)  # noqa: S311 - no secret


def retry_after_s(response: Response) -> float:
    """Return what `Retry-After` asks for, in seconds or as a date; 0 when it says nothing, at most a minute."""
    said = response.headers.get("Retry-After", "")
    try:
        wait_s = float(said) if said.strip().isdigit() else parsedate_to_datetime(said).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(wait_s, 0.0), LONGEST_WAIT_S)


def _is_final(error: BaseException, *, has_answered: bool) -> bool:
    """Tell whether another try would end in the same way: no such name, nobody there, TLS that does not agree."""
    reason = _root(error)
    if isinstance(error, SSLError):
        return not isinstance(reason, ssl.SSLEOFError)  # dropped in the middle of the handshake
    nobody = isinstance(error, NameResolutionError) or isinstance(reason, socket.gaierror | ConnectionRefusedError)
    return nobody and not has_answered


def no_way(url: str, error: BaseException) -> RemoteError:
    """Say why there is no way to a server."""
    parts = urlsplit(url)
    host = parts.netloc
    reason = _root(error)
    if isinstance(error, NameResolutionError) or isinstance(reason, socket.gaierror):
        return RemoteError(f"the host {parts.hostname} is not known", fix="look at the name, and at the network")
    if isinstance(reason, ssl.SSLCertVerificationError):
        return RemoteError(
            f"the certificate of {host} is not to be trusted: {reason.verify_message}",
            expected="a certificate of an authority that this machine knows",
            fix=f"put the authority's certificate at /etc/docker/certs.d/{host}/ca.crt, or --insecure",
        )
    if speaks_plain_http(error):
        return RemoteError(
            f"{host} speaks plain HTTP, where all could be read and changed on the way",
            expected="HTTPS",
            fix="--insecure, if you trust the network in between",
        )
    return RemoteError(
        f"{host} is not to be reached: {plain_words(error)}", fix="is the registry running, and is the port right?"
    )


def speaks_plain_http(error: BaseException) -> bool:
    """Tell whether TLS failed since the other side does not speak it."""
    reason = _root(error)
    words = str(getattr(reason, "reason", "") or reason)
    return isinstance(reason, ssl.SSLError) and any(
        sign in words for sign in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNEXPECTED_MESSAGE")
    )


def plain_words(error: BaseException) -> str:
    """Say what broke a connection, without the library's names of classes and objects."""
    if isinstance(error, ProxyError):
        return f"the proxy: {plain_words(error.original_error)}"
    if isinstance(error, ConnectTimeoutError) and not isinstance(error, NewConnectionError):
        return "no connection in time"
    reason = _root(error)
    if isinstance(reason, OSError) and reason.strerror and not isinstance(reason, ssl.SSLError):
        return reason.strerror
    if isinstance(error, NewConnectionError):
        return str(error).rpartition(": ")[2]
    if "IncompleteRead" in repr(reason) or "Connection broken" in str(error):
        return "the connection ended in the middle"
    return str(reason).rpartition("): ")[2] or str(error)


def _root(error: BaseException) -> BaseException:
    """Return the error below the library's own."""
    seen: list[BaseException] = []
    while error not in seen:
        seen.append(error)
        below = getattr(error, "reason", None)
        if not isinstance(below, BaseException):
            below = error.__cause__ or next((one for one in error.args if isinstance(one, BaseException)), None)
        if isinstance(below, BaseException):
            error = below
    return error


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise RemoteError(f"a registry names an address that is none: {error}") from error
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def _tls(host: str, *, insecure: bool) -> ssl.SSLContext:
    """Trust what the system trusts, and the authorities that Docker and Podman are told of for this host."""
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    for folder in _CERTIFICATES:
        place = Path(folder).expanduser() / host
        for authority in sorted(place.glob("*.crt")):
            context.load_verify_locations(authority)
        for certificate in sorted(place.glob("*.cert")):  # who we are, where a registry wants that by TLS
            context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context


def _proxy_for(scheme: str, netloc: str) -> str | None:
    """Return the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY ask for; none for this machine itself."""
    if is_loopback(netloc) or urllib.request.proxy_bypass(netloc):
        return None
    return urllib.request.getproxies().get(scheme)


def _through(proxy: str) -> Callable[..., urllib3.ProxyManager]:
    parts = urlsplit(proxy)
    headers = {}
    if parts.username:
        word = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers = urllib3.make_headers(proxy_basic_auth=word)
        port = f":{parts.port}" if parts.port else ""
        proxy = f"{parts.scheme}://{parts.hostname}{port}"

    def make(**settings: object) -> urllib3.ProxyManager:
        return urllib3.ProxyManager(proxy, proxy_headers=headers, **settings)  # type: ignore[arg-type]

    return make
