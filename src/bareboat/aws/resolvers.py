"""Variables that need AWS: `${ssm:}`, `${s3:}`, `${cf:}` and `${aws:accountId}`, as Serverless 3 has them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from bareboat.aws.client import Aws, AwsError
from bareboat.service.sources import AwsResolver, RefusedError

_SECRETS_MANAGER = "/aws/reference/secretsmanager/"
_MARKERS = {"~true": "SecureString is decrypted by itself", "~split": "a StringList is a list by itself"}
_MAX_BYTES = 1_000_000
# What says that the caller could not ask at all: nothing in serverless.yml is wrong.
_OUTAGES = frozenset(
    {
        *("Throttling", "ThrottlingException", "SlowDown"),
        *("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"),
        *("InvalidAccessKeyId", "SignatureDoesNotMatch"),
    }
)


def resolvers(aws: Aws) -> Mapping[str, AwsResolver]:
    """Return what resolves the variables of serverless.yml that need AWS; each address is asked for once, when needed.

    What AWS does not have is None, so that the next choice of a variable counts.

    Raises (the resolvers):
        RefusedError: AWS refuses, or the variable asks wrongly; whoever reads serverless.yml adds the place.
        AwsError: there are no credentials, or AWS does not answer.
    """
    asked = _Asked(aws)
    return {"ssm": asked.ssm, "s3": asked.s3, "cf": asked.cf, "aws": asked.account}


class _Asked:
    """What AWS has said so far."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._answers: dict[tuple[object, ...], Any] = {}

    def ssm(self, address: str, params: tuple[str, ...]) -> Any:
        """Return a parameter: text, a list of a StringList, what is in the JSON object of a SecureString.

        Args:
            params: a region, `raw` for the text as it stands, `noDecrypt` for what is stored of a SecureString.
        """
        for marker, why in _MARKERS.items():
            if address.endswith(marker):
                bare = address.removesuffix(marker)
                raise RefusedError(f"ssm:{address} is the form of Serverless 1 and 2: {why}", fix=f"write ssm:{bare}")
        switches = {"raw", "noDecrypt"} & set(params)
        region = _region("ssm", params, switches)
        decrypt = "noDecrypt" not in switches

        def ask() -> Any:
            said = self._aws.call("ssm", "get_parameter", region=region, Name=address, WithDecryption=decrypt)
            return said["Parameter"]

        parameter = self._once(("ssm", address, region, decrypt), ask, ("ParameterNotFound",), _hint(address))
        if parameter is None or "raw" in switches:
            return None if parameter is None else str(parameter["Value"])
        text = str(parameter["Value"])
        if parameter["Type"] == "StringList":
            return text.split(",")
        if parameter["Type"] == "SecureString" and text.startswith("{"):
            try:
                return json.loads(text)
            except ValueError:
                return text
        return text

    def s3(self, address: str, params: tuple[str, ...]) -> str | None:
        """Return an object's content as text: `bucket/key`. The bucket may lie in any region."""
        _region("s3", params, set())
        bucket, slash, key = address.partition("/")
        if not slash or not bucket or not key:
            raise RefusedError(f"s3:{address} names no object", expected="s3:BUCKET/KEY")

        def ask() -> str:
            body = self._aws.call("s3", "get_object", Bucket=bucket, Key=key)["Body"]
            with body:
                data = body.read(_MAX_BYTES + 1)
            if len(data) > _MAX_BYTES:
                raise RefusedError(f"s3:{address} is larger than {_MAX_BYTES:,} bytes", expected="a short text")
            try:
                return str(data.decode())
            except UnicodeDecodeError:
                raise RefusedError(f"s3:{address} is not UTF-8", expected="a text") from None

        answer = self._once(("s3", address), ask, ("NoSuchKey", "404"))
        return None if answer is None else str(answer)

    def cf(self, address: str, params: tuple[str, ...]) -> str | None:
        """Return an output of a stack: `stack.Output`, of this region or of `params`' one."""
        region = _region("cf", params, set())
        stack, dot, output = address.partition(".")
        if not dot or not stack or not output:
            raise RefusedError(f"cf:{address} names no output of a stack", expected="cf:STACK.OUTPUT")

        def ask() -> dict[str, str]:
            try:
                said = self._aws.call("cloudformation", "describe_stacks", region=region, StackName=stack)
            except AwsError as error:
                if error.code == "ValidationError" and "does not exist" in str(error):
                    return {}
                raise
            return {entry["OutputKey"]: entry["OutputValue"] for entry in said["Stacks"][0].get("Outputs", ())}

        outputs: dict[str, str] = self._once(("cf", stack, region), ask, (), f"cf:{address}")
        return outputs.get(output)

    def account(self, address: str, _params: tuple[str, ...]) -> str:
        """Return the caller's account."""
        assert address == "accountId", "aws:region needs no AWS"
        return str(self._once(("aws",), lambda: self._aws.identity.account, ()))

    def _once(self, what: tuple[object, ...], ask: Callable[[], Any], absent: tuple[str, ...], shown: str = "") -> Any:
        """Ask unless it is known; None for the codes of AWS that say that there is no such thing."""
        if what not in self._answers:
            try:
                self._answers[what] = ask()
            except RefusedError as error:
                self._answers[what] = error
            except AwsError as error:
                if error.code not in absent and _is_outage(error):
                    raise
                shown = shown or f"{what[0]}:{what[-1]}"
                refusal = RefusedError(f"{shown} cannot be asked for: {error.args[0]}", fix=error.problems[0].fix)
                self._answers[what] = None if error.code in absent else refusal
        if isinstance(self._answers[what], RefusedError):
            raise self._answers[what]
        return self._answers[what]


def _is_outage(error: AwsError) -> bool:
    """Return whether nothing could be asked at all, so that nothing in serverless.yml is to blame."""
    return not error.status or error.status >= 500 or error.code in _OUTAGES


def _hint(address: str) -> str:
    name = address.removeprefix(_SECRETS_MANAGER)
    return f"ssm:{address}" if name == address else f"the secret '{name}' (ssm:{address})"


def _region(source: str, params: tuple[str, ...], switches: set[str]) -> str:
    """Return the region among the parameters in parentheses, "" for none."""
    rest = [param for param in params if param and param not in switches]
    if source == "s3" and rest:
        raise RefusedError(f"s3({', '.join(rest)}) takes nothing in parentheses", expected="s3:BUCKET/KEY")
    if len(rest) > 1:
        expected = f"{source}(REGION):..." + (", with raw or noDecrypt beside it" if source == "ssm" else "")
        raise RefusedError(f"{source}({', '.join(params)}) is not understood", expected=expected)
    return rest[0] if rest else ""
