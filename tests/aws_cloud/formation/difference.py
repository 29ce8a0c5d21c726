"""What would change if a stack became a target."""

from __future__ import annotations

from typing import Any

from aws_cloud.formation.changes import Outlook, changes
from aws_cloud.formation.parameters import as_values
from aws_cloud.formation.stack import Stack
from aws_cloud.formation.target import Target, pseudo, with_tags
from aws_cloud.formation.world import World


def changes_to(world: World, stack: Stack, target: Target) -> list[dict[str, Any]]:
    """Return the changes of resources.

    Raises:
        Refused: the target cannot be resolved.
    """
    old = _outlook(world, stack, current(stack)).resources if stack.resources else dict
    new = _outlook(world, stack, target)
    before = _tagged(old(), stack.tags)
    given = {name for name, value in target.parameters.items() if stack.parameters.get(name) != value}
    return changes(before, _tagged(new.resources(), target.tags), stack.resources, given)


def differs(world: World, stack: Stack, target: Target) -> bool:
    """Whether anything changes: a resource, an output or a tag."""
    return bool(changes_to(world, stack, target)) or others_differ(world, stack, target)


def others_differ(world: World, stack: Stack, target: Target) -> bool:
    """Whether outputs or tags change."""
    if not stack.resources:
        return False
    old, new = _outlook(world, stack, current(stack)), _outlook(world, stack, target)
    if old.resolver.value(old.template.outputs) != new.resolver.value(new.template.outputs):
        return True
    return sorted(map(str, stack.tags)) != sorted(map(str, target.tags))


def current(stack: Stack) -> Target:
    """Return what a stack is."""
    assert stack.template is not None
    return Target(stack.template, stack.parameters, stack.tags, stack.capabilities, stack.settings)


def _outlook(world: World, stack: Stack, target: Target) -> Outlook:
    values = as_values(target.template, target.parameters)
    return Outlook(target.template, pseudo(stack), values, lambda name: world.imported(stack, name))


def _tagged(resources: dict[str, dict[str, Any]], tags: list[dict[str, str]]) -> dict[str, dict[str, Any]]:
    return {
        name: {**one, "Properties": with_tags(one["Type"], one["Properties"], tags)} for name, one in resources.items()
    }
