"""A deployment -> where it is reached: its routes, what else has a name, and a request to try it with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from bareboat.aws.deployed import Deployed, LiveRoute
from bareboat.aws.trials import Trial, targets, trials_of

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact
    from bareboat.aws.client import Aws
    from bareboat.aws.stack import Stack
    from bareboat.service.model import Service

_NAMED = {
    "AWS::SQS::Queue": ("queue", "QueueName"),
    "AWS::SNS::Topic": ("topic", "TopicName"),
    "AWS::DynamoDB::Table": ("table", "TableName"),
    "AWS::S3::Bucket": ("bucket", "BucketName"),
    "AWS::Events::EventBus": ("event bus", "Name"),
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request that works as it stands.

    Args:
        headers: name and value, those that curl does not send by itself.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def live_routes(aws: Aws, service: Service, stack: Stack, template: Mapping[str, Any]) -> tuple[LiveRoute, ...]:
    """Return what requests can call, of a stack that was just deployed; AWS is asked for next to nothing.

    Args:
        template: what it was deployed from.
    Raises:
        AwsError: AWS refuses.
    """
    deployed = Deployed(aws, service, stack)
    deployed.template = dict(template)
    deployed.physical = {
        logical_id: str(resource["Properties"]["FunctionName"])
        for logical_id, resource in (template.get("Resources") or {}).items()
        if resource.get("Type") == "AWS::Lambda::Function" and (resource.get("Properties") or {}).get("FunctionName")
    }
    return deployed.routes


def named(template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what else of a template has a name that others use: kind, name."""
    for resource in (template.get("Resources") or {}).values():
        kind, key = _NAMED.get(str(resource.get("Type")), ("", ""))
        name = (resource.get("Properties") or {}).get(key) if kind else None
        if isinstance(name, str):
            yield kind, name


def first_request(service: Service, routes: Sequence[LiveRoute], artifacts: Sequence[Artifact]) -> Request | None:
    """Return the first sample, or a made-up row, for a route that lets everybody in; None where there is none.

    Args:
        artifacts: those that were deployed; their manifests say what a model takes.
    """
    live = {(one.api, one.key, one.function): one for one in routes}
    signatures: dict[str, Any] = {}
    for artifact in artifacts:
        signatures |= artifact.manifest.get("signature") or {}
    for target in targets(service):
        route = live.get((target.api, target.key, target.function))
        if route is None or route.auth != "NONE" or route.needs_key or target.authorizer is not None:
            continue
        for trial in trials_of(service, target, signatures.get(target.function)):
            if isinstance(trial, Trial):
                return _request(route, trial)
    return None


def _request(route: LiveRoute, trial: Trial) -> Request:
    asked = trial.asked
    url = route.base + quote(asked.path, safe="/%~!$&'()*+,;=:@-._")
    if asked.query:
        url += f"?{urlencode(asked.query)}"
    headers = tuple(one for one in asked.headers if one[0].lower() not in ("accept", "content-type"))
    kind = next((value for name, value in asked.headers if name.lower() == "content-type"), "application/json")
    if asked.body:
        headers = (("content-type", kind), *headers)
    return Request(asked.method, url, headers, asked.body)
