"""Intrinsic functions: what a template's values mean once parameters, conditions and resources are known."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from aws_cloud.messages import Refused

NO_VALUE = object()
_SUB = re.compile(r"\$\{([^}]*)\}")


class Unknown(Exception):
    """A name that only a made resource could tell."""


class Resolver:
    """Resolves values of one template.

    Args:
        pseudo: `AWS::Region` and the like.
        parameters: name -> text, or list of texts.
        reference: what `Ref` of a resource is.
        attribute: what `Fn::GetAtt` of a resource is.
        imported: what `Fn::ImportValue` of a name is.
        ssm: the value of a parameter of SSM, for dynamic references.
    Raises:
        Refused: a name, a key or a condition is not there.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        pseudo: Mapping[str, Any],
        parameters: Mapping[str, Any],
        *,
        reference: Callable[[str], Any],
        attribute: Callable[[str, str], Any],
        imported: Callable[[str], Any],
        dynamic: Callable[[str, str], str] | None = None,
    ) -> None:
        self._document = document
        self._pseudo = pseudo
        self._parameters = parameters
        self._reference = reference
        self._attribute = attribute
        self._imported = imported
        self._dynamic = dynamic
        self._conditions: dict[str, bool] = {}

    def condition(self, name: str) -> bool:
        """Whether a condition of the template holds."""
        if name not in self._conditions:
            conditions = self._document.get("Conditions") or {}
            if name not in conditions:
                raise Refused("ValidationError", f"Template error: unresolved condition dependency: {name}")
            self._conditions[name] = bool(self.value(conditions[name]))
        return self._conditions[name]

    def value(self, value: Any) -> Any:
        """Return a value with nothing left to resolve; `AWS::NoValue` takes its key or entry away."""
        if isinstance(value, list):
            return [one for one in map(self.value, value) if one is not NO_VALUE]
        if isinstance(value, str):
            return self._with_dynamic(value)
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, inside),) = value.items()
            if name == "Ref":
                return self._ref(inside)
            if name == "Condition" and isinstance(inside, str):
                return self.condition(inside)
            if name.startswith("Fn::"):
                return self._function(name, inside)
        resolved = {key: self.value(one) for key, one in value.items()}
        return {key: one for key, one in resolved.items() if one is not NO_VALUE}

    def _with_dynamic(self, text: str) -> str:
        if self._dynamic is None or "{{resolve:" not in text:
            return text
        look = self._dynamic
        return re.sub(r"\{\{resolve:([a-z-]+):([^}]+)\}\}", lambda found: look(found[1], found[2]), text)

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        return self._reference(name)

    def _function(self, name: str, inside: Any) -> Any:
        if name == "Fn::GetAtt":
            target, _, attribute = inside.partition(".") if isinstance(inside, str) else (inside[0], "", inside[1])
            return self._attribute(target, self.value(attribute))
        if name == "Fn::Sub":
            return self._sub(inside)
        if name == "Fn::If":
            test, yes, no = inside
            return self.value(yes if self.condition(test) else no)
        if name == "Fn::Equals":
            left, right = (self.value(one) for one in inside)
            return _text(left) == _text(right)
        if name in {"Fn::And", "Fn::Or"}:
            return (all if name == "Fn::And" else any)(bool(self.value(one)) for one in inside)
        given = self.value(inside)
        if name == "Fn::Not":
            return not given[0]
        if name == "Fn::Join":
            return given[0].join(_text(one) for one in given[1])
        if name == "Fn::Split":
            return given[1].split(given[0])
        if name == "Fn::Select":
            entries = [one for one in given[1] if one is not NO_VALUE]
            if int(given[0]) >= len(entries):
                raise Refused("ValidationError", "Template error: Fn::Select cannot select nonexistent value")
            return entries[int(given[0])]
        if name == "Fn::ImportValue":
            return self._imported(given)
        if name == "Fn::FindInMap":
            return self._map(*given[:3])
        if name == "Fn::Base64":
            return base64.b64encode(given.encode()).decode()
        if name == "Fn::GetAZs":
            return [f"{given or self._pseudo['AWS::Region']}{letter}" for letter in "abc"]
        if name == "Fn::Length":
            return len(given)
        if name == "Fn::ToJsonString":
            return json.dumps(given, separators=(",", ":"))
        raise Refused("ValidationError", f"Template error: {name} is not supported by the test cloud")

    def _sub(self, inside: Any) -> str:
        text, given = (inside, {}) if isinstance(inside, str) else (inside[0], inside[1])

        def one(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in given:
                return _text(self.value(given[name]))
            target, dot, attribute = name.partition(".")
            return _text(self._attribute(target, attribute) if dot else self._ref(name))

        return self._with_dynamic(_SUB.sub(one, text))

    def _map(self, name: str, first: str, second: str) -> Any:
        try:
            return (self._document.get("Mappings") or {})[name][first][second]
        except KeyError as error:
            raise Refused(
                "ValidationError", f"Template error: Unable to get mapping for {name}::{first}::{second}"
            ) from error


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
