"""Route keys of an API -> the route that a request takes.

Which one, by AWS's "Create routes for HTTP APIs": of the routes whose path and method both fit, the one with the most
specific path, `$default` last. Segment by segment a literal beats `{name}`, which beats `{name+}`; a method beats ANY.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar
from urllib.parse import unquote

from bareboat.errors import LocalError

ANY = "*"
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


@dataclass(frozen=True, slots=True)
class Route:
    """One route of an HTTP API; a method of a REST API is one with more to it (local/rest).

    Args:
        key: as API Gateway shows it: `POST /predict`, `ANY /files/{proxy+}`, `$default`.
        method: upper case, or "*" for ANY.
        path: "/items/{id}", or "*" for `$default`.
        function: the name of the function that it calls.
        payload: the event format.
        timeout_s: the function's own timeout.
        where: the place in serverless.yml.
    """

    key: str
    method: str
    path: str
    function: str
    payload: Literal["1.0", "2.0"] = "2.0"
    timeout_s: float = 6.0
    where: str = ""


R = TypeVar("R", bound=Route)


class _Node(Generic[R]):
    """One place in the tree of path segments."""

    __slots__ = ("greedy", "literals", "parameter", "routes")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[R]] = {}
        self.parameter: _Node[R] | None = None
        self.greedy: dict[str, R] = {}  # method -> route that ends in {name+} here
        self.routes: dict[str, R] = {}  # method -> route that ends here


class RouteTable(Generic[R]):
    """The routes of one API, ready to be asked.

    Args:
        decode: whether path parameters are percent-decoded, as an HTTP API's are and a REST API's are not.
        empty_greedy: whether {name+} takes an empty rest of the path, as an HTTP API's does and a REST API's does not.
    Raises:
        LocalError: two routes have the same key, or a path is none that API Gateway takes.
    """

    def __init__(self, routes: Iterable[R], *, decode: bool = True, empty_greedy: bool = True) -> None:
        self.routes = tuple(routes)
        self._decode = decode
        self._empty_greedy = empty_greedy
        self._root: _Node[R] = _Node()
        self._default: dict[str, R] = {}
        self._plain: dict[tuple[str, str], R] = {}  # what needs no search
        self._names: dict[str, tuple[str, ...]] = {}
        for route in self.routes:
            self._add(route)

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that any route takes, in alphabetical order; all of them where one takes ANY."""
        methods = {route.method for route in self.routes}
        return METHODS if ANY in methods else tuple(sorted(methods))

    def why_none(self, path: str) -> str:
        """Return why a request to a path has no route, for the log: no route has the path, or others of its methods."""
        methods = [method for method in METHODS if self.find(method, path) is not None]
        return f"no route: the path has {', '.join(methods)}" if methods else "no route has this path"

    def find(self, method: str, path: str) -> tuple[R, dict[str, str]] | None:
        """Return the route of a request and its path parameters; None is a 404, and a 403 of a REST API.

        Args:
            path: as sent, percent-encoded, without the query.
        """
        plain = self._plain.get((method, path))
        if plain is not None:
            return plain, {}
        if path[:1] == "/":
            segments = path[1:].split("/")
            if self._decode and "%" in path:
                segments = [unquote(segment) for segment in segments]
            values: list[str] = []
            found = self._search(self._root, segments, 0, method, values)
            if found is not None:
                return found, dict(zip(self._names[found.key], values, strict=True))
        found = self._default.get(method) or self._default.get(ANY)
        return None if found is None else (found, {})

    def _search(self, node: _Node[R], segments: list[str], at: int, method: str, values: list[str]) -> R | None:
        if at == len(segments):
            return node.routes.get(method) or node.routes.get(ANY)
        segment = segments[at]
        child = node.literals.get(segment)
        found = None if child is None else self._search(child, segments, at + 1, method, values)
        if found is None and node.parameter is not None and segment:
            values.append(segment)
            found = self._search(node.parameter, segments, at + 1, method, values)
            if found is None:
                values.pop()
        if found is None and node.greedy and (self._empty_greedy or segment or at + 1 < len(segments)):
            found = node.greedy.get(method) or node.greedy.get(ANY)
            if found is not None:
                values.append("/".join(segments[at:]))
        return found

    def _add(self, route: R) -> None:
        if route.path == "*":
            _put(self._default, route)
            self._names[route.key] = ()
            return
        if not route.path.startswith("/"):
            raise _bad_path(route, "a path that begins with /")
        node = self._root
        names: list[str] = []
        segments = route.path[1:].split("/")
        for position, segment in enumerate(segments):
            if not (segment.startswith("{") and segment.endswith("}")):
                if "{" in segment or "}" in segment:
                    raise _bad_path(route, "a path variable that is a whole segment, such as /items/{id}")
                node = node.literals.setdefault(segment, _Node())
                continue
            name = segment[1:-1]
            names.append(name.removesuffix("+"))
            if not names[-1] or names[-1] in names[:-1]:
                raise _bad_path(route, "path variables that each have a name of their own")
            if name.endswith("+"):
                if position != len(segments) - 1:
                    raise _bad_path(route, "a greedy variable only at the end, such as /files/{proxy+}")
                _put(node.greedy, route)
                self._names[route.key] = tuple(names)
                return
            if node.parameter is None:
                node.parameter = _Node()
            node = node.parameter
        _put(node.routes, route)
        self._names[route.key] = tuple(names)
        if not names and route.method != ANY:
            self._plain[route.method, route.path] = route


def _put(place: dict[str, R], route: R) -> None:
    other = place.get(route.method)
    if other is not None:
        raise LocalError(
            f"the route {route.key} of function {route.function} is taken: {other.key} of function {other.function}",
            expected="one route for a method and a path; names of path variables do not tell two routes apart",
            fix="change the path or the method of one of them",
            where=route.where,
        )
    place[route.method] = route


def _bad_path(route: Route, expected: str) -> LocalError:
    return LocalError(
        f"the route {route.key} has a path that API Gateway refuses", expected=expected, where=route.where
    )
