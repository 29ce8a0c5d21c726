"""Old versions, down to a number: records, code, Lambda's versions and layers; never what is live or can be needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bareboat.aws.belongings import find_layers
from bareboat.aws.bucket import Bucket, keep_of
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.emptying import delete_keys
from bareboat.aws.record import Records
from bareboat.aws.stack import resources
from bareboat.aws.together import ready, together
from bareboat.aws.versions import Version, Versions, code_keys, read_versions
from bareboat.service.model import Service

# Another deployment may be about to use what it has just uploaded, or found there.
FRESH = timedelta(days=1)
_BUSY = ("ResourceConflictException", "ResourceNotFoundException", "InvalidParameterValueException")
_NOT_ALLOWED = ("AccessDenied", "AccessDeniedException", "403")


@dataclass(frozen=True, slots=True)
class Pruning:
    """What goes.

    Args:
        versions: records, and Serverless's folders, the oldest first.
        keys: in the bucket, of code, templates and Serverless's folders.
        functions: name on AWS -> the numbers of Lambda's versions.
        layers: name -> versions.
    """

    versions: tuple[Version, ...] = ()
    keys: tuple[str, ...] = ()
    functions: Mapping[str, tuple[str, ...]] | None = None
    layers: Mapping[str, tuple[int, ...]] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing goes."""
        return not (self.versions or self.keys or self.functions or self.layers)


def plan_pruning(
    versions: Versions, template: Mapping[str, Any] | None, keep: int, *, now: datetime, stack: str = ""
) -> Pruning:
    """Return which versions and objects are too old: pure.

    Args:
        template: the live one: what it names stays, whatever the records say.
        keep: how many versions stay beside the live one.
        stack: whose versions may go; those of another stack with the same folder stay. "" is all.
    """
    live = versions.live
    others = [one for one in versions.all if stack and one.record is not None and one.record.stack != stack]
    whole = [one for one in versions.all if one.state == "kept" and one is not live and one not in others]
    kept = whole[max(0, len(whole) - keep) :]
    if live is None:  # nobody knows what the stack runs: nothing that may be it goes
        kept = whole[-(keep + 1) :]
    restored = live.record.restores if live is not None and live.record is not None else None
    kept += [one for one in versions.all if restored is not None and one.name == str(restored)]
    oldest = min((versions.all.index(one) for one in (*kept, *([live] if live else []))), default=0)
    gone = tuple(
        one
        for index, one in enumerate(versions.all)
        if one is not live
        and one not in (*kept, *others)
        and one.state != "pending"
        and (one in whole or index < oldest)
    )
    needed = {key for one in versions.all if one not in gone for key in (*one.keys, one.template_key)}
    needed |= code_keys(template or {})
    keys = [key for key in versions.objects if _goes(key, versions, gone, needed, now)]
    return Pruning(versions=gone, keys=tuple(sorted(keys)))


def prune(
    aws: Aws,
    service: Service,
    versions: Versions,
    template: Mapping[str, Any] | None,
    *,
    keep: int | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Pruning:
    """Remove versions that are too many, and return what went.

    Args:
        versions: read after the deployment.
        template: the live one.
        keep: how many stay beside the live one; None is what serverless.yml says.
    Raises:
        AwsError: AWS refuses; who may not list or delete Lambda's versions keeps them.
    """
    keep = keep_of(service) if keep is None else keep
    plan = plan_pruning(versions, template, keep, now=clock(), stack=service.provider.stack_name)
    ready(aws, ("s3", "lambda", "cloudformation"))
    stack = resources(aws, service.provider.stack_name)
    in_stack = {one.physical_id for one in stack}
    names = [one.physical_id for one in stack if one.type == "AWS::Lambda::Function" and one.physical_id]
    functions, layers, _ = together(
        [
            lambda: _prune_functions(aws, names, in_stack, keep),
            lambda: _prune_layers(aws, service, in_stack, keep),
            lambda: _prune_objects(aws, versions, plan),
        ]
    )
    return Pruning(plan.versions, plan.keys, functions or None, layers or None)


def prune_after(aws: Aws, service: Service, bucket: Bucket, template: Mapping[str, Any]) -> Pruning:
    """Remove what a deployment that has just ended made too many.

    Args:
        template: that the stack has now.
    Raises:
        AwsError: AWS refuses.
    """
    return prune(aws, service, read_versions(aws, bucket, template), template)


def _goes(key: str, versions: Versions, gone: Iterable[Version], needed: set[str], now: datetime) -> bool:
    place = key.removeprefix(f"{versions.bucket.folder}/")
    if key in needed:
        return False
    if place.startswith("deployments/"):
        return False  # with its record
    folders = {one.template_key.rpartition("/")[0] + "/" for one in gone if one.is_serverless}
    if any(key.startswith(folder) for folder in folders):
        return True
    if not place.startswith(("code/", "templates/")):
        return False
    of_gone = any(key in one.keys for one in gone)
    return of_gone or now - versions.objects[key] > FRESH


def _prune_objects(aws: Aws, versions: Versions, plan: Pruning) -> None:
    bucket = versions.bucket
    if plan.keys:
        # what another deployment has found there in the meantime is in its record by now
        read = Records(aws, bucket).read()
        needed = {
            key for one in read if str(one.number) not in {gone.name for gone in plan.versions} for key in one.keys
        }
        delete_keys(aws, bucket.owned, [key for key in plan.keys if key not in needed])
    for one in plan.versions:
        if one.record is not None:
            folder = f"{bucket.folder}/deployments/{one.record.number:06d}"
            # the record last: what is half removed is removed again
            delete_keys(aws, bucket.owned, [f"{folder}/template.json", f"{folder}/deployment.json"])


def _prune_functions(aws: Aws, names: Iterable[str], in_stack: set[str], keep: int) -> dict[str, tuple[str, ...]]:
    names = list(names)
    found = together([partial(_prune_function, aws, name, in_stack, keep) for name in names])
    return {name: gone for name, gone in zip(names, found, strict=True) if gone}


def _prune_function(aws: Aws, name: str, in_stack: set[str], keep: int) -> tuple[str, ...]:
    """Delete old versions of one function: neither $LATEST, nor one of an alias or the stack, nor the newest ones."""
    try:
        listed = list(aws.pages("lambda", "list_versions_by_function", "Versions", FunctionName=name))
        aliases = list(aws.pages("lambda", "list_aliases", "Aliases", FunctionName=name))
    except AwsError as error:
        if error.code in (*_NOT_ALLOWED, "ResourceNotFoundException"):
            return ()
        raise
    used = {one["FunctionVersion"] for one in aliases}
    for one in aliases:
        used |= set((one.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})
    numbered = sorted((one for one in listed if one["Version"] != "$LATEST"), key=lambda one: int(one["Version"]))
    spare = [
        one["Version"]
        for one in numbered
        if one["Version"] not in used and one["FunctionArn"] not in in_stack and one.get("Version")
    ]
    gone = []
    for version in spare[: max(0, len(spare) - keep)]:
        try:
            aws.call("lambda", "delete_function", FunctionName=name, Qualifier=version)
            gone.append(version)
        except AwsError as error:
            if error.code not in (*_BUSY, *_NOT_ALLOWED):
                raise
    return tuple(gone)


def _prune_layers(aws: Aws, service: Service, in_stack: set[str], keep: int) -> dict[str, tuple[int, ...]]:
    """Delete old versions of layers that this stack made and that serverless.yml does not retain."""
    retained = {one.full_name for one in service.layers.values() if one.retain}
    wanted = service.custom.get("prune")
    everywhere = isinstance(wanted, Mapping) and wanted.get("includeLayers") is True
    if not service.layers:
        return {}
    try:
        own, _ = find_layers(aws, service, service.provider.stack_name, [])
    except AwsError as error:
        if error.code in _NOT_ALLOWED:
            return {}
        raise
    live = {tuple(one.split(":layer:")[1].split(":")) for one in in_stack if ":layer:" in one}
    gone: dict[str, tuple[int, ...]] = {}
    for name, numbers in own.items():
        if name in retained and not everywhere:
            continue
        spare = [number for number in numbers if (name, str(number)) not in live]
        for number in spare[: max(0, len(spare) - keep)]:
            aws.call("lambda", "delete_layer_version", LayerName=name, VersionNumber=number)
            gone[name] = (*gone.get(name, ()), number)
    return gone
