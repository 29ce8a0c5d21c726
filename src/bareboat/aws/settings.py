"""`provider` of serverless.yml -> what holds for the stack itself: tags, parameters, roles, protection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bareboat.aws.changes import Settings
from bareboat.errors import ConfigurationError
from bareboat.service.model import Service


def stack_settings(service: Service) -> Settings:
    """Return the settings of the stack: `stackTags`, `stackParameters`, `iam.deploymentRole` and their kin.

    Raises:
        ConfigurationError: a tag or a parameter is no text.
    """
    options = service.provider.options
    iam = options.get("iam")
    role = (iam.get("deploymentRole") if isinstance(iam, Mapping) else None) or options.get("cfnRole") or ""
    statements = options.get("stackPolicy")
    return Settings(
        tags={"STAGE": service.provider.stage, **_texts(service, "stackTags", options.get("stackTags") or {})},
        parameters=dict(_parameter(service, one) for one in options.get("stackParameters") or ()),
        role=_text(service, "iam.deploymentRole", role) if role else "",
        notified=tuple(_text(service, "notificationArns", one) for one in options.get("notificationArns") or ()),
        rollback=options.get("rollbackConfiguration") or {},
        keeps_failed=bool(options.get("disableRollback")),
        policy={"Statement": statements} if statements else None,
        protected=_protected(service, options.get("deletionProtection")),
    )


def _protected(service: Service, said: Any) -> bool | None:
    """Read `deletionProtection`: a truth value, or stages with one each."""
    if isinstance(said, Mapping):
        said = said.get(service.provider.stage, said.get("default"))
    return None if said is None else bool(said)


def _parameter(service: Service, said: Mapping[str, Any]) -> tuple[str, str | None]:
    name = _text(service, "stackParameters", said.get("ParameterKey"))
    if said.get("UsePreviousValue"):
        return name, None
    return name, _text(service, f"stackParameters.{name}", said.get("ParameterValue"))


def _texts(service: Service, key: str, said: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(service, f"{key}.{name}", value) for name, value in said.items()}


def _text(service: Service, key: str, said: Any) -> str:
    if isinstance(said, bool):
        return str(said).lower()
    if isinstance(said, (str, int, float)):
        return str(said)
    raise ConfigurationError(
        f"provider.{key} is {'a mapping' if isinstance(said, Mapping) else repr(said)}",
        expected="text: it is given to CloudFormation beside the template, which no Ref reaches",
        where=str(service.path),
    )
