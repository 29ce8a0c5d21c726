"""What a stage has at AWS: the stack and what it made, and what Lambda, API Gateway and uploads left beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bareboat.aws.bucket import OWN_BUCKET, Bucket, find_bucket, folder_of, is_there
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.emptying import measure
from bareboat.aws.images import repository_of
from bareboat.aws.losses import loss_of
from bareboat.aws.owner import other_owner, refuse_other_owner
from bareboat.aws.stack import Resource, Stack, all_resources, find_stack, is_missing, stack_template
from bareboat.aws.together import ready, together
from bareboat.service.model import Service

_LAYER = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d+:layer:([\w-]+):(\d+)\Z")
_NOT_ALLOWED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403")
_KEPT_POLICIES = ("Retain", "Snapshot", "RetainExceptOnCreate")
# Addresses and the logs and rules of what is removed: named in the first question, of no use without the service.
_OWN_PREFIXES = ("AWS::ApiGateway", "AWS::Lambda::", "AWS::Events::Rule")
_LAMBDA = "/aws/lambda/"
_OWN_LOGS = ("/aws/lambda/", "/aws/http-api/", "/aws/api-gateway/", "/aws/vendedlogs/", "/aws/websocket/")
CLIENTS = ("cloudformation", "s3", "logs", "lambda", "ecr", "sts")


@dataclass(frozen=True, slots=True)
class LogGroup:
    """A log group and what it holds."""

    name: str
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class DataHolder:
    """A resource whose data is lost with it.

    Args:
        loss: such as "the objects in it".
        detail: what it holds, where that can be told: "41 objects, 12.3 MB".
    """

    resource: Resource
    loss: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Belongings:
    """All that a stage has.

    Args:
        stack: None where it is gone; `stack_id` is then that of the newest one of its name that was deleted, if any.
        resources: of the stack, deleted ones too when it is gone.
        bucket: where the code lies; `bucket_objects` versions and markers, `bucket_bytes` in all.
        data: what the user's own resources hold.
        kept: resources that stay when the stack goes, by their DeletionPolicy.
        layers: name -> versions that this stack made and that are there; `other_layers` those of the same names that
            nobody knows the maker of.
        repository: the ECR repository of the service's images; "" for none.
        importers: export name -> stacks that use it.
        sharers: other stacks that keep code in the stage's folder of a bucket of several: it stays then, and `bucket`
            is None.
    """

    stack: Stack | None
    stack_id: str = ""
    resources: tuple[Resource, ...] = ()
    template: Mapping[str, Any] | None = None
    bucket: Bucket | None = None
    bucket_objects: int = 0
    bucket_bytes: int = 0
    data: tuple[DataHolder, ...] = ()
    kept: tuple[Resource, ...] = ()
    logs: tuple[LogGroup, ...] = ()
    layers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    other_layers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    repository: str = ""
    images: int = 0
    importers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sharers: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is there."""
        return not (
            self.stack or self.bucket_objects or self.logs or self.layers or self.repository or self._own_bucket_left
        )

    @property
    def _own_bucket_left(self) -> bool:
        return self.bucket is not None and self.bucket.own

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of the stack's functions on AWS."""
        return tuple(
            one.physical_id for one in self.resources if one.type == "AWS::Lambda::Function" and one.physical_id
        )


def find_belongings(aws: Aws, service: Service, *, measured: bool = True) -> Belongings:
    """Ask AWS what a stage has; an interrupted removal is found by the stack that it deleted.

    Args:
        measured: whether to count what the bucket holds.
    Raises:
        RemoteError: the stack is another service's.
        AwsError: AWS refuses.
    """
    ready(aws, CLIENTS)
    stack = find_stack(aws, service.provider.stack_name)
    stack_id = stack.id if stack is not None else _deleted_stack(aws, service.provider.stack_name)
    template = stack_template(aws, stack_id) if stack_id else None
    if stack is None and other_owner(service, template):
        stack_id, template = "", None  # what is gone was another service's
    resources = all_resources(aws, stack_id) if stack_id else ()
    bucket, logs, layers, (repository, images), importers = together(
        [
            lambda: _bucket(aws, service, stack, resources),
            lambda: find_logs(aws, service, resources, is_live=stack is not None),
            lambda: find_layers(aws, service, stack_id, resources),
            lambda: find_repository(aws, service),
            lambda: _importers(aws, stack_id) if stack is not None else {},
        ]
    )
    if stack is not None:
        refuse_other_owner(aws, service, stack, template, bucket)
    sharers: tuple[str, ...] = ()
    if bucket is not None and not bucket.own:
        sharers = _sharers(aws, bucket, service.provider.stack_name)
        bucket = None if sharers else bucket
    count, size = (0, 0)
    if bucket is not None and measured:
        prefix = "" if bucket.own else f"{bucket.folder}/"
        count, size = measure(aws, bucket.name, prefix, owner=bucket.owner)
    own = service.resources.get("Resources") or {}
    return Belongings(
        stack=stack,
        stack_id=stack_id,
        resources=resources,
        template=template,
        bucket=bucket,
        bucket_objects=count,
        bucket_bytes=size,
        data=tuple(_data(aws, resources, template, own)) if stack is not None else (),
        kept=tuple(_kept(resources, template, gone=stack is None)),
        logs=logs,
        layers=layers[0],
        other_layers=layers[1],
        repository=repository,
        images=images,
        importers=importers,
        sharers=sharers,
    )


def find_logs(
    aws: Aws, service: Service, resources: Iterable[Resource], *, is_live: bool = True
) -> tuple[LogGroup, ...]:
    """Return the log groups of the functions and of the REST API, whoever made them, that are there.

    What serverless.yml names is the stage's when the name begins as its functions' do. One of a function that is there,
    and that this stack does not have, is another stage's.

    Args:
        is_live: whether the stack is there, or `resources` are those of one that was deleted.
    Raises:
        AwsError: AWS refuses.
    """
    names: set[str] = set()
    functions = {one.full_name for one in (*service.functions.values(), *service.image_functions.values())}
    guessed = {name for name in functions if name.startswith(f"{service.name}-{service.provider.stage}-")}
    for one in resources:
        has_it = is_live and one.status != "DELETE_COMPLETE"
        if one.type == "AWS::Lambda::Function" and one.physical_id:
            (names if has_it else guessed).add(f"/aws/lambda/{one.physical_id}" if has_it else one.physical_id)
        elif one.type == "AWS::Logs::LogGroup" and one.physical_id.startswith(_LAMBDA) and not has_it:
            guessed.add(one.physical_id.removeprefix(_LAMBDA))
        elif one.type == "AWS::Logs::LogGroup" and one.physical_id.startswith(_OWN_LOGS):
            names.add(one.physical_id)
        elif one.type == "AWS::ApiGateway::RestApi" and one.physical_id:
            # API Gateway makes it by itself when a stage logs executions
            names.add(f"API-Gateway-Execution-Logs_{one.physical_id}/{service.provider.stage}")
    asked = sorted(name for name in guessed if _LAMBDA + name not in names)
    others = together([partial(_is_function, aws, name) for name in asked])
    names |= {_LAMBDA + name for name, is_there in zip(asked, others, strict=True) if not is_there}
    found = together([partial(_log_group, aws, name) for name in sorted(names)])
    return tuple(one for one in found if one is not None)


def _is_function(aws: Aws, name: str) -> bool:
    """Return whether a function is there; one that may not be asked for counts as none."""
    try:
        aws.call("lambda", "get_function_configuration", FunctionName=name)
    except AwsError as error:
        if error.code == "ResourceNotFoundException" or error.code in _NOT_ALLOWED or error.status == 400:
            return False
        raise
    return True


def find_layers(
    aws: Aws, service: Service, stack_id: str, resources: Iterable[Resource]
) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
    """Return the layer versions that a stack made and that are there, and others of the same names.

    Names of layers are the account's, so that another stage may have versions of the same one: what this stack made is
    told by its history.

    Raises:
        AwsError: AWS refuses.
    """
    made: dict[str, set[int]] = {}
    names = {one.full_name for one in service.layers.values()}
    ids = [one.physical_id for one in resources if one.type == "AWS::Lambda::LayerVersion"]
    if (names or ids) and stack_id:
        ids += _made_layers(aws, stack_id)
    for physical_id in ids:
        if found := _LAYER.match(physical_id):
            made.setdefault(found[1], set()).add(int(found[2]))
    own, others = {}, {}
    for name in sorted({*names, *made}):
        there = {one["Version"] for one in _layer_versions(aws, name)}
        own[name] = tuple(sorted(there & made.get(name, set())))
        others[name] = tuple(sorted(there - made.get(name, set())))
    return {name: found for name, found in own.items() if found}, {n: found for n, found in others.items() if found}


def repository_name(service: Service) -> str:
    """Return the name of the ECR repository that images of a service go to, as Serverless calls it."""
    return repository_of(service)


def find_repository(aws: Aws, service: Service) -> tuple[str, int]:
    """Return the ECR repository of the service's images and how many it holds; "" for none.

    Raises:
        AwsError: AWS refuses; who may not ask, and whose service has no images, is told of none. So is who asks
            what stands for AWS and has no ECR (HTTP 501), such as LocalStack without a licence.
    """
    name = repository_name(service)
    try:
        aws.call("ecr", "describe_repositories", repositoryNames=[name])
        return name, sum(1 for _ in aws.pages("ecr", "list_images", "imageIds", repositoryName=name))
    except AwsError as error:
        has_images = bool(service.image_functions or service.provider.options.get("ecr"))
        may_not = error.code in _NOT_ALLOWED or error.status == 501
        if error.code == "RepositoryNotFoundException" or (may_not and not has_images):
            return "", 0
        raise


def _deleted_stack(aws: Aws, name: str) -> str:
    """Return the ARN of the newest stack of a name that was deleted; AWS keeps them for 90 days."""
    found = [
        one
        for one in aws.pages("cloudformation", "list_stacks", "StackSummaries", StackStatusFilter=["DELETE_COMPLETE"])
        if one["StackName"] == name
    ]
    return str(max(found, key=lambda one: one["CreationTime"])["StackId"]) if found else ""


def _bucket(aws: Aws, service: Service, stack: Stack | None, resources: tuple[Resource, ...]) -> Bucket | None:
    if stack is not None or service.provider.options.get("deploymentBucket"):
        bucket = find_bucket(aws, service)
    else:
        left = [one for one in resources if one.logical_id == OWN_BUCKET and one.status != "DELETE_COMPLETE"]
        name = left[0].physical_id if left else ""
        bucket = Bucket(name, folder_of(service), owner=aws.identity.account) if name else None
    return bucket if bucket is not None and is_there(aws, bucket.name) else None


def _sharers(aws: Aws, bucket: Bucket, stack: str) -> tuple[str, ...]:
    """Return the stacks that are there and have records in the same folder: it is named by service and stage alone."""
    from bareboat.aws.record import Records

    others = sorted({one.stack for one in Records(aws, bucket).read()} - {stack, ""})
    return tuple(name for name in others if find_stack(aws, name) is not None)


def _log_group(aws: Aws, name: str) -> LogGroup | None:
    for one in aws.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name):
        if one["logGroupName"] == name:
            return LogGroup(name, one.get("storedBytes") or 0)
    return None


def _made_layers(aws: Aws, stack_id: str) -> list[str]:
    try:
        return [
            one.get("PhysicalResourceId") or ""
            for one in aws.pages("cloudformation", "describe_stack_events", "StackEvents", StackName=stack_id)
            if one.get("ResourceType") == "AWS::Lambda::LayerVersion"
        ]
    except AwsError as error:
        if is_missing(error):
            return []
        raise


def _layer_versions(aws: Aws, name: str) -> list[Mapping[str, Any]]:
    try:
        return list(aws.pages("lambda", "list_layer_versions", "LayerVersions", LayerName=name))
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return []
        raise


def _importers(aws: Aws, stack_id: str) -> dict[str, tuple[str, ...]]:
    said = aws.call("cloudformation", "describe_stacks", StackName=stack_id)
    outputs = [output for stack in said.get("Stacks") or () for output in stack.get("Outputs") or ()]
    names = [str(one["ExportName"]) for one in outputs if one.get("ExportName")]
    found = together([partial(_imports, aws, name) for name in names])
    return {name: stacks for name, stacks in zip(names, found, strict=True) if stacks}


def _imports(aws: Aws, name: str) -> tuple[str, ...]:
    try:
        return tuple(aws.pages("cloudformation", "list_imports", "Imports", ExportName=name))
    except AwsError as error:
        if error.code == "ValidationError" or error.code in _NOT_ALLOWED:  # "is not imported by any stack"
            return ()
        raise


def _data(
    aws: Aws, resources: Iterable[Resource], template: Mapping[str, Any] | None, own: Mapping[str, Any]
) -> Iterator[DataHolder]:
    """Yield what holds data of the user's and goes with the stack."""
    for one in resources:
        loss = loss_of(one.type)
        if not loss or one.logical_id == OWN_BUCKET or _policy(template, one) in _KEPT_POLICIES or not one.physical_id:
            continue
        made_by_us = one.type.startswith(_OWN_PREFIXES) or (
            one.type == "AWS::Logs::LogGroup" and one.physical_id.startswith(_OWN_LOGS)
        )
        if made_by_us and one.logical_id not in own:
            continue
        if one.status == "DELETE_COMPLETE":
            continue
        detail = _detail(aws, one)
        if detail is not None:
            yield DataHolder(one, loss, detail)


def _detail(aws: Aws, resource: Resource) -> str | None:
    """Return what a resource holds, "" where that is not known, None where it is nothing."""
    if resource.type != "AWS::S3::Bucket":
        return ""
    try:
        count, size = measure(aws, resource.physical_id)
    except AwsError:
        return ""
    return f"{count} versions of objects, {size / 1e6:.1f} MB" if count else None


def _kept(resources: Iterable[Resource], template: Mapping[str, Any] | None, *, gone: bool) -> Iterator[Resource]:
    """Yield what stays when the stack goes, but versions of functions and layers: those are removed by themselves."""
    for one in resources:
        if one.type in ("AWS::Lambda::Version", "AWS::Lambda::LayerVersion") or not one.physical_id:
            continue
        if one.status == "DELETE_SKIPPED" or (not gone and _policy(template, one) in _KEPT_POLICIES):
            yield one


def _policy(template: Mapping[str, Any] | None, resource: Resource) -> str:
    said = (template or {}).get("Resources", {}).get(resource.logical_id, {})
    return str(said.get("DeletionPolicy") or "") if isinstance(said, Mapping) else ""
