"""A template's text -> Template, refused as CloudFormation refuses it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import yaml

from aws_cloud.formation.schemas import schema
from aws_cloud.messages import Refused

MAX_BODY_BYTES = 51_200  # of TemplateBody; CloudFormation quotas
MAX_URL_BYTES = 1_000_000  # of what TemplateURL names
MAX_RESOURCES = 500
MAX_OUTPUTS = 200
MAX_PARAMETERS = 200
_SECTIONS = {
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Rules", "Transform",
    "Resources", "Outputs", "Hooks",
}  # fmt: skip
_RESOURCE = {
    "Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy",
    "CreationPolicy",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Template:
    """A template.

    Args:
        body: the text, as it was sent.
        document: parsed, its short intrinsics (`!Ref`) written out.
    """

    body: str
    document: dict[str, Any]

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        return self.document["Resources"]

    @property
    def outputs(self) -> dict[str, dict[str, Any]]:
        return self.document.get("Outputs") or {}

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        return self.document.get("Parameters") or {}


def parse(body: str) -> Template:
    """Return a template.

    Raises:
        Refused: it is none; the texts are those of localstack/cloudformation__api__test_validations.snapshot.json.
    """
    try:
        document = json.loads(body) if body.lstrip().startswith("{") else yaml.load(body, _Loader)
    except (ValueError, yaml.YAMLError) as error:
        raise _error(f"Template format error: JSON not well-formed. ({error})") from error
    if not isinstance(document, dict):
        raise _error("Template format error: unsupported structure.")
    for name in document:
        if name not in _SECTIONS:
            raise _error(f"Invalid template property or properties [{name}]")
    _check_resources(document)
    _check_rest(document)
    for place, value in _leaves(document):
        if value is None:
            raise _error(f"[{place}] 'null' values are not allowed in templates")
    template = Template(body, document)
    _check_references(template)
    return template


def _check_resources(document: dict[str, Any]) -> None:
    resources = document.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise _error("Template format error: At least one Resources member must be defined.")
    if len(resources) > MAX_RESOURCES:
        raise _error(
            f"Template format error: Number of resources, {len(resources)}, is greater than maximum allowed, "
            f"{MAX_RESOURCES}"
        )
    for name, resource in resources.items():
        if not name.isalnum():
            raise _error(f"Template format error: Resource name {name} is non alphanumeric.")
        if not isinstance(resource, dict) or "Type" not in resource:
            raise _error(
                f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
            )
        for key in resource:
            if key not in _RESOURCE and not (key == "Version" and resource["Type"].startswith("Custom::")):
                raise _error(f"Invalid template resource property '{key}'")
    unknown = sorted({one["Type"] for one in resources.values() if not _is_known(one["Type"])})
    if unknown:
        raise _error(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")


def _is_known(kind: str) -> bool:
    return kind.startswith("Custom::") or kind == "AWS::CDK::Metadata" or schema(kind) is not None


def _check_rest(document: dict[str, Any]) -> None:
    parameters = document.get("Parameters") or {}
    outputs = document.get("Outputs") or {}
    for name in parameters:
        if not name.isalnum():
            raise _error(f"Template format error: Parameter name {name} is non alphanumeric.")
    if len(parameters) > MAX_PARAMETERS or len(outputs) > MAX_OUTPUTS:
        raise _error("Template format error: too many Parameters or Outputs")
    for name, output in outputs.items():
        if not name.isalnum():
            raise _error(f"Template format error: Output {name} is malformed. Output names must be alphanumeric.")
        if not isinstance(output, dict) or "Value" not in output:
            raise _error("Template format error: Every Outputs member must contain a Value object")


def _check_references(template: Template) -> None:
    """Refuse names that nothing has."""
    known = set(template.resources) | set(template.parameters)
    conditions = template.document.get("Conditions") or {}
    missing = sorted({one for one in references(template.resources) if one not in known})
    if missing:
        raise _error(
            f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the Resources block of "
            "the template"
        )
    missing = sorted({one for one in references(template.outputs) if one not in known})
    if missing:
        raise _error(
            f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the Outputs block of "
            "the template"
        )
    for name, resource in template.resources.items():
        for one in dependencies(resource):
            if one not in template.resources and one not in template.parameters:
                raise _error(
                    f"Template format error: Unresolved resource dependencies [{one}] in the Resources block of the "
                    "template"
                )
        if (condition := resource.get("Condition")) and condition not in conditions:
            raise _error(f"Template format error: Unresolved condition dependency {condition} in resource {name}")


def dependencies(resource: dict[str, Any]) -> set[str]:
    """Return the names that a resource needs first, parameters among them."""
    stated = resource.get("DependsOn") or []
    return set(references(resource)) | ({stated} if isinstance(stated, str) else set(stated))


def references(value: Any) -> list[str]:
    """Return what Ref, GetAtt and Sub name in a value, pseudo parameters aside."""
    found: list[str] = []
    if isinstance(value, list):
        for one in value:
            found += references(one)
    elif isinstance(value, dict):
        if set(value) == {"Ref"}:
            found.append(value["Ref"])
        elif set(value) == {"Fn::GetAtt"}:
            target = value["Fn::GetAtt"]
            found.append(target.split(".")[0] if isinstance(target, str) else target[0])
        elif set(value) == {"Fn::Sub"}:
            found += _of_sub(value["Fn::Sub"])
        else:
            for key, one in value.items():
                if key not in {"DependsOn", "Condition"} or not isinstance(one, str):
                    found += references(one)
    return [one for one in found if not one.startswith("AWS::")]


def _of_sub(value: Any) -> list[str]:
    text, given = (value, {}) if isinstance(value, str) else (value[0], value[1])
    names = [part.split("}")[0] for part in text.split("${")[1:] if "}" in part]
    names = [one.split(".")[0] for one in names if not one.startswith("!") and one not in given]
    return names + references(list(given.values()))


def _leaves(value: Any, place: str = "") -> Any:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, f"{place}/{key}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _leaves(one, f"{place}/{index}")
    else:
        yield place, value


def _error(text: str) -> Refused:
    return Refused("ValidationError", text)


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags; dates stay text."""


def _tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tag)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
