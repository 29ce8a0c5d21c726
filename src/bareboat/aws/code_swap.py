"""New code for a function that is there already, without CloudFormation: seconds instead of minutes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bareboat.aws.cargo import Cargo, send
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.live import Live
from bareboat.aws.owner import refuse_other_owner
from bareboat.aws.progress import Progress
from bareboat.aws.shipment import FunctionCode, ZipCode
from bareboat.aws.stack import Sleep, pauses
from bareboat.errors import RemoteError
from bareboat.service.model import Service

_CHANGED = ("PreconditionFailedException",)
_BUSY = ("ResourceConflictException",)


@dataclass(frozen=True, slots=True)
class Swapped:
    """What became of a function's code.

    Args:
        function: its name on AWS.
        sent: False where the code was there already.
    """

    function: str
    code_sha256: str
    sent: bool
    notes: tuple[str, ...] = ()


def swap_code(
    aws: Aws,
    function: str,
    code: Mapping[str, Any],
    *,
    code_sha256: str,
    limit_s: float = 300.0,
    sleep: Sleep = time.sleep,
) -> Swapped:
    """Give a function other code and wait until it runs it.

    Args:
        function: its name on AWS.
        code: what UpdateFunctionCode takes: S3Bucket and S3Key, or ImageUri; Architectures.
        code_sha256: of the code, base64, to see whether it runs already; "" where that is not known.
    Raises:
        RemoteError: there is no such function, Lambda does not take the code, or somebody else changes it.
        AwsError: AWS refuses.
    """
    waited_s = 0.0
    for pause_s in pauses():
        now = configuration(aws, function)
        if now.get("LastUpdateStatus") != "InProgress" and now.get("State") != "Pending":
            if code_sha256 and now.get("CodeSha256") == code_sha256 and now.get("LastUpdateStatus") != "Failed":
                return Swapped(function, code_sha256, sent=False)
            try:
                said = aws.call("lambda", "update_function_code", FunctionName=function, **_unchanged(now), **code)
                return _settled(aws, function, said, limit_s, sleep)
            except AwsError as error:
                if error.code not in (*_CHANGED, *_BUSY):
                    raise
        _wait(function, waited_s, limit_s)
        sleep(pause_s)
        waited_s += pause_s
    raise AssertionError("pauses never end")


def _unchanged(now: Mapping[str, Any]) -> dict[str, str]:
    """Return the condition that nobody else changed the function since it was looked at."""
    return {"RevisionId": now["RevisionId"]} if now.get("RevisionId") else {}


def configuration(aws: Aws, function: str) -> Mapping[str, Any]:
    """Return the configuration of a function.

    Raises:
        RemoteError: there is no such function.
        AwsError: AWS refuses.
    """
    try:
        return aws.call("lambda", "get_function_configuration", FunctionName=function)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        raise RemoteError(
            f"there is no function {function} in {aws.region}",
            expected="a function that was deployed before: -f swaps code alone",
            fix="bareboat deploy without -f",
        ) from error


def _settled(aws: Aws, function: str, said: Mapping[str, Any], limit_s: float, sleep: Sleep) -> Swapped:
    waited_s = 0.0
    for pause_s in pauses():
        if said.get("LastUpdateStatus") == "Failed":
            raise RemoteError(
                f"{function} does not take the code: {said.get('LastUpdateStatusReason') or 'AWS gives no reason'}",
                expected="code that Lambda runs",
                fix="bareboat check --artifact shows what stands against it",
            )
        if said.get("LastUpdateStatus") != "InProgress":
            return Swapped(function, str(said.get("CodeSha256") or ""), sent=True)
        _wait(function, waited_s, limit_s)
        sleep(pause_s)
        waited_s += pause_s
        said = configuration(aws, function)
    raise AssertionError("pauses never end")


def _wait(function: str, waited_s: float, limit_s: float) -> None:
    if waited_s > limit_s:
        raise RemoteError(
            f"{function} has been changing for {limit_s:.0f} seconds",
            expected="an end sooner",
            fix="try again; somebody else may be changing it",
        )


def put_code(
    aws: Aws, service: Service, name: str, cargo: Cargo, live: Live, *, progress: Progress, sleep: Sleep = time.sleep
) -> Swapped:
    """Upload the code of one function and swap it.

    Raises:
        RemoteError: the service or the function is not deployed yet, callers go through an alias, or Lambda refuses.
        AwsError: AWS refuses.
    """
    function = service.functions[name].full_name
    if live.stack is None or live.template is None or live.bucket is None:
        raise RemoteError(
            f"{service.provider.stack_name} is not deployed in {aws.region}",
            expected="a stack: -f swaps the code of a function that is there",
            fix="bareboat deploy without -f",
        )
    progress.stack = live.stack.name
    refuse_other_owner(aws, service, live.stack, live.template, live.bucket)
    deployed = _resource(live.template, function)
    aliased = _alias(live.template, deployed[0] if deployed else "")
    if aliased:
        raise RemoteError(
            f"callers of {function} go through the alias {aliased}, which names a version",
            expected="a function that is called as it is: only that runs new code at once",
            fix="bareboat deploy without -f",
        )
    (code,) = (one for key, one in cargo.shipment(service).functions.items() if key == name)
    assert isinstance(code.code, ZipCode)
    parcels = tuple(one for one in cargo.parcels(service) if one.sha256 == code.code.sha256)
    progress.begin("upload", f"Uploading the code of {name}")
    send(aws, live.bucket, parcels, progress)
    progress.begin("swap", f"Swapping the code of {function}")
    swapped = swap_code(
        aws,
        function,
        {"S3Bucket": live.bucket.name, "S3Key": code.code.key, "Architectures": [code.architecture]},
        code_sha256=parcels[0].code_sha256,
        sleep=sleep,
    )
    return replace(swapped, notes=tuple(_beside(name, deployed[1] if deployed else {}, code)))


def _resource(template: Mapping[str, Any], function: str) -> tuple[str, Mapping[str, Any]] | None:
    for logical_id, resource in (template.get("Resources") or {}).items():
        properties = resource.get("Properties") or {}
        if resource.get("Type") == "AWS::Lambda::Function" and properties.get("FunctionName") == function:
            return logical_id, properties
    return None


def _alias(template: Mapping[str, Any], logical_id: str) -> str:
    """Return the alias of a function in a template; "" where callers go to the function itself."""
    for resource in (template.get("Resources") or {}).values():
        properties = resource.get("Properties") or {}
        if (
            resource.get("Type") == "AWS::Lambda::Alias"
            and logical_id
            and properties.get("FunctionName") in ({"Ref": logical_id}, {"Fn::GetAtt": [logical_id, "Arn"]})
        ):
            return str(properties.get("Name"))
    return ""


def _beside(name: str, deployed: Mapping[str, Any], code: FunctionCode) -> Iterator[str]:
    """Yield what of a function is not as the code needs it, and stays so until the next deploy."""
    for key, wanted in (("Handler", code.handler), ("Runtime", code.runtime)):
        is_now = deployed.get(key)
        if isinstance(is_now, str) and wanted and is_now != wanted:
            yield f"functions.{name}: {key} is {is_now} there and {wanted} here: -f swaps code alone, `deploy` the rest"
