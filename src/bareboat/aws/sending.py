"""One HTTP request to a live API -> its answer and how long it took."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3

from bareboat.aws.agreement import Answer

if TYPE_CHECKING:
    from bareboat.local.events.requests import Asked

TIMEOUT_S = 40.0
"""A gateway gives up after 30 s."""
UNREACHED = "no connection"
"""How the failure of a request begins that nobody has received."""
Signer = Callable[[str, str, dict[str, str], bytes], dict[str, str]]
"""(method, url, headers, body) -> all headers."""
_OF_AWS = (".execute-api.", ".lambda-url.")
_FRAMING = frozenset({"host", "content-length"})


class Sender:
    """Sends requests over connections that are kept. The proxies of the environment are used.

    Args:
        endpoint: what stands for all of AWS (AWS_ENDPOINT_URL): requests to hosts that AWS makes go there, with their
            Host. What comes after the API's id and `execute-api` is the stand-in's own, and need not resolve.
    """

    def __init__(self, endpoint: str = "") -> None:
        self._endpoint = urlsplit(endpoint) if endpoint else None
        self._pools: dict[str, urllib3.PoolManager] = {}

    def send(
        self, base: str, asked: Asked, headers: list[tuple[str, str]], sign: Signer | None = None
    ) -> tuple[Answer, float]:
        """Send a request once, and return the answer and its milliseconds; an answer of status 0 is none.

        Args:
            base: the address of the API, with its stage.
            headers: beside those of the request; they win.
            sign: returns all headers with a signature among them.
        """
        at = urlsplit(base)
        given = {name.lower() for name, _ in headers}
        request = asked.request(at.netloc, at.path.rstrip("/"))
        sent = {name: value for name, value in request.headers if name.lower() not in given | _FRAMING}
        sent |= dict(headers)
        url = f"{at.scheme}://{at.netloc}{request.target}"
        if sign is not None:
            sent = sign(request.method, url, sent, request.body)
        if self._endpoint is not None and any(part in (at.hostname or "") for part in _OF_AWS):
            sent["Host"] = at.netloc
            at = self._endpoint
            url = f"{at.scheme}://{at.netloc}{request.target}"
        started = perf_counter()
        try:
            response = self._pool(at.scheme, at.hostname or "").request(
                request.method,
                url,
                headers=sent,
                body=request.body or None,
                redirect=False,
                retries=False,
            )
            body = response.data
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
            return Answer(0, b"", {}, f"{UNREACHED}: {error}"), (perf_counter() - started) * 1000
        except urllib3.exceptions.HTTPError as error:
            return Answer(0, b"", {}, f"no answer: {error}"), (perf_counter() - started) * 1000
        took_ms = (perf_counter() - started) * 1000
        return Answer(response.status, body, {name.lower(): value for name, value in response.headers.items()}), took_ms

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.clear()

    def _pool(self, scheme: str, host: str) -> urllib3.PoolManager:
        proxy = urllib.request.getproxies().get(scheme, "")
        if urllib.request.proxy_bypass(host):
            proxy = ""
        if proxy not in self._pools:
            timeout = urllib3.Timeout(connect=10.0, read=TIMEOUT_S)
            self._pools[proxy] = (
                urllib3.ProxyManager(proxy, timeout=timeout) if proxy else urllib3.PoolManager(timeout=timeout)
            )
        return self._pools[proxy]
