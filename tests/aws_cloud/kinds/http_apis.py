"""API Gateway V2: HTTP APIs, their stages, integrations, routes, authorizers."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from aws_cloud.kinds.base import Failed, Kind, Made, Place, as_bool, chosen, tag_map


class Api(Kind):
    type = "AWS::ApiGatewayV2::Api"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("apigatewayv2")
        api = client.create_api(ProtocolType=properties.get("ProtocolType", "HTTP"), **_api(properties))
        return Made(api["ApiId"], {"ApiId": api["ApiId"], "ApiEndpoint": api["ApiEndpoint"]})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        client = place.client("apigatewayv2")
        settings = _api(properties)
        tags = settings.pop("Tags", {})
        client.update_api(ApiId=made.physical_id, **settings)
        if "CorsConfiguration" in old and "CorsConfiguration" not in properties:
            client.delete_cors_configuration(ApiId=made.physical_id)
        arn = place.arn("apigateway", f"/apis/{made.physical_id}", account=False)
        if gone := sorted(set(old.get("Tags") or ()) - set(tags)):
            client.untag_resource(ResourceArn=arn, TagKeys=gone)
        if tags:
            client.tag_resource(ResourceArn=arn, Tags=tags)
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        client = place.client("apigatewayv2")
        with suppress(client.exceptions.NotFoundException):
            client.delete_api(ApiId=made.physical_id)


def _api(properties: dict[str, Any]) -> dict[str, Any]:
    settings = chosen(properties, "Name", "Description", "Version", "CorsConfiguration", "DisableExecuteApiEndpoint")
    if "DisableExecuteApiEndpoint" in settings:
        settings["DisableExecuteApiEndpoint"] = as_bool(settings["DisableExecuteApiEndpoint"])
    if cors := settings.get("CorsConfiguration"):
        whole = {"AllowCredentials": as_bool, "MaxAge": int}
        settings["CorsConfiguration"] = {key: whole.get(key, list)(value) for key, value in cors.items()}
    if properties.get("Tags"):
        settings["Tags"] = tag_map(properties["Tags"])
    return settings


class _OfApi(Kind):
    """Something of an API: made and changed with the same arguments, deleted with an API that is gone."""

    noun: ClassVar[str]
    key: ClassVar[str]

    def arguments(self, properties: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in properties.items() if key != "ApiId"}

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        call = getattr(place.client("apigatewayv2"), f"create_{self.noun}")
        said = call(ApiId=properties["ApiId"], **self.arguments(properties))
        return Made(said[self.key], {self.key: said[self.key]})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        call = getattr(place.client("apigatewayv2"), f"update_{self.noun}")
        call(ApiId=properties["ApiId"], **{**self.arguments(properties), self.key: made.physical_id})
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        call = getattr(place.client("apigatewayv2"), f"delete_{self.noun}")
        with suppress(place.client("apigatewayv2").exceptions.NotFoundException):
            call(ApiId=properties["ApiId"], **{self.key: made.physical_id})


class Stage(_OfApi):
    """moto has no update of a stage; it is made anew under its name."""

    type = "AWS::ApiGatewayV2::Stage"
    noun = "stage"
    key = "StageName"

    def arguments(self, properties: dict[str, Any]) -> dict[str, Any]:
        found = super().arguments(properties)
        if "AutoDeploy" in found:
            found["AutoDeploy"] = as_bool(found["AutoDeploy"])
        for name in ("DefaultRouteSettings", "RouteSettings"):
            if name in found:
                found[name] = _settings(found[name])
        return found

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        self.delete(place, made, old)
        return self.create(place, properties)


def _settings(value: Any) -> Any:
    numbers = {"ThrottlingBurstLimit": int, "ThrottlingRateLimit": float}
    flags = {"DetailedMetricsEnabled", "DataTraceEnabled"}
    if not isinstance(value, dict):
        return value
    return {
        key: numbers[key](one) if key in numbers else as_bool(one) if key in flags else _settings(one)
        for key, one in value.items()
    }


class Integration(_OfApi):
    type = "AWS::ApiGatewayV2::Integration"
    noun = "integration"
    key = "IntegrationId"

    def arguments(self, properties: dict[str, Any]) -> dict[str, Any]:
        found = super().arguments(properties)
        if "TimeoutInMillis" in found:
            found["TimeoutInMillis"] = int(found["TimeoutInMillis"])
        return found


class Route(_OfApi):
    type = "AWS::ApiGatewayV2::Route"
    noun = "route"
    key = "RouteId"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("apigatewayv2")
        for one in client.get_routes(ApiId=properties["ApiId"])["Items"]:
            if one["RouteKey"] == properties["RouteKey"]:
                text = f"Route with key {properties['RouteKey']} already exists for this API"
                raise Failed(text, "AlreadyExists")
        return super().create(place, properties)


class Authorizer(_OfApi):
    type = "AWS::ApiGatewayV2::Authorizer"
    noun = "authorizer"
    key = "AuthorizerId"

    def arguments(self, properties: dict[str, Any]) -> dict[str, Any]:
        found = super().arguments(properties)
        if "AuthorizerResultTtlInSeconds" in found:
            found["AuthorizerResultTtlInSeconds"] = int(found["AuthorizerResultTtlInSeconds"])
        if "EnableSimpleResponses" in found:
            found["EnableSimpleResponses"] = as_bool(found["EnableSimpleResponses"])
        return found


class DomainName(Kind):
    type = "AWS::ApiGatewayV2::DomainName"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("apigatewayv2")
        client.create_domain_name(
            DomainName=properties["DomainName"],
            DomainNameConfigurations=properties.get("DomainNameConfigurations") or [],
        )
        return Made(properties["DomainName"], {"RegionalDomainName": f"d-abc.execute-api.{place.region}.amazonaws.com"})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("apigatewayv2").delete_domain_name(DomainName=made.physical_id)


class ApiMapping(Kind):
    type = "AWS::ApiGatewayV2::ApiMapping"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        said = place.client("apigatewayv2").create_api_mapping(
            **{"ApiMappingKey": "", **chosen(properties, "ApiId", "DomainName", "Stage", "ApiMappingKey")}
        )
        return Made(said["ApiMappingId"], {"ApiMappingId": said["ApiMappingId"]})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("apigatewayv2").delete_api_mapping(
                ApiMappingId=made.physical_id, DomainName=properties["DomainName"]
            )


KINDS = (Api, Stage, Integration, Route, Authorizer, DomainName, ApiMapping)
