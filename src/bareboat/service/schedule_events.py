"""`schedule` events -> ScheduleEvent."""

from __future__ import annotations

import re
from typing import Any

from bareboat.errors import ConfigurationError
from bareboat.service.keys.events import ScheduleKeys
from bareboat.service.nodes import Node, plain
from bareboat.service.report import Report
from bareboat.service.triggers import ScheduleEvent

# Patterns that few files need stay text: compiling one costs a start-up 0.3 ms.
_RATE = r"rate\((?:1 (?:minute|hour|day)|(?:1\d+|[2-9]\d*) (?:minutes|hours|days))\)\Z"
_CRON = r"cron\(\S+(?: +\S+){5}\)\Z"
_AT = r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)\Z"
_EXPECTED = "rate(5 minutes), rate(1 hour), or cron(minutes hours day month weekday year)"
_READ = ("rate", "enabled", "input")


def schedule_event(value: ScheduleKeys | str, node: Node, path: str, report: Report) -> ScheduleEvent | None:
    """Return the times at which a function is invoked.

    Args:
        path: `functions.NAME.events[0]`.
    """
    rates: list[Any] = [value] if isinstance(value, str) else list(value.rate or [])
    if not isinstance(value, str) and not rates:
        if "rate" not in (node.value or {}):
            report.problems.add(node.place, f"{path}.schedule has no rate", expected=_EXPECTED)
        return None
    child = node.get("rate") if node.is_mapping else node
    texts = []
    for rate in rates:
        if isinstance(rate, dict):
            report.warn(f"{path}.schedule: {rate} is known only after a deployment; it does not fire here", node.place)
        elif is_schedule(rate):
            if _check(str(rate), value, child or node, f"{path}.schedule", report):
                texts.append(str(rate))
        else:
            report.problems.add((child or node).place, f"{path}.schedule: '{rate}' is no schedule", expected=_EXPECTED)
    if isinstance(value, str):
        return ScheduleEvent(tuple(texts), node.place, written=tuple(rates))
    _check_method(value, node, f"{path}.schedule", report)
    said = plain(node)
    options = {key: each for key, each in said.items() if key not in _READ} if isinstance(said, dict) else {}
    return ScheduleEvent(
        tuple(texts), node.place, value.enabled is not False, value.input, options, written=tuple(rates)
    )


def is_schedule(text: str) -> bool:
    """Tell whether a text is a schedule by its form."""
    return "${" in text or any(re.match(pattern, text) for pattern in (_RATE, _CRON, _AT))


def _check(rate: str, value: ScheduleKeys | str, node: Node, path: str, report: Report) -> bool:
    """Note what is wrong with an expression beyond its form: fields of cron(), a day that is none."""
    if "${" in rate:
        report.warn(f"{path}: {rate} is known only after a deployment; it does not fire here", node.place)
        return False
    from bareboat.service.schedules import parse

    scheduler = not isinstance(value, str) and value.method == "scheduler"
    if rate.startswith("at(") and not scheduler:
        report.problems.add(
            node.place, f"{path}: {rate} fires once", expected="method: scheduler, which can do that", fix=""
        )
        return False
    try:
        parse(rate)
    except ConfigurationError as error:
        problem = error.problems[0]
        report.problems.add(node.place, f"{path}: {problem.found}", expected=problem.expected)
        return False
    return True


def _check_method(value: ScheduleKeys, node: Node, path: str, report: Report) -> None:
    """Note keys that the rule of an event bus, or a schedule of EventBridge Scheduler, does not have."""
    scheduler = value.method == "scheduler"
    refused = ("inputPath", "inputTransformer") if scheduler else ("timezone",)
    for key in refused:
        if node.get(key) is not None:
            report.problems.add(
                node.key_place(key),
                f"{path} has {key}",
                expected="method: eventBus with it" if scheduler else "method: scheduler beside it",
            )
    inputs = [key for key in ("input", "inputPath", "inputTransformer") if node.get(key) is not None]
    if len(inputs) > 1:
        report.problems.add(node.key_place(inputs[1]), f"{path} has {' and '.join(inputs)}", expected="one of them")
    if value.name and len(value.rate or ()) > 1:
        report.problems.add(
            node.key_place("name"), f"{path} has a name and {len(value.rate or ())} rates", expected="one rate a name"
        )
    zone = node.get("timezone")
    if scheduler and value.timezone and zone is not None and not zone.state:
        from bareboat.service.schedules import zone_of

        try:
            zone_of(value.timezone)
        except ConfigurationError as error:
            problem = error.problems[0]
            report.problems.add(zone.place, f"{path}: {problem.found}", expected=problem.expected)
