"""A method and a request -> what TestInvokeMethod answers: the response, and a log of each step."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import msgspec

from bareboat.local.addresses import api_id
from bareboat.local.gateway.call import Api
from bareboat.local.gateway.response import error_text
from bareboat.local.invocation import Invocation
from bareboat.local.messages import Request, Response, http_date
from bareboat.local.rest.answers import Answers, Asked
from bareboat.local.rest.call import RestCall
from bareboat.local.rest.event import request_context
from bareboat.local.rest.execution_log import ExecutionLog
from bareboat.local.rest.integration import Integration, Invoke
from bareboat.local.rest.methods import Method
from bareboat.local.rest.refusal import Refusal
from bareboat.local.verdict import Allowed
from bareboat.service.model import Service

STAGE = "test-invoke-stage"
# What AWS's own tests hold in the place of a caller; seen in events.
CALLER = {"apiKey": "test-invoke-api-key", "apiKeyId": "test-invoke-api-key-id", "userAgent": "aws-internal/3"}
_BY_THE_GATEWAY = frozenset({"X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"})


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """What TestInvokeMethod takes.

    Args:
        method: upper case; of a method that is ANY the one that is meant.
        path: with its query; "" is the resource's own path.
        headers: in order; a name may come again.
        stage_variables: None for those of the service.
    """

    method: str
    path: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    stage_variables: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What TestInvokeMethod answers.

    Args:
        function: the name of the function that was called; "" when none was.
        function_log: what it wrote.
    """

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...]
    log: str
    latency_ms: int
    function: str = ""
    function_log: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as the API has it."""
        several: dict[str, list[str]] = {}
        for name, value in self.headers:
            several.setdefault(name, []).append(value)
        return {
            "status": self.status,
            "body": self.body.decode("utf-8", "replace"),
            "headers": {name: values[-1] for name, values in several.items()},
            "multiValueHeaders": several,
            "log": self.log,
            "latency": self.latency_ms,
        }


async def try_method(service: Service, method: Method, request: TrialRequest, invoke: Invoke) -> Trial:
    """Run one method as TestInvokeMethod does: without authorizer, API key and stage, but with its validators.

    A path that does not fit the method's resource is taken all the same; it has no path parameters (recorded).
    """
    started = perf_counter()
    watched = _Watched(service, method, invoke)
    call = _call(service, method, request)
    call.parameters = parameters_of(method.path, call.resource_path)
    watched.request_id = call.request_id
    log = watched.log = ExecutionLog(call.request_id)
    query = {name: values[-1] for name, values in call.query().items()}
    sent = dict(request.headers)
    log.request(request.method, call.path, call.parameters, query, sent, _text(request.body))
    rest = service.provider.rest_api
    integration = Integration(rest, watched.call, "", invoke_later=watched.later)
    try:
        if method.preflight is not None:
            response = method.preflight.answer(call.request)
        else:
            response, _ = await integration.run(call, method)
            response.headers = [("X-Amzn-Trace-Id", call.lambda_trace), *response.headers]
            await watched.run_later()
        log.response(response.headers, _text(response.body))
    except Refusal as refusal:
        response = _refused(service, method, call, refusal)
        watched.failed(refusal)
    finally:
        await integration.close()
    invocation = watched.invocation
    return Trial(
        response.status,
        response.body,
        tuple(response.headers),
        log.end(response.status),
        round((perf_counter() - started) * 1000),
        function=method.function if invocation is not None else "",
        function_log=invocation.log if invocation is not None else "",
    )


def parameters_of(resource: str, path: str) -> dict[str, str]:
    """Return the path parameters of a path; {} when it is none of the resource."""
    wanted, given = resource.split("/"), path.split("/")
    parameters: dict[str, str] = {}
    for at, segment in enumerate(wanted):
        if segment.endswith("+}"):
            rest = "/".join(given[at:])
            return {**parameters, segment[1:-2]: rest} if rest else {}
        if at >= len(given):
            return {}
        if segment.startswith("{") and given[at]:
            parameters[segment[1:-1]] = given[at]
        elif segment != given[at]:
            return {}
    return parameters if len(wanted) == len(given) else {}


def _call(service: Service, method: Method, request: TrialRequest) -> RestCall:
    variables = service.provider.rest_api.stage_variables
    api = Api(
        api_id(service),
        stage=STAGE,
        domain="testPrefix.testDomainName",
        stage_variables=variables if request.stage_variables is None else request.stage_variables,
    )
    path = request.path or method.path
    target = f"/{STAGE}{path if path.startswith('/') else f'/{path}'}"
    headers = [(name, value.encode().decode("latin-1")) for name, value in request.headers]
    call = RestCall(Request(request.method, target, headers, request.body, ("test-invoke-source-ip", 0)), api)
    call.stage_path = method.path
    call.access = Allowed(identity=CALLER)
    return call


def _refused(service: Service, method: Method, call: RestCall, refusal: Refusal) -> Response:
    asked = Asked(
        call.request,
        lambda: request_context(call, method, call.api.domain, None, ""),
        call.api.stage_variables,
        call.parameters,
        call.query,
    )
    answers = Answers(service.provider.rest_api.responses)
    response = answers.make(refusal.kind, refusal.text, status=refusal.status, asked=asked, validation=refusal.details)
    kept = [pair for pair in response.headers if pair != ("Content-Type", "application/json")]  # recorded without
    return replace(response, headers=kept)


class _Watched:
    """Calls a function and writes down what it was asked and what it answered."""

    def __init__(self, service: Service, method: Method, invoke: Invoke) -> None:
        self._invoke = invoke
        self._api_id = api_id(service)
        function = service.functions.get(method.function)
        name = method.function if function is None else function.full_name
        region = service.provider.region
        arn = f"arn:aws:lambda:{region}:123456789012:function:{name}"
        self._uri = f"https://lambda.{region}.amazonaws.com/2015-03-31/functions/{arn}/invocations"
        self.request_id = ""
        self.log: ExecutionLog | None = None
        self.invocation: Invocation | None = None
        self._later: tuple[str, bytes, str, str] | None = None

    async def call(self, function: str, event: bytes, trace_id: str, source: str) -> Invocation:
        event = _as_tested(event)
        assert self.log is not None
        self._ask(event)
        started = perf_counter()
        invocation = self.invocation = await self._invoke(function, event, trace_id, source)
        headers = {
            "Date": http_date(),
            "Content-Type": "application/json",
            "Content-Length": str(len(invocation.payload)),
            "Connection": "keep-alive",
            "x-amzn-RequestId": invocation.request_id,
            **({"X-Amz-Function-Error": invocation.error} if invocation.error else {}),
            "x-amzn-Remapped-Content-Length": "0",
            "X-Amz-Executed-Version": "$LATEST",
            "X-Amzn-Trace-Id": trace_id,
        }
        latency_ms = round((perf_counter() - started) * 1000)
        self.log.endpoint_response(latency_ms, headers, _text(invocation.payload))
        return invocation

    def later(self, function: str, event: bytes, trace_id: str, source: str) -> None:
        """Write down an event that no client waits for."""
        self._later = function, _as_tested(event), trace_id, source
        self._ask(self._later[1])

    async def run_later(self) -> None:
        """Call the function that no client waits for, if there is one."""
        if self._later is not None:
            self.invocation = await self._invoke(*self._later)

    def failed(self, refusal: Refusal) -> None:
        """Write down why the gateway answers itself."""
        assert self.log is not None
        invocation = self.invocation
        if refusal.kind == "BAD_REQUEST_BODY":
            self.log.write(
                f"Request body does not match model schema for content type application/json: {refusal.details}"
            )
        elif refusal.kind == "INTEGRATION_TIMEOUT":
            self.log.write("Execution failed due to a timeout error")
        elif invocation is not None and invocation.error:
            said = error_text(invocation.payload).partition(": ")[2]
            self.log.write(
                f"Lambda execution failed with status 200 due to customer function error: {said}. "
                f"Lambda request id: {invocation.request_id}"
            )
        elif invocation is not None:
            self.log.write("Execution failed due to configuration error: Malformed Lambda proxy response")
            self.log.write(refusal.why)
        else:
            why = refusal.why or refusal.text or ""
            self.log.write(why if refusal.before else f"Execution failed due to configuration error: {why}")

    def _ask(self, event: bytes) -> None:
        assert self.log is not None
        headers = {
            "x-amzn-lambda-integration-tag": self.request_id,
            "Authorization": "*" * 16,
            "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
            "x-amzn-apigateway-api-id": self._api_id,
            "Accept": "application/json",
            "User-Agent": f"AmazonAPIGateway_{self._api_id}",
            "X-Amz-Security-Token": "*" * 16,
        }
        self.log.endpoint_request(self._uri, headers, _text(event))


def _as_tested(event: bytes) -> bytes:
    """Return an event without the headers that only a request over the network has."""
    document = msgspec.json.decode(event)
    nothing: dict[str, str] | None = (
        None if "multiValueHeaders" in document else {}
    )  # a template makes an object of what is not there
    for name in ("headers", "multiValueHeaders"):
        if name in document:
            document[name] = {
                header: value for header, value in document[name].items() if header not in _BY_THE_GATEWAY
            } or nothing
    return msgspec.json.encode(document)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
