"""CloudFormation's calls: a request of the query protocol -> its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_cloud.formation.change_set_api import ChangeSetApi
from aws_cloud.formation.read_api import ReadApi
from aws_cloud.formation.stack_api import StackApi
from aws_cloud.formation.template_api import TemplateApi
from aws_cloud.formation.world import World
from aws_cloud.messages import Answer, Refused, Request
from aws_cloud.query import arguments, rendered


class Formation:
    """CloudFormation: takes requests of the query protocol."""

    def __init__(self, world: World) -> None:
        self.world = world
        stacks = StackApi(world)
        self._parts = (stacks, ChangeSetApi(world), ReadApi(world), TemplateApi(world))

    def answer(self, request: Request) -> Answer:
        """Answer a call.

        Raises:
            Refused: as CloudFormation does.
        """
        name = request.operation.name
        call = self._named(name)
        if call is None:
            raise Refused("InvalidAction", f"The test cloud does not know cloudformation:{name}", 501)
        with self.world.lock:
            result = call(arguments("cloudformation", name, request.body), request.operation.region)
        return rendered("cloudformation", name, result or {})

    def _named(self, name: str) -> Callable[[dict[str, Any], str], dict[str, Any] | None] | None:
        for part in self._parts:
            if call := getattr(part, name, None):
                return call  # type: ignore[no-any-return]
        return None
