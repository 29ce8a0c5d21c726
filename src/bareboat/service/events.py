"""`functions.NAME.events` -> events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from bareboat.service.api import Authorizer
from bareboat.service.authorizers import http_route_authorizer
from bareboat.service.check import known_keys
from bareboat.service.keys.events import EventKeys, HttpApiKeys, HttpKeys, ScheduleKeys
from bareboat.service.model import Place
from bareboat.service.nodes import Node, plain
from bareboat.service.problems import is_misspelt
from bareboat.service.report import Report
from bareboat.service.rest_events import RestSurroundings, rest_event
from bareboat.service.routes import METHODS_TEXT, Fault, method_of, path_fault, split_short
from bareboat.service.schedule_events import schedule_event
from bareboat.service.source_events import other_event, source_event
from bareboat.service.stages import throttle_of_plugin
from bareboat.service.triggers import Event, HttpApiEvent, HttpEvent, OtherEvent


class EventSurroundings(NamedTuple):
    """What events are read against.

    Args:
        authorizers: of the HTTP API, by name.
        rest: of the REST API.
    """

    authorizers: Mapping[str, Authorizer]
    rest: RestSurroundings

    @property
    def pseudo(self) -> Mapping[str, str]:
        """CloudFormation's pseudo parameters that are known."""
        return self.rest.around.pseudo


def events_of(
    keys: list[EventKeys], node: Node, path: str, around: EventSurroundings, report: Report
) -> tuple[Event, ...]:
    """Return the events of a function.

    Args:
        keys: the checked entries of `events`, in order; entries with a problem may be missing.
        node: the `events` list.
        path: `functions.NAME.events`.
    """
    if not isinstance(node.value, list) or len(keys) != len(node.value):
        return ()  # a problem is noted
    events = []
    for index, (entry, child) in enumerate(zip(keys, node.value, strict=True)):
        event = _event(entry, child, f"{path}[{index}]", around, report)
        if event is not None:
            events.append(event)
    return tuple(events)


def _event(entry: EventKeys, node: Node, path: str, around: EventSurroundings, report: Report) -> Event | None:
    if not isinstance(node.value, dict):
        return None
    names = list(node.value)
    if len(names) != 1:
        nested = [name for name in names[1:] if name not in known_keys(EventKeys)]
        fix = f"indent {', '.join(nested)} below {names[0]}" if nested and names else ""
        found = f"{path} has {len(names)} keys" + (f": {', '.join(names)}" if names else "")
        report.problems.add(node.place, found, expected="one event with one key", fix=fix)
        return None
    kind = names[0]
    config = node.value[kind]
    field = known_keys(EventKeys).get(kind)
    value = getattr(entry, field.attribute) if field else None
    if field is None or config.state == "broken":
        return None
    if value is None:
        if config.value is None:
            report.problems.add(node.place, f"{path} is an empty '{kind}'", expected=f"the settings of {kind}")
        return None
    if config.state == "pending":
        report.warn(f"{path}: {kind} is {config.value}, which needs AWS; it is not there locally", config.place)
        return OtherEvent(kind, plain(config), config.place)
    if isinstance(value, (HttpApiKeys, str)) and kind == "httpApi":
        return _http_api(value, config, path, around, report)
    if isinstance(value, (HttpKeys, str)) and kind == "http":
        return _http(value, config, path, around, report)
    if isinstance(value, (ScheduleKeys, str)) and kind == "schedule":
        return schedule_event(value, config, path, report)
    if kind in ("sqs", "sns", "s3", "eventBridge"):
        return source_event(kind, value, config, path, around.pseudo, report)
    return other_event(kind, value, config, path, report)


def _add(report: Report, fault: Fault, place: Place, path: str) -> None:
    report.problems.add(place, f"{path}: {fault.found}", expected=fault.expected, fix=fault.fix)


def _place(node: Node, key: str) -> Place:
    child = node.get(key)
    return child.place if child is not None else node.place


def _method_and_path(value: Any, node: Node, path: str, report: Report, *, need_method: bool) -> tuple[str, str] | None:
    """Return the method as written and the path of either form, or None after a problem."""
    if isinstance(value, str):
        split = split_short(value)
        if isinstance(split, Fault):
            _add(report, split, node.place, path)
            return None
        return split
    if value.path is None:
        if not _has(node, "path", type(value)):
            report.problems.add(node.place, f"{path} has no path", expected="path: /predict, or path: '*'")
        return None
    if value.method is None and need_method and value.path != "*":
        if not _has(node, "method", type(value)):
            report.problems.add(node.place, f"{path} has no method", expected=METHODS_TEXT)
        return None
    return value.method or "*", value.path


def _has(node: Node, key: str, kind: type[HttpApiKeys | HttpKeys]) -> bool:
    """Say whether an event has a key, be it misspelt."""
    keys = list(node.value or {})
    return key in keys or is_misspelt(key, keys, known_keys(kind))


def _http_api(
    value: HttpApiKeys | str, node: Node, path: str, around: EventSurroundings, report: Report
) -> HttpApiEvent | None:
    parts = _method_and_path(value, node, f"{path}.httpApi", report, need_method=True)
    if parts is None:
        return None
    method = method_of(parts[0])
    fault = path_fault(parts[1]) if parts[1] != "*" else None
    if isinstance(method, Fault):
        _add(report, method, _place(node, "method"), f"{path}.httpApi")
        return None
    if parts[1] == "*" and method != "*":
        fault = Fault(f"the path '*' with the method {method}", "the method '*' for the catch-all route")
    if fault is not None:
        _add(report, fault, _place(node, "path"), f"{path}.httpApi")
        return None
    event = HttpApiEvent(method, parts[1], node.place)
    if isinstance(value, str):
        return event
    authorizer, scopes = http_route_authorizer(
        value.authorizer, node.get("authorizer"), event.route_key, around.authorizers, report
    )
    return replace(
        event,
        authorizer=authorizer,
        scopes=scopes,
        throttle=throttle_of_plugin(value.throttling, around.rest.throttle),
        options={key: plain(child) for key, child in node.items() if key == "authorizer" and child.value is not None},
    )


def _http(value: HttpKeys | str, node: Node, path: str, around: EventSurroundings, report: Report) -> HttpEvent | None:
    parts = _method_and_path(value, node, f"{path}.http", report, need_method=True)
    if parts is None:
        return None
    method = method_of(parts[0])
    route = "/{proxy+}" if parts[1] == "*" else "/" + parts[1].removeprefix("/")
    fault = path_fault(route)
    if isinstance(method, Fault):
        _add(report, method, _place(node, "method"), f"{path}.http")
        return None
    if fault is not None:
        _add(report, fault, _place(node, "path"), f"{path}.http")
        return None
    return rest_event(method, route, value, node, f"{path}.http", around.rest, report)
