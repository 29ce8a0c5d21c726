"""`schedule` events -> ScheduleEvent."""

from __future__ import annotations

import re
from typing import Any

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
            texts.append(str(rate))
        else:
            report.problems.add((child or node).place, f"{path}.schedule: '{rate}' is no schedule", expected=_EXPECTED)
    if isinstance(value, str):
        return ScheduleEvent(tuple(texts), node.place)
    said = plain(node)
    options = {key: each for key, each in said.items() if key not in _READ} if isinstance(said, dict) else {}
    return ScheduleEvent(tuple(texts), node.place, value.enabled is not False, value.input, options)


def is_schedule(text: str) -> bool:
    """Tell whether a text is a schedule by its form."""
    return "${" in text or any(re.match(pattern, text) for pattern in (_RATE, _CRON, _AT))
