"""What a deployment would change: the change set that CloudFormation works out, and code that has drifted."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bareboat.aws.bucket import OWN_BUCKET, Bucket
from bareboat.aws.bucket_change import LeftBucket, left_bucket, refuse_new_bucket
from bareboat.aws.changes import (
    BODY_BYTES,
    Change,
    ChangeSet,
    Settings,
    additions,
    create_change_set,
    delete_change_set,
)
from bareboat.aws.client import Aws
from bareboat.aws.limits import template_text
from bareboat.aws.live import Live
from bareboat.aws.progress import Progress
from bareboat.aws.record import digest
from bareboat.aws.settings import stack_settings
from bareboat.aws.stack import Sleep, Stack
from bareboat.aws.stages import StageChange, read_stages, stage_changes
from bareboat.aws.validation import refusals
from bareboat.errors import RemoteError
from bareboat.service.model import Service

_CODE = re.compile(r"/code/([0-9a-f]{64})\.zip\Z")


@dataclass(frozen=True, slots=True)
class Drift:
    """A function that runs other code than its template says.

    Args:
        function: its name on AWS.
        key: of the right code in the bucket; sha256: of that, hex.
    """

    function: str
    key: str
    sha256: str

    @property
    def code_sha256(self) -> str:
        """The digest as Lambda has it."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


@dataclass(frozen=True, slots=True)
class Plan:
    """What would become of a stack.

    Args:
        template: the new one; `text` is how it is sent.
        change_set: what CloudFormation will carry out; None where nothing changes, or there is no stack yet.
        changes: of the change set; where there is no stack yet, everything that will be made.
        drifted: functions whose live code is not what their template says, so that it is put in place.
        further: what of the settings changes without a change set, such as "deletion protection on".
        stages: of `further`: stages of REST APIs that are not as the template says, though the stack is.
        left: the stack's own bucket, where the service has another one from now on.
    """

    service: Service
    template: Mapping[str, Any]
    text: str
    settings: Settings
    live: Live
    change_set: ChangeSet | None = None
    changes: tuple[Change, ...] = ()
    drifted: tuple[Drift, ...] = ()
    further: tuple[str, ...] = ()
    stages: tuple[StageChange, ...] = ()
    left: LeftBucket | None = None

    @property
    def stack_name(self) -> str:
        """The name of the stack."""
        return self.service.provider.stack_name

    @property
    def is_first(self) -> bool:
        """Whether there is no stack yet."""
        return not self.live.is_there

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.changes or self.drifted or self.further)

    @property
    def losses(self) -> tuple[Change, ...]:
        """The changes that lose data, or an address that clients know, and are asked for by name."""
        return tuple(change for change in self.changes if change.is_asked)

    @property
    def follows(self) -> tuple[str, ...]:
        """The logical ids of what CloudFormation lists too since others change, and that does not change itself."""
        return self.change_set.follows if self.change_set is not None else ()


def make_plan(
    aws: Aws,
    service: Service,
    template: Mapping[str, Any],
    live: Live,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
    sleep: Sleep = time.sleep,
) -> Plan:
    """Have CloudFormation work out what a template changes. Nothing is changed by that; `discard` takes it away again.

    Args:
        template: any template for the service's stack, that of an earlier version too.
        live: what there is; a stack at rest (`live.prepared`).
    Raises:
        ConfigurationError: the template is larger than CloudFormation takes.
        AwsError, RemoteError: AWS refuses the template.
    """
    settings = settings or stack_settings(service)
    text = template_text(template)
    plan = Plan(service, template, text, settings, live)
    if plan.is_first:
        return replace(plan, changes=additions(template))
    stack = live.stack
    assert stack is not None
    if live.template is not None:
        refuse_new_bucket(live.template, template, live.bucket)
        # an older version that is gone back to may still have the bucket
        is_left = OWN_BUCKET not in (template.get("Resources") or {})
        plan = replace(plan, left=left_bucket(aws, service, stack, live.template) if is_left else None)
    plan = replace(
        plan,
        drifted=drifted(template, live),
        further=_further(settings, stack),
    )
    if is_same(live, template, settings):
        return _with_stages(aws, plan)
    if progress is not None:
        progress.begin("plan", f"Working out what changes in {stack.name}")
    change_set = create_change_set(
        aws,
        stack.name,
        template_place(aws, text, live.bucket),
        kind="UPDATE",
        settings=settings,
        before=live.template,
        after=template,
        sleep=sleep,
    )
    if change_set.is_empty:
        delete_change_set(aws, change_set)
        return _with_stages(aws, plan)
    refuse_failed(aws, change_set)
    changes = change_set.changes
    if plan.left is not None:
        changes = tuple(replace(one, keeps=True) if one.logical_id == OWN_BUCKET else one for one in changes)
    return replace(plan, change_set=change_set, changes=changes)


def _with_stages(aws: Aws, plan: Plan) -> Plan:
    """Add stages that an interrupted deployment or somebody else left otherwise than the stack's template says."""
    stages = stage_changes(aws, read_stages(aws, plan.stack_name, plan.live.template))
    return replace(plan, stages=stages, further=(*plan.further, *map(str, stages)))


def discard(aws: Aws, plan: Plan) -> None:
    """Take away what a plan left at AWS: the change set that is not carried out.

    Raises:
        AwsError: AWS refuses.
    """
    if plan.change_set is not None:
        delete_change_set(aws, plan.change_set)


def is_same(live: Live, template: Mapping[str, Any], settings: Settings) -> bool:
    """Return whether a stack is what a template and its settings say, as far as can be told without a change set."""
    stack = live.stack
    if stack is None or live.template is None or not stack.status.endswith("_COMPLETE"):
        return False
    given = {key: value for key, value in settings.parameters.items() if value is not None}
    return (
        digest(live.template) == digest(template)
        and dict(stack.tags) == dict(settings.tags)
        and all(stack.parameters.get(key) == value for key, value in given.items())
        and (not settings.notified or stack.notified == settings.notified)
    )


def drifted(template: Mapping[str, Any], live: Live) -> tuple[Drift, ...]:
    """Return the functions whose live code is not what both templates say, such as after `deploy -f`.

    CloudFormation compares templates alone and would leave them as they are.
    """
    there = codes_of(live.template or {})
    return tuple(
        drift
        for name, drift in codes_of(template).items()
        if there.get(name) == drift and live.code.get(name) and live.code[name] != drift.code_sha256
    )


def codes_of(template: Mapping[str, Any]) -> dict[str, Drift]:
    """Return the archives that a template names by content: function's name on AWS -> its code."""
    found = {}
    for resource in (template.get("Resources") or {}).values():
        if resource.get("Type") != "AWS::Lambda::Function":
            continue
        properties = resource.get("Properties") or {}
        name, code = properties.get("FunctionName"), properties.get("Code") or {}
        key = _CODE.search(str(code.get("S3Key")))
        if isinstance(name, str) and key is not None:
            found[name] = Drift(name, str(code["S3Key"]), key.group(1))
    return found


def template_place(aws: Aws, text: str, bucket: Bucket | None) -> str:
    """Return a template as a request takes it: its text, or its address in the bucket where it is too large for that.

    Raises:
        AwsError: S3 refuses.
        RemoteError: it is too large, and there is no bucket.
    """
    data = text.encode()
    if len(data) <= BODY_BYTES:
        return text
    if bucket is None:
        raise RemoteError(
            f"the template has {len(data):,} bytes, and there is no bucket for it yet",
            expected=f"at most {BODY_BYTES:,} bytes, or a bucket",
            fix="provider: {deploymentBucket: NAME}",
        )
    import hashlib

    key = f"{bucket.folder}/templates/{hashlib.sha256(data).hexdigest()}.json"
    aws.call(
        "s3", "put_object", **bucket.owned, **bucket.encryption, Key=key, Body=data, ContentType="application/json"
    )
    return f"{aws.client('s3').meta.endpoint_url}/{bucket.name}/{key}"


class ChangeSetError(RemoteError):
    """CloudFormation could not work a change set out; nothing was changed."""


def refuse_failed(aws: Aws, change_set: ChangeSet) -> None:
    """Refuse a change set that CloudFormation could not work out.

    Raises:
        ChangeSetError: with the reason of each resource.
    """
    if change_set.status == "FAILED":
        problems = refusals(aws, change_set)
        delete_change_set(aws, change_set)
        raise ChangeSetError(problems[0].found, problems=problems)


def _further(settings: Settings, stack: Stack) -> tuple[str, ...]:
    if settings.protected is None or settings.protected == stack.protected:
        return ()
    return (f"deletion protection {'on' if settings.protected else 'off'}",)


def policy_text(settings: Settings) -> str:
    """Return the stack policy as CloudFormation takes it; "" where there is none."""
    return json.dumps(settings.policy) if settings.policy else ""
