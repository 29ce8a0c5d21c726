"""The calls of CloudFormation that change stacks without a change set."""

from __future__ import annotations

from typing import Any

from aws_cloud.formation.beginning import check_updatable, existing, make_target, start_update
from aws_cloud.formation.difference import differs
from aws_cloud.formation.operation import Operation
from aws_cloud.formation.stack import Stack, stack_id
from aws_cloud.formation.world import World
from aws_cloud.messages import Refused


class StackApi:
    """The calls that change stacks at once."""

    def __init__(self, world: World) -> None:
        self.world = world

    def CreateStack(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        name = given["StackName"]
        old = self.world.stack(name, region)
        token = given.get("ClientRequestToken")
        if old is not None and token and old.settings.get("token") == token:
            return {"StackId": old.id}
        if old is not None and old.status != "REVIEW_IN_PROGRESS":
            raise Refused("AlreadyExistsException", f"Stack [{name}] already exists")
        target = make_target(self.world, given, region, None)
        stack = old or Stack(stack_id(name, region), name, region)
        if old is None:
            self.world.stacks.append(stack)
        for one in stack.change_sets:
            one.execution = "OBSOLETE" if one.execution == "AVAILABLE" else one.execution
        stack.settings = dict(target.settings)
        stack.protected = bool(given.get("EnableTerminationProtection"))
        stack.policy = given.get("StackPolicyBody", "")
        on_failure = given.get("OnFailure") or ("DO_NOTHING" if given.get("DisableRollback") else "ROLLBACK")
        stack.rollback = on_failure != "DO_NOTHING"
        stack.move("CREATE_IN_PROGRESS", "User Initiated")
        self.world.start(lambda: Operation(self.world, stack).create(target, on_failure))
        return {"StackId": stack.id}

    def UpdateStack(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        stack = existing(self.world, given, region, "Stack [{}] does not exist")
        check_updatable(stack, keeps_failed=bool(given.get("DisableRollback")))
        target = make_target(self.world, given, region, stack)
        if not differs(self.world, stack, target):
            raise Refused("ValidationError", "No updates are to be performed.")
        start_update(self.world, stack, target, "DO_NOTHING" if given.get("DisableRollback") else "ROLLBACK")
        return {"StackId": stack.id}

    def DeleteStack(self, given: dict[str, Any], region: str) -> None:
        stack = self.world.stack(given["StackName"], region)
        if stack is None or stack.status in {"DELETE_COMPLETE", "DELETE_IN_PROGRESS"}:
            return
        retain = tuple(given.get("RetainResources") or ())
        if stack.protected:
            raise Refused(
                "ValidationError", f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            )
        if retain and stack.status != "DELETE_FAILED":
            raise Refused(
                "ValidationError",
                "Invalid operation on stack ["
                + stack.id
                + "]. Only stacks in DELETE_FAILED can have resources retained.",
            )
        if stack.in_progress:
            raise Refused("ValidationError", f"Stack [{stack.id}] cannot be deleted while in status {stack.status}")
        for output in stack.outputs:
            if (name := output.get("ExportName")) and (users := self.world.importers(name, region)):
                text = f"Delete canceled. Cannot delete export {name} as it is in use by {' and '.join(users)}."
                stack.move(stack.status, text)
                return
        stack.move("DELETE_IN_PROGRESS", "User Initiated")
        self.world.start(lambda: Operation(self.world, stack).delete(retain))

    def ContinueUpdateRollback(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        stack = existing(self.world, given, region, "Stack [{}] does not exist")
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise Refused(
                "ValidationError",
                f"Stack:{stack.id} is in {stack.status} state and can not be rolled back. Only stacks in "
                "UPDATE_ROLLBACK_FAILED can be",
            )
        skip = tuple(given.get("ResourcesToSkip") or ())
        self.world.start(lambda: Operation(self.world, stack).continue_rollback(skip))
        stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        return {}

    def CancelUpdateStack(self, given: dict[str, Any], region: str) -> None:
        stack = existing(self.world, given, region, "Stack [{}] does not exist")
        if stack.status != "UPDATE_IN_PROGRESS":
            raise Refused("ValidationError", "CancelUpdateStack cannot be called from current stack status")
        stack.cancelled = True

    def UpdateTerminationProtection(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        stack = existing(self.world, given, region, "Stack [{}] does not exist")
        stack.protected = bool(given["EnableTerminationProtection"])
        return {"StackId": stack.id}

    def SetStackPolicy(self, given: dict[str, Any], region: str) -> None:
        stack = existing(self.world, given, region, "Stack [{}] does not exist")
        stack.policy = given.get("StackPolicyBody", "")

    def GetStackPolicy(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        stack = existing(self.world, given, region, "Stack [{}] does not exist")
        return {"StackPolicyBody": stack.policy or None}
