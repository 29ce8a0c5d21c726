"""A template -> a change set of CloudFormation: what it would add, change, replace and remove, and carrying it out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from bareboat.aws.client import Aws, AwsError
from bareboat.aws.differences import Difference, differences
from bareboat.aws.following import apart, with_own_logs, with_versions, without_false_alarms
from bareboat.aws.losses import fixed_name, loss_of
from bareboat.aws.stack import Sleep, is_missing, pauses
from bareboat.errors import RemoteError

Kind = Literal["add", "modify", "maybe-replace", "replace", "remove"]
KINDS: tuple[Kind, ...] = ("add", "modify", "maybe-replace", "replace", "remove")
BODY_BYTES = 51_200  # CloudFormation quotas: a template in the request; in S3 it may have 1 MB
NAME_PREFIX = "bareboat-"
CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
_NOTHING = ("didn't contain changes", "no updates are to be performed")
_RETRY = ("OperationInProgressException", "TokenAlreadyExistsException")


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one resource.

    Args:
        properties: where it is told: what differs between the templates; and names alone of what changes because
            something else does.
        keeps: whether CloudFormation leaves the old one where it is (`Retain`), or makes a snapshot.
        loss: what is lost with the old one, such as "the objects in it"; "" where nothing is.
        goes_with: the function whose own log group it is, and that goes too.
        succeeds: of a new version of a function, the one that was there before; it is kept.
        succeeded_by: of that one, the new one.
        fixed_name: the property that names it and stays the same, so that it cannot be replaced; "" for none.
    """

    kind: Kind
    logical_id: str
    type: str
    physical_id: str = ""
    properties: tuple[Difference, ...] = ()
    keeps: bool = False
    loss: str = ""
    goes_with: str = ""
    succeeds: str = ""
    succeeded_by: str = ""
    fixed_name: str = ""

    @property
    def is_loss(self) -> bool:
        """Whether data, or an address that clients know, is lost."""
        return bool(self.loss) and not self.keeps and self.kind in ("maybe-replace", "replace", "remove")

    @property
    def is_asked(self) -> bool:
        """Whether the loss is asked for by name; a function's own logs go with it as everybody expects."""
        return self.is_loss and not self.goes_with


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set.

    Args:
        id: its ARN.
        kind: CREATE for a stack that is not there yet.
        status: CREATE_COMPLETE, FAILED, ...
        execution: AVAILABLE, UNAVAILABLE, OBSOLETE, EXECUTE_IN_PROGRESS, ...
        created: by AWS's clock.
        follows: the logical ids of what CloudFormation lists too, and that does not change.
    """

    id: str
    name: str
    stack_id: str
    stack_name: str
    kind: Literal["CREATE", "UPDATE"]
    status: str
    execution: str
    created: datetime
    reason: str = ""
    changes: tuple[Change, ...] = ()
    follows: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether CloudFormation found nothing to change."""
        reason = self.reason.lower()
        return self.status == "FAILED" and any(text in reason for text in _NOTHING)

    @property
    def losses(self) -> tuple[Change, ...]:
        """The changes that lose something that is asked for by name."""
        return tuple(change for change in self.changes if change.is_asked)


@dataclass(frozen=True, slots=True)
class Settings:
    """What of serverless.yml holds for the stack, not for its resources.

    Args:
        role: `provider.iam.deploymentRole` or `cfnRole`.
        parameters: `provider.stackParameters`; None leaves the present value.
        rollback: `provider.rollbackConfiguration`, as CloudFormation has it.
        keeps_failed: `provider.disableRollback`.
        protected: `provider.deletionProtection`; None leaves it as it is.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str | None] = field(default_factory=dict)
    role: str = ""
    notified: tuple[str, ...] = ()
    rollback: Mapping[str, Any] = field(default_factory=dict)
    keeps_failed: bool = False
    policy: Mapping[str, Any] | None = None
    protected: bool | None = None


def create_change_set(  # noqa: PLR0913 - each goes into the one call
    aws: Aws,
    stack_name: str,
    template: str,
    *,
    kind: Literal["CREATE", "UPDATE"],
    settings: Settings,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    sleep: Sleep = time.sleep,
    name: str = "",
) -> ChangeSet:
    """Make a change set and wait until CloudFormation has worked it out. A FAILED one comes back too (`is_empty`).

    Args:
        template: its text, or the https address of where it lies in S3.
        before, after: the stack's template and the new one, to tell what changes from what to what.
        name: of the change set; "" for a new one.
    Raises:
        AwsError: AWS refuses, such as a template that is not valid.
        RemoteError: CloudFormation is not done with it after ten minutes.
    """
    from uuid import uuid4

    name = name or f"{NAME_PREFIX}{uuid4().hex[:16]}"
    arguments: dict[str, Any] = {
        "StackName": stack_name,
        "ChangeSetName": name,
        "ChangeSetType": kind,
        "Capabilities": list(CAPABILITIES),
        "TemplateURL" if template.startswith(("https://", "http://")) else "TemplateBody": template,
        "Parameters": [
            {"ParameterKey": key, "UsePreviousValue": True}
            if value is None
            else {"ParameterKey": key, "ParameterValue": value}
            for key, value in settings.parameters.items()
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(settings.tags.items())],
    }
    if settings.role:
        arguments["RoleARN"] = settings.role
    if settings.notified:
        arguments["NotificationARNs"] = list(settings.notified)
    if settings.rollback:
        arguments["RollbackConfiguration"] = dict(settings.rollback)
    try:
        made = aws.call("cloudformation", "create_change_set", **arguments)
        address = made["Id"]
    except AwsError as error:
        if error.code != "AlreadyExistsException":
            raise
        address = name  # an answer that was lost on the way: the name is ours alone
    return _worked_out(aws, address, stack_name, kind, before, after, sleep)


def _worked_out(
    aws: Aws,
    address: str,
    stack_name: str,
    kind: Literal["CREATE", "UPDATE"],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    sleep: Sleep,
) -> ChangeSet:
    waited_s = 0.0
    for pause_s in pauses():
        found = describe_change_set(aws, address, stack_name, kind=kind, before=before, after=after)
        if found.status not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            return found
        if waited_s > 600:
            raise RemoteError(
                f"CloudFormation has been working out the changes of {stack_name} for ten minutes",
                fix="try again, or look at the change set in the console",
            )
        sleep(pause_s)
        waited_s += pause_s
    raise AssertionError("pauses never end")


def describe_change_set(
    aws: Aws,
    address: str,
    stack_name: str,
    *,
    kind: Literal["CREATE", "UPDATE"] = "UPDATE",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> ChangeSet:
    """Return a change set as it is now, all pages of it.

    Args:
        address: its ARN or name.
    Raises:
        AwsError: AWS refuses, or there is no such change set (ChangeSetNotFound).
    """
    arguments = {"ChangeSetName": address, "StackName": stack_name}
    said = aws.call("cloudformation", "describe_change_set", **arguments)
    listed = list(said.get("Changes") or ())
    token = said.get("NextToken")
    while token:
        page = aws.call("cloudformation", "describe_change_set", **arguments, NextToken=token)
        listed += page.get("Changes") or ()
        token = page.get("NextToken")
    told = without_false_alarms(
        _change(one["ResourceChange"], before, after) for one in listed if one.get("Type", "Resource") == "Resource"
    )
    real, follows = apart(told)
    return ChangeSet(
        id=said["ChangeSetId"],
        name=said["ChangeSetName"],
        stack_id=said["StackId"],
        stack_name=said["StackName"],
        kind=kind,
        status=said["Status"],
        execution=said.get("ExecutionStatus") or "",
        created=said["CreationTime"],
        reason=said.get("StatusReason") or "",
        changes=_ordered(with_own_logs(with_versions(real, before or {}, after or {}), before or {})),
        follows=tuple(follows),
    )


def execute(aws: Aws, change_set: ChangeSet, *, keeps_failed: bool = False, sleep: Sleep = time.sleep) -> None:
    """Have CloudFormation carry a change set out; `stack.settle` then waits for it.

    Raises:
        AwsError: AWS refuses; with the code InvalidChangeSetStatus where somebody else changed the stack in between.
    """
    arguments: dict[str, Any] = {"ChangeSetName": change_set.id, "ClientRequestToken": change_set.name}
    if keeps_failed:
        arguments["DisableRollback"] = True
    else:  # what was made and is taken back goes, Retain or not: it would be in the way of the next one
        arguments["RetainExceptOnCreate"] = True
    try:
        aws.call("cloudformation", "execute_change_set", **arguments)
    except AwsError as error:
        if error.code not in ("InvalidChangeSetStatus", "ChangeSetNotFound", *_RETRY):
            raise
        if not _is_under_way(aws, change_set, sleep):
            raise


def _is_under_way(aws: Aws, change_set: ChangeSet, sleep: Sleep) -> bool:
    """Return whether a change set is carried out after all: an answer was lost on the way, and the call made twice."""
    for _, pause_s in zip(range(3), pauses(), strict=False):
        try:
            now = describe_change_set(aws, change_set.id, change_set.stack_name)
        except AwsError as error:
            if error.code == "ChangeSetNotFound" or is_missing(error):
                return False
            raise
        if now.execution in ("EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED"):
            return True
        sleep(pause_s)
    return False


def delete_change_set(aws: Aws, change_set: ChangeSet) -> None:
    """Take a change set away that is not carried out; one that is gone already is fine.

    Raises:
        AwsError: AWS refuses.
    """
    try:
        aws.call("cloudformation", "delete_change_set", ChangeSetName=change_set.id)
    except AwsError as error:
        if error.code not in ("ChangeSetNotFound", "InvalidChangeSetStatus") and not is_missing(error):
            raise


def additions(template: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what a template makes where there is no stack yet."""
    return _ordered(
        Change("add", logical_id, resource["Type"]) for logical_id, resource in template.get("Resources", {}).items()
    )


def _ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: (KINDS.index(change.kind), change.logical_id)))


def _change(said: Mapping[str, Any], before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Change:
    logical_id, type_ = said["LogicalResourceId"], said.get("ResourceType") or ""
    kind = _kind(said)
    policy = said.get("PolicyAction") or ""
    keeps = "Retain" in policy or "Snapshot" in policy if policy else _keeps(kind, logical_id, before)
    return Change(
        kind=kind,
        logical_id=logical_id,
        type=type_,
        physical_id=said.get("PhysicalResourceId") or "",
        properties=() if kind in ("add", "remove") else _properties(said, before, after),
        keeps=keeps,
        loss="" if kind in ("add", "modify") else loss_of(type_),
        fixed_name=fixed_name(type_, *(_properties_of(one, logical_id) for one in (before, after)))
        if kind in ("replace", "maybe-replace")
        else "",
    )


def _kind(said: Mapping[str, Any]) -> Kind:
    action = said.get("Action")
    if action in ("Add", "Import"):
        return "add"
    if action == "Remove":
        return "remove"
    return {"True": "replace", "Conditional": "maybe-replace"}.get(str(said.get("Replacement")), "modify")  # type: ignore[return-value]


def _keeps(kind: Kind, logical_id: str, before: Mapping[str, Any] | None) -> bool:
    """Return whether the template that the stack has keeps a resource, where the change set does not say."""
    resource = (before or {}).get("Resources", {}).get(logical_id, {})
    policy = resource.get("DeletionPolicy" if kind == "remove" else "UpdateReplacePolicy")
    return policy in ("Retain", "Snapshot", "RetainExceptOnCreate")


def _properties(
    said: Mapping[str, Any], before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[Difference, ...]:
    """Return what differs between the templates, then what changes because something else does."""
    logical_id = said["LogicalResourceId"]
    old, new = (_resource(template, logical_id) for template in (before, after))
    found = list(differences(old, new)) if old is not None and new is not None else []
    recreates, causes = _details(said.get("Details") or ())
    told = {difference.top for difference in found}
    found = [replace(one, recreates=recreates.get(one.top, "Never")) for one in found]
    for name in recreates:
        if name not in told and name:
            cause = causes.get(name, "") or ("the tags of the stack" if name == "Tags" else "")
            found.append(Difference(name, recreates=recreates[name], cause=cause))
    return tuple(found)


def _details(details: Sequence[Mapping[str, Any]]) -> tuple[dict[str, str], dict[str, str]]:
    """Return for each property whether it makes the resource anew (the worst of its details), and what caused it."""
    order = ("Never", "Conditionally", "Always")
    recreates: dict[str, str] = {}
    causes: dict[str, str] = {}
    for detail in details:
        target = detail.get("Target") or {}
        name = target.get("Name") or target.get("Attribute") or ""
        worst = max(recreates.get(name, "Never"), target.get("RequiresRecreation") or "Never", key=order.index)
        recreates[name] = worst
        if detail.get("CausingEntity"):
            causes.setdefault(name, detail["CausingEntity"])
    return recreates, causes


def _resource(template: Mapping[str, Any] | None, logical_id: str) -> Mapping[str, Any] | None:
    found = (template or {}).get("Resources", {}).get(logical_id)
    return found if isinstance(found, Mapping) else None


def _properties_of(template: Mapping[str, Any] | None, logical_id: str) -> Mapping[str, Any]:
    return (_resource(template, logical_id) or {}).get("Properties") or {}
