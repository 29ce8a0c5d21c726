"""`provider.httpApi.cors` -> what the gateway itself answers and adds for other origins."""

from __future__ import annotations

from bareboat.local.messages import Request, Response
from bareboat.service.api import Cors


class CorsRules:
    """CORS of one API, as API Gateway applies it.

    Args:
        methods: those of the API's routes, allowed (with OPTIONS) where the configuration names none.
    Source:
        AWS's guide "Configure CORS for HTTP APIs": the gateway answers a preflight itself even without an OPTIONS
        route, and ignores CORS headers that a function returns.
    """

    def __init__(self, cors: Cors, methods: tuple[str, ...]) -> None:
        self._any_origin = "*" in cors.allowed_origins
        self._origins = frozenset(origin.rstrip("/").lower() for origin in cors.allowed_origins)
        self._schemes = tuple(
            origin[:-1].lower() for origin in cors.allowed_origins if origin in {"https://*", "http://*"}
        )
        self._credentials = cors.allow_credentials and not self._any_origin
        self._exposed = ",".join(cors.exposed_headers)
        self._preflight = [
            ("Access-Control-Allow-Methods", ",".join(cors.allowed_methods or sorted({*methods, "OPTIONS"})))
        ]
        if cors.allowed_headers:
            self._preflight.append(("Access-Control-Allow-Headers", ",".join(cors.allowed_headers)))
        if cors.max_age_s is not None:
            self._preflight.append(("Access-Control-Max-Age", str(cors.max_age_s)))

    def preflight(self, request: Request) -> Response:
        """Answer an OPTIONS request: 204, with CORS headers when the origin is allowed and asks for a method."""
        asked = request.header("access-control-request-method")
        allowed = self._allowed(request.header("origin")) if asked else []
        return Response(204, [*allowed, *self._preflight] if allowed else [])

    def apply(self, request: Request, response: Response) -> None:
        """Put the configured headers in place of those that the function returned."""
        kept = [pair for pair in response.headers if not pair[0].startswith("Access-Control-")]
        response.headers = kept + self.headers(request)

    def headers(self, request: Request) -> list[tuple[str, str]]:
        """Return the configured headers of a response; none for an origin that is not allowed."""
        allowed = self._allowed(request.header("origin"))
        if allowed and self._exposed:
            allowed.append(("Access-Control-Expose-Headers", self._exposed))
        return allowed

    def _allowed(self, origin: str) -> list[tuple[str, str]]:
        if not origin:
            return []
        if self._any_origin:
            return [("Access-Control-Allow-Origin", "*")]
        lower = origin.lower()
        if lower not in self._origins and not lower.startswith(self._schemes or ("\0",)):
            return []
        headers = [("Access-Control-Allow-Origin", origin)]
        if self._credentials:
            headers.append(("Access-Control-Allow-Credentials", "true"))
        return headers


def is_preflight(request: Request) -> bool:
    """Return whether a browser asks for leave: OPTIONS with an origin and the method that it is about to use."""
    return (
        request.method == "OPTIONS"
        and bool(request.header("origin"))
        and bool(request.header("access-control-request-method"))
    )
