"""New code for a function that is there already, without CloudFormation: seconds instead of minutes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bareboat.aws.client import Aws, AwsError
from bareboat.aws.stack import Sleep, pauses
from bareboat.errors import RemoteError

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
    architecture: str = ""


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
                return Swapped(function, code_sha256, sent=False, architecture=_machine(now))
            try:
                said = aws.call(
                    "lambda", "update_function_code", FunctionName=function, RevisionId=now["RevisionId"], **code
                )
                return _settled(aws, function, said, limit_s, sleep)
            except AwsError as error:
                if error.code not in (*_CHANGED, *_BUSY):
                    raise
        _wait(function, waited_s, limit_s)
        sleep(pause_s)
        waited_s += pause_s
    raise AssertionError("pauses never end")


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
            return Swapped(function, str(said.get("CodeSha256") or ""), sent=True, architecture=_machine(said))
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


def _machine(said: Mapping[str, Any]) -> str:
    return str(next(iter(said.get("Architectures") or ()), ""))
