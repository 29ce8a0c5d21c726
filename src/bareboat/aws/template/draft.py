"""A template in the making: what each part of it adds to, and asks of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bareboat.aws.shipment import Shipment
from bareboat.errors import ConfigurationError
from bareboat.service.model import Service

Json = dict[str, Any]


@dataclass
class Draft:
    """A template in the making.

    Args:
        aliases: function name -> (logical id, name) of the alias that callers go through, where there is one.
        statements: what the shared role allows, beside logs.
        policies: ARNs (or intrinsics) of managed policies of the shared role.
        own_statements: function name -> what its own role allows, for functions that have one; of a function whose role
            is none of the stack's, the list goes nowhere.
        trusted: function name, or "" for the shared role -> the services beside Lambda that may take the role.
    """

    service: Service
    shipment: Shipment
    resources: dict[str, Json] = field(default_factory=dict)
    outputs: dict[str, Json] = field(default_factory=dict)
    aliases: dict[str, tuple[str, str]] = field(default_factory=dict)
    statements: list[Mapping[str, Any]] = field(default_factory=list)
    policies: list[Any] = field(default_factory=list)
    own_statements: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    trusted: dict[str, list[str]] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """The stage."""
        return self.service.provider.stage

    def add(self, logical_id: str, kind: str, properties: Json, **more: Any) -> str:
        """Add a resource and return its logical id.

        Args:
            more: DependsOn, DeletionPolicy, Condition, ...; None is left out.
        Raises:
            ConfigurationError: there is one of that logical id already.
        """
        if logical_id in self.resources:
            raise ConfigurationError(
                f"two parts of {self.service.path.name} would both be {logical_id} in CloudFormation",
                expected="names and routes that differ in letters and digits",
                fix="rename one of them",
                where=str(self.service.path),
            )
        rest = {name: value for name, value in more.items() if value is not None}
        self.resources[logical_id] = {"Type": kind, "Properties": properties, **rest}
        return logical_id

    def allow(self, function: str, *statements: Mapping[str, Any]) -> None:
        """Let the role of a function do something: its own role, where it has one, or the shared one.

        Args:
            statements: of IAM; one that is there already is not added again.
        """
        found = self.own_statements.get(function, self.statements)
        found.extend(statement for statement in statements if statement not in found)

    def trust(self, function: str, principal: str) -> None:
        """Let a service take the role of a function, such as scheduler.amazonaws.com."""
        found = self.trusted.setdefault(function if function in self.own_statements else "", [])
        found.extend(each for each in [principal] if each not in found)

    def output(self, name: str, value: Any, description: str = "", *, export: bool = True) -> None:
        """Add an output; exported as `sls-SERVICE-STAGE-NAME`, as Serverless does, unless said otherwise."""
        entry: Json = {"Description": description} if description else {}
        entry["Value"] = value
        if export:
            entry["Export"] = {"Name": f"sls-{self.service.name}-{self.stage}-{name}"}
        self.outputs[name] = entry
