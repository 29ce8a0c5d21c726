"""The calls of CloudFormation for change sets."""

from __future__ import annotations

from typing import Any

from aws_cloud.formation.beginning import check_updatable, make_target, start_update
from aws_cloud.formation.difference import changes_to, others_differ
from aws_cloud.formation.operation import Operation
from aws_cloud.formation.pages import page
from aws_cloud.formation.stack import ChangeSet, Stack, change_set_id, stack_id
from aws_cloud.formation.target import Target
from aws_cloud.formation.world import World
from aws_cloud.messages import Refused

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
CHANGES_A_PAGE = 100


class ChangeSetApi:
    """Change sets: made, described, executed, deleted."""

    def __init__(self, world: World) -> None:
        self.world = world

    def CreateChangeSet(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        name, kind = given["ChangeSetName"], given.get("ChangeSetType", "UPDATE")
        stack = self.world.stack(given["StackName"], region)
        if stack is not None and (same := _same(stack, given)):
            return {"Id": same.id, "StackId": stack.id}
        if kind == "CREATE":
            if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
                raise Refused(
                    "ValidationError",
                    f"Stack [{given['StackName']}] already exists and cannot be created again with the changeSet "
                    f"[{name}].",
                )
        elif stack is None:
            raise Refused("ValidationError", f"Stack [{given['StackName']}] does not exist")
        else:
            check_updatable(stack, keeps_failed=True)
        if stack is not None and any(one.name == name and not one.deleted for one in stack.change_sets):
            raise Refused("AlreadyExistsException", f"ChangeSet {name} already exists")
        target = make_target(self.world, given, region, stack)
        if stack is None:
            stack = Stack(stack_id(given["StackName"], region), given["StackName"], region)
            stack.move("REVIEW_IN_PROGRESS", "User Initiated")
            self.world.stacks.append(stack)
        change_set = ChangeSet(
            change_set_id(name, region), name, kind, target.template, target.parameters, target.tags,
            target.capabilities, {**target.settings, "token": given.get("ClientToken"), "given": given},
        )  # fmt: skip
        stack.change_sets.append(change_set)
        made = stack
        self.world.start(lambda: self._work_out(made, change_set))
        return {"Id": change_set.id, "StackId": stack.id}

    def _work_out(self, stack: Stack, change_set: ChangeSet) -> None:
        with self.world.lock:
            target = _target(change_set)
            try:
                change_set.changes = changes_to(self.world, stack, target)
                anything = change_set.changes or others_differ(self.world, stack, target)
            except Refused as error:
                change_set.status, change_set.reason = "FAILED", error.message
                return
            if anything:
                change_set.status, change_set.execution = "CREATE_COMPLETE", "AVAILABLE"
            else:
                change_set.status, change_set.reason = "FAILED", NO_CHANGES

    def DescribeChangeSet(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        stack, found = self._found(given, region)
        changes, token = page(found.changes, given.get("NextToken"), CHANGES_A_PAGE)
        return {
            **_summary(stack, found),
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": _shown(found, key, value)}
                for key, value in found.parameters.items()
            ]
            or None,
            "Tags": found.tags or None,
            "Capabilities": sorted(found.capabilities),
            "NotificationARNs": found.settings["NotificationARNs"],
            "RollbackConfiguration": found.settings["RollbackConfiguration"],
            "Changes": changes,
            "NextToken": token,
            "OnStackFailure": found.settings["given"].get("OnStackFailure"),
        }

    def ListChangeSets(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        stack = self.world.stack(given["StackName"], region)
        if stack is None:
            raise Refused("ValidationError", f"Stack [{given['StackName']}] does not exist")
        listed = [_summary(stack, one) for one in stack.change_sets if not one.deleted]
        summaries, token = page(listed, given.get("NextToken"))
        return {"Summaries": summaries, "NextToken": token}

    def DeleteChangeSet(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        name = given["ChangeSetName"]
        if not given.get("StackName") and not name.startswith("arn:"):
            raise Refused("ValidationError", "StackName must be specified if ChangeSetName is not specified as an ARN.")
        stack = self.world.stack(given["StackName"], region) if given.get("StackName") else None
        if stack is None and not name.startswith("arn:"):
            raise Refused("ValidationError", f"Stack [{given['StackName']}] does not exist")
        found = self.world.change_set(name, stack)
        if found is not None:
            if found[1].execution == "EXECUTE_IN_PROGRESS":
                raise Refused(
                    "InvalidChangeSetStatus",
                    f"ChangeSet [{found[1].id}] cannot be deleted in its current status of [EXECUTE_IN_PROGRESS]",
                )
            found[1].deleted = True
        return {}

    def ExecuteChangeSet(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        stack, found = self._found(given, region)
        token = given.get("ClientRequestToken")
        if token and found.settings.get("execute_token") == token:
            return {}
        if found.status != "CREATE_COMPLETE":
            raise Refused(
                "InvalidChangeSetStatus",
                f"ChangeSet [{found.id}] cannot be executed in its current status of [{found.status}]",
            )
        if found.execution != "AVAILABLE":
            raise Refused(
                "InvalidChangeSetStatus",
                f"ChangeSet [{found.id}] cannot be executed in its current execution status of [{found.execution}]",
            )
        if found.kind == "UPDATE":
            check_updatable(stack, keeps_failed=bool(given.get("DisableRollback")))
        found.settings["execute_token"] = token
        found.execution = "EXECUTE_IN_PROGRESS"
        on_failure = found.settings["given"].get("OnStackFailure") or "ROLLBACK"
        if given.get("DisableRollback"):
            on_failure = "DO_NOTHING"
        deletes_made = bool(given.get("RetainExceptOnCreate"))

        def done(stands: bool) -> None:
            found.execution = "EXECUTE_COMPLETE" if stands else "EXECUTE_FAILED"

        target = _target(found)
        if found.kind == "UPDATE":
            start_update(self.world, stack, target, on_failure, done, deletes_made=deletes_made)
            return {}
        for one in stack.change_sets:
            one.execution = "OBSOLETE" if one.execution == "AVAILABLE" else one.execution
        stack.move("CREATE_IN_PROGRESS", "User Initiated")
        self.world.start(
            lambda: done(Operation(self.world, stack, deletes_made=deletes_made).create(target, on_failure))
        )
        return {}

    def _found(self, given: dict[str, Any], region: str) -> tuple[Stack, ChangeSet]:
        name, stack = given["ChangeSetName"], None
        if not name.startswith("arn:"):
            stack = self.world.stack(given.get("StackName", ""), region)
            if stack is None:
                raise Refused("ValidationError", f"Stack [{given.get('StackName', '')}] does not exist")
        found = self.world.change_set(name, stack)
        if found is None or found[1].deleted:
            raise Refused("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)
        return found


def _same(stack: Stack, given: dict[str, Any]) -> ChangeSet | None:
    """Return the change set that an earlier call with the same token made."""
    token = given.get("ClientToken")
    for one in stack.change_sets:
        if token and one.settings.get("token") == token and one.name == given["ChangeSetName"] and not one.deleted:
            return one
    return None


def _target(found: ChangeSet) -> Target:
    settings = {key: value for key, value in found.settings.items() if key not in {"given", "execute_token"}}
    return Target(found.template, found.parameters, found.tags, found.capabilities, settings)


def _shown(found: ChangeSet, key: str, value: str) -> str:
    return "****" if str(found.template.parameters[key].get("NoEcho", "")).lower() == "true" else value


def _summary(stack: Stack, found: ChangeSet) -> dict[str, Any]:
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "ChangeSetId": found.id,
        "ChangeSetName": found.name,
        "ExecutionStatus": found.execution,
        "Status": found.status,
        "StatusReason": found.reason or None,
        "CreationTime": found.created,
        "Description": found.settings["given"].get("Description"),
        "IncludeNestedStacks": bool(found.settings["given"].get("IncludeNestedStacks")),
    }
