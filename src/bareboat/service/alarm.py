"""When somebody is told that something is wrong with a service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Alarms:
    """`custom.bareboat.alarms`.

    Args:
        emails: who is told; AWS asks each to confirm.
        topic: the ARN of an SNS topic, or what CloudFormation makes of one; None where the stack makes one.
        errors, throttles: how many calls of one function must fail, or be refused, within five minutes; None for no
            alarm.
        spend_usd: US dollars a month; None for no budget.
    """

    emails: tuple[str, ...] = ()
    topic: Any = None
    errors: int | None = 1
    throttles: int | None = 1
    spend_usd: float | None = None
