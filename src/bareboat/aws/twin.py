"""Requests -> the answers of the local artifact, as the gateway would give them, without its authorizers and limits."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bareboat.aws.agreement import Answer
from bareboat.local.events import requests
from bareboat.local.events.origin import Origin
from bareboat.local.events.samples import compact
from bareboat.local.gateway.response import JSON, error_text, message, parse_v1, parse_v2
from bareboat.local.gateway.returned import MalformedResponseError
from bareboat.local.invocation import Invocation
from bareboat.local.messages import Response
from bareboat.local.pool import Pool
from bareboat.local.rest.methods import rest_table
from bareboat.local.rest.trial import TrialRequest, try_method

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact
    from bareboat.aws.trials import Trial
    from bareboat.service.model import Service

_OTHER = Origin(account="210987654321", at=1_700_000_000.0)


def local_answers(
    service: Service,
    artifacts: Mapping[str, Artifact],
    trials: Sequence[Trial],
    tokens: Mapping[str, str] | None = None,
) -> list[tuple[Answer, Answer]]:
    """Return for each request the answer of the local artifact, twice: the second time as from another caller.

    Args:
        artifacts: built for this machine, by the name of the function.
        tokens: function of `authorizer` name -> JWT whose claims the handler sees.
    Raises:
        LocalError: no interpreter of the artifact's version, or the runtime client cannot be installed.
    """
    return asyncio.run(_all(service, artifacts, trials, tokens or {}))


async def _all(
    service: Service, artifacts: Mapping[str, Artifact], trials: Sequence[Trial], tokens: Mapping[str, str]
) -> list[tuple[Answer, Answer]]:
    pools: dict[str, Pool] = {}

    async def invoke(name: str, event: bytes, trace_id: str = "", source: str = "invoke") -> Invocation:
        if name not in pools:
            region = service.provider.region
            pools[name] = Pool(service.functions[name], artifacts[name], region=region, max_processes=1)
            await pools[name].start()
        return await pools[name].invoke(event, trace_id=trace_id, source=source)

    found = []
    try:
        for trial in trials:
            once = await _answer(service, trial, Origin(service.provider.region), invoke, tokens)
            found.append((once, await _answer(service, trial, _OTHER, invoke, tokens)))
    finally:
        for pool in pools.values():
            await pool.close()
    return found


async def _answer(service: Service, trial: Trial, origin: Origin, invoke: Any, tokens: Mapping[str, str]) -> Answer:
    if trial.target.api == "http":
        return await _of_rest(service, trial, invoke)
    function = service.functions[trial.target.function]
    if trial.target.api == "url":
        event = requests.url(trial.asked, origin, service, function)
    else:
        event, called = requests.http_api(trial.asked, origin, service)
        function = service.functions.get(called, function)  # another route may fit better
        token = tokens.get(getattr(trial.target.authorizer, "name", ""))
        if token:
            event["requestContext"]["authorizer"] = {"jwt": {"claims": _claims(token), "scopes": None}}
    invocation: Invocation = await invoke(function.name, compact(event), "", trial.target.api)
    is_url = trial.target.api == "url"
    if invocation.error:
        refused = Response(502, [], b"Internal Server Error") if is_url else message(500)
        return _answered(refused, error_text(invocation.payload))
    try:
        if is_url:
            return _answered(parse_v2(invocation.payload, JSON))
        parse = parse_v1 if function.http_api_payload == "1.0" else parse_v2
        return _answered(parse(invocation.payload))
    except MalformedResponseError as error:
        return _answered(Response(502, [], b"Internal Server Error") if is_url else message(500), str(error))


async def _of_rest(service: Service, trial: Trial, invoke: Any) -> Answer:
    asked = trial.asked
    found = rest_table(service).find(asked.method, asked.path.rstrip("/") or "/")
    assert found is not None, "the request was made for a method of the API"
    target = asked.request("localhost").target
    tried = await try_method(service, found[0], TrialRequest(asked.method, target, asked.headers, asked.body), invoke)
    headers = {name.lower(): value for name, value in tried.headers}
    return Answer(tried.status, tried.body, headers)


def _answered(response: Response, failure: str = "") -> Answer:
    headers = {name.lower(): value for name, value in response.headers}
    return Answer(response.status, bytes(response.body), headers, failure)


def _claims(token: str) -> dict[str, str]:
    """Return the claims of a token as an HTTP API hands them on, all texts; who may ask is the live API's to say."""
    try:
        part = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return {}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in said.items()}
