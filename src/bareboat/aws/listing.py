"""What is deployed of a service: the versions of one stage, and all its stages in this account and region."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from bareboat.aws.bucket import Bucket, find_bucket, folder_of, is_bucket_alone
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.stack import Stack, find_stack, is_busy, stack_template
from bareboat.aws.versions import Version, Versions, code_keys, read_versions
from bareboat.service.model import Service


@dataclass(frozen=True, slots=True)
class StageListing:
    """One stage.

    Args:
        live: the version that the stack runs; None where no record says.
    """

    stage: str
    stack: str
    status: str
    live: Version | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A stage's versions, the newest first, and the stages of the service.

    Args:
        stack: None where the stage is not deployed.
        back: what `rollback` goes to by itself; None for nothing.
        lost: whether bareboat deployed the stack, and its records are gone.
        is_bare: whether the stack has its bucket alone: no deployment has ended well yet.
    """

    stack: Stack | None
    versions: tuple[Version, ...]
    stages: tuple[StageListing, ...]
    bucket: str = ""
    back: Version | None = None
    lost: bool = False
    is_bare: bool = False

    @property
    def has_records(self) -> bool:
        """Whether bareboat has deployed this stage."""
        return any(not one.is_serverless for one in self.versions)


def list_deployed(aws: Aws, service: Service) -> Listing:
    """List versions and stages.

    Raises:
        AwsError: AWS refuses.
    """
    stack = find_stack(aws, service.provider.stack_name)
    versions, bucket, template = _versions(aws, service, stack)
    live = versions.live if versions else None
    here = StageListing(service.provider.stage, service.provider.stack_name, stack.status if stack else "", live)
    with ThreadPoolExecutor(4) as pool:
        others = pool.map(lambda one: _stage(aws, service, *one), list(_other_stages(aws, service)))
        stages = sorted([*([here] if stack else []), *others], key=lambda one: one.stage)
    listed = tuple(reversed(versions.all)) if versions else ()
    back = versions.before_live() if versions else None
    lost = not listed and any("/code/" in key for key in code_keys(template or {}))
    return Listing(stack, listed, tuple(stages), bucket.name if bucket else "", back, lost, is_bucket_alone(template))


def _versions(
    aws: Aws, service: Service, stack: Stack | None
) -> tuple[Versions | None, Bucket | None, Mapping[str, Any] | None]:
    bucket = find_bucket(aws, service)
    if bucket is None:
        return None, None, None
    template = stack_template(aws, stack.id) if stack is not None else None
    return read_versions(aws, bucket, template, busy=stack is not None and stack.is_busy), bucket, template


def _other_stages(aws: Aws, service: Service) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the stacks of the service's other stages, known by their names and the tag or exports of Serverless."""
    before, found, after = service.provider.stack_name.rpartition(service.provider.stage)
    if not found:
        return
    name = re.compile(re.escape(before) + r"([A-Za-z0-9-]+)" + re.escape(after))
    for said in _all_stacks(aws):
        match = name.fullmatch(said["StackName"])
        if match is None or match[1] == service.provider.stage or said["StackStatus"] == "DELETE_COMPLETE":
            continue
        tags = {one["Key"]: one["Value"] for one in said.get("Tags") or ()}
        exports = [one.get("ExportName") or "" for one in said.get("Outputs") or ()]
        if tags.get("STAGE") == match[1] or any(one.startswith(f"sls-{service.name}-{match[1]}-") for one in exports):
            yield match[1], said


def _all_stacks(aws: Aws) -> Iterator[Mapping[str, Any]]:
    """Yield all stacks of the region; none to whom is not allowed to see them."""
    try:
        yield from aws.pages("cloudformation", "describe_stacks", "Stacks")
    except AwsError as error:
        if error.status != 403:
            raise


def _stage(aws: Aws, service: Service, stage: str, said: Mapping[str, Any]) -> StageListing:
    there = replace(service, provider=replace(service.provider, stage=stage, stack_name=said["StackName"]))
    bucket = find_bucket(aws, there)
    live = None
    if bucket is not None:
        bucket = replace(bucket, folder=folder_of(there))
        template = stack_template(aws, said["StackId"])
        live = read_versions(aws, bucket, template, busy=is_busy(said["StackStatus"])).live
    return StageListing(stage, said["StackName"], said["StackStatus"], live)
