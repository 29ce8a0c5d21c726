"""A live service and the artifacts of this folder -> whether each route answers as the artifact does."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.aws.agreement import Agreement, Answer, agreement, is_transformed
from bareboat.aws.deployed import API_KEY, Deployed, LiveRoute
from bareboat.aws.invocations import read_reports
from bareboat.aws.sending import UNREACHED, Sender, Signer
from bareboat.aws.trials import Target, Trial, Untried, targets, trials_of
from bareboat.aws.twin import local_answers
from bareboat.local.access.identity import header_name
from bareboat.service.api import IamAuthorizer, JwtAuthorizer, LambdaAuthorizer

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact
    from bareboat.aws.client import Aws

SETTLING = frozenset({403, 404, 503})
"""What a gateway may answer by itself while an API that has just been deployed settles."""
OF_GATEWAY = frozenset({"Forbidden", "Not Found", "Missing Authentication Token", "Service Unavailable"})
"""Its `message`, and nothing beside it; no function was called then."""
PAUSES_S = (1.0, 2.0, 4.0)
REPORTS_S = 5.0
"""How long CloudWatch is asked again for what Lambda reported of the requests."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One request that was sent.

    Args:
        url: the live address.
        latency_ms: of the whole request, from here.
        init_ms: of the longest cold start that the function's requests met, where the log has told of one by now.
    """

    trial: Trial
    url: str
    live: Answer
    local: Answer
    agreement: Agreement
    latency_ms: float
    init_ms: float | None = None

    @property
    def agrees(self) -> bool:
        """Whether the live answer is the local one."""
        return not self.agreement.differences

    @property
    def fails(self) -> bool:
        """Whether the function fails: a sample shows what works, so an error of its own is none of its answers."""
        return self.live.status >= 500

    @property
    def passes(self) -> bool:
        """Whether the live answer is the local one, and one at all."""
        return self.agrees and not self.fails


@dataclass(frozen=True, slots=True)
class Smoke:
    """What came of trying a service."""

    tried: tuple[Tried, ...]
    untried: tuple[Untried, ...]


def smoke(
    aws: Aws,
    deployed: Deployed,
    artifacts: Mapping[str, Artifact],
    *,
    function: str = "",
    headers: Sequence[tuple[str, str]] = (),
    on_step: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> Smoke:
    """Send each route its samples, and compare the answers with those of the local artifact.

    Args:
        artifacts: built for this machine, by the name of the function.
        function: only the routes of this one; "" is all.
        headers: of every request, such as Authorization.
    Raises:
        AwsError: AWS refuses.
        LocalError: the local artifact cannot be run.
    """
    service = deployed.service
    live = {(one.api, one.key, one.function): one for one in deployed.routes}
    ready: list[tuple[Trial, LiveRoute]] = []
    untried: list[Untried] = []
    key = ""
    loose: set[str] = set()
    for target in targets(service, function):
        route = live.get((target.api, target.key, target.function))
        closed = _closed(target, route, headers)
        if closed is not None or route is None:
            untried.append(closed or Untried(target, "it is not deployed", "bareboat deploy"))
            continue
        if not route.base:
            untried.append(Untried(target, "the stack does not say where it answers", "bareboat info"))
            continue
        if route.needs_key and not _given(headers, "x-api-key"):
            key = key or _api_key(aws, deployed)
            if not key:
                why = "it wants an API key, and the stack has none that is enabled"
                untried.append(Untried(target, why, "-H 'x-api-key: VALUE'"))
                continue
        artifact = artifacts.get(target.function)  # an image has none
        signature = None if artifact is None else artifact.manifest.get("signature", {}).get(target.function)
        if signature is not None and is_transformed(signature):
            loose.add(target.function)
        for each in trials_of(service, target, signature):
            if isinstance(each, Trial):
                ready.append((each, route))
            else:
                untried.append(each)
    if not ready:
        return Smoke((), tuple(untried))
    on_step("Asking the local artifact")
    locals_ = local_answers(service, artifacts, [trial for trial, _ in ready], _tokens(ready, headers))
    on_step("Asking the live endpoint")
    began = clock()
    tried = list(_send_all(aws, ready, locals_, headers, key, loose, sleep))
    on_step("Asking CloudWatch for cold starts")
    inits = _inits(aws, deployed, {one.trial.target.function for one in tried}, began, sleep, clock)
    return Smoke(tuple(_with_inits(tried, inits)), tuple(untried))


def _send_all(
    aws: Aws,
    ready: Sequence[tuple[Trial, LiveRoute]],
    locals_: Sequence[tuple[Answer, Answer]],
    headers: Sequence[tuple[str, str]],
    key: str,
    loose: Set[str],
    sleep: Callable[[float], object],
) -> Iterator[Tried]:
    sender = Sender(aws.endpoint)
    try:
        for (trial, route), (local, again) in zip(ready, locals_, strict=True):
            own = list(headers)
            if route.needs_key and not _given(headers, "x-api-key"):
                own.append(("x-api-key", key))
            sign = _signer(aws, route) if route.auth == "AWS_IAM" else None
            live, took_ms = sender.send(route.base, trial.asked, own, sign)
            for pause_s in PAUSES_S:
                if live.status == local.status or not is_settling(live):
                    break
                sleep(pause_s)
                live, took_ms = sender.send(route.base, trial.asked, own, sign)
            transformed = trial.target.function in loose
            compared = agreement(live, local, again, is_transformed=transformed)
            yield Tried(trial, route.base + trial.asked.path, live, local, compared, took_ms)
    finally:
        sender.close()


def is_settling(live: Answer) -> bool:
    """Return whether a gateway gave an answer and called nothing, so that the request can be sent again."""
    if live.status == 0:
        return live.failure.startswith(UNREACHED)
    if live.status not in SETTLING or len(live.body) > 200:
        return False
    try:
        said = json.loads(live.body)
    except ValueError:
        return False
    return (
        isinstance(said, dict)
        and {key.lower() for key in said} == {"message"}
        and said.get("message", said.get("Message")) in OF_GATEWAY
    )


def _signer(aws: Aws, route: LiveRoute) -> Signer:
    service = "lambda" if route.api == "url" else "execute-api"
    return lambda method, url, headers, body: aws.sign(service, method, url, headers, body)


def _closed(target: Target, route: LiveRoute | None, headers: Sequence[tuple[str, str]]) -> Untried | None:
    """Return why a route lets nobody in who has just these headers; None where it does."""
    if route is None:
        return None
    authorizer = target.authorizer
    if isinstance(authorizer, JwtAuthorizer):
        name = header_name(authorizer.identity_source) or "authorization"
        if not _given(headers, name):
            flag = "--token TOKEN" if name.lower() == "authorization" else f"-H '{name}: TOKEN'"
            return Untried(target, f"the authorizer {authorizer.name} wants a token", flag)
    elif isinstance(authorizer, LambdaAuthorizer):
        for source in authorizer.identity_sources:
            place, _, name = source.rpartition(".")
            if place.endswith("header") and not _given(headers, name):
                return Untried(
                    target, f"the authorizer {authorizer.name} wants the header {name}", f"-H '{name}: VALUE'"
                )
    elif route.auth not in {"NONE", "AWS_IAM"} and not isinstance(authorizer, IamAuthorizer) and not headers:
        return Untried(target, f"it wants {route.auth}, of which serverless.yml does not say", "-H 'NAME: VALUE'")
    return None


def _given(headers: Sequence[tuple[str, str]], name: str) -> bool:
    return any(sent.lower() == name.lower() for sent, _ in headers)


def _tokens(ready: Sequence[tuple[Trial, LiveRoute]], headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the token that each JWT authorizer is shown."""
    found = {}
    for trial, _ in ready:
        authorizer = trial.target.authorizer
        if isinstance(authorizer, JwtAuthorizer):
            name = header_name(authorizer.identity_source) or "authorization"
            value = next((value for sent, value in headers if sent.lower() == name.lower()), "")
            found[authorizer.name] = value.rpartition(" ")[2]
    return found


def _api_key(aws: Aws, deployed: Deployed) -> str:
    """Return the value of the stack's first API key that is enabled; "" where there is none."""
    for key in deployed.physical_of(API_KEY):
        said = aws.call("apigateway", "get_api_key", apiKey=key, includeValue=True)
        if said.get("enabled"):
            return str(said.get("value") or "")
    return ""


def _inits(
    aws: Aws,
    deployed: Deployed,
    names: set[str],
    began: float,
    sleep: Callable[[float], object],
    clock: Callable[[], float],
) -> dict[str, float | None]:
    """Return the longest init of each function since then; what is not reported yet is waited for."""
    from bareboat.aws.client import AwsError

    functions = [one for one in deployed.functions if one.name in names]
    found: dict[str, float | None] = {}
    ended = clock() + REPORTS_S
    while True:
        try:
            for one in functions:
                seen = read_reports(aws, one, began - 1.0, clock() + 60.0)
                if seen:
                    found[one.name] = max((each.report.init_ms for each in seen if each.report.init_ms), default=None)
        except AwsError:
            return found  # who may call need not be let into the logs
        if len(found) == len(functions) or clock() > ended:
            return found
        sleep(0.5)


def _with_inits(tried: Sequence[Tried], inits: Mapping[str, float | None]) -> Iterator[Tried]:
    """Give each function's cold start to its first request, which met it."""
    from dataclasses import replace

    told: set[str] = set()
    for one in tried:
        name = one.trial.target.function
        yield replace(one, init_ms=inits.get(name)) if name not in told else one
        told.add(name)
