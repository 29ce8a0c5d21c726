"""Two stages of a service -> what differs between them: versions, code, models, template, settings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bareboat.aws.info import live_record_of
from bareboat.aws.live import code_sha256
from bareboat.aws.secret_values import NOT_SHOWN, without_secrets
from bareboat.aws.template.difference import ABSENT, Difference, differences
from bareboat.service.secret_names import has_secret_name

if TYPE_CHECKING:
    from bareboat.aws.client import Aws
    from bareboat.aws.deployed import Deployed
    from bareboat.aws.record import Record

Json = dict[str, Any]
STAGE = "<stage>"
REGION = "<region>"
_VERSION, _DEPLOYMENT = "AWS::Lambda::Version", "AWS::ApiGateway::Deployment"
_CODE = re.compile(r"Properties\.(Code(\.S3Key|\.S3ObjectVersion|\.ImageUri)?|CodeSha256|Content\.S3Key)\Z")


@dataclass(frozen=True, slots=True)
class StageState:
    """A stage as it is live.

    Args:
        record: of the deployment; None where bareboat made none.
        code: function -> what its code is: the digest that Lambda gives (base64).
        models: name -> sha256, hex, as the record has them.
        template: with the stage's own name and region masked, and without what changes with every deployment.
        tags, parameters: of the stack, masked.
    """

    stage: str
    region: str
    account: str
    stack: str
    status: str
    deployed: float
    record: Record | None
    code: Mapping[str, str]
    models: Mapping[str, str]
    template: Json
    tags: Mapping[str, str]
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that differs. "" is what is not there; the values of variables are not shown.

    Args:
        name: of a function, a model, a resource's logical id, a tag, a parameter.
        path: of a property: `MemorySize`, `Tags[0].Value`; "" for the thing as a whole.
    """

    kind: str
    name: str
    path: str
    one: str
    other: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two stages."""

    one: StageState
    other: StageState
    rows: tuple[Row, ...]


def stage_state(aws: Aws, deployed: Deployed) -> StageState:
    """Read a stage.

    Raises:
        AwsError: AWS refuses.
    """
    service, stack = deployed.service, deployed.stack
    stage = service.provider.stage
    record = live_record_of(aws, deployed)
    return StageState(
        stage=stage,
        region=aws.region,
        account=stack.account,
        stack=stack.name,
        status=stack.status,
        deployed=(stack.updated or stack.created).timestamp(),
        record=record,
        code={one.name: code_sha256(aws, one.full_name) or "" for one in deployed.functions},
        models={} if record is None else record.models,
        template=masked(deployed.template, stage, aws.region),
        tags=_masked_texts({**stack.tags}, stage, aws.region),
        parameters=_masked_texts({**stack.parameters}, stage, aws.region),
    )


def compare(one: StageState, other: StageState) -> Comparison:
    """Return what differs between two stages, in the order in which a person asks: code, models, settings, template."""
    rows = [
        *_of_texts("code", _short(one.code), _short(other.code)),
        *_of_texts("model", _short(one.models), _short(other.models)),
        *_of_texts("tag", one.tags, other.tags),
        *_of_texts("parameter", one.parameters, other.parameters),
    ]
    for each in differences(one.template, other.template):
        if _CODE.match(each.path):
            continue
        rows.append(_row(each))
    return Comparison(one, other, tuple(rows))


def masked(template: Mapping[str, Any], stage: str, region: str) -> Json:
    """Return a template as that of any stage.

    The name of the stage and the region are masked wherever they stand as words; versions of functions and deployments
    of a REST API, whose logical ids change each time, are called alike.
    """
    text = json.dumps(template, default=str)
    for logical_id, resource in template.get("Resources", {}).items():
        plain = _plain_id(logical_id, resource)
        if plain != logical_id:
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(logical_id)}(?![A-Za-z0-9])", plain, text)
    done: Json = _masked(json.loads(text), stage, region)
    return done


def _plain_id(logical_id: str, resource: Mapping[str, Any]) -> str:
    if resource.get("Type") == _VERSION:
        return f"{logical_id.partition('LambdaVersion')[0]}LambdaVersion"
    if resource.get("Type") == _DEPLOYMENT:
        return "ApiGatewayDeployment"
    return logical_id


def _masked(value: Any, stage: str, region: str) -> Any:
    if isinstance(value, dict):
        return {_word(key, stage, region): _masked(child, stage, region) for key, child in value.items()}
    if isinstance(value, list):
        return [_masked(child, stage, region) for child in value]
    return _word(value, stage, region) if isinstance(value, str) else value


def _word(text: str, stage: str, region: str) -> str:
    text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(region)}(?![A-Za-z0-9])", REGION, text)
    return re.sub(rf"(?<![A-Za-z0-9]){re.escape(stage)}(?![A-Za-z0-9])", STAGE, text)


def _masked_texts(texts: Mapping[str, str], stage: str, region: str) -> dict[str, str]:
    return {name: _word(value, stage, region) for name, value in texts.items()}


def _short(digests: Mapping[str, str]) -> dict[str, str]:
    return {name: digest[:12] for name, digest in digests.items()}


def _of_texts(kind: str, one: Mapping[str, str], other: Mapping[str, str]) -> list[Row]:
    return [
        Row(kind, name, "", _text(name, one), _text(name, other))
        for name in sorted({*one, *other})
        if one.get(name) != other.get(name)
    ]


def _text(name: str, texts: Mapping[str, str]) -> str:
    return NOT_SHOWN if name in texts and has_secret_name(name) else texts.get(name, "")


def _row(each: Difference) -> Row:
    kind = each.type or each.section
    path = each.path.removeprefix("Properties.")
    if each.path == "":
        return Row(kind, each.logical_id, "", *("" if value is ABSENT else "there" for value in (each.old, each.new)))
    return Row(kind, each.logical_id, path, *(_shown(each, value) for value in (each.old, each.new)))


def _shown(each: Difference, value: Any) -> str:
    """Return a value as it may be shown: of variables their names."""
    path = each.path if each.section == "Resources" else f"{each.logical_id}.{each.path}"
    return _said(value if value is ABSENT else without_secrets(each.type, path, value))


def _said(value: Any) -> str:
    if value is ABSENT:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= 120 else f"{text[:120]}..."
