"""`custom.bareboat.alarms` -> Alarms."""

from __future__ import annotations

from bareboat.service.alarm import Alarms
from bareboat.service.check import BAD, Checker
from bareboat.service.keys.alarms import AlarmsKeys
from bareboat.service.nodes import Node, plain
from bareboat.service.report import Report

KEY = "custom.bareboat.alarms"


def alarms_of(custom: Node | None, checker: Checker, report: Report) -> Alarms | None:
    """Return the alarms; None where there are to be none, or nothing is said of them.

    Args:
        custom: `custom.bareboat`.
    """
    node = custom.get("alarms") if custom is not None and custom.is_mapping else None
    if node is None:
        return None
    said = checker.convert(node, bool | AlarmsKeys | None, KEY)
    if said is BAD:
        return None
    report.value(KEY, plain(node), node)
    if not said:
        return None
    if said is True:
        return Alarms()
    found = Alarms(
        emails=tuple(said.email or ()),
        topic=said.topic,
        errors=_number(said.errors, 1),
        throttles=_number(said.throttles, 1),
        spend_usd=said.spend if said.spend is not True and said.spend else None,
    )
    if said.spend is True:
        report.problems.add(
            node.key_place("spend"), f"{KEY}.spend is true", expected="US dollars a month", fix="spend: 10"
        )
    if found.spend_usd is not None and not found.emails and found.topic is None:
        report.info(
            f"{KEY} has neither email nor topic: subscribe to the topic that is made, or nobody is told", node.place
        )
    return found


def _number(said: bool | int | None, default: int) -> int | None:
    if said is None or said is True:
        return default
    return said or None
