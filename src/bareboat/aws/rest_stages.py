"""Stages of REST APIs that are live: a deployment cannot describe them any more, so calls set what it would have said.

CloudFormation takes `StageDescription` only of a deployment that makes its stage ("StageDescription cannot be specified
when stage referenced by StageName already exists"). A template keeps it as long as its deployment is the one that made
the stage; a later one has the name alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bareboat.aws.client import Aws, AwsError

Json = dict[str, Any]
_DEPLOYMENT = "AWS::ApiGateway::Deployment"
# key of StageDescription and of MethodSettings -> its path in UpdateStage, its name in GetStage
_OF_METHODS = {
    "LoggingLevel": ("logging/loglevel", "loggingLevel"),
    "DataTraceEnabled": ("logging/dataTrace", "dataTraceEnabled"),
    "MetricsEnabled": ("metrics/enabled", "metricsEnabled"),
    "ThrottlingBurstLimit": ("throttling/burstLimit", "throttlingBurstLimit"),
    "ThrottlingRateLimit": ("throttling/rateLimit", "throttlingRateLimit"),
}
_NAMES = dict(_OF_METHODS.values())


@dataclass(frozen=True, slots=True)
class StageChange:
    """What is set of a live stage, beside the change set.

    Args:
        api: the id of the REST API.
        arn: of the stage.
        patches: path of UpdateStage -> value.
    """

    api: str
    stage: str
    arn: str
    patches: Mapping[str, str]
    tags: Mapping[str, str]

    def __str__(self) -> str:
        names = [*self.patches, *(["tags"] if self.tags else [])]
        return f"stage {self.stage} of the REST API: {', '.join(name.removeprefix('/') for name in names)}"


def fitted(template: Mapping[str, Any], live: Mapping[str, Any] | None) -> tuple[Json, tuple[Json, ...]]:
    """Return a template as a live stack takes it, and the properties of deployments whose stage is there already."""
    there = {
        name: one.get("Properties") or {}
        for name, one in ((live or {}).get("Resources") or {}).items()
        if one.get("Type") == _DEPLOYMENT
    }
    stages = {str(one["StageName"]) for one in there.values() if "StageName" in one}
    resources, found = dict(template.get("Resources") or {}), []
    for name, one in resources.items():
        said = one.get("Properties") or {}
        if one.get("Type") != _DEPLOYMENT or "StageDescription" not in said or str(said.get("StageName")) not in stages:
            continue
        if there.get(name, {}).get("StageDescription") == said["StageDescription"]:
            continue
        found.append(said)
        alone = {key: value for key, value in said.items() if key != "StageDescription"}
        resources[name] = {**one, "Properties": alone}
    return ({**template, "Resources": resources}, tuple(found)) if found else (dict(template), ())


def stage_changes(
    aws: Aws, stack_name: str, account: str, template: Mapping[str, Any], deployments: tuple[Json, ...]
) -> tuple[StageChange, ...]:
    """Return what has to be set of live stages; settings that are as they should be are left out.

    Raises:
        AwsError: AWS refuses.
    """
    found = []
    for properties in deployments:
        api = _api(aws, stack_name, properties["RestApiId"])
        if not api:
            continue
        stage = str(properties["StageName"])
        try:
            now: Mapping[str, Any] = aws.call("apigateway", "get_stage", restApiId=api, stageName=stage)
        except AwsError as error:
            if error.code != "NotFoundException":
                raise
            now = {}
        partition = aws.client("apigateway").meta.partition
        arn = f"arn:{partition}:apigateway:{aws.region}::/restapis/{api}/stages/{stage}"
        logs = f"arn:{partition}:logs:{aws.region}:{account}:log-group:"
        said = dict(_patches(properties["StageDescription"], template, logs))
        patches = {path: value for path, value in said.items() if not _is_same(_now(now, path), value)}
        wanted = {one["Key"]: one["Value"] for one in properties["StageDescription"].get("Tags") or ()}
        has = now.get("tags") or {}
        tags = {key: value for key, value in wanted.items() if isinstance(value, str) and has.get(key) != value}
        if patches or tags:
            found.append(StageChange(api, stage, arn, patches, tags))
    return tuple(found)


def set_stage(aws: Aws, change: StageChange) -> None:
    """Set what differs of a stage.

    Raises:
        AwsError: AWS refuses.
    """
    if change.patches:
        patches = [{"op": "replace", "path": path, "value": value} for path, value in change.patches.items()]
        aws.call("apigateway", "update_stage", restApiId=change.api, stageName=change.stage, patchOperations=patches)
    if change.tags:
        aws.call("apigateway", "tag_resource", resourceArn=change.arn, tags=dict(change.tags))


def _api(aws: Aws, stack_name: str, said: Any) -> str:
    """Return the id of an API; "" where it is somebody else's and not known here."""
    if isinstance(said, str):
        return said
    if not isinstance(said, Mapping) or "Ref" not in said:
        return ""
    found = aws.call("cloudformation", "describe_stack_resource", StackName=stack_name, LogicalResourceId=said["Ref"])
    return str(found["StackResourceDetail"].get("PhysicalResourceId") or "")


def _patches(description: Mapping[str, Any], template: Mapping[str, Any], logs: str) -> Iterator[tuple[str, str]]:
    """Yield what a description says, as UpdateStage has it; what only CloudFormation can work out is left out."""
    log = description.get("AccessLogSetting") or {}
    destination = log.get("DestinationArn")
    if isinstance(destination, Mapping) and "Fn::GetAtt" in destination:
        group = (
            (template["Resources"].get(destination["Fn::GetAtt"][0]) or {}).get("Properties", {}).get("LogGroupName")
        )
        destination = f"{logs}{group}" if isinstance(group, str) else None
    if isinstance(destination, str):
        yield "/accessLogSettings/destinationArn", destination
        yield "/accessLogSettings/format", str(log.get("Format"))
    if "TracingEnabled" in description:
        yield "/tracingEnabled", _text(description["TracingEnabled"])
    for name, value in (description.get("Variables") or {}).items():
        if not isinstance(value, Mapping):
            yield f"/variables/{name}", _text(value)
    for key, (path, _) in _OF_METHODS.items():
        if key in description:
            yield f"/*/*/{path}", _text(description[key])
    for method in description.get("MethodSettings") or ():
        place = f"{_path(method['ResourcePath'])}/{method['HttpMethod']}"
        for key, (path, _) in _OF_METHODS.items():
            if key in method:
                yield f"{place}/{path}", _text(method[key])


def _path(said: str) -> str:
    return "/~1" if said == "/" else said


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _now(stage: Mapping[str, Any], path: str) -> str | None:
    """Return what a path of UpdateStage is now; None where nothing is said."""
    parts = path.removeprefix("/").split("/")
    if parts[0] == "tracingEnabled":
        return _text(stage.get("tracingEnabled", False))
    if parts[0] in ("variables", "accessLogSettings"):
        found = (stage.get(parts[0]) or {}).get("/".join(parts[1:]))
        return None if found is None else str(found)
    method, setting = "/".join(parts[:-2]), "/".join(parts[-2:])
    for key, settings in (stage.get("methodSettings") or {}).items():
        if _plain(key) == _plain(method):
            found = settings.get(_NAMES[setting])
            return None if found is None else _text(found)
    return None


def _plain(method: str) -> str:
    return method.replace("~1", "/").replace("//", "/").strip("/")


def _is_same(now: str | None, wanted: str) -> bool:
    if now is None:
        return False
    try:
        return float(now) == float(wanted)
    except ValueError:
        return now.removesuffix(":*") == wanted.removesuffix(":*")
