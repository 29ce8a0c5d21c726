"""`functions.NAME.events` -> events."""

from __future__ import annotations

import re
from typing import Any

from bareboat.service.check import known_keys
from bareboat.service.keys.events import EventKeys, HttpApiKeys, HttpKeys, ScheduleKeys
from bareboat.service.model import Place
from bareboat.service.nodes import Node, plain
from bareboat.service.problems import is_misspelt
from bareboat.service.report import Report
from bareboat.service.routes import METHODS_TEXT, Fault, method_of, path_fault, split_short
from bareboat.service.triggers import Event, HttpApiEvent, HttpEvent, OtherEvent, ScheduleEvent

# Patterns that few files need stay text: compiling one costs a start-up 0.3 ms.
_RATE = r"rate\((?:1 (?:minute|hour|day)|(?:1\d+|[2-9]\d*) (?:minutes|hours|days))\)\Z"
_CRON = r"cron\(\S+(?: +\S+){5}\)\Z"
_AT = r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)\Z"
_SCHEDULE = "rate(5 minutes), rate(1 hour), or cron(minutes hours day month weekday year)"


def events_of(keys: list[EventKeys], node: Node, path: str, report: Report) -> tuple[Event, ...]:
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
        event = _event(entry, child, f"{path}[{index}]", report)
        if event is not None:
            events.append(event)
    return tuple(events)


def _event(entry: EventKeys, node: Node, path: str, report: Report) -> Event | None:
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
    if isinstance(value, (HttpApiKeys, str)) and kind == "httpApi":
        return _http_api(value, config, path, report)
    if isinstance(value, (HttpKeys, str)) and kind == "http":
        return _http(value, config, path, report)
    if isinstance(value, (ScheduleKeys, str)) and kind == "schedule":
        return _schedule(value, config, path, report)
    report.warn(f"{path}: {kind} is not served locally yet", config.place)
    return OtherEvent(kind, plain(config), config.place)


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


def _http_api(value: HttpApiKeys | str, node: Node, path: str, report: Report) -> HttpApiEvent | None:
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
    authorizer = plain(node).get("authorizer") if isinstance(node.value, dict) else None
    return HttpApiEvent(method, parts[1], node.place, authorizer)


def _http(value: HttpKeys | str, node: Node, path: str, report: Report) -> HttpEvent | None:
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
    options = {key: child for key, child in _mapping(node).items() if key not in ("path", "method")}
    shown = "ANY" if method == "*" else method
    report.warn(f"{path}: http {shown} {route} (REST API) is not served locally yet", node.place)
    return HttpEvent(method, route, node.place, options=options)


def _schedule(value: ScheduleKeys | str, node: Node, path: str, report: Report) -> ScheduleEvent | None:
    rates: list[Any] = [value] if isinstance(value, str) else list(value.rate or [])
    if not isinstance(value, str) and not rates:
        if "rate" not in (node.value or {}):
            report.problems.add(node.place, f"{path}.schedule has no rate", expected=_SCHEDULE)
        return None
    texts = []
    for rate in rates:
        if isinstance(rate, dict) or _is_rate(rate):
            texts.append(rate if isinstance(rate, str) else str(rate))
            continue
        report.problems.add(_place(node, "rate"), f"{path}.schedule: '{rate}' is no schedule", expected=_SCHEDULE)
    report.warn(f"{path}: schedule {', '.join(texts)} is not served locally yet", node.place)
    if isinstance(value, str):
        return ScheduleEvent(tuple(texts), node.place)
    options = {key: child for key, child in _mapping(node).items() if key not in ("rate", "enabled", "input")}
    enabled = value.enabled is not False
    return ScheduleEvent(tuple(texts), node.place, enabled, value.input, options)


def _is_rate(text: str) -> bool:
    return "${" in text or any(re.match(pattern, text) for pattern in (_RATE, _CRON, _AT))


def _mapping(node: Node) -> dict[str, Any]:
    value = plain(node)
    return value if isinstance(value, dict) else {}


def check_routes(routes: list[tuple[str, HttpApiEvent | HttpEvent]], report: Report) -> None:
    """Note routes that two events claim.

    Args:
        routes: (function name, event), in file order.
    """
    seen: dict[tuple[type[Any], str], tuple[str, Place]] = {}
    for function, event in routes:
        key = event.route_key if isinstance(event, HttpApiEvent) else f"{event.method} {event.path}"
        first = seen.setdefault((type(event), key), (function, event.where))
        if first[1] is not event.where:
            report.problems.add(
                event.where,
                f"functions.{function} has the route {key} again",
                expected=f"each route once; first in functions.{first[0]} at {first[1]}",
            )
