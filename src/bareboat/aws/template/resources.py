"""`resources` of serverless.yml -> the template: what is one's own beside, or over, what is generated."""

from __future__ import annotations

from typing import Any

from bareboat.aws.template.draft import Json
from bareboat.aws.template.rest_names import with_deployment
from bareboat.aws.template.rest_stage import DEPLOYMENT
from bareboat.errors import ConfigurationError
from bareboat.service.model import Service
from bareboat.service.problems import rename_fix

_REPLACED = ("Condition", "CreationPolicy", "DeletionPolicy", "UpdatePolicy", "UpdateReplacePolicy")
_MERGED = ("Properties", "Metadata")


def with_resources(template: Json, service: Service) -> Json:
    """Return a template with `resources` merged in, and `resources.extensions` applied.

    Mappings are merged key by key and lists entry by entry; what is null in Properties is taken away.

    Raises:
        ConfigurationError: an extension names no resource of the template, or changes what cannot be changed.
    """
    deployment = next((name for name, each in template["Resources"].items() if each["Type"] == DEPLOYMENT), None)
    said = with_deployment(service.resources, deployment) if deployment else dict(service.resources)
    extensions = said.pop("extensions", None) or {}
    merged: Json = merge(template, {key: value for key, value in said.items() if value is not None})
    for name, changes in extensions.items():
        _extend(merged["Resources"], name, changes or {}, service.path.name)
    for resource in merged["Resources"].values():
        if isinstance(resource, dict) and "Properties" in resource:
            if resource["Properties"] is None:
                del resource["Properties"]
            else:
                resource["Properties"] = without_nulls(resource["Properties"])
    return merged


def merge(old: Any, new: Any) -> Any:
    """Return `new` laid over `old`, deeply; neither is changed."""
    if isinstance(old, dict) and isinstance(new, dict):
        merged = {key: merge(value, new[key]) if key in new else merge(value, value) for key, value in old.items()}
        return {**merged, **{key: merge(value, value) for key, value in new.items() if key not in old}}
    if isinstance(old, list) and isinstance(new, list):
        both = [merge(first, second) for first, second in zip(old, new, strict=False)]
        return [*both, *(old if len(old) > len(new) else new)[len(both) :]]
    return new


def without_nulls(value: Any) -> Any:
    """Return a value without the keys that are null."""
    if isinstance(value, dict):
        return {key: without_nulls(child) for key, child in value.items() if child is not None}
    if isinstance(value, list):
        return [without_nulls(child) for child in value if child is not None]
    return value


def _extend(resources: Json, name: str, changes: Json, file: str) -> None:
    where = f"resources.extensions.{name}"
    if name not in resources:
        raise ConfigurationError(
            f"{where}: the template has no resource {name}",
            expected="the logical id of a generated resource; `bareboat export --cloudformation` shows them",
            fix=rename_fix(name, resources),
            where=file,
        )
    resource = resources[name]
    for key, value in changes.items():
        if key in _REPLACED:
            resource[key] = value
        elif key in _MERGED:
            resource[key] = {**resource.get(key, {}), **value}
        elif key == "DependsOn":
            there = resource.get(key, [])
            resource[key] = [
                *([there] if isinstance(there, str) else there),
                *([value] if isinstance(value, str) else value),
            ]
        else:
            raise ConfigurationError(
                f"{where} has {key}", expected=f"one of {', '.join((*_REPLACED, *_MERGED, 'DependsOn'))}", where=file
            )
