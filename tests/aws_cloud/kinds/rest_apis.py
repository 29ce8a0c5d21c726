"""API Gateway: REST APIs and what belongs to them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from aws_cloud.kinds.base import Failed, Kind, Made, Place, as_bool, chosen, lowered, tag_map


class RestApi(Kind):
    type = "AWS::ApiGateway::RestApi"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("apigateway")
        given = lowered(properties, "Name", "Description", "BinaryMediaTypes")
        given |= chosen(properties, apiKeySource="ApiKeySourceType")
        if "EndpointConfiguration" in properties:
            given["endpointConfiguration"] = {"types": properties["EndpointConfiguration"].get("Types", ["EDGE"])}
        if "MinimumCompressionSize" in properties:
            given["minimumCompressionSize"] = int(properties["MinimumCompressionSize"])
        if properties.get("Tags"):
            given["tags"] = tag_map(properties["Tags"])
        given.setdefault("name", place.name(128))
        api = client.create_rest_api(**given)
        root = client.get_resources(restApiId=api["id"])["items"][0]["id"]
        return Made(api["id"], {"RootResourceId": root, "RestApiId": api["id"]})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        patches = []
        for name, path in (("Name", "/name"), ("Description", "/description"), ("ApiKeySourceType", "/apiKeySource")):
            if properties.get(name) != old.get(name) and properties.get(name):
                patches.append({"op": "replace", "path": path, "value": str(properties[name])})
        if patches:
            place.client("apigateway").update_rest_api(restApiId=made.physical_id, patchOperations=patches)
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("apigateway").delete_rest_api(restApiId=made.physical_id)


class Resource(Kind):
    type = "AWS::ApiGateway::Resource"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        said = place.client("apigateway").create_resource(
            restApiId=properties["RestApiId"], parentId=properties["ParentId"], pathPart=properties["PathPart"]
        )
        return Made(said["id"], {"ResourceId": said["id"]})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("apigateway").delete_resource(restApiId=properties["RestApiId"], resourceId=made.physical_id)


class Method(Kind):
    type = "AWS::ApiGateway::Method"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("apigateway")
        at = {
            "restApiId": properties["RestApiId"],
            "resourceId": properties["ResourceId"],
            "httpMethod": properties["HttpMethod"],
        }
        given = lowered(
            properties, "AuthorizerId", "OperationName", "RequestModels", "RequestValidatorId", "AuthorizationScopes"
        )
        if "RequestParameters" in properties:
            given["requestParameters"] = {key: as_bool(one) for key, one in properties["RequestParameters"].items()}
        client.put_method(
            **at,
            authorizationType=properties.get("AuthorizationType", "NONE"),
            apiKeyRequired=as_bool(properties.get("ApiKeyRequired", False)),
            **given,
        )
        for one in properties.get("MethodResponses") or ():
            client.put_method_response(**at, statusCode=str(one["StatusCode"]))
        if integration := properties.get("Integration"):
            self._integrate(client, at, integration)
        return Made(place.name())

    def _integrate(self, client: Any, at: dict[str, Any], integration: dict[str, Any]) -> None:
        given = lowered(
            integration,
            "Type",
            "IntegrationHttpMethod",
            "Uri",
            "RequestTemplates",
            "ContentHandling",
            "PassthroughBehavior",
            "RequestParameters",
            "ConnectionType",
            "Credentials",
        )
        if "TimeoutInMillis" in integration:
            given["timeoutInMillis"] = int(integration["TimeoutInMillis"])
        client.put_integration(**at, **given)
        for one in integration.get("IntegrationResponses") or ():
            client.put_integration_response(**at, statusCode=str(one["StatusCode"]), **lowered(one, "SelectionPattern"))

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        self.delete(place, made, old)
        self.create(place, properties)
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("apigateway").delete_method(
                restApiId=properties["RestApiId"],
                resourceId=properties["ResourceId"],
                httpMethod=properties["HttpMethod"],
            )


class Deployment(Kind):
    """A deployment makes the stage that it names, or leads the one that is there to itself."""

    type = "AWS::ApiGateway::Deployment"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("apigateway")
        api, name = properties["RestApiId"], properties.get("StageName")
        given = lowered(properties, "Description")
        there = {stage["stageName"] for stage in client.get_stages(restApiId=api)["item"]}
        if name in there and properties.get("StageDescription"):
            raise Failed("StageDescription cannot be specified when stage referenced by StageName already exists")
        if name and name not in there:
            given |= {"stageName": name} | chosen(
                properties.get("StageDescription") or {}, variables="Variables", tracingEnabled="TracingEnabled"
            )
        said = client.create_deployment(restApiId=api, **given)
        if name in there:
            patch = {"op": "replace", "path": "/deploymentId", "value": said["id"]}
            client.update_stage(restApiId=api, stageName=name, patchOperations=[patch])
        return Made(said["id"], {"DeploymentId": said["id"]})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        client = place.client("apigateway")
        with suppress(ClientError):
            for stage in client.get_stages(restApiId=properties["RestApiId"])["item"]:
                if stage.get("deploymentId") == made.physical_id and stage["stageName"] == properties.get("StageName"):
                    client.delete_stage(restApiId=properties["RestApiId"], stageName=stage["stageName"])
            client.delete_deployment(restApiId=properties["RestApiId"], deploymentId=made.physical_id)


class Stage(Kind):
    type = "AWS::ApiGateway::Stage"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        given = lowered(properties, "Description", "Variables")
        if "TracingEnabled" in properties:
            given["tracingEnabled"] = as_bool(properties["TracingEnabled"])
        if properties.get("Tags"):
            given["tags"] = tag_map(properties["Tags"])
        place.client("apigateway").create_stage(
            restApiId=properties["RestApiId"],
            stageName=properties["StageName"],
            deploymentId=properties["DeploymentId"],
            **given,
        )
        return Made(properties["StageName"])

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        patches = []
        if properties["DeploymentId"] != old["DeploymentId"]:
            patches.append({"op": "replace", "path": "/deploymentId", "value": properties["DeploymentId"]})
        if patches:
            place.client("apigateway").update_stage(
                restApiId=properties["RestApiId"], stageName=made.physical_id, patchOperations=patches
            )
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("apigateway").delete_stage(restApiId=properties["RestApiId"], stageName=made.physical_id)


class Model(Kind):
    type = "AWS::ApiGateway::Model"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        import json

        schema = properties.get("Schema", {})
        said = place.client("apigateway").create_model(
            restApiId=properties["RestApiId"],
            name=properties.get("Name") or place.name(64, dash=""),
            contentType=properties.get("ContentType", "application/json"),
            schema=schema if isinstance(schema, str) else json.dumps(schema),
            **lowered(properties, "Description"),
        )
        return Made(said["name"])

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        """Leave it: moto has no call for it, and it goes with its API."""


class RequestValidator(Kind):
    type = "AWS::ApiGateway::RequestValidator"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        said = place.client("apigateway").create_request_validator(
            restApiId=properties["RestApiId"],
            name=properties.get("Name") or place.name(),
            validateRequestBody=as_bool(properties.get("ValidateRequestBody", False)),
            validateRequestParameters=as_bool(properties.get("ValidateRequestParameters", False)),
        )
        return Made(said["id"], {"RequestValidatorId": said["id"]})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("apigateway").delete_request_validator(
                restApiId=properties["RestApiId"], requestValidatorId=made.physical_id
            )


class Authorizer(Kind):
    type = "AWS::ApiGateway::Authorizer"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        given = lowered(
            properties,
            "Name",
            "Type",
            "ProviderARNs",
            "AuthorizerUri",
            "IdentitySource",
            "IdentityValidationExpression",
            "AuthorizerCredentials",
        )
        if "AuthorizerResultTtlInSeconds" in properties:
            given["authorizerResultTtlInSeconds"] = int(properties["AuthorizerResultTtlInSeconds"])
        said = place.client("apigateway").create_authorizer(restApiId=properties["RestApiId"], **given)
        return Made(said["id"], {"AuthorizerId": said["id"]})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        patches = [
            {"op": "replace", "path": path, "value": str(properties[name])}
            for name, path in (("AuthorizerUri", "/authorizerUri"), ("IdentitySource", "/identitySource"))
            if name in properties
        ]
        place.client("apigateway").update_authorizer(
            restApiId=properties["RestApiId"], authorizerId=made.physical_id, patchOperations=patches
        )
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("apigateway").delete_authorizer(
                restApiId=properties["RestApiId"], authorizerId=made.physical_id
            )


class GatewayResponse(Kind):
    type = "AWS::ApiGateway::GatewayResponse"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        place.client("apigateway").put_gateway_response(
            restApiId=properties["RestApiId"],
            responseType=properties["ResponseType"],
            **lowered(properties, "StatusCode", "ResponseParameters", "ResponseTemplates"),
        )
        return Made(place.name())

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        self.create(place, properties)
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("apigateway").delete_gateway_response(
                restApiId=properties["RestApiId"], responseType=properties["ResponseType"]
            )


class Account(Kind):
    """`AWS::ApiGateway::Account`: the role that writes logs, of the whole region; it stays when the stack goes."""

    type = "AWS::ApiGateway::Account"


KINDS = (
    RestApi,
    Resource,
    Method,
    Deployment,
    Stage,
    Model,
    RequestValidator,
    Authorizer,
    GatewayResponse,
    Account,
)
