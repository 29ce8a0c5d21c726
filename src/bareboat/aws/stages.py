"""The settings of a REST API's stage: from the template that was deployed to the stage that a deployment made.

CloudFormation takes a stage's settings from a deployment only where the deployment makes the stage; the second one with
`StageDescription` fails. So they stand in the deployment's Metadata, where CloudFormation resolves them and a change of
them is a change like others, and API Gateway is told of them after the stack.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bareboat.aws.client import Aws, AwsError
from bareboat.aws.stack import Sleep
from bareboat.aws.template.rest_stage import DEPLOYMENT, STAGE_METADATA
from bareboat.errors import RemoteError

PATCHES = 40  # of one call
_TRIES = 6
# CloudFormation's name -> the end of API Gateway's path, its name in GetStage, and what there is without it.
# -1 is no limit but the account's.
_METHOD_SETTINGS = {
    "LoggingLevel": ("logging/loglevel", "loggingLevel", "OFF"),
    "DataTraceEnabled": ("logging/dataTrace", "dataTraceEnabled", "false"),
    "MetricsEnabled": ("metrics/enabled", "metricsEnabled", "false"),
    "ThrottlingRateLimit": ("throttling/rateLimit", "throttlingRateLimit", "-1"),
    "ThrottlingBurstLimit": ("throttling/burstLimit", "throttlingBurstLimit", "-1"),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """What a template says of one stage.

    Args:
        values: path of a patch -> value; tags: None where nothing is said of them.
    """

    api: str
    name: str
    values: Mapping[str, str]
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class StageChange:
    """What is not yet at a stage as it is said.

    Args:
        patches: operations of UpdateStage.
    """

    stage: Stage
    patches: tuple[Mapping[str, str], ...] = ()
    tags: Mapping[str, str] | None = None
    untag: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.patches or self.tags or self.untag)

    def __str__(self) -> str:
        paths = [one["path"].lstrip("/") for one in self.patches]
        tags = ["tags"] if self.tags or self.untag else []
        return f"stage {self.stage.name} of the REST API: {', '.join([*paths, *tags])}"


def has_stages(template: Mapping[str, Any] | None) -> bool:
    """Return whether a template says anything of a stage."""
    return bool(_deployments(template))


def read_stages(aws: Aws, stack: str, template: Mapping[str, Any] | None) -> tuple[Stage, ...]:
    """Return what the template that a stack runs says of stages, with references resolved by CloudFormation.

    Raises:
        AwsError: AWS refuses.
        RemoteError: CloudFormation does not tell.
    """
    found = []
    for name in _deployments(template):
        said = aws.call("cloudformation", "describe_stack_resource", StackName=stack, LogicalResourceId=name)
        text = said["StackResourceDetail"].get("Metadata")
        settings = json.loads(text).get(STAGE_METADATA) if text else None
        if not isinstance(settings, dict):
            raise RemoteError(
                f"CloudFormation does not tell the Metadata of {name} in {stack}",
                expected=f"{STAGE_METADATA}, the settings of the API's stage",
                fix="bareboat deploy again",
            )
        found.append(_stage(settings))
    return tuple(found)


def stage_changes(aws: Aws, wanted: tuple[Stage, ...], before: tuple[Stage, ...] = ()) -> tuple[StageChange, ...]:
    """Compare what is said of stages with the stages as they are.

    Args:
        before: what the template before said; what is not said any more goes back to what it is without.
    Raises:
        AwsError: AWS refuses.
    """
    stages = {(one.api, one.name): one for one in wanted}
    old = {(one.api, one.name): one for one in before}
    found = []
    for key in {**stages, **old}:
        try:
            live = aws.call("apigateway", "get_stage", restApiId=key[0], stageName=key[1])
        except AwsError as error:
            if error.code == "NotFoundException" and key not in stages:
                continue
            raise
        change = _compared(stages.get(key) or Stage(*key, {}), old.get(key), live)
        if change:
            found.append(change)
    return tuple(found)


def set_stage(aws: Aws, change: StageChange, *, sleep: Sleep = time.sleep) -> None:
    """Set a stage as it is said.

    Raises:
        AwsError: AWS refuses.
    """
    at = {"restApiId": change.stage.api, "stageName": change.stage.name}
    for start in range(0, len(change.patches), PATCHES):
        patches = [dict(one) for one in change.patches[start : start + PATCHES]]
        _patiently(aws, sleep, "update_stage", **at, patchOperations=patches)
    if change.untag or change.tags:
        arn = f"arn:{aws.partition}:apigateway:{aws.region}::/restapis/{change.stage.api}/stages/{change.stage.name}"
        if change.untag:
            _patiently(aws, sleep, "untag_resource", resourceArn=arn, tagKeys=list(change.untag))
        if change.tags:
            _patiently(aws, sleep, "tag_resource", resourceArn=arn, tags=dict(change.tags))


def _patiently(aws: Aws, sleep: Sleep, operation: str, **arguments: Any) -> None:
    """Make a call again that API Gateway refuses since another one is under way."""
    for attempt in range(_TRIES):
        try:
            aws.call("apigateway", operation, **arguments)
        except AwsError as error:
            if error.code != "ConflictException" or attempt + 1 == _TRIES:
                raise
            sleep(min(0.5 * 2**attempt, 5))
        else:
            return


def _deployments(template: Mapping[str, Any] | None) -> list[str]:
    """Return the logical ids of deployments that say something of their stage."""
    return [
        name
        for name, one in ((template or {}).get("Resources") or {}).items()
        if isinstance(one, Mapping) and one.get("Type") == DEPLOYMENT and STAGE_METADATA in (one.get("Metadata") or {})
    ]


def _stage(said: Mapping[str, Any]) -> Stage:
    """Read what Metadata says; CloudFormation may make numbers and booleans texts."""
    log = said.get("AccessLogSetting") or {}
    values: dict[str, str] = {}
    if "TracingEnabled" in said:
        values["/tracingEnabled"] = _text(said["TracingEnabled"])
    if log:
        values["/accessLogSettings/destinationArn"] = _text(log["DestinationArn"]).removesuffix(":*")
        values["/accessLogSettings/format"] = _text(log["Format"])
    values.update({f"/variables/{name}": _text(value) for name, value in (said.get("Variables") or {}).items()})
    values.update(_limits("/*/*", said))
    for one in said.get("MethodSettings") or ():
        path = "/~1" if one["ResourcePath"] == "/" else one["ResourcePath"]
        values.update(_limits(f"{path}/{one['HttpMethod']}", one))
    tags = {str(one["Key"]): _text(one["Value"]) for one in said["Tags"]} if "Tags" in said else None
    return Stage(str(said["RestApiId"]), str(said["StageName"]), values, tags)


def _limits(path: str, said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, (end, _, _) in _METHOD_SETTINGS.items():
        if name in said:
            yield f"{path}/{end}", _text(said[name])


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _compared(wanted: Stage, before: Stage | None, live: Mapping[str, Any]) -> StageChange:
    """Return what makes a stage what is said of it, and takes back what was said and is not any more."""
    there = dict(_live(live))
    patches = [
        {"op": "replace", "path": path, "value": value}
        for path, value in wanted.values.items()
        if not _is_same(there.get(_key(path), ""), value)
    ]
    patches += _taken_back(wanted, before, there)
    tags, untag = None, []
    present = {key: value for key, value in (live.get("tags") or {}).items() if not key.startswith("aws:")}
    if wanted.tags is not None or (before is not None and before.tags is not None):
        asked = wanted.tags or {}
        tags = {key: value for key, value in asked.items() if present.get(key) != value} or None
        mine = present if wanted.tags is not None else (before.tags if before and before.tags else {})
        untag = [key for key in mine if key in present and key not in asked]
    return StageChange(wanted, tuple(patches), tags, tuple(untag))


def _taken_back(wanted: Stage, before: Stage | None, there: Mapping[str, str]) -> list[dict[str, str]]:
    """Return operations for what was said and is not any more, and for other variables where any are said."""
    gone = [path for path in (before.values if before is not None else {}) if path not in wanted.values]
    if any(path.startswith("/variables/") for path in wanted.values):
        gone += [path for path in there if path.startswith("/variables/") and path not in (*wanted.values, *gone)]
    defaults = {end: default for end, _, default in _METHOD_SETTINGS.values()}
    found: dict[str, dict[str, str]] = {}
    for path in gone:
        if _key(path) not in there:
            continue
        if path.startswith("/variables/"):
            found[path] = {"op": "remove", "path": path}
        elif path.startswith("/accessLogSettings/"):
            found["log"] = {"op": "remove", "path": "/accessLogSettings"}
        elif path == "/tracingEnabled":
            if there[path] != "false":
                found[path] = {"op": "replace", "path": path, "value": "false"}
        else:
            method, *end = path.rsplit("/", 2)
            if not any(one.startswith(f"{method}/") for one in wanted.values):
                found[method] = {"op": "remove", "path": method}
            elif not _is_same(there[_key(path)], defaults["/".join(end)]):
                found[path] = {"op": "replace", "path": path, "value": defaults["/".join(end)]}
    return list(found.values())


def _live(live: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a stage has, by the paths of patches (those of methods as `_key` makes them)."""
    yield "/tracingEnabled", _text(live.get("tracingEnabled") or False)
    log = live.get("accessLogSettings") or {}
    for name in ("destinationArn", "format"):
        if log.get(name):
            yield f"/accessLogSettings/{name}", str(log[name]).removesuffix(":*")
    for name, value in (live.get("variables") or {}).items():
        yield f"/variables/{name}", str(value)
    for method, settings in (live.get("methodSettings") or {}).items():
        for end, name, _ in _METHOD_SETTINGS.values():
            if name in settings:
                yield _key(f"/{method}/{end}"), _text(settings[name])


def _key(path: str) -> str:
    """Return one spelling for the path of a setting: API Gateway tells paths of methods with and without ~1."""
    if path.startswith(("/variables/", "/accessLogSettings/", "/tracingEnabled")):
        return path
    return "/" + path.replace("~1", "/").lstrip("/")


def _is_same(live: str, wanted: str) -> bool:
    if live == wanted:
        return True
    try:
        return float(live) == float(wanted)
    except ValueError:
        return False
