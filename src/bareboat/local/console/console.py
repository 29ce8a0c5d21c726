"""Requests of a browser on this machine -> the console's page and what it asks for.

Nothing but this module is imported before the first request.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from bareboat.local.addresses import host_name, is_loopback_name
from bareboat.local.guard import foreign
from bareboat.local.messages import Request, Response

if TYPE_CHECKING:
    from bareboat.local.console.pages import Pages
    from bareboat.local.console.source import Cloud, Observed

BASE = "/_bareboat/"
SECURITY = (
    (
        "Content-Security-Policy",
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


class Console:
    """The console of a running cloud. `handle` and `refuse` are for `start_server`, which listens on 127.0.0.1 alone.

    Args:
        cloud: what is shown.
        observed: what was kept of requests and invocations; None is what the service's store holds.
    """

    def __init__(self, cloud: Cloud, observed: Observed | None = None) -> None:
        self._cloud = cloud
        self._observed = observed
        self._pages: Pages | None = None

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer a request; one whose Host is not loopback's gets nothing."""
        refused = refusal(request)
        if refused:
            return told(403, refused)
        pages = self._pages
        if pages is None:
            from bareboat.local.console.pages import Pages

            pages = self._pages = Pages(self._cloud, self._observed)
        return pages.answer(request)

    def refuse(self, status: int) -> Response:
        """Return the answer to what never reaches `handle`."""
        return told(status, "the request cannot be read")

    async def close(self) -> None:
        """Give up what still runs."""


def told(status: int, text: str) -> Response:
    """Return a refusal in words."""
    kind = ("Content-Type", "text/plain; charset=utf-8")
    return Response(status, (kind, ("Cache-Control", "no-store"), *SECURITY), text.encode())


def refusal(request: Request) -> str:
    """Return why a request is none of the console's own page's, "" when it is.

    The page itself may be opened by a link from anywhere, which tells that link's page nothing; what the page asks for
    comes from the page alone.
    """
    host = request.header("host")
    if not request.target.startswith(BASE + "api/"):
        return "" if is_loopback_name(host_name(host)) else f"the Host is {host!r:.80}, expected 127.0.0.1 or localhost"
    refused = foreign(request, own_origins=(f"http://{host}",))
    if refused or request.method in ("GET", "HEAD"):
        return refused
    kind = request.header("content-type").partition(";")[0].strip().lower()
    return "" if kind == "application/json" else f"the content type is {kind!r:.60}, expected application/json"
