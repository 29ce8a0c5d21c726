"""A log group -> what Lambda reported of each invocation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.aws.client import AwsError
from bareboat.aws.reports import Report, parse_report

if TYPE_CHECKING:
    from bareboat.aws.client import Aws
    from bareboat.aws.deployed import LiveFunction

MOST_REPORTS = 20_000
"""REPORT lines that are read of a function: some ten seconds of asking. Where there are more, none are."""
REPORTS = '?"REPORT RequestId" ?"platform.report"'
"""The filter pattern of the lines that report an invocation, in both log formats."""


@dataclass(frozen=True, slots=True)
class Reported:
    """One invocation: when it ended, seconds since 1970, and its report."""

    ended: float
    report: Report

    @property
    def began(self) -> float:
        """When it began, its cold start included."""
        return self.ended - (self.report.duration_ms + (self.report.init_ms or 0.0)) / 1000

    @property
    def gb_s(self) -> float:
        """What is billed: GB of 1024 MB times seconds."""
        return self.report.billed_ms / 1000 * self.report.memory_mb / 1024


def read_reports(aws: Aws, function: LiveFunction, since: float, until: float) -> list[Reported]:
    """Return what Lambda reported of each invocation; nothing where there is no log group.

    Raises:
        AwsError: AWS refuses.
    """
    try:
        events = list(
            aws.pages(
                "logs",
                "filter_log_events",
                "events",
                logGroupName=function.log_group,
                startTime=int(since * 1000),
                endTime=int(until * 1000),
                filterPattern=REPORTS,
                interleaved=True,
            )
        )
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        return []
    found = ((each["timestamp"] / 1000, parse_report(str(each.get("message", "")))) for each in events)
    return [Reported(at, report) for at, report in found if report is not None]
