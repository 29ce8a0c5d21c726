"""HTTP API: routes, integrations, stage; names and shapes as Serverless has them."""

from __future__ import annotations

import json
from typing import Any

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.gateway import (
    add_log_group,
    add_permission,
    address,
    execute_arn,
    free_id,
    once,
    variables,
    without_nothing,
)
from bareboat.aws.template.http_authorizers import add_authorizers, authorization
from bareboat.aws.template.targets import functions_of, target_arn, target_depends
from bareboat.service.api import Cors, Throttle
from bareboat.service.model import Function
from bareboat.service.triggers import HttpApiEvent

TIMEOUT_MS = 30_000  # the most that an HTTP API waits, and what Serverless writes whatever a function's timeout is
# lib/plugins/aws/package/compile/events/http-api.js: what an access log has where `logs.httpApi` is true
ACCESS_LOG = {
    "requestId": "$context.requestId",
    "ip": "$context.identity.sourceIp",
    "requestTime": "$context.requestTime",
    "httpMethod": "$context.httpMethod",
    "routeKey": "$context.routeKey",
    "status": "$context.status",
    "protocol": "$context.protocol",
    "responseLength": "$context.responseLength",
}


def routes_of(draft: Draft) -> list[tuple[Function, HttpApiEvent]]:
    """Return the routes of the HTTP API, each with its function, in the order of the file."""
    return [
        (function, event)
        for function in functions_of(draft.service)
        for event in function.events
        if isinstance(event, HttpApiEvent)
    ]


def http_api_id(draft: Draft) -> Any:
    """Return the id of the HTTP API: of the stack's, or of the one that `provider.httpApi.id` names."""
    return draft.service.provider.http_api.options.get("id") or {"Ref": naming.HTTP_API}


def add_http_api(draft: Draft) -> None:
    """Add the HTTP API of the service's `httpApi` events, if there are any."""
    routes = routes_of(draft)
    if not routes:
        return
    own = not draft.service.provider.http_api.options.get("id")
    if own:
        _add_api(draft)
    add_authorizers(draft, http_api_id(draft))
    ids = {event.route_key: _add_route(draft, function, event) for function, event in routes}
    if own:
        _add_stage(draft, ids)


def _add_api(draft: Draft) -> None:
    service = draft.service
    api = service.provider.http_api
    first = bool(api.options.get("shouldStartNameWithService"))
    properties = {
        "Name": api.options.get("name") or naming.api_name(service.name, draft.stage, service_first=first),
        "Description": api.options.get("description"),
        "ProtocolType": "HTTP",
        "DisableExecuteApiEndpoint": True if api.disabled else None,
        "Tags": dict(service.provider.tags) or None,
        "CorsConfiguration": cors_configuration(api.cors) if api.cors is not None else None,
    }
    draft.add(naming.HTTP_API, "AWS::ApiGatewayV2::Api", without_nothing(properties))


def cors_configuration(cors: Cors) -> Json:
    """Return CORS as CloudFormation has it, for an HTTP API or a function URL; an empty list is left out."""
    lists = {
        "AllowHeaders": cors.allowed_headers,
        "AllowMethods": cors.allowed_methods,
        "AllowOrigins": cors.allowed_origins,
        "ExposeHeaders": cors.exposed_headers,
    }
    found: Json = {"AllowCredentials": True} if cors.allow_credentials else {}
    found.update({key: once(value) for key, value in lists.items() if value})
    if cors.max_age_s is not None:
        found["MaxAge"] = cors.max_age_s
    return found


def _add_route(draft: Draft, function: Function, event: HttpApiEvent) -> str:
    """Add a route with its integration and permission, and return its logical id."""
    api = http_api_id(draft)
    add_permission(draft, naming.http_permission_id(function.name), execute_arn(api, "/*"), function=function.name)
    integration = naming.http_integration_id(function.name)
    if integration not in draft.resources:
        properties = {
            "ApiId": api,
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": target_arn(draft, function.name),
            "PayloadFormatVersion": function.http_api_payload,
            "TimeoutInMillis": TIMEOUT_MS,
        }
        depends = target_depends(draft, function.name)
        draft.add(integration, "AWS::ApiGatewayV2::Integration", properties, DependsOn=depends)
    route = event.route_key
    return draft.add(
        free_id(draft, naming.http_route_id("*" if event.path == "*" else route), route),
        "AWS::ApiGatewayV2::Route",
        {
            "ApiId": api,
            "RouteKey": route,
            "Target": {"Fn::Join": ["/", ["integrations", {"Ref": integration}]]},
            **authorization(draft, event),
        },
    )


def _add_stage(draft: Draft, routes: dict[str, str]) -> None:
    """Add the stage.

    Args:
        routes: the logical id of each route, by its key.
    """
    provider = draft.service.provider
    api = provider.http_api
    log_format = access_log_format(provider.options.get("logs"))
    if log_format:
        add_log_group(draft, naming.HTTP_API_LOG_GROUP, naming.http_log_group_name(provider.stack_name))
    limits = {key: _limit(limit) for key, limit in api.throttles.items()}
    properties = {
        "ApiId": {"Ref": naming.HTTP_API},
        "StageName": "$default",
        "AutoDeploy": True,
        "DefaultRouteSettings": {
            "DetailedMetricsEnabled": bool(api.options.get("metrics")),
            **(_limit(api.throttle) if api.throttle is not None else {}),
        },
        "RouteSettings": limits or None,
        "StageVariables": variables(api.stage_variables) or None,
        "Tags": dict(provider.tags) or None,
        "AccessLogSettings": {
            "DestinationArn": {"Fn::GetAtt": [naming.HTTP_API_LOG_GROUP, "Arn"]},
            "Format": log_format,
        }
        if log_format
        else None,
    }
    # API Gateway refuses settings of a route that is not there yet
    depends = sorted({routes[key] for key in limits if key in routes})
    draft.add(naming.HTTP_API_STAGE, "AWS::ApiGatewayV2::Stage", without_nothing(properties), DependsOn=depends or None)
    draft.output("HttpApiId", {"Ref": naming.HTTP_API}, "Id of the HTTP API")
    draft.output("HttpApiUrl", address({"Ref": naming.HTTP_API}), "URL of the HTTP API")


def access_log_format(logs: Any) -> str:
    """Return the format of `provider.logs.httpApi`; "" where there is no such log."""
    said = logs.get("httpApi") if isinstance(logs, dict) else None
    if not said:
        return ""
    own = said.get("format") if isinstance(said, dict) else None
    return str(own) if own else json.dumps(ACCESS_LOG, separators=(",", ":"))


def _limit(throttle: Throttle) -> Json:
    return {"ThrottlingBurstLimit": throttle.burst, "ThrottlingRateLimit": plain_number(throttle.rate)}


def plain_number(value: float) -> int | float:
    """Return a number as a person writes it: 10, not 10.0."""
    return int(value) if value == int(value) else value
