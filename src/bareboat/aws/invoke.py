"""A deployed function and an event -> its answer, and the end of its log."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bareboat.aws.client import Aws, AwsError
from bareboat.aws.reports import Assigner, Report, parse_report
from bareboat.errors import RemoteError

if TYPE_CHECKING:
    from bareboat.service.model import Function

InvocationType = Literal["RequestResponse", "Event"]
LATE_S = 15.0
"""How long CloudWatch is asked again for a log that is not all there yet."""


@dataclass(frozen=True, slots=True)
class LiveInvocation:
    """What came of one invocation.

    Args:
        function: its name on AWS.
        status: 200; 202 for an event that was taken and not waited for.
        payload: the answer, or the error document; b"" for an event.
        error: "" when the handler returned, else "Unhandled" or "Handled".
        version: that ran: a number or $LATEST; "" for an event.
        log: the end of what the function wrote.
        is_log_cut: whether there is more than that.
        report: None where the log does not show it.
    """

    function: str
    status: int
    payload: bytes
    error: str
    request_id: str
    version: str
    log: str
    is_log_cut: bool
    report: Report | None


def invoke(
    aws: Aws,
    function: Function,
    event: bytes,
    *,
    qualifier: str = "",
    kind: InvocationType = "RequestResponse",
    client_context: str = "",
) -> LiveInvocation:
    """Invoke a deployed function, once: a call without an answer is not made again.

    Args:
        event: JSON.
        qualifier: a version or an alias; "" is the newest code ($LATEST).
        client_context: JSON, as the handler finds it in its context.
    Raises:
        RemoteError: there is no such function, version or alias.
        AwsError: AWS refuses.
    """
    once = Aws(aws.region, profile=aws.profile, attempts=1, read_s=function.timeout_s + 30)
    arguments: dict[str, Any] = {"FunctionName": function.full_name, "InvocationType": kind, "Payload": event}
    if kind == "RequestResponse":
        arguments["LogType"] = "Tail"
    if qualifier:
        arguments["Qualifier"] = qualifier
    if client_context:
        arguments["ClientContext"] = base64.b64encode(client_context.encode()).decode()
    try:
        said, payload = once.whole("lambda", "invoke", "Payload", **arguments)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        what = f"{function.full_name}:{qualifier}" if qualifier else function.full_name
        raise RemoteError(
            f"{aws.region} has no function {what}",
            expected="a deployed function" + (", and a version or alias of it" if qualifier else ""),
            fix="bareboat info shows what is deployed, bareboat deploy deploys it",
        ) from error
    log = base64.b64decode(said.get("LogResult") or "").decode("utf-8", "replace")
    reports = filter(None, map(parse_report, log.splitlines()))
    return LiveInvocation(
        function=function.full_name,
        status=int(said.get("StatusCode", 0)),
        payload=payload,
        error=str(said.get("FunctionError") or ""),
        request_id=str(said.get("ResponseMetadata", {}).get("RequestId", "")),
        version=str(said.get("ExecutedVersion") or ""),
        log=log,
        is_log_cut=bool(log) and "START RequestId: " not in log and '"platform.start"' not in log,
        report=next(reports, None),
    )


def whole_log(
    aws: Aws,
    log_group: str,
    invocation: LiveInvocation,
    since: float,
    *,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Return all that an invocation wrote, from CloudWatch, which has it some seconds later; "" where it has not.

    Args:
        since: when it began, seconds since 1970.
    Raises:
        AwsError: AWS refuses.
    """
    ended = clock() + LATE_S
    while True:
        try:
            raw = aws.pages(
                "logs",
                "filter_log_events",
                "events",
                logGroupName=log_group,
                startTime=int((since - 60) * 1000),  # another clock may be ahead
                interleaved=True,
            )
            events = Assigner().events(invocation.function, raw)
            lines = [line.text for line in events if line.request_id == invocation.request_id]
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            lines = []
        if any(parse_report(line) for line in lines):
            return "\n".join(lines)
        if clock() > ended:
            return ""
        sleep(1.0)
