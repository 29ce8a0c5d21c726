"""The deployment of a REST API, and the stage that it makes: logs, limits, variables, tags.

As with Serverless a deployment makes the stage, so that the stage is no resource of the stack. What is said of the
stage stands in the deployment's Metadata: part of the change set and of each version, and set by `aws.stages` once the
stack is done. CloudFormation refuses it as `StageDescription` where the stage is there already. docs/decisions has the
reasons.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from bareboat.aws.template import naming, words
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.gateway import add_log_group, variables, without_nothing
from bareboat.aws.template.http_api import plain_number
from bareboat.aws.template.rest_names import with_deployment
from bareboat.aws.template.rest_resources import rest_api_id
from bareboat.service.api import Throttle

DEPLOYMENT = "AWS::ApiGateway::Deployment"
STAGE_METADATA = "BareboatStage"  # of a deployment: what is said of its stage, as StageDescription would have it
DEPLOYMENT_ID = "ApiGatewayDeployment"  # what stands for its logical id before there is one
ACCOUNT_ID = "ApiGatewayAccount"
ACCOUNT_ROLE_ID = "ApiGatewayCloudWatchRole"
_PARTS = ("RestApi", "Resource", "Method", "Authorizer", "Model", "RequestValidator", "GatewayResponse")
_KINDS = tuple(f"AWS::ApiGateway::{name}" for name in _PARTS)
_VERBS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
# lib/plugins/aws/package/compile/events/api-gateway/lib/hack/update-stage.js: the access log of `logs.restApi: true`
ACCESS_LOG = ", ".join(
    f"{name}: $context.{path}"
    for name, path in (
        ("requestId", "requestId"),
        ("ip", "identity.sourceIp"),
        ("caller", "identity.caller"),
        ("user", "identity.user"),
        ("requestTime", "requestTime"),
        ("httpMethod", "httpMethod"),
        ("resourcePath", "resourcePath"),
        ("status", "status"),
        ("protocol", "protocol"),
        ("responseLength", "responseLength"),
    )
)


def stage_name(draft: Draft) -> str:
    """Return the name of the stage: `provider.apiGateway.stage`, or the service's."""
    return str(draft.service.provider.rest_api.options.get("stage") or draft.stage)


def add_deployment(draft: Draft, methods: list[str]) -> str:
    """Add the deployment and its stage, and return the deployment's logical id.

    The logical id follows the content of the API: an API that did not change is no change, one that did is deployed.

    Args:
        methods: the logical ids of all methods.
    """
    own = _own_parts(with_deployment(draft.service.resources, DEPLOYMENT_ID))
    depends = [*methods, *(name for name, each in own.items() if each.get("Type") in _KINDS)]
    settings = _settings(draft)
    if ACCOUNT_ID in draft.resources:
        depends.append(ACCOUNT_ID)
    properties = {
        "RestApiId": rest_api_id(draft),
        "Description": draft.service.provider.rest_api.options.get("description"),
    }
    apart = "serverless-api-stage" in draft.service.plugins
    if not apart:
        properties.update(StageName=stage_name(draft))
    made = [each for each in draft.resources.values() if each["Type"] in _KINDS]
    logical_id = naming.rest_deployment_id(_digest([made, own, properties]))
    attributes: Json = {"DependsOn": list(dict.fromkeys(depends))}
    if settings and not apart:
        stage = {"RestApiId": properties["RestApiId"], "StageName": properties["StageName"], **settings}
        attributes["Metadata"] = {STAGE_METADATA: stage}
    draft.add(logical_id, DEPLOYMENT, without_nothing(properties), **attributes)
    return _add_stage(draft, logical_id, settings) if apart else logical_id


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _own_parts(resources: Any) -> dict[str, Json]:
    """Return what `resources` of serverless.yml adds to the API, or changes of it, by logical id."""
    found: dict[str, Json] = {}
    for section in ("Resources", "extensions"):
        for name, each in (resources.get(section) or {}).items():
            if not isinstance(each, dict):
                continue
            kind = each.get("Type") or ""
            if kind in _KINDS and _is_of_api(each):
                found[name] = each
            elif not kind and name.startswith("ApiGateway"):
                found[f"{section}.{name}"] = each
    return found


def _is_of_api(resource: Json) -> bool:
    properties = resource.get("Properties")
    return isinstance(properties, dict) and properties.get("RestApiId") == {"Ref": naming.REST_API}


def _settings(draft: Draft) -> Json:
    """Return what is said of the stage, as StageDescription has it; {} for nothing."""
    provider = draft.service.provider
    api = provider.rest_api
    if api.options.get("restApiId"):
        tags: dict[str, Any] = {}
    else:
        tags = {**(provider.options.get("stackTags") or {}), **provider.tags}
    methods = _method_settings(draft)
    tracing = provider.options.get("tracing")
    found: Json = {
        "AccessLogSetting": _access_log(draft),
        "TracingEnabled": bool(tracing["apiGateway"])
        if isinstance(tracing, dict) and tracing.get("apiGateway") is not None
        else None,
        "Variables": variables(api.stage_variables) or None,
        "Tags": [{"Key": key, "Value": str(value)} for key, value in tags.items()] or None,
        **methods,
    }
    if methods.get("LoggingLevel", "OFF") != "OFF" or found["AccessLogSetting"]:
        _add_account(draft)
    found["MethodSettings"] = [
        {"HttpMethod": verb, "ResourcePath": path, **methods, **_limit(limit)}
        for (verb, path), limit in _limits_of_methods(api.throttles.items())
    ] or None
    return without_nothing(found)


def _method_settings(draft: Draft) -> Json:
    """Return what holds for all methods: logs, metrics, the limit."""
    api = draft.service.provider.rest_api
    found: Json = {}
    logs = _logs(draft)
    if logs is not None:
        executes = logs.get("executionLogging") is not False
        found["LoggingLevel"] = str(logs.get("level") or "INFO") if executes else "OFF"
        found["DataTraceEnabled"] = logs.get("fullExecutionData") is not False
    if api.options.get("metrics") is not None:
        found["MetricsEnabled"] = bool(api.options["metrics"])
    if api.throttle is not None:
        found.update(_limit(api.throttle))
    return found


def _logs(draft: Draft) -> Json | None:
    """Return `provider.logs.restApi`, {} for `true`, None for nothing."""
    said = draft.service.provider.options.get("logs")
    found = said.get("restApi") if isinstance(said, dict) else None
    if not found:
        return None
    return found if isinstance(found, dict) else {}


def _access_log(draft: Draft) -> Json | None:
    logs = _logs(draft)
    if logs is None or logs.get("accessLogging") is False:
        return None
    name = f"/aws/api-gateway/{draft.service.name}-{draft.stage}"
    add_log_group(draft, naming.REST_API_LOG_GROUP, name)
    return {
        "DestinationArn": {"Fn::GetAtt": [naming.REST_API_LOG_GROUP, "Arn"]},
        "Format": logs.get("format") or ACCESS_LOG,
    }


def _add_account(draft: Draft) -> None:
    """Let API Gateway write logs: one role for the account and region, which other APIs then use, too.

    Role and setting stay when the stack is removed, since others may live on them.
    """
    logs = _logs(draft) or {}
    if logs.get("roleManagedExternally"):
        return
    role = logs.get("role")
    if not role:
        partition = {"Ref": "AWS::Partition"}
        policy = ":iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": ["apigateway.amazonaws.com"]},
            "Action": ["sts:AssumeRole"],
        }
        properties: Json = {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "ManagedPolicyArns": [{"Fn::Join": ["", ["arn:", partition, policy]]}],
        }
        draft.add(ACCOUNT_ROLE_ID, "AWS::IAM::Role", properties, DeletionPolicy="Retain", UpdateReplacePolicy="Retain")
        role = {"Fn::GetAtt": [ACCOUNT_ROLE_ID, "Arn"]}
    draft.add(
        ACCOUNT_ID,
        "AWS::ApiGateway::Account",
        {"CloudWatchRoleArn": role},
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        DependsOn=naming.REST_API,
    )


def _limits_of_methods(throttles: Iterable[tuple[str, Throttle]]) -> list[tuple[tuple[str, str], Throttle]]:
    """Return limits by method and path as stages have them: ANY spelt out, slashes after the first as ~1."""
    found: list[tuple[tuple[str, str], Throttle]] = []
    for key, limit in throttles:
        verb, _, path = key.partition(" ")
        encoded = f"/~1{path.strip('/').replace('/', '~1')}" if path != "/" else path
        found += [((each, encoded), limit) for each in (_VERBS if verb == "ANY" else (verb,))]
    return found


def _limit(throttle: Throttle) -> Json:
    return {"ThrottlingBurstLimit": throttle.burst, "ThrottlingRateLimit": plain_number(throttle.rate)}


def _add_stage(draft: Draft, deployment: str, settings: Json) -> str:
    """Add the stage as a resource of its own, where serverless-api-stage has made it one; return its logical id."""
    name = stage_name(draft)
    shared = {
        key: settings.pop(key)
        for key in (*_limit(Throttle(0, 0)), "LoggingLevel", "DataTraceEnabled", "MetricsEnabled")
        if key in settings
    }
    methods = settings.pop("MethodSettings", [])
    if shared:
        methods = [{"HttpMethod": "*", "ResourcePath": "/*", **shared}, *methods]
    properties = {
        "StageName": name,
        "Description": f"{name} stage of {draft.service.name}",
        "RestApiId": rest_api_id(draft),
        "DeploymentId": {"Ref": deployment},
        **settings,
    }
    if methods:
        properties["MethodSettings"] = methods
    logical_id = f"{naming.REST_API_STAGE}{name[:1].upper()}{words.alphanumeric(name)[1:]}"
    return draft.add(logical_id, "AWS::ApiGateway::Stage", properties)
