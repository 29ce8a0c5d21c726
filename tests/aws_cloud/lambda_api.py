"""Lambda's calls: what moto answers, with what it forgets; and those that it has not or has wrong."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from aws_cloud.kept import Kept
from aws_cloud.kinds.base import Failed
from aws_cloud.lambda_changes import archive, published
from aws_cloud.live.invoke import Invoke
from aws_cloud.messages import Answer, Refused, Request, as_json
from aws_cloud.moto import ACCOUNT, Moto
from aws_cloud.provisioned import Provisioned

Ask = Callable[[Request], Answer]
_FUNCTION = re.compile(r"/[\d-]+/functions/([^/]+)(/.*)?")
UPDATE_S = 0.03  # for how long an update of code is under way


class LambdaApi:
    """Answers calls of Lambda.

    Args:
        endpoint: where archives can be fetched, as `Code.Location` says.
    """

    def __init__(self, moto: Moto, kept: Kept, invoke: Invoke, endpoint: Callable[[], str]) -> None:
        self._moto = moto
        self._kept = kept
        self._invoke = invoke
        self._endpoint = endpoint
        self._provisioned = Provisioned(moto, kept)
        self._busy: dict[tuple[str, str], float] = {}

    def reset(self) -> None:
        self._busy.clear()

    def __call__(self, request: Request, ask: Ask) -> Answer | None:
        """Answer a call of Lambda; None where moto is right."""
        if request.target.startswith("/_code/"):
            return self._archive(request)
        if request.operation.service != "lambda":
            return None
        name, qualifier = _named(request)
        call = getattr(self, request.operation.name, None)
        if call is not None:
            return call(request, ask, name, qualifier)  # type: ignore[no-any-return]
        return self._provisioned(request, name, qualifier)

    # Functions

    def CreateFunction(self, request: Request, ask: Ask, name: str, qualifier: str) -> Answer:
        given = request.json
        answer = ask(request)
        if answer.status < 300:
            name, region = given["FunctionName"], request.operation.region
            code = _of_code(given["Code"])
            data = self._fetched(region, code)
            if data is not None:
                self._kept.code[region, name, "$LATEST"] = data
            self._kept.set(region, name, given)
        return self._told(request, answer)

    def GetFunction(self, request: Request, ask: Ask, name: str, qualifier: str) -> Answer:
        answer = ask(request)
        if answer.status >= 300:
            return answer
        document = answer.json
        told = self._with_kept(request.operation.region, document["Configuration"])
        key = f"{request.operation.region}/{name}/{told['Version']}"
        document["Code"] = {"RepositoryType": "S3", "Location": f"{self._endpoint()}/_code/{key}"}
        return self._again(answer, document)

    def GetFunctionConfiguration(self, request: Request, ask: Ask, name: str, qualifier: str) -> Answer:
        return self._told(request, ask(request))

    def ListFunctions(self, request: Request, ask: Ask, name: str, qualifier: str) -> Answer:
        answer = ask(request)
        document = answer.json
        for one in document.get("Functions", ()):
            self._with_kept(request.operation.region, one)
        return self._again(answer, document)

    def ListVersionsByFunction(self, request: Request, ask: Ask, name: str, qualifier: str) -> Answer:
        answer = ask(request)
        document = answer.json
        if answer.status < 300 and not document.get("Versions"):
            raise _missing(request.operation.region, name)  # moto answers with none
        for one in document.get("Versions", ()):
            self._with_kept(request.operation.region, one)
        return self._again(answer, document)

    def UpdateFunctionCode(self, request: Request, ask: Ask, name: str, qualifier: str) -> Answer:
        region, given = request.operation.region, request.json
        self._check_change(region, name, given.get("RevisionId"))
        data = self._fetched(region, _of_code(given))
        if given.get("DryRun"):
            return self._told(request, ask(_asking(request, f"/2015-03-31/functions/{name}/configuration")))
        answer = ask(request)
        if answer.status < 300:
            if data is not None:
                self._kept.code[region, name, "$LATEST"] = data
            self._kept.touch(region, name)
            self._busy[region, name] = time.monotonic() + UPDATE_S
        return self._told(request, answer)

    def UpdateFunctionConfiguration(self, request: Request, ask: Ask, name: str, qualifier: str) -> Answer:
        region, given = request.operation.region, request.json
        self._check_change(region, name, given.get("RevisionId"))
        answer = ask(request)
        if answer.status < 300:
            self._kept.set(region, name, given)
            self._busy[region, name] = time.monotonic() + UPDATE_S
        return self._told(request, answer)

    def DeleteFunction(self, request: Request, ask: Ask, name: str, qualifier: str) -> Answer:
        region = request.operation.region
        if qualifier:
            for one in self._aliases(region, name):
                weights = (one.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
                if qualifier in (one["FunctionVersion"], *weights):
                    text = f"Unable to delete version because the following aliases reference it: [{one['Name']}]"
                    raise Refused("ResourceConflictException", text, 409, Type="User")
        answer = ask(request)
        if answer.status < 300:
            self._kept.forget(region, name, qualifier)
        return answer

    # Versions and aliases

    def PublishVersion(self, request: Request, ask: Ask, name: str, qualifier: str) -> Answer:
        region, given = request.operation.region, request.json
        self._check_change(region, name, given.get("RevisionId"))
        try:
            _, version, _ = published(
                self._moto, self._kept, region, name, given.get("CodeSha256"), given.get("Description")
            )
        except Failed as error:
            raise Refused("InvalidParameterValueException", error.message, 400, Type="User") from error
        except ClientError as error:
            raise _missing(region, name) from error
        target = f"/2015-03-31/functions/{name}/configuration?Qualifier={version}"
        answer = self._told(request, ask(_asking(request, target)))
        answer.status = 201
        return answer

    def GetAlias(self, request: Request, ask: Ask, name: str, qualifier: str) -> Answer:
        return self._with_revision(request, ask(request), name)

    def UpdateAlias(self, request: Request, ask: Ask, name: str, qualifier: str) -> Answer:
        alias = request.path.rpartition("/")[2]
        wanted = request.json.get("RevisionId")
        if wanted and wanted != self._kept.revision(request.operation.region, name, alias):
            raise _wrong_revision()
        answer = ask(request)
        self._kept.touch(request.operation.region, name, alias)
        return self._with_revision(request, answer, name)

    def CreateAlias(self, request: Request, ask: Ask, name: str, qualifier: str) -> Answer:
        return self._with_revision(request, ask(request), name)

    def GetFunctionUrlConfig(self, request: Request, ask: Ask, name: str, qualifier: str) -> Answer:
        if not qualifier:
            return ask(request)
        told = self._kept.urls.get((request.operation.region, name, qualifier))
        if told is None:
            raise Refused("ResourceNotFoundException", "The resource you requested does not exist.", 404, Type="User")
        return as_json({key: value for key, value in told.items() if key != "FunctionName"})

    # Invoke

    def Invoke(self, request: Request, ask: Ask, name: str, qualifier: str) -> Answer:
        return self._invoke.answer(request, name, qualifier)

    # Parts

    def _check_change(self, region: str, name: str, revision: str | None) -> None:
        try:
            self._moto.client("lambda", region).get_function_configuration(FunctionName=name)
        except ClientError as error:
            raise _missing(region, name) from error
        if time.monotonic() < self._busy.get((region, name), 0):
            arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"
            raise Refused(
                "ResourceConflictException",
                f"The operation cannot be performed at this time. An update is in progress for resource: {arn}",
                409,
                Type="User",
            )
        if revision and revision != self._kept.revision(region, name):
            raise _wrong_revision()

    def _fetched(self, region: str, code: dict[str, Any]) -> bytes | None:
        try:
            return archive(self._moto, region, code)
        except Failed as error:
            raise Refused("InvalidParameterValueException", error.message, 400, Type="User") from error

    def _aliases(self, region: str, name: str) -> list[dict[str, Any]]:
        try:
            return list(self._moto.client("lambda", region).list_aliases(FunctionName=name)["Aliases"])
        except ClientError:
            return []

    def _told(self, request: Request, answer: Answer) -> Answer:
        """Put what moto forgets into its answer of a configuration."""
        if answer.status >= 300:
            return answer
        return self._again(answer, self._with_kept(request.operation.region, answer.json))

    def _with_kept(self, region: str, told: dict[str, Any]) -> dict[str, Any]:
        name, version = told["FunctionName"], told.get("Version", "$LATEST")
        for key, value in (self._kept.of.get((region, name, version)) or {}).items():
            if value is None:
                continue
            if key == "SnapStart":
                on = value.get("ApplyOn") == "PublishedVersions" and version != "$LATEST"
                told[key] = {**value, "OptimizationStatus": "On" if on else "Off"}
            elif key == "LoggingConfig":
                told[key] = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}", **value}
            elif key == "Layers":
                told[key] = [{"Arn": one, "CodeSize": 1} for one in value]
            else:
                told[key] = value
        told.setdefault("LoggingConfig", {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"})
        told["RevisionId"] = self._kept.revision(region, name, version)
        busy = version == "$LATEST" and time.monotonic() < self._busy.get((region, name), 0)
        told["LastUpdateStatus"] = "InProgress" if busy else "Successful"
        if busy:
            told["LastUpdateStatusReason"] = "The function is being created."
            told["LastUpdateStatusReasonCode"] = "Creating"
        return told

    def _with_revision(self, request: Request, answer: Answer, name: str) -> Answer:
        if answer.status >= 300:
            return answer
        document = answer.json
        document["RevisionId"] = self._kept.revision(request.operation.region, name, document["Name"])
        return self._again(answer, document)

    def _again(self, answer: Answer, document: Any) -> Answer:
        headers = {key: value for key, value in answer.headers.items() if key.lower() != "content-length"}
        return Answer(answer.status, headers, json.dumps(document).encode(), "moto, with what it forgets")

    def _archive(self, request: Request) -> Answer:
        """Give an archive out, where `Code.Location` says that it lies."""
        region, name, version = request.path.removeprefix("/_code/").split("/")
        data = self._kept.code.get((region, name, version))
        if data is None:
            return Answer(404, {}, b"")
        return Answer(200, {"Content-Type": "application/zip"}, data)


def _named(request: Request) -> tuple[str, str]:
    """Return the function and the qualifier that a call is of, as name, ARN or name:qualifier."""
    found = _FUNCTION.match(request.target.partition("?")[0])
    name = unquote(found[1]) if found else ""
    if ":function:" in name:
        name = name.partition(":function:")[2]
    name, _, qualifier = name.partition(":")
    return name, request.query.get("Qualifier", "") or qualifier


def _asking(request: Request, target: str) -> Request:
    return Request("GET", target, request.headers, b"", request.operation)


def _of_code(given: dict[str, Any]) -> dict[str, Any]:
    import base64

    if "ZipFile" in given:
        return {"ZipFile": base64.b64decode(given["ZipFile"])}
    return {key: given[key] for key in ("S3Bucket", "S3Key", "S3ObjectVersion") if given.get(key)}


def _missing(region: str, name: str) -> Refused:
    arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"
    return Refused("ResourceNotFoundException", f"Function not found: {arn}", 404, Type="User")


def _wrong_revision() -> Refused:
    return Refused(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve "
        "the latest Revision Id",
        412,
        Type="User",
    )
