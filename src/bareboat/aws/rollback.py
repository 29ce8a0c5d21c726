"""An older version -> the plan that goes back to it: its own template, through the same change set as a deployment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bareboat.aws.bucket import is_bucket_alone
from bareboat.aws.changes import Settings
from bareboat.aws.client import Aws
from bareboat.aws.commit import Commit
from bareboat.aws.deploy import Deployment, apply
from bareboat.aws.live import Ask, Live, look, prepared
from bareboat.aws.plan import Plan, make_plan
from bareboat.aws.progress import Progress
from bareboat.aws.record import DeployedCode, Record
from bareboat.aws.settings import stack_settings
from bareboat.aws.versions import Version, Versions, code_keys, names_of, read_versions, version_template
from bareboat.errors import RemoteError
from bareboat.service.model import Service

Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Rollback:
    """What going back to a version comes to.

    Args:
        plan: empty where the stack runs it already.
        contents: the code of that version, for the record.
    """

    version: Version
    plan: Plan
    contents: Record


def plan_rollback(
    aws: Aws,
    service: Service,
    to: str = "",
    *,
    ask: Ask | None = None,
    wait: bool = True,
    progress: Progress | None = None,
    sleep: Sleep = time.sleep,
) -> Rollback:
    """Work out what going back changes. A stack that a failure or an interruption left behind is mended first.

    Args:
        to: the name of a version, the live one too: code that was swapped by `deploy -f` is put back then. "" is the
            version before the live one.
        ask: asked before something is done at AWS to mend the stack; None does nothing.
        wait: whether to wait for what somebody else does to the stack.
    Raises:
        RemoteError: nothing is deployed, there is no such version, or its code is gone.
        AwsError: AWS refuses.
    """
    progress = progress or Progress()
    names = [one.full_name for one in (*service.functions.values(), *service.image_functions.values())]
    live = look(aws, service, names)
    live = prepared(aws, service, live, functions=names, wait=wait, ask=ask, progress=progress, sleep=sleep)
    if is_bucket_alone(live.template):
        raise RemoteError(
            f"{service.provider.stack_name} has its bucket alone: nothing of it has ever run",
            expected="a version to go back to",
            fix="bareboat deploy",
        )
    versions = _versions(aws, service, live)
    version = versions.named(to) if to else _before(versions, service)
    refuse_version(version, versions)
    template = version_template(aws, versions.bucket, version)
    plan = make_plan(
        aws, service, template, live, settings=_settings(service, template), progress=progress, sleep=sleep
    )
    return Rollback(version, plan, contents_of_version(version, template, service))


def roll_back(
    aws: Aws,
    rollback: Rollback,
    *,
    commit: Commit = Commit(),  # noqa: B008 - it is a tuple
    progress: Progress | None = None,
    sleep: Sleep = time.sleep,
) -> Deployment:
    """Go back, as a deployment goes forward; it becomes a version of its own.

    Raises:
        DeployError: CloudFormation failed, and the stack is as it was.
        RemoteError, AwsError: as a deployment raises.
    """
    return apply(
        aws,
        rollback.plan,
        shipment=rollback.contents,
        commit=commit,
        action="rollback",
        restores=int(rollback.version.name),
        progress=progress,
        sleep=sleep,
    )


def refuse_version(version: Version, versions: Versions) -> None:
    """Refuse a version that cannot be gone back to.

    Raises:
        RemoteError: with what is missing, and what is there.
    """
    if version.state in ("live", "kept"):
        return
    kept = [one for one in versions.all if one.state in ("live", "kept")]
    there = f"one of {names_of(kept)}" if kept else "a version whose code is there"
    if version.state == "pruned":
        missing = ", ".join(version.missing[:3]) + (" and more" if len(version.missing) > 3 else "")
        raise RemoteError(
            f"version {version.name} has been pruned: {missing} is not in s3://{versions.bucket.name} any more",
            expected=there,
            fix=_again(version),
        )
    why = version.record.why if version.record is not None else ""
    if version.state == "failed":
        raise RemoteError(f"version {version.name} never ran: {why or 'its deployment failed'}", expected=there)
    raise RemoteError(f"version {version.name} is being deployed", expected=there, fix="wait for it")


def contents_of_version(version: Version, template: Mapping[str, Any], service: Service) -> Record:
    """Return what a record says of a version's code; for one of Serverless what its template says."""
    if version.record is not None:
        return version.record
    functions = {
        str(resource.get("Properties", {}).get("FunctionName") or name): DeployedCode(key, "")
        for name, resource in (template.get("Resources") or {}).items()
        if resource.get("Type") == "AWS::Lambda::Function"
        for key in code_keys({"Resources": {name: resource}})
    }
    return Record(
        number=0,
        state="done",
        token="",
        service=service.name,
        stage=service.provider.stage,
        stack=service.provider.stack_name,
        by="",
        at=version.at,
        template_sha256=version.template_sha256,
        action="serverless",
        functions=functions,
    )


def _versions(aws: Aws, service: Service, live: Live) -> Versions:
    name = service.provider.stack_name
    if not live.is_there:
        raise RemoteError(
            f"{name} is not deployed, so that there is nothing to go back from",
            expected="a stack",
            fix="bareboat deploy",
        )
    if live.bucket is None:
        raise RemoteError(
            f"{name} has no deployment bucket: bareboat and Serverless have not deployed it",
            expected="the bucket with its versions",
            fix="bareboat deploy makes the first one",
        )
    return read_versions(aws, live.bucket, live.template)


def _before(versions: Versions, service: Service) -> Version:
    version = versions.before_live()
    if version is not None:
        return version
    live = versions.live
    pruned = [one for one in versions.all if one.state == "pruned"]
    others = [one for one in versions.all if one.state == "kept" and not one.is_trial]
    found = f"version {live.name} is live, and " if live is not None else ""
    if not versions.all:
        found = f"bareboat has not deployed {service.provider.stack_name} yet: its bucket has no records, and "
    raise RemoteError(
        f"{found}there is none before it that can be gone back to" + (f"; {names_of(pruned)} pruned" if pruned else ""),
        expected="an older version whose code is there",
        fix=f"bareboat rollback --to {others[-1].name}"
        if others
        else "git checkout of what ran before, then bareboat deploy",
    )


def _again(version: Version) -> str:
    commit = version.record.commit if version.record is not None else ""
    return f"git checkout {commit[:12]}, then bareboat deploy" if commit else "deploy what it was made from"


def _settings(service: Service, template: Mapping[str, Any]) -> Settings:
    """Return the settings of the stack without parameters that the older template does not have."""
    settings = stack_settings(service)
    known = template.get("Parameters") or {}
    return replace(settings, parameters={key: value for key, value in settings.parameters.items() if key in known})
