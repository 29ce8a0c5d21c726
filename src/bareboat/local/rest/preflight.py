"""`cors` of a REST resource -> what its OPTIONS answers, as Serverless makes it: a mock with fixed headers."""

from __future__ import annotations

import re

from bareboat.local.messages import Request, Response
from bareboat.service.api import RestCors


class Preflight:
    """What OPTIONS of one resource answers: 200, no body, the same headers whatever is asked.

    Of several origins the first is named, unless the request's own fits one; `*` in an origin stands for one
    character or more.

    Args:
        cors: of the resource, what its methods say joined.
    Source:
        The headers and the response template that the Serverless Framework generates.
    """

    def __init__(self, cors: RestCors) -> None:
        self._origin = cors.origins[0] if cors.origins else "*"
        several = len(cors.origins) > 1 or "*" in self._origin[1:]
        self._origins = [re.compile(_pattern(origin), re.DOTALL) for origin in cors.origins] if several else []
        self._headers = [
            ("Access-Control-Allow-Headers", ",".join(cors.headers)),
            ("Access-Control-Allow-Methods", ",".join(cors.methods)),
        ]
        if cors.allow_credentials:
            self._headers.append(("Access-Control-Allow-Credentials", "true"))
        if cors.max_age_s:
            self._headers.append(("Access-Control-Max-Age", str(cors.max_age_s)))
        if cors.cache_control:
            self._headers.append(("Cache-Control", cors.cache_control))

    def answer(self, request: Request) -> Response:
        """Return the answer."""
        origin = self._origin
        if self._origins:
            sent = request.header("origin")
            if any(pattern.fullmatch(sent) for pattern in self._origins):
                origin = sent
        return Response(
            200,
            [("Content-Type", "application/json"), ("Access-Control-Allow-Origin", origin), *self._headers],
        )


def _pattern(origin: str) -> str:
    """Return an origin as a pattern; the first star in it stands for any text, as Serverless's template has it."""
    return ".+".join(re.escape(part) for part in origin.split("*", 1))
