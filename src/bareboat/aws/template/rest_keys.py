"""API keys, usage plans, and which key is of which plan."""

from __future__ import annotations

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.gateway import without_nothing
from bareboat.aws.template.http_api import plain_number
from bareboat.aws.template.rest_resources import rest_api_id
from bareboat.aws.template.rest_stage import stage_name
from bareboat.service.api import UsagePlan


def add_keys(draft: Draft, deployment: str) -> None:
    """Add keys and plans.

    Args:
        deployment: its logical id; the stage that keys and plans are for is there after it.
    """
    api = draft.service.provider.rest_api
    plans = [_add_plan(draft, plan, deployment) for plan in api.plans]
    numbers: dict[str, int] = {}
    for key in api.keys:
        number = numbers[key.plan] = numbers.get(key.plan, 0) + 1
        logical_id = naming.rest_key_id(number, key.plan)
        properties = {
            "Enabled": key.enabled,
            "Name": key.name or None,
            "Value": key.value,
            "Description": key.description or None,
            "CustomerId": key.customer_id or None,
            "StageKeys": [{"RestApiId": rest_api_id(draft), "StageName": stage_name(draft)}],
        }
        draft.add(logical_id, "AWS::ApiGateway::ApiKey", without_nothing(properties), DependsOn=deployment)
        plan = naming.rest_plan_id(key.plan)
        if plan in plans:
            tie = {"KeyId": {"Ref": logical_id}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": plan}}
            draft.add(naming.rest_plan_key_id(number, key.plan), "AWS::ApiGateway::UsagePlanKey", tie)


def _add_plan(draft: Draft, plan: UsagePlan, deployment: str) -> str:
    service, stage = draft.service.name, draft.stage
    named = f' "{plan.name}"' if plan.name else ""
    properties: Json = {
        "ApiStages": [{"ApiId": rest_api_id(draft), "Stage": stage_name(draft)}],
        "Description": f"Usage plan{named} for {service} {stage} stage",
        "UsagePlanName": "-".join(filter(None, (service, plan.name, stage))),
    }
    if plan.quota is not None:
        properties["Quota"] = {"Limit": plan.quota.limit, "Period": plan.quota.period}
        if plan.quota.offset:
            properties["Quota"]["Offset"] = plan.quota.offset
    if plan.throttle is not None:
        properties["Throttle"] = {
            "BurstLimit": plan.throttle.burst,
            "RateLimit": plain_number(plan.throttle.rate),
        }
    logical_id = naming.rest_plan_id(plan.name)
    return draft.add(logical_id, "AWS::ApiGateway::UsagePlan", properties, DependsOn=deployment)
