"""Where a deployment is reached -> lines, a document, and a curl command that works when it is pasted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING, Any

from bareboat.cli.printable import printable

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact
    from bareboat.aws.client import Aws
    from bareboat.aws.deployed import LiveRoute
    from bareboat.aws.reached import Request
    from bareboat.aws.stack import Stack
    from bareboat.service.model import Service

_LONGEST = 1_000  # of a command that one still pastes


class Reached:
    """Where a deployment is reached.

    Args:
        template: what it was deployed from.
        artifacts: what was deployed; () where a command does not build.
    """

    def __init__(
        self,
        aws: Aws,
        service: Service,
        stack: Stack,
        template: Mapping[str, Any],
        artifacts: Sequence[Artifact] = (),
    ) -> None:
        from bareboat.aws.reached import first_request, live_routes, named

        self.routes: tuple[LiveRoute, ...] = live_routes(aws, service, stack, template)
        self.named = tuple(named(template))
        self.request = first_request(service, self.routes, artifacts)

    def lines(self) -> list[str]:
        """Return a line for each route, then for what else has a name."""
        listed = [(_method(one), one.url, one.function or "-", access(one)) for one in self.routes]
        widths = [max((len(row[column]) for row in listed), default=0) for column in range(3)]
        found = [
            "  " + "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]).rstrip()
            for row in listed
        ]
        return [*found, *(f"  {kind} {name}" for kind, name in self.named)]

    def documents(self) -> list[dict[str, Any]]:
        """Return the routes as JSON has them."""
        return [
            {"method": one.method, "url": one.url, "function": one.function, "access": access(one)}
            for one in self.routes
        ]

    @property
    def curl(self) -> str:
        """The command that tries it; "" where no route can be tried without a key or a token."""
        text = "" if self.request is None else curl_of(self.request)
        return text if len(text) <= _LONGEST else ""


def curl_of(request: Request) -> str:
    """Return a request as a command for a shell; "" where its body is no text."""
    words = ["curl"]
    if request.method != ("POST" if request.body else "GET"):
        words += ["-X", request.method] if request.method != "HEAD" else ["--head"]
    for name, value in request.headers:
        words += ["-H", f"{name}: {value}"]
    if request.body:
        try:
            words += ["-d" if request.body[:1] != b"@" and b"\n" not in request.body else "--data-raw",
                      request.body.decode()]  # fmt: skip
        except UnicodeDecodeError:
            return ""
    text = " ".join(quote(word) for word in [*words, request.url])
    return text if printable(text) == text else ""


def _method(route: LiveRoute) -> str:
    return "ANY" if route.key == "$default" else route.method


def access(route: LiveRoute) -> str:
    """Say who may call a route."""
    words = [] if route.auth == "NONE" else [route.auth]
    return ", ".join([*words, *(["API key"] if route.needs_key else [])]) or "open"
