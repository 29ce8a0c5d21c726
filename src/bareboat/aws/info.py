"""A live service -> what a person wants to know of it: addresses, functions, layers, API keys, the last deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from bareboat.aws.client import AwsError
from bareboat.aws.deployed import API_KEY, LAYER, Deployed, LiveFunction, LiveRoute

if TYPE_CHECKING:
    from bareboat.aws.client import Aws
    from bareboat.aws.record import Record

T = TypeVar("T")
R = TypeVar("R")
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class LiveLayer:
    """A version of a layer.

    Args:
        own: whether the stack makes it.
        size_bytes: of its zip; None where the caller may not ask, as of other accounts' layers.
    """

    arn: str
    own: bool
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class FunctionState:
    """A function as Lambda tells of it.

    Args:
        version: the newest published number; "" where none was published.
        is_published: whether the newest code is that of the newest version; `deploy -f` swaps code without one.
        size_bytes: of the zip; None for an image.
        image: its address; "" for a zip.
        runtime: "" for an image.
        state: Active, Pending, Inactive, Failed.
        update: how the last change of it went: Successful, InProgress, Failed.
        reason: why it is in a state that is not good.
        aliases: name -> version, or `7 90 %, 8 10 %` where traffic is parted.
        concurrency: reserved; None where none is.
    """

    name: str
    full_name: str
    version: str
    is_published: bool
    size_bytes: int | None
    image: str
    runtime: str
    architecture: str
    memory_mb: int
    timeout_s: int
    layers: tuple[str, ...]
    code_sha256: str
    modified: str
    state: str
    update: str
    reason: str
    aliases: Mapping[str, str]
    concurrency: int | None


@dataclass(frozen=True, slots=True)
class LiveKey:
    """An API key. `value` is "" unless it was asked for."""

    id: str
    name: str
    enabled: bool
    value: str = ""


@dataclass(frozen=True, slots=True)
class Info:
    """A live service.

    Args:
        status: of the stack.
        deployed: when the stack was last changed.
        record: of the last deployment that is live; None where bareboat made none, or the bucket cannot be read.
        domains: addresses of the stack's custom domains.
        missing: functions that the stack has and Lambda has not: somebody deleted them.
    """

    service: str
    stage: str
    region: str
    account: str
    stack: str
    status: str
    deployed: datetime
    record: Record | None
    routes: tuple[LiveRoute, ...]
    functions: tuple[FunctionState, ...]
    missing: tuple[LiveFunction, ...]
    layers: tuple[LiveLayer, ...]
    keys: tuple[LiveKey, ...]
    outputs: Mapping[str, str]
    domains: tuple[str, ...] = ()


def read_info(aws: Aws, deployed: Deployed, *, key_values: bool = False) -> Info:
    """Return what is to be known of a live service.

    Args:
        key_values: whether to ask for the values of API keys, too.
    Raises:
        AwsError: AWS refuses.
    """
    stack = deployed.stack
    states = _each(lambda one: _function(aws, one), deployed.functions, aws, "lambda")
    functions = tuple(one for one in states if one is not None)
    missing = tuple(one for one, state in zip(deployed.functions, states, strict=True) if state is None)
    own = deployed.physical_of(LAYER)
    arns = list(dict.fromkeys([*own, *(arn for one in functions for arn in one.layers)]))
    keys = deployed.physical_of(API_KEY)
    return Info(
        service=deployed.service.name,
        stage=deployed.service.provider.stage,
        region=aws.region,
        account=stack.account,
        stack=stack.name,
        status=stack.status,
        deployed=stack.updated or stack.created,
        record=live_record_of(aws, deployed),
        routes=deployed.routes,
        functions=functions,
        missing=missing,
        layers=tuple(_each(lambda arn: _layer(aws, arn, own=arn in own), arns, aws, "lambda")),
        keys=tuple(_each(lambda one: _key(aws, one, value=key_values), keys, aws, "apigateway")),
        outputs=dict(stack.outputs),
        domains=deployed.domains,
    )


def _each(work: Callable[[T], R], things: Iterable[T], aws: Aws, service: str) -> list[R]:
    """Ask for several things at once, in their order."""
    waiting = list(things)
    if waiting:
        aws.client(service)  # made once, before threads share it
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(work, waiting))


def _function(aws: Aws, one: LiveFunction) -> FunctionState | None:
    try:
        said = aws.call("lambda", "get_function", FunctionName=one.full_name)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        return None
    now = said["Configuration"]
    listed = aws.pages("lambda", "list_versions_by_function", "Versions", FunctionName=one.full_name)
    published = [version for version in listed if version["Version"].isdigit()]
    newest = max(published, key=lambda version: int(version["Version"]), default=None)
    aliases = aws.pages("lambda", "list_aliases", "Aliases", FunctionName=one.full_name)
    is_image = now.get("PackageType") == "Image"
    return FunctionState(
        name=one.name,
        full_name=one.full_name,
        version="" if newest is None else str(newest["Version"]),
        is_published=newest is not None and newest.get("CodeSha256") == now.get("CodeSha256"),
        size_bytes=None if is_image else int(now.get("CodeSize", 0)),
        image=str(said.get("Code", {}).get("ImageUri", "")) if is_image else "",
        runtime=str(now.get("Runtime") or ""),
        architecture=str(next(iter(now.get("Architectures") or ()), "x86_64")),
        memory_mb=int(now.get("MemorySize", 0)),
        timeout_s=int(now.get("Timeout", 0)),
        layers=tuple(layer["Arn"] for layer in now.get("Layers") or ()),
        code_sha256=str(now.get("CodeSha256", "")),
        modified=str(now.get("LastModified", "")),
        state=str(now.get("State") or "Active"),
        update=str(now.get("LastUpdateStatus") or "Successful"),
        reason=str(now.get("LastUpdateStatusReason") or now.get("StateReason") or ""),
        aliases={alias["Name"]: _weights(alias) for alias in aliases},
        concurrency=said.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
    )


def _weights(alias: Mapping[str, Any]) -> str:
    parted = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    if not parted:
        return str(alias["FunctionVersion"])
    rest = 1.0 - sum(parted.values())
    shares = [(str(alias["FunctionVersion"]), rest), *((str(version), share) for version, share in parted.items())]
    return ", ".join(f"{version} {share * 100:g} %" for version, share in shares)


def _layer(aws: Aws, arn: str, *, own: bool) -> LiveLayer:
    name, _, version = arn.rpartition(":")
    try:
        said = aws.call("lambda", "get_layer_version", LayerName=name, VersionNumber=int(version))
    except AwsError as error:
        if error.status:  # another account's, or deleted: functions keep it all the same
            return LiveLayer(arn, own, None)
        raise
    return LiveLayer(arn, own, said.get("Content", {}).get("CodeSize"))


def _key(aws: Aws, key: str, *, value: bool) -> LiveKey:
    said = aws.call("apigateway", "get_api_key", apiKey=key, includeValue=value)
    return LiveKey(key, str(said.get("name") or ""), bool(said.get("enabled")), str(said.get("value") or "") * value)


def live_record_of(aws: Aws, deployed: Deployed) -> Record | None:
    """Return the record of what is live; None where bareboat made none, or the bucket lets nobody look into it.

    Raises:
        AwsError: AWS refuses.
    """
    from bareboat.aws.bucket import find_bucket
    from bareboat.aws.record import Records, live_record

    try:
        bucket = find_bucket(aws, deployed.service, deployed.stack.name)
        return None if bucket is None else live_record(Records(aws, bucket).read(), deployed.template)
    except AwsError as error:
        if error.status in {403, 404}:  # who may look at the stack need not be let into its bucket
            return None
        raise
