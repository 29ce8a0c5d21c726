"""API Gateway: API keys and usage plans."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from aws_cloud.kinds.base import Failed, Kind, Made, Place, as_bool, lowered, tag_map


class ApiKey(Kind):
    type = "AWS::ApiGateway::ApiKey"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("apigateway")
        given = lowered(properties, "Name", "Description", "Value", "CustomerId")
        if properties.get("Tags"):
            given["tags"] = tag_map(properties["Tags"])
        try:
            said = client.create_api_key(enabled=as_bool(properties.get("Enabled", False)), **given)
        except client.exceptions.ConflictException as error:
            raise Failed("API Key already exists", "AlreadyExists") from error
        return Made(said["id"], {"APIKeyId": said["id"]})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        patches = [
            {"op": "replace", "path": path, "value": words(properties[name])}
            for name, path, words in (("Description", "/description", str), ("Enabled", "/enabled", _flag))
            if name in properties
        ]  # fmt: skip
        place.client("apigateway").update_api_key(apiKey=made.physical_id, patchOperations=patches)
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("apigateway").delete_api_key(apiKey=made.physical_id)


def _flag(value: Any) -> str:
    return str(as_bool(value)).lower()


class UsagePlan(Kind):
    type = "AWS::ApiGateway::UsagePlan"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        said = place.client("apigateway").create_usage_plan(**_plan(place, properties))
        return Made(said["id"], {"Id": said["id"]})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        wanted = _plan(place, properties)
        patches = [
            {"op": "replace", "path": f"/{part}/{name}", "value": str(value)}
            for part in ("throttle", "quota")
            for name, value in (wanted.get(part) or {}).items()
        ]
        if "name" in wanted:
            patches.append({"op": "replace", "path": "/name", "value": wanted["name"]})
        place.client("apigateway").update_usage_plan(usagePlanId=made.physical_id, patchOperations=patches)
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("apigateway").delete_usage_plan(usagePlanId=made.physical_id)


def _plan(place: Place, properties: dict[str, Any]) -> dict[str, Any]:
    plan = {"name": properties.get("UsagePlanName") or place.name(), **lowered(properties, "Description")}
    if stages := properties.get("ApiStages"):
        plan["apiStages"] = [{"apiId": one["ApiId"], "stage": one["Stage"]} for one in stages]
    if quota := properties.get("Quota"):
        plan["quota"] = {
            **{name: int(quota[old]) for name, old in (("limit", "Limit"), ("offset", "Offset")) if old in quota},
            **lowered(quota, "Period"),
        }
    if throttle := properties.get("Throttle"):
        plan["throttle"] = {
            **({"burstLimit": int(throttle["BurstLimit"])} if "BurstLimit" in throttle else {}),
            **({"rateLimit": float(throttle["RateLimit"])} if "RateLimit" in throttle else {}),
        }
    if properties.get("Tags"):
        plan["tags"] = tag_map(properties["Tags"])
    return plan


class UsagePlanKey(Kind):
    type = "AWS::ApiGateway::UsagePlanKey"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        place.client("apigateway").create_usage_plan_key(
            usagePlanId=properties["UsagePlanId"], keyId=properties["KeyId"], keyType=properties["KeyType"]
        )
        made = f"{properties['KeyId']}:{properties['UsagePlanId']}"
        return Made(made, {"Id": made})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("apigateway").delete_usage_plan_key(
                usagePlanId=properties["UsagePlanId"], keyId=properties["KeyId"]
            )


KINDS = (ApiKey, UsagePlan, UsagePlanKey)
