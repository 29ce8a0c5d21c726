"""Addresses of HTTP APIs, REST APIs and function URLs, answered by the local cloud.

Before that: is the API there, has it the stage and the routes of the service, and does the function let it in? What is
not deployed does not answer, whatever serverless.yml says.
"""

from __future__ import annotations

import copy
import http.client
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from aws_cloud.live.functions import LiveFunctions
from aws_cloud.live.runner import Deployed, Runner
from aws_cloud.messages import Answer, Refused, Request, as_json
from aws_cloud.moto import REGION, Moto

if TYPE_CHECKING:
    from bareboat.service.model import Service

_API = re.compile(r"([a-z0-9]+)\.execute-api\.([\w-]+)\.amazonaws\.com(?::\d+)?")
_URL = re.compile(r"([a-z0-9]+)\.lambda-url\.([\w-]+)\.on\.aws(?::\d+)?")
_PATH = re.compile(r"/_aws/execute-api/([a-z0-9]+)(/.*)")
_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "expect", "content-length", "date", "server"}


class Endpoints:
    """Requests to what is deployed."""

    def __init__(self, moto: Moto, functions: LiveFunctions, runner: Runner) -> None:
        self._moto = moto
        self._functions = functions
        self._runner = runner

    def __call__(self, request: Request, ask: Callable[[Request], Answer]) -> Answer | None:
        """Answer a request to an address; None for one that is none."""
        host = request.headers.get("Host", "")
        if found := _API.fullmatch(host):
            return self._api(found[1], found[2], request, request.target)
        if found := _URL.fullmatch(host):
            return self._url(found[1], found[2], request)
        if found := _PATH.fullmatch(request.target):
            return self._api(found[1], REGION, request, found[2])
        return None

    def _api(self, api_id: str, region: str, request: Request, target: str) -> Answer:
        client = self._moto.client("apigatewayv2", region)
        try:
            client.get_api(ApiId=api_id)
        except ClientError:
            return self._rest(api_id, region, request, target)
        stages = {one["StageName"] for one in client.get_stages(ApiId=api_id)["Items"]}
        if "$default" not in stages:
            return as_json({"message": "Not Found"}, 404)
        target = target.removeprefix("/$default")
        integrations = {one["IntegrationId"]: one for one in client.get_integrations(ApiId=api_id)["Items"]}
        routes = {}
        for one in client.get_routes(ApiId=api_id)["Items"]:
            integration = integrations[one["Target"].partition("/")[2]]
            routes[one["RouteKey"]] = integration["IntegrationUri"]
        return self._through(api_id, region, request, target, routes, "httpApi")

    def _rest(self, api_id: str, region: str, request: Request, target: str) -> Answer:
        client = self._moto.client("apigateway", region)
        try:
            items = client.get_resources(restApiId=api_id, embed=["methods"], limit=500)["items"]
            stages = {one["stageName"] for one in client.get_stages(restApiId=api_id)["item"]}
        except ClientError:
            return as_json({"message": "Forbidden"}, 403)
        if target.split("/")[1].split("?", maxsplit=1)[0] not in stages:
            return as_json({"message": "Forbidden"}, 403, **{"x-amzn-ErrorType": "ForbiddenException"})
        routes = {}
        for item in items:
            for method, one in (item.get("resourceMethods") or {}).items():
                uri = (one.get("methodIntegration") or {}).get("uri", "")
                if ":function:" in uri:
                    routes[f"{method} {item['path']}"] = uri.partition("/functions/")[2].removesuffix("/invocations")
        return self._through(api_id, region, request, target, routes, "rest")

    def _with_local_key(self, service: Service, api_id: str, region: str, request: Request) -> Request:
        """Return a request with the local cloud's value of the key that it has, where AWS made that key's value."""
        from bareboat.local.access.api_keys import known_keys
        from bareboat.local.access.secrets import LocalSecrets

        client = self._moto.client("apigateway", region)
        plans = [
            one["id"]
            for one in client.get_usage_plans(limit=500)["items"]
            if any(stage["apiId"] == api_id for stage in one.get("apiStages") or ())
        ]
        ids = {one["id"] for plan in plans for one in client.get_usage_plan_keys(usagePlanId=plan)["items"]}
        keys = [one for one in client.get_api_keys(includeValues=True, limit=500)["items"] if one["id"] in ids]
        given = request.headers.get("x-api-key", "")
        names = {one.get("name") for one in keys if one["value"] == given and one["enabled"]}
        rest = service.provider.rest_api
        for one in known_keys(rest.keys, rest.plans, LocalSecrets(service.folder / ".bareboat")) if names else ():
            if one.is_local and one.name in names:
                headers = copy.deepcopy(request.headers)
                headers.replace_header("x-api-key", one.value)
                return replace(request, headers=headers)
        return request

    def _through(
        self, api_id: str, region: str, request: Request, target: str, routes: dict[str, str], door: str
    ) -> Answer:
        """Ask the local cloud of the functions that an API leads to."""
        if not routes:
            return as_json({"message": "Not Found"}, 404)
        at = {}
        for arn in sorted(set(routes.values())):
            name, _, qualifier = arn.partition(":function:")[2].partition(":")
            deployed = self._functions.at(region, name, qualifier)
            at[deployed.name] = deployed
            if not self._lets_in(region, arn, f":{api_id}/"):
                return as_json({"message": "Internal Server Error"}, 500)
        service, _ = self._functions.service_of(next(iter(at.values())).full_name)
        _check_routes(service, routes, door)
        if door == "rest":
            request = self._with_local_key(service, api_id, region, request)
        return self._asked(service, at, door, request, target, region)

    def _url(self, url_id: str, region: str, request: Request) -> Answer:
        client = self._moto.client("lambda", region)
        for function in client.list_functions()["Functions"]:
            name = function["FunctionName"]
            for qualifier, found in self._urls(region, name):
                if f"//{url_id}." in found["FunctionUrl"]:
                    deployed = self._functions.at(region, name, qualifier)
                    if found["AuthType"] == "NONE" and not self._lets_in(region, name, "", "lambda:InvokeFunctionUrl"):
                        return as_json({"Message": "Forbidden"}, 403)
                    service, _ = self._functions.service_of(name)
                    at = {deployed.name: deployed}
                    return self._asked(service, at, f"url:{deployed.name}", request, request.target, region)
        return as_json({"Message": None}, 403)

    def _urls(self, region: str, name: str) -> list[tuple[str, dict[str, Any]]]:
        """Return the addresses of a function and of its aliases, by qualifier."""
        kept = self._functions.kept.urls
        found = [(key[2], told) for key, told in kept.items() if key[:2] == (region, name)]
        with suppress(ClientError):
            found.append(("", self._moto.client("lambda", region).get_function_url_config(FunctionName=name)))
        return found

    def _asked(
        self, service: Service, at: dict[str, Deployed], door: str, request: Request, target: str, region: str
    ) -> Answer:
        first = next(iter(at.values()))
        _, beside = self._functions.all_of(region, first)
        cloud = self._runner.cloud(service, {**beside, **at})
        address = urlsplit(cloud.urls[door])
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        try:
            headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP}
            connection.request(request.method, target, request.body or None, headers)
            response = connection.getresponse()
            body = response.read()
            more = [(key, value) for key, value in response.getheaders() if key.lower() not in _HOP]
            return Answer(response.status, {}, body, "local cloud", more)
        finally:
            connection.close()

    def _lets_in(self, region: str, name: str, source: str, action: str = "lambda:InvokeFunction") -> bool:
        """Whether the policy of a function lets an API, or everybody, call it."""
        try:
            said = self._moto.client("lambda", region).get_policy(FunctionName=name.partition(":function:")[2] or name)
        except ClientError:
            return False
        for one in json.loads(said["Policy"])["Statement"]:
            where = str(one.get("Condition", ""))
            if one["Action"] in {action, "lambda:*"} and source in where:
                return True
        return False


def _check_routes(service: Service, routes: dict[str, Any], door: str) -> None:
    """Say where the routes that are deployed are not those that the local cloud would answer.

    Raises:
        Refused: they are others.
    """
    from bareboat.service.triggers import HttpApiEvent, HttpEvent

    kind = HttpApiEvent if door == "httpApi" else HttpEvent
    events = [one for function in service.functions.values() for one in function.events if isinstance(one, kind)]
    wanted = {one.route_key for one in events}
    found = {key for key in routes if not key.startswith("OPTIONS ")}
    if {one for one in wanted if not one.startswith("OPTIONS ")} != found:
        text = f"deployed are {sorted(found)}, serverless.yml has {sorted(wanted)}"
        raise Refused("TestCloudBug", text, 501)
