"""API Gateway's own API, as much of it as `aws apigateway test-invoke-method --endpoint-url` needs.

GET  /restapis                                        the one API of the service
GET  /restapis/{id}/resources                         its resources and their methods
POST /restapis/{id}/resources/{id}/methods/{method}   TestInvokeMethod
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import Any

import msgspec

from bareboat.local.addresses import REST_APIS, api_id
from bareboat.local.gateway.routes import ANY
from bareboat.local.ids import request_id
from bareboat.local.messages import Request, Response
from bareboat.local.rest.integration import Invoke
from bareboat.local.rest.methods import Method, resource_id, rest_methods
from bareboat.local.rest.trial import TrialRequest, try_method
from bareboat.service.model import Service

_ONE = re.compile(r"/restapis/([^/]+)(?:/resources(?:/([^/]+)/methods/([^/]+))?)?")


class _Asked(msgspec.Struct, rename="camel"):
    """The body of TestInvokeMethod."""

    path_with_query_string: str | None = None
    body: str | None = None
    headers: dict[str, str] | None = None
    multi_value_headers: dict[str, list[str]] | None = None
    client_certificate_id: str | None = None
    stage_variables: dict[str, str] | None = None


class RestControl:
    """Answers what tools ask API Gateway about the service's REST API.

    Args:
        invoke: calls a function.
    """

    def __init__(self, service: Service, invoke: Invoke) -> None:
        self._service = service
        self._invoke = invoke
        self._id = api_id(service)
        self._methods = rest_methods(service)

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer a request whose path begins with `REST_APIS`."""
        path = request.target.partition("?")[0].rstrip("/")
        if path == REST_APIS:
            return _only(request, "GET") or _json(200, {"item": [self._api()]})
        found = _ONE.fullmatch(path)
        if found is None:
            return _error(404, "UnknownOperationException", f"the local API Gateway does not serve {path}")
        asked_id, resource, verb = found.groups()
        if asked_id != self._id:
            text = "Invalid API identifier specified 123456789012:" + asked_id
            return _error(
                404, "NotFoundException", text if resource is None else "Invalid Resource identifier specified"
            )
        if verb is None:
            shown = {"item": self._resources()} if path.endswith("/resources") else self._api()
            return _only(request, "GET") or _json(200, shown)
        return _only(request, "POST") or self._test(request, resource, verb)

    def _test(self, request: Request, resource: str, verb: str) -> Response | Awaitable[Response]:
        methods = [method for method in self._methods if method.resource_id == resource]
        if not methods and resource not in {each["id"] for each in self._resources()}:
            return _error(404, "NotFoundException", "Invalid Resource identifier specified")
        wanted = ANY if verb == "ANY" else verb
        method = next((each for each in methods if each.method == wanted), None)
        method = method or next((each for each in methods if each.method == ANY), None)
        if method is None:
            return _error(404, "NotFoundException", "Invalid Method identifier specified")
        try:
            asked = msgspec.json.decode(request.body or b"{}", type=_Asked)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return _error(400, "SerializationException", str(error))
        return self._run(method, "GET" if verb == "ANY" else verb, asked)

    async def _run(self, method: Method, verb: str, asked: _Asked) -> Response:
        several = asked.multi_value_headers or {}
        headers = [(name, value) for name, values in several.items() for value in values]
        headers += [pair for pair in (asked.headers or {}).items() if pair[0] not in several]
        request = TrialRequest(
            verb,
            asked.path_with_query_string or "",
            tuple(headers),
            (asked.body or "").encode(),
            asked.stage_variables,
        )
        trial = await try_method(self._service, method, request, self._invoke)
        return _json(200, trial.to_dict())

    def _api(self) -> dict[str, Any]:
        provider = self._service.provider
        return {
            "id": self._id,
            "name": f"{provider.stage}-{self._service.name}",
            "binaryMediaTypes": list(provider.rest_api.binary_types),
            "apiKeySource": provider.rest_api.key_source,
            "endpointConfiguration": {"types": ["EDGE"]},
            "rootResourceId": resource_id("/"),
        }

    def _resources(self) -> list[dict[str, Any]]:
        """Return the resources, parents too, which have no methods."""
        methods: dict[str, dict[str, Any]] = {"/": {}}
        for method in self._methods:
            path = ""
            for segment in method.path.strip("/").split("/"):
                path = f"{path}/{segment}" if segment else ""
                methods.setdefault(path or "/", {})
            methods[path or "/"]["ANY" if method.method == ANY else method.method] = {}
        resources = []
        for path, of_path in methods.items():
            resource: dict[str, Any] = {"id": resource_id(path), "path": path}
            if path != "/":
                parent, _, part = path.rpartition("/")
                resource |= {"parentId": resource_id(parent or "/"), "pathPart": part}
            if of_path:
                resource["resourceMethods"] = of_path
            resources.append(resource)
        return resources


def _only(request: Request, verb: str) -> Response | None:
    if request.method == verb:
        return None
    return _error(404, "UnknownOperationException", f"the local API Gateway only reads and tests: {verb}")


def _error(status: int, name: str, text: str) -> Response:
    response = _json(status, {"message": text})
    response.headers = [*response.headers, ("x-amzn-ErrorType", name)]
    return response


def _json(status: int, document: object) -> Response:
    headers = [("Content-Type", "application/json"), ("x-amzn-RequestId", request_id())]
    return Response(status, headers, msgspec.json.encode(document))
