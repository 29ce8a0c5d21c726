"""All stacks of the test cloud, and what they share: exports, kinds, moto."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from aws_cloud.formation.stack import ChangeSet, Stack
from aws_cloud.kinds.base import Kind
from aws_cloud.kinds.remembered import Remembered
from aws_cloud.messages import Refused
from aws_cloud.moto import Moto


class World:
    """All stacks, in every region.

    Args:
        kinds: type -> what it means; others are only remembered.
        kept: what moto forgets of functions.
    """

    def __init__(self, moto: Moto, kinds: Mapping[str, Kind], kept: Any) -> None:
        self.moto = moto
        self.kinds = kinds
        self.kept = kept
        self.stacks: list[Stack] = []
        self.pace_s = 0.0
        self.lock = threading.RLock()
        self.bugs: list[str] = []
        self._threads: list[threading.Thread] = []

    def kind(self, name: str) -> Kind:
        return self.kinds.get(name) or Remembered(name)

    def stack(self, name: str, region: str) -> Stack | None:
        """Return a living stack by name, or any by its id."""
        for stack in reversed(self.stacks):
            if stack.id == name or (
                stack.name == name and stack.region == region and stack.status != "DELETE_COMPLETE"
            ):
                return stack
        return None

    def change_set(self, name: str, stack: Stack | None) -> tuple[Stack, ChangeSet] | None:
        """Return a change set by its id, or by its name and stack; newest first."""
        for one in [stack] if stack is not None else self.stacks:
            for found in reversed(one.change_sets):
                if found.id == name or (stack is not None and found.name == name and not found.deleted):
                    return one, found
        return None

    def exports(self, region: str) -> dict[str, tuple[Stack, str]]:
        """Return name -> (stack, value) of what the stacks of a region export."""
        return {
            output["ExportName"]: (stack, output["OutputValue"])
            for stack in self.stacks
            if stack.region == region
            for output in stack.outputs
            if "ExportName" in output
        }

    def imported(self, stack: Stack, name: str, imports: set[str] | None = None) -> str:
        """Return the value of an export.

        Raises:
            Refused: nothing exports it.
        """
        found = self.exports(stack.region).get(name)
        if found is None:
            raise Refused("ValidationError", f"No export named {name} found.")
        if imports is not None:
            imports.add(name)
        return found[1]

    def importers(self, name: str, region: str) -> list[str]:
        return [one.name for one in self.stacks if one.region == region and name in one.imports]

    def check_exports(self, stack: Stack, outputs: list[dict[str, Any]]) -> None:
        """Refuse an export that another stack has, or the loss of one that another stack uses.

        Raises:
            Refused: with the reason that the stack's status will have.
        """
        exports = self.exports(stack.region)
        names = {one["ExportName"]: one["OutputValue"] for one in outputs if "ExportName" in one}
        for name in names:
            owner = exports.get(name)
            if owner is not None and owner[0] is not stack:
                raise Refused(
                    "ValidationError", f"Export with name {name} is already exported by stack {owner[0].name}"
                )
        for name, (owner_stack, value) in exports.items():
            if owner_stack is stack and names.get(name) != value and (users := self.importers(name, stack.region)):
                verb = "deleted" if name not in names else "updated"
                raise Refused(
                    "ValidationError", f"Export {name} cannot be {verb} as it is in use by {' and '.join(users)}"
                )

    def dynamic(self, service: str, rest: str) -> str:
        """Return the value of a dynamic reference.

        Raises:
            Refused: there is none.
        """
        name = rest.split(":", maxsplit=1)[0]
        try:
            if service == "secretsmanager":
                return str(self.moto.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
            return str(self.moto.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
        except Exception as error:
            raise Refused("ValidationError", f"Parameters: [{service}:{rest}] cannot be found") from error

    def start(self, work: Callable[[], Any]) -> None:
        """Run an operation on a thread of its own; what it raises is a bug, which `settle` tells."""

        def run() -> None:
            try:
                work()
            except Exception:  # noqa: BLE001
                self.bugs.append(traceback.format_exc())

        thread = threading.Thread(target=run, daemon=True)
        with self.lock:
            self._threads = [one for one in self._threads if one.is_alive()]
            self._threads.append(thread)
        thread.start()

    def settle(self, timeout_s: float = 30.0) -> None:
        """Wait until nothing is under way."""
        for thread in tuple(self._threads):
            thread.join(timeout_s)
            assert not thread.is_alive(), "an operation of the test cloud hangs"
        bugs, self.bugs = self.bugs, []
        assert not bugs, "\n".join(bugs)

    def reset(self) -> None:
        self.settle()
        self.stacks.clear()
        self.pace_s = 0.0
