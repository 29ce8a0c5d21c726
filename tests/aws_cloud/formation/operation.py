"""Carrying a stack to a target: resources made, changed and deleted in order, and back on a failure."""

from __future__ import annotations

import copy
import json
import time
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from aws_cloud.formation.schemas import complaint, create_only
from aws_cloud.formation.stack import Resource, Stack
from aws_cloud.formation.target import Target, needs, resolver, wanted, with_tags
from aws_cloud.kinds.base import Failed, Made, Place
from aws_cloud.messages import Refused

CANCELLED = "Resource {} cancelled"
REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


@dataclass(slots=True)
class Snapshot:
    """A stack as it was before an update."""

    target: Target
    outputs: list[dict[str, Any]]
    resources: dict[str, Resource]
    imports: set[str]


@dataclass(slots=True)
class Work:
    """What an operation has done so far.

    Args:
        failed: logical ids with what failed of them: create, update.
        made: resources that were not there before.
        changed: logical id -> the resource as it was, changed in place.
        replaced: logical id -> the resource as it was, which is still there.
    """

    failed: list[tuple[str, str]] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    changed: dict[str, Resource] = field(default_factory=dict)
    replaced: dict[str, Resource] = field(default_factory=dict)


class Operation:
    """One operation on one stack, run on a thread of its own.

    Args:
        deletes_made: whether a rollback deletes what was made, Retain or not (`RetainExceptOnCreate`).
    """

    def __init__(self, world: Any, stack: Stack, *, deletes_made: bool = False) -> None:
        self.deletes_made = deletes_made
        self.world = world
        self.stack = stack

    # Create

    def create(self, target: Target, on_failure: str = "ROLLBACK") -> bool:
        """Make a stack; returns whether it stands."""
        stack = self.stack
        self._take(target)
        work = self._apply(target)
        if not work.failed and self._put_out(target, work):
            stack.move("CREATE_COMPLETE")
            return True
        reason = _first(work, "Rollback requested by user.")
        if on_failure == "DO_NOTHING":
            stack.move("CREATE_FAILED", _first(work, "").strip())
        elif on_failure == "DELETE":
            stack.move("DELETE_IN_PROGRESS", reason)
            self._delete_all("DELETE")
        else:
            stack.move("ROLLBACK_IN_PROGRESS", reason)
            self._delete_all("ROLLBACK")
        return False

    # Update

    def update(self, target: Target, *, on_failure: str = "ROLLBACK") -> bool:
        """Change a stack; returns whether it reached the target. A failure brings it back to where it was."""
        stack = self.stack
        before = self._snapshot()
        stack.before = before
        self._take(target)
        work = self._apply(target)
        if not work.failed and self._put_out(target, work):
            stack.before = None
            removed = [name for name in stack.resources if name not in self._names]
            stack.move("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            self._clean(removed, list(work.replaced.values()))
            stack.move("UPDATE_COMPLETE")
            return True
        if on_failure == "DO_NOTHING":
            stack.move("UPDATE_FAILED", _first(work, "").strip())
            return False
        stack.move("UPDATE_ROLLBACK_IN_PROGRESS", _first(work, "").strip())
        self._back(before, work, ())
        return False

    def continue_rollback(self, skip: tuple[str, ...]) -> None:
        """Go on with a rollback that failed."""
        before, work = self.stack.before
        self.stack.move("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
        self._back(before, work, skip)

    def _back(self, before: Snapshot, work: Work, skip: tuple[str, ...]) -> None:
        """Bring each resource back to what it was."""
        stack = self.stack
        failed = []
        for name, old in list(work.changed.items()):
            now = stack.resources[name]
            if name in skip:
                stack.tell(now, "UPDATE_COMPLETE", "Resource skipped by user")
            else:
                stack.tell(now, "UPDATE_IN_PROGRESS")
                try:
                    self._kind(old).update(
                        self._place(name), Made(now.physical_id, now.attributes), old.properties, now.properties
                    )
                except Exception as error:  # noqa: BLE001 - whatever AWS says
                    stack.tell(now, "UPDATE_FAILED", _reason(error))
                    failed.append(name)
                    continue
            restored = replace(old, status=now.status)
            stack.resources[name] = restored
            stack.tell(restored, "UPDATE_COMPLETE")
            del work.changed[name]
        if failed:
            stack.before = (before, work)
            stack.move("UPDATE_ROLLBACK_FAILED", f"The following resource(s) failed to update: [{', '.join(failed)}]. ")
            return
        newer = []
        for name, old in work.replaced.items():
            newer.append(stack.resources[name])
            stack.resources[name] = old
            stack.tell(old, "UPDATE_COMPLETE")
        stack.move("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._names = set(before.resources)
        self._clean([name for name in work.made if name in stack.resources], newer, taken_back=True)
        stack.before = None
        self._take(before.target)
        stack.outputs = before.outputs
        stack.imports = before.imports
        stack.move("UPDATE_ROLLBACK_COMPLETE")

    # Delete

    def delete(self, retain: tuple[str, ...] = ()) -> None:
        """Delete a stack and its resources."""
        self._delete_all("DELETE", retain)

    def _delete_all(self, verb: str, retain: tuple[str, ...] = ()) -> None:
        """Delete every resource, those first that nothing needs."""
        stack = self.stack
        left = dict(stack.resources)
        stuck: list[str] = []
        while left:
            ready = [
                name
                for name in left
                if name not in stuck and not any(name in one.needs for key, one in left.items() if key != name)
            ]
            if not ready:
                break
            for name in ready:
                resource = left[name]
                if name in retain or self._stays(resource.deletion_policy, taken_back=verb == "ROLLBACK"):
                    stack.tell(resource, "DELETE_SKIPPED")
                elif not resource.physical_id:
                    stack.tell(resource, "DELETE_COMPLETE")
                elif not self._delete(resource):
                    stuck.append(name)
                    continue
                del left[name]
                stack.gone.append(stack.resources.pop(name))
        if stuck:
            stack.move(f"{verb}_FAILED", f"The following resource(s) failed to delete: [{', '.join(sorted(stuck))}]. ")
            return
        stack.outputs = []
        stack.imports = set()
        if verb == "DELETE":
            stack.deleted = stack._now()
        stack.move(f"{verb}_COMPLETE")

    # Parts

    def _take(self, target: Target) -> None:
        stack = self.stack
        stack.template = target.template
        stack.parameters = dict(target.parameters)
        stack.tags = list(target.tags)
        stack.capabilities = list(target.capabilities)
        stack.settings = dict(target.settings)

    def _snapshot(self) -> Snapshot:
        stack = self.stack
        assert stack.template is not None
        target = Target(stack.template, stack.parameters, stack.tags, stack.capabilities, stack.settings)
        return Snapshot(target, stack.outputs, copy.deepcopy(stack.resources), set(stack.imports))

    def _apply(self, target: Target) -> Work:
        """Make and change what the target has, in order, until something fails."""
        work = Work()
        imports: set[str] = set()
        stack = self.stack
        resolve = resolver(
            target, stack, stack.resources, lambda name: self.world.imported(stack, name, imports), self.world.dynamic
        )
        definitions = wanted(target, resolve)
        self._names = set(definitions)
        order = needs(definitions)
        left = dict(definitions)
        while left and not work.failed:
            ready = [name for name in left if not order[name] & set(left)]
            started = []
            for name in ready:
                definition = left.pop(name)
                step = Step(self, name, definition, order[name], target)
                if step.prepare(work, resolve):
                    started.append(step)
            for step in started:
                time.sleep(self.world.pace_s)
                if work.failed or stack.cancelled:
                    step.cancel(work)
                else:
                    step.run(work)
        stack.imports = imports
        return work

    def _put_out(self, target: Target, work: Work) -> bool:
        """Work out the outputs; a failure fails the stack."""
        stack = self.stack
        imports = set(stack.imports)
        resolve = resolver(
            target, stack, stack.resources, lambda name: self.world.imported(stack, name, imports), self.world.dynamic
        )
        outputs = []
        try:
            for name, one in target.template.outputs.items():
                if "Condition" in one and not resolve.condition(one["Condition"]):
                    continue
                entry = {"OutputKey": name, "OutputValue": str(resolve.value(one["Value"]))}
                if "Description" in one:
                    entry["Description"] = one["Description"]
                if "Export" in one:
                    entry["ExportName"] = resolve.value(one["Export"]["Name"])
                outputs.append(entry)
            self.world.check_exports(stack, outputs)
        except Refused as error:
            work.failed.append((error.message, "output"))
            return False
        stack.outputs = outputs
        stack.imports = imports
        return True

    def _stays(self, policy: str, *, taken_back: bool) -> bool:
        """Whether a policy keeps a resource; with `taken_back` one that a failed operation made."""
        if policy == "RetainExceptOnCreate":
            return not taken_back
        return policy == "Retain" and not (taken_back and self.deletes_made)

    def _clean(self, removed: list[str], old: list[Resource], *, taken_back: bool = False) -> None:
        """Delete what is not wanted any more; what cannot be deleted is left behind, as AWS does."""
        stack = self.stack
        waiting = {name: stack.resources[name] for name in removed}
        while waiting:
            ready = [
                name for name in waiting if not any(name in one.needs for key, one in waiting.items() if key != name)
            ]
            for name in ready or list(waiting):
                resource = waiting.pop(name)
                del stack.resources[name]
                self._drop(resource, resource.deletion_policy, taken_back=taken_back)
                stack.gone.append(resource)
        for resource in old:
            self._drop(resource, resource.replace_policy, taken_back=taken_back)

    def _drop(self, resource: Resource, policy: str, *, taken_back: bool = False) -> None:
        if self._stays(policy, taken_back=taken_back):
            self.stack.tell(resource, "DELETE_SKIPPED")
        elif resource.physical_id:
            self._delete(resource)

    def _delete(self, resource: Resource) -> bool:
        stack = self.stack
        stack.tell(resource, "DELETE_IN_PROGRESS")
        time.sleep(self.world.pace_s)
        try:
            self._kind(resource).delete(
                self._place(resource.logical_id),
                Made(resource.physical_id, resource.attributes),
                resource.properties,
            )
        except Exception as error:  # noqa: BLE001 - whatever AWS says
            stack.tell(resource, "DELETE_FAILED", _reason(error))
            return False
        stack.tell(resource, "DELETE_COMPLETE")
        return True

    def _kind(self, resource: Resource) -> Any:
        return self.world.kind(resource.kind)

    def _place(self, logical_id: str) -> Place:
        stack = self.stack
        return Place(self.world.moto, stack.region, stack.name, stack.id, logical_id, self.world.kept)


class Step:
    """One resource of an operation."""

    def __init__(
        self, operation: Operation, name: str, definition: dict[str, Any], before: frozenset[str], target: Target
    ) -> None:
        self.operation = operation
        self.name = name
        self.definition = definition
        self.before = before
        self.target = target
        self.old: Resource | None = operation.stack.resources.get(name)
        self.resource = Resource(name, definition["Type"], definition=definition, needs=before)
        self.replaces = False

    @property
    def _verb(self) -> str:
        return "CREATE" if self.old is None else "UPDATE"

    def prepare(self, work: Work, resolve: Any) -> bool:
        """Resolve the properties; returns whether anything is to be done."""
        stack = self.operation.stack
        try:
            properties = resolve.value(self.definition.get("Properties") or {})
            properties = with_tags(self.resource.kind, properties, self.target.tags)
        except Refused as error:
            self._begin()
            self._fail(work, error.message)
            return False
        old = self.old
        if old is not None and old.kind == self.resource.kind and old.properties == properties:
            old.definition = self.definition
            old.needs = self.before
            return False
        self.resource.properties = properties
        changed = {
            one
            for one in {*properties, *(old.properties if old else {})}
            if old and old.properties.get(one) != properties.get(one)
        }
        self.replaces = old is not None and (
            old.kind != self.resource.kind
            or bool(changed & create_only(self.resource.kind))
            or self.operation.world.kind(self.resource.kind).replaces(old.properties, properties)
        )
        self._begin()
        if said := complaint(self.resource.kind, properties):
            self._fail(work, f"Properties validation failed for resource {self.name} with message:\n{said}")
            return False
        assert stack.resources.get(self.name) is not None
        return True

    def _begin(self) -> None:
        stack = self.operation.stack
        if self.old is None:
            stack.resources[self.name] = self.resource
            stack.tell(self.resource, "CREATE_IN_PROGRESS", properties=self._shown)
        else:
            stack.tell(self.old, "UPDATE_IN_PROGRESS", REPLACING if self.replaces else "", self._shown)

    @property
    def _shown(self) -> str:
        return json.dumps(self.resource.properties)

    def run(self, work: Work) -> None:
        """Make, change or replace the resource."""
        operation, stack, name = self.operation, self.operation.stack, self.name
        kind = operation.world.kind(self.resource.kind)
        place = operation._place(name)
        old = self.old
        try:
            if old is None or self.replaces:
                made = kind.create(place, self.resource.properties)
                self.resource.physical_id = made.physical_id
                self.resource.attributes = made.attributes
                if old is None:
                    work.made.append(name)
                else:
                    work.replaced[name] = old
                stack.resources[name] = self.resource
                stack.tell(self.resource, f"{self._verb}_IN_PROGRESS", "Resource creation Initiated", self._shown)
            else:
                work.changed[name] = copy.deepcopy(old)
                made = kind.update(
                    place, Made(old.physical_id, old.attributes), self.resource.properties, old.properties
                )
                self.resource.physical_id = made.physical_id
                self.resource.attributes = made.attributes
                stack.resources[name] = self.resource
        except Exception as error:  # noqa: BLE001 - whatever AWS says
            if old is None:
                work.made.append(name)
            elif self.replaces and getattr(error, "code", "") == "AlreadyExists":
                error = Failed(
                    "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
                    f"{old.physical_id} and update the stack again.",
                    "",
                )
            self._fail(work, _reason(error))
            return
        stack.tell(self.resource, f"{self._verb}_COMPLETE", properties=self._shown)

    def cancel(self, work: Work) -> None:
        """Give up what was begun, after another resource failed."""
        self._fail(work, CANCELLED.format("creation" if self.old is None else "update"))

    def _fail(self, work: Work, reason: str) -> None:
        stack = self.operation.stack
        resource = self.resource if self.old is None else stack.resources[self.name]
        stack.tell(resource, f"{self._verb}_FAILED", reason, self._shown)
        if self.old is None and self.name not in work.made:
            work.made.append(self.name)
        work.failed.append((self.name, self._verb.lower()))


def _first(work: Work, tail: str) -> str:
    """Return the reason of a stack's failure: which resources failed, each named."""
    texts = []
    for verb in ("create", "update"):
        names = [name for name, what in work.failed if what == verb]
        if names:
            texts.append(f"The following resource(s) failed to {verb}: [{', '.join(names)}]. ")
    texts += [f"{text}. " for text, what in work.failed if what == "output"]
    return "".join(texts) + tail


def _reason(error: BaseException) -> str:
    """Return what CloudFormation says of a failure of a service."""
    if isinstance(error, Failed):
        if not error.code:
            return error.message
        return (
            f'Resource handler returned message: "{error.message}" (RequestToken: {uuid4()}, HandlerErrorCode: '
            f"{error.code})"
        )
    said = getattr(error, "response", {}).get("Error", {})
    if said:
        code = "NotFound" if "NotFound" in said["Code"] or "NoSuch" in said["Code"] else "InvalidRequest"
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 400)  # type: ignore[attr-defined]
        return (
            f'Resource handler returned message: "{said.get("Message", "")} (Status Code: {status}, Request ID: '
            f'{uuid4()})" (RequestToken: {uuid4()}, HandlerErrorCode: {code})'
        )
    return f"the test cloud failed: {error!r}"
