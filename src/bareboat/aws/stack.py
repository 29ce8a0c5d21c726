"""A CloudFormation stack as it is: found, listed, watched until it rests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bareboat.aws.client import Aws, AwsError
from bareboat.errors import RemoteError

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
GROWTH = 1.1  # what has ended is seen a tenth of its time later at most
Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as DescribeStacks tells of it.

    Args:
        id: its ARN, which tells it from an earlier one of the same name.
        reason: why it is in this status, as far as AWS says.
        protected: whether it cannot be deleted (`deletionProtection`).
        role: the role that CloudFormation acts as; "" for the caller's own rights.
    """

    name: str
    id: str
    status: str
    created: datetime
    updated: datetime | None = None
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    protected: bool = False
    role: str = ""
    notified: tuple[str, ...] = ()

    @property
    def is_busy(self) -> bool:
        """Whether CloudFormation is at work on it; REVIEW_IN_PROGRESS only waits for a change set."""
        return is_busy(self.status)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever made: a change set was, and not carried out."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def account(self) -> str:
        """The account that it is in."""
        return self.id.split(":")[4]


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a stack."""

    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One line of a stack's history.

    Args:
        properties: what CloudFormation asked the service for; {} where it does not say.
    """

    id: str
    at: datetime
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str = ""
    of_stack: bool = False
    properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_failure(self) -> bool:
        """Whether something went wrong, and it is not merely what another failure cancelled."""
        return self.status.endswith("_FAILED") and not is_cancelled(self.reason)


def is_busy(status: str) -> bool:
    """Return whether a stack of that status is being worked on."""
    return status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"


def is_cancelled(reason: str) -> bool:
    """Return whether a reason says that a resource was only stopped because another one failed."""
    text = reason.lower()
    return "cancelled" in text or "canceled" in text


def is_missing(error: AwsError) -> bool:
    """Return whether AWS says that there is no such stack."""
    return error.code == "ValidationError" and "does not exist" in str(error)


def find_stack(aws: Aws, name: str, *, region: str = "") -> Stack | None:
    """Return a stack by its name or ARN; None when there is none, or it has been deleted.

    Raises:
        AwsError: AWS refuses.
    """
    try:
        said = aws.call("cloudformation", "describe_stacks", region=region, StackName=name)
    except AwsError as error:
        if is_missing(error):
            return None
        raise
    found = next((_stack(one) for one in said.get("Stacks") or ()), None)
    return None if found is None or found.status == "DELETE_COMPLETE" else found


def _stack(said: Mapping[str, Any]) -> Stack:
    return Stack(
        name=said["StackName"],
        id=said["StackId"],
        status=said["StackStatus"],
        created=said["CreationTime"],
        updated=said.get("LastUpdatedTime"),
        reason=said.get("StackStatusReason") or "",
        outputs={one["OutputKey"]: one.get("OutputValue") or "" for one in said.get("Outputs") or ()},
        parameters={one["ParameterKey"]: one.get("ParameterValue") or "" for one in said.get("Parameters") or ()},
        tags={one["Key"]: one["Value"] for one in said.get("Tags") or ()},
        protected=bool(said.get("EnableTerminationProtection")),
        role=said.get("RoleARN") or "",
        notified=tuple(said.get("NotificationARNs") or ()),
    )


def stack_template(aws: Aws, name: str) -> dict[str, Any] | None:
    """Return the template that a stack was made of, as it was sent; None when there is no stack or no template.

    Templates that somebody wrote as YAML are read as CloudFormation reads them.

    Raises:
        AwsError: AWS refuses.
    """
    try:
        said = aws.call("cloudformation", "get_template", StackName=name, TemplateStage="Original")
    except AwsError as error:
        if is_missing(error) or (error.code == "ValidationError" and "REVIEW_IN_PROGRESS" in str(error)):
            return None
        raise
    body = said.get("TemplateBody")
    # botocore hands JSON over as mappings that keep an order, which compare as other types than ours
    body = _parsed(body) if isinstance(body, str) else json.loads(json.dumps(body, default=str))
    return body if isinstance(body, dict) else None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        from bareboat.service.compose import compose
        from bareboat.service.nodes import plain

        return plain(compose(text.encode(), "template"))


def resources(aws: Aws, name: str) -> tuple[Resource, ...]:
    """Return what a stack consists of, that which has been deleted left out; () when there is no stack.

    Raises:
        AwsError: AWS refuses.
    """
    return tuple(one for one in all_resources(aws, name) if one.status != "DELETE_COMPLETE")


def all_resources(aws: Aws, name: str) -> tuple[Resource, ...]:
    """Return what a stack consists of and consisted of; () when there is no stack, or AWS has forgotten it.

    Args:
        name: or the id, which a stack that is gone still has.
    Raises:
        AwsError: AWS refuses.
    """
    try:
        listed = list(aws.pages("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=name))
    except AwsError as error:
        if is_missing(error):
            return ()
        raise
    return tuple(
        Resource(
            logical_id=one["LogicalResourceId"],
            physical_id=one.get("PhysicalResourceId") or "",
            type=one["ResourceType"],
            status=one["ResourceStatus"],
            reason=one.get("ResourceStatusReason") or "",
        )
        for one in listed
    )


def events(aws: Aws, name: str, since: datetime | None = None, *, after: str = "") -> list[StackEvent]:
    """Return what happened to a stack, the oldest first; no more pages are read than are needed.

    Args:
        name: its ARN, where it may have been deleted in the meantime.
        since: AWS's own time, such as that of a change set; events from then on.
        after: the id of an event; those after it.
    Raises:
        AwsError: AWS refuses.
    """
    found: list[StackEvent] = []
    for said in _events(aws, name):
        event = _event(said)
        if event.id == after or (since is not None and event.at < since):
            break
        found.append(event)
    return found[::-1]


def _events(aws: Aws, name: str) -> Iterator[Mapping[str, Any]]:
    yield from aws.pages("cloudformation", "describe_stack_events", "StackEvents", StackName=name)


def _event(said: Mapping[str, Any]) -> StackEvent:
    try:
        asked = json.loads(said.get("ResourceProperties") or "{}")
    except ValueError:
        asked = {}
    return StackEvent(
        id=said["EventId"],
        at=said["Timestamp"],
        logical_id=said.get("LogicalResourceId") or "",
        physical_id=said.get("PhysicalResourceId") or "",
        type=said.get("ResourceType") or "",
        status=said.get("ResourceStatus") or "",
        reason=" ".join((said.get("ResourceStatusReason") or "").split()),
        of_stack=said.get("PhysicalResourceId") == said.get("StackId"),
        properties=asked if isinstance(asked, dict) else {},
    )


def pauses(first_s: float = FIRST_PAUSE_S, longest_s: float = LONGEST_PAUSE_S) -> Iterator[float]:
    """Yield the seconds to wait between two looks: short at first, then longer."""
    pause_s = first_s
    while True:
        yield pause_s
        pause_s = min(longest_s, pause_s * GROWTH)


@dataclass(frozen=True, slots=True)
class Settled:
    """How an act on a stack ended.

    Args:
        stack: None when it is gone.
        events: all of the act, the oldest first.
    """

    stack: Stack | None
    events: tuple[StackEvent, ...] = ()

    @property
    def status(self) -> str:
        """The stack's status; DELETE_COMPLETE when it is gone."""
        return "DELETE_COMPLETE" if self.stack is None else self.stack.status

    @property
    def cause(self) -> StackEvent | None:
        """The first thing that went wrong, which the others follow from; that of a resource before the stack's own."""
        failures = [event for event in self.events if event.is_failure]
        return next((event for event in failures if not event.of_stack), next(iter(failures), None))


def settle(  # noqa: PLR0913 - where the act began, and what tests set
    aws: Aws,
    name: str,
    *,
    since: datetime | None = None,
    after: str = "",
    on_event: Callable[[StackEvent], None] = lambda _: None,
    sleep: Sleep = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    limit_s: float = 3600.0,
    started: bool = True,
) -> Settled:
    """Wait until CloudFormation rests, telling each event once.

    Args:
        name: the ARN of the stack; a name does too, where it is not deleted.
        since, after: where the act began (`events`); without either, events from now on are told.
        started: whether the act is known to have begun; else a stack that rests ends the wait at once.
        limit_s: how long to wait at most.
    Raises:
        AwsError: AWS refuses.
        RemoteError: it took longer than `limit_s`.
    """
    told: list[StackEvent] = []
    seen: set[str] = set()
    if since is None and not after and not started:
        after = next((_event(said).id for said in _events_or_none(aws, name)), "")
    ended_at = clock() + limit_s
    for looks, pause_s in enumerate(pauses()):
        try:
            new = events(aws, name, since, after=after)
        except AwsError as error:
            if not is_missing(error):
                raise
            return Settled(None, tuple(told))
        for event in new:
            if event.id not in seen:
                seen.add(event.id)
                told.append(event)
                on_event(event)
        if told:
            after, since = told[-1].id, None
        rests = next((not is_busy(event.status) for event in reversed(told) if event.of_stack), False)
        # events lag behind the stack at times, and a stack behind the call that set it to work
        if rests or not started or (looks % 4 == 3 and (told or looks > 18)):
            stack = find_stack(aws, name)
            if stack is None or not (stack.is_busy or (started and stack.is_empty and looks < 38)):
                if stack is not None and started and not rests:  # its last events came after they were read
                    late = [event for event in events(aws, name, since, after=after) if event.id not in seen]
                    told += late
                    for event in late:
                        on_event(event)
                return Settled(stack, tuple(told))
        if clock() > ended_at:
            raise RemoteError(
                f"the stack {_name(name)} has been at work for {limit_s / 60:.0f} minutes",
                expected="an end sooner",
                fix="look at it in the console, or run the command again: it goes on waiting",
            )
        sleep(pause_s)
    raise AssertionError("pauses never end")


def _events_or_none(aws: Aws, name: str) -> Iterator[Mapping[str, Any]]:
    try:
        yield from _events(aws, name)
    except AwsError as error:
        if not is_missing(error):
            raise


def _name(text: str) -> str:
    return text.split("/")[1] if text.startswith("arn:") else text
