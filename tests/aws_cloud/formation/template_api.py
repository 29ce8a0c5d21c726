"""The calls of CloudFormation for templates."""

from __future__ import annotations

from typing import Any

from aws_cloud.formation.stack import Stack
from aws_cloud.formation.target import needed_capability
from aws_cloud.formation.template import Template
from aws_cloud.formation.template_text import read_template
from aws_cloud.formation.world import World
from aws_cloud.messages import Refused


class TemplateApi:
    """Templates: given back, validated, summed up."""

    def __init__(self, world: World) -> None:
        self.world = world

    def GetTemplate(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        name = given.get("StackName", "")
        stack = self.world.stack(name, region) if name else None
        if given.get("ChangeSetName"):
            found = self.world.change_set(given["ChangeSetName"], stack)
            if found is None or found[1].deleted:
                raise Refused("ChangeSetNotFound", f"ChangeSet [{given['ChangeSetName']}] does not exist", 404)
            template: Template | None = found[1].template
        elif stack is None:
            raise Refused("ValidationError", f"Stack with id {name} does not exist")
        else:
            template = stack.template
        if template is None:
            raise Refused("ValidationError", f"GetTemplate cannot be called on REVIEW_IN_PROGRESS stacks: {name}")
        return {"TemplateBody": template.body, "StagesAvailable": ["Original", "Processed"]}

    def ValidateTemplate(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        template = read_template(self.world, given, region, None)
        needed = needed_capability(template)
        return {
            "Parameters": _parameters(template),
            "Description": template.document.get("Description"),
            "Capabilities": [needed] if needed else None,
            "CapabilitiesReason": _reason(template) if needed else None,
        }

    def GetTemplateSummary(self, given: dict[str, Any], region: str) -> dict[str, Any]:
        stack: Stack | None = self.world.stack(given["StackName"], region) if given.get("StackName") else None
        if given.get("StackName") and (stack is None or stack.template is None):
            raise Refused("ValidationError", f"Stack with id {given['StackName']} does not exist")
        template = stack.template if stack is not None else read_template(self.world, given, region, None)
        assert template is not None
        needed = needed_capability(template)
        return {
            "Parameters": _parameters(template),
            "Description": template.document.get("Description"),
            "Capabilities": [needed] if needed else None,
            "ResourceTypes": [one["Type"] for one in template.resources.values()],
            "Metadata": None,
        }


def _parameters(template: Template) -> list[dict[str, Any]]:
    return [
        {
            "ParameterKey": name,
            "DefaultValue": str(rule["Default"]) if "Default" in rule else None,
            "NoEcho": str(rule.get("NoEcho", "")).lower() == "true",
            "Description": rule.get("Description"),
        }
        for name, rule in template.parameters.items()
    ]


def _reason(template: Template) -> str:
    kinds = sorted({one["Type"] for one in template.resources.values() if one["Type"].startswith("AWS::IAM::")})
    return f"The following resource(s) require capabilities: [{', '.join(kinds)}]"
