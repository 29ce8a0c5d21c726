"""Stacks, their resources, events and change sets: what CloudFormation remembers."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from aws_cloud.formation.template import Template
from aws_cloud.moto import ACCOUNT


@dataclass(slots=True)
class Resource:
    """A resource that is, or was.

    Args:
        properties: resolved, as its kind made it.
        attributes: what GetAtt gives.
        retained: whether `DeletionPolicy` keeps it.
    """

    logical_id: str
    kind: str
    physical_id: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    definition: dict[str, Any] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    status: str = ""
    reason: str = ""
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def deletion_policy(self) -> str:
        return str(self.definition.get("DeletionPolicy", "Delete"))

    @property
    def replace_policy(self) -> str:
        return str(self.definition.get("UpdateReplacePolicy", "Delete"))


@dataclass(slots=True)
class ChangeSet:
    """A change set."""

    id: str
    name: str
    kind: str  # CREATE | UPDATE
    template: Template
    parameters: dict[str, str]
    tags: list[dict[str, str]]
    capabilities: list[str]
    settings: dict[str, Any]
    changes: list[dict[str, Any]] = field(default_factory=list)
    status: str = "CREATE_PENDING"
    reason: str = ""
    execution: str = "UNAVAILABLE"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    deleted: bool = False


@dataclass(slots=True)
class Stack:
    """A stack, living or deleted.

    Args:
        settings: what is given back as it came: RoleARN, NotificationARNs, RollbackConfiguration, Description.
        before: the state to which a failed update goes back.
    """

    id: str
    name: str
    region: str
    status: str = ""
    reason: str = ""
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated: datetime | None = None
    deleted: datetime | None = None
    template: Template | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    tags: list[dict[str, str]] = field(default_factory=list)
    capabilities: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    resources: dict[str, Resource] = field(default_factory=dict)
    gone: list[Resource] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    change_sets: list[ChangeSet] = field(default_factory=list)
    protected: bool = False
    policy: str = ""
    rollback: bool = True
    before: Any = None
    imports: set[str] = field(default_factory=set)
    cancelled: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def in_progress(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    def move(self, status: str, reason: str = "") -> None:
        """Go to a status, with its event."""
        with self.lock:
            self.status = status
            self.reason = reason
            self._add(self.name, self.id, "AWS::CloudFormation::Stack", status, reason, None)

    def tell(self, resource: Resource, status: str, reason: str = "", properties: str | None = None) -> None:
        """Set the status of a resource, with its event."""
        with self.lock:
            resource.status = status
            resource.reason = reason
            resource.timestamp = self._now()
            self._add(resource.logical_id, resource.physical_id, resource.kind, status, reason, properties)

    def _now(self) -> datetime:
        """Return a time later than that of the last event."""
        now = datetime.now(UTC)
        last = self.events[-1]["Timestamp"] if self.events else None
        return now if last is None or now - last >= timedelta(milliseconds=1) else last + timedelta(milliseconds=1)

    def _add(
        self, logical_id: str, physical_id: str, kind: str, status: str, reason: str, properties: str | None
    ) -> None:
        event = {
            "StackId": self.id,
            "EventId": f"{logical_id}-{status}-{uuid4()}" if logical_id != self.name else str(uuid4()),
            "StackName": self.name,
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": kind,
            "Timestamp": self._now(),
            "ResourceStatus": status,
            "ResourceStatusReason": reason or None,
            "ResourceProperties": properties,
        }
        self.events.append(event)


def stack_id(name: str, region: str) -> str:
    """Return the ARN of a new stack."""
    return f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{name}/{uuid4()}"


def change_set_id(name: str, region: str) -> str:
    """Return the ARN of a new change set."""
    return f"arn:aws:cloudformation:{region}:{ACCOUNT}:changeSet/{name}/{uuid4()}"
