"""What a call wants of a stack, whether it may be, and the begin of an update."""

from __future__ import annotations

from typing import Any

from aws_cloud.formation.operation import Operation
from aws_cloud.formation.parameters import effective
from aws_cloud.formation.stack import Stack
from aws_cloud.formation.target import Target, check_capabilities
from aws_cloud.formation.template_text import read_template
from aws_cloud.formation.world import World
from aws_cloud.messages import Refused

UPDATABLE = {
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE",
    "CREATE_FAILED", "UPDATE_FAILED",
}  # fmt: skip


def make_target(world: World, given: dict[str, Any], region: str, stack: Stack | None) -> Target:
    """Return what a call wants a stack to become.

    Raises:
        Refused: the template, its parameters or the capabilities are not right.
    """
    template = read_template(world, given, region, stack)
    capabilities = given.get("Capabilities") or []
    parameters = effective(template, given.get("Parameters") or [], stack.parameters if stack is not None else None)
    check_capabilities(template, capabilities)
    tags = given.get("Tags")
    settings = {
        "Description": template.document.get("Description"),
        "RoleARN": given.get("RoleARN"),
        "NotificationARNs": given.get("NotificationARNs") or [],
        "RollbackConfiguration": given.get("RollbackConfiguration") or {},
        "token": given.get("ClientRequestToken"),
    }
    if tags is None:
        tags = stack.tags if stack is not None else []
    return Target(template, parameters, tags, capabilities, settings)


def check_updatable(stack: Stack, *, keeps_failed: bool = False) -> None:
    """Refuse a stack whose state does not let it be changed.

    Args:
        keeps_failed: DisableRollback, without which a stack that failed so takes no update.
    """
    if stack.status in {"CREATE_FAILED", "UPDATE_FAILED"} and not keeps_failed:
        raise Refused(
            "ValidationError",
            f"This stack is currently in a non-terminal [{stack.status}] state. To update the stack from this state, "
            "please use the disable-rollback parameter with update-stack API. To rollback to the last known good "
            "state, use the rollback-stack API",
        )
    if stack.status not in UPDATABLE:
        raise Refused("ValidationError", f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def start_update(
    world: World, stack: Stack, target: Target, on_failure: str, done: Any = None, *, deletes_made: bool = False
) -> None:
    """Begin an update; other change sets are of no use from now on."""
    for one in stack.change_sets:
        one.execution = "OBSOLETE" if one.execution == "AVAILABLE" else one.execution
    stack.cancelled = False
    stack.updated = stack._now()
    stack.move("UPDATE_IN_PROGRESS", "User Initiated")

    def run() -> None:
        stands = Operation(world, stack, deletes_made=deletes_made).update(target, on_failure=on_failure)
        if done is not None:
            done(stands)

    world.start(run)


def existing(world: World, given: dict[str, Any], region: str, text: str) -> Stack:
    stack = world.stack(given["StackName"], region)
    if stack is None or (stack.status == "DELETE_COMPLETE"):
        raise Refused("ValidationError", text.format(given["StackName"]))
    return stack
