"""What a kind of resource is asked for, and what it is given."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aws_cloud.moto import ACCOUNT, Moto

_LETTERS = string.ascii_uppercase + string.digits


class Failed(Exception):
    """A resource cannot be made, changed or deleted."""

    def __init__(self, message: str, code: str = "InvalidRequest") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class Made:
    """A resource: what `Ref` and `Fn::GetAtt` give."""

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource is made."""

    moto: Moto
    region: str
    stack: str
    stack_id: str
    logical_id: str
    kept: Any  # of functions: what moto forgets

    def client(self, service: str) -> Any:
        return self.moto.client(service, self.region)

    def name(self, limit: int = 64, *, lower: bool = False, dash: str = "-") -> str:
        """Return a name as CloudFormation gives: stack, logical id and twelve letters."""
        tail = "".join(secrets.choice(_LETTERS) for _ in range(12))
        room = limit - len(tail) - 2 * len(dash)
        stack = self.stack[: max(room - len(self.logical_id), room // 2)]
        made = dash.join((stack, self.logical_id[: room - len(stack)], tail))
        return made.lower() if lower else made

    def arn(self, service: str, rest: str, *, region: bool = True, account: bool = True) -> str:
        return f"arn:aws:{service}:{self.region if region else ''}:{ACCOUNT if account else ''}:{rest}"


class Kind:
    """One type of resource; by default one that is only remembered."""

    type: ClassVar[str] = ""

    def replaces(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        """Whether a change makes a new resource, beside what the schema says."""
        return False

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        return Made(place.name())

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        """Delete it; one that is gone is no error."""


def chosen(properties: dict[str, Any], *names: str, **renamed: str) -> dict[str, Any]:
    """Return the named properties that are there; `renamed`: argument -> property."""
    found = {name: properties[name] for name in names if name in properties}
    return found | {name: properties[old] for name, old in renamed.items() if old in properties}


def lowered(properties: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the named properties that are there, as API Gateway's calls have them: `Name` as `name`."""
    return {name[0].lower() + name[1:]: properties[name] for name in names if name in properties}


def as_bool(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def tag_map(tags: Any) -> dict[str, str]:
    """Return a list of Key and Value as a mapping."""
    if isinstance(tags, dict):
        return {key: str(value) for key, value in tags.items()}
    return {one["Key"]: str(one["Value"]) for one in tags or ()}
