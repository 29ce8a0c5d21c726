"""Routes of all functions held against each other: equal ones, and those that another one hides."""

from __future__ import annotations

from typing import Any

from bareboat.service.model import Place
from bareboat.service.report import Report
from bareboat.service.triggers import HttpApiEvent, HttpEvent

RouteEvent = HttpApiEvent | HttpEvent


def check_routes(routes: list[tuple[str, RouteEvent]], report: Report) -> None:
    """Note routes that two events claim, and parameters that take the same place under two names.

    Args:
        routes: (function name, event), in file order.
    """
    seen: dict[tuple[type[Any], str], tuple[str, RouteEvent]] = {}
    shapes: dict[tuple[type[Any], str], tuple[str, RouteEvent]] = {}
    parents: dict[str, dict[str, tuple[str, Place]]] = {}
    for function, event in routes:
        key = event.route_key if isinstance(event, HttpApiEvent) else _rest_key(event)
        first = seen.setdefault((type(event), key), (function, event))
        if first[1] is not event:
            report.problems.add(
                event.where,
                f"functions.{function} has the route {key} again",
                expected=f"each route once; first in functions.{first[0]} at {first[1].where}",
            )
            continue
        if isinstance(event, HttpEvent):
            _check_siblings(function, event, parents, report)
            continue
        shape = shapes.setdefault((type(event), _shape(key)), (function, event))
        if shape[1] is not event:
            report.problems.add(
                event.where,
                f"{key} and {shape[1].route_key} take the same requests",
                expected=f"one of them; the other is in functions.{shape[0]} at {shape[1].where}",
            )


def _rest_key(event: HttpEvent) -> str:
    method, _, path = event.route_key.partition(" ")
    return f"{method} {path.rstrip('/') or '/'}"


def _shape(key: str) -> str:
    """Return a route key without the names of its parameters: `GET /items/{}`."""
    method, _, path = key.partition(" ")
    parts = ["{+}" if part.endswith("+}") else "{}" if part.startswith("{") else part for part in path.split("/")]
    return f"{method} {'/'.join(parts)}"


def _check_siblings(
    function: str, event: HttpEvent, parents: dict[str, dict[str, tuple[str, Place]]], report: Report
) -> None:
    """A resource of a REST API has one child with a parameter (and one greedy one) under one name."""
    segments = event.path.strip("/").split("/")
    for index, segment in enumerate(segments):
        if not segment.startswith("{"):
            continue
        parent = "/" + "/".join(segments[:index])
        greedy = "+" if segment.endswith("+}") else ""
        name, where = parents.setdefault(parent, {}).setdefault(greedy, (segment, event.where))
        if name != segment:
            report.problems.add(
                event.where,
                f"functions.{function} has {segment} where another method has {name}, below {parent}",
                expected=f"one name for a parameter of one place; first at {where}",
                fix=f"write {name}",
            )
