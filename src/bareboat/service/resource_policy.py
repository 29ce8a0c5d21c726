"""`provider.apiGateway.resourcePolicy` -> its statements, with a word on what they mean on this machine."""

from __future__ import annotations

from collections.abc import Sequence

from bareboat.service.api import JwtAuthorizer, RestApi
from bareboat.service.model import Place
from bareboat.service.policy import Decision, PolicyError, parse_policy, unjudged
from bareboat.service.report import Report
from bareboat.service.triggers import HttpEvent

PATH = "provider.apiGateway.resourcePolicy"
ACCOUNT = "123456789012"
HERE = "127.0.0.1"
_BASE = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:api"


def condition_values(source_ip: str, user_agent: str = "", referer: str = "") -> dict[str, str | None]:
    """Return the condition keys of a request from outside AWS; None for those that it lacks.

    A REST API on AWS is reached by TLS alone, so `aws:SecureTransport` is true here, too.
    """
    return {
        "aws:sourceip": source_ip,
        "aws:useragent": user_agent or None,
        "aws:referer": referer or None,
        "aws:securetransport": "true",
        "aws:sourcevpc": None,
        "aws:sourcevpce": None,
        "aws:vpcsourceip": None,
    }


def check_policy(api: RestApi, events: Sequence[HttpEvent], stage: str, place: Place, report: Report) -> None:
    """Warn of what cannot be judged here, and of a policy that lets nobody on this machine in."""
    if not api.policy:
        return
    try:
        policy = parse_policy({"Statement": list(api.policy)}, base=_BASE)
    except PolicyError as error:
        report.warn(f"{PATH} cannot be judged ({error}): every request to the REST API is answered 403", place)
        return
    unknown = unjudged(api.policy, condition_values(HERE))
    if unknown:
        report.warn(
            f"{PATH}: {', '.join(unknown)} cannot be judged on this machine: it counts as met in a Deny and as not "
            "met in an Allow, so that nobody is let in by it",
            place,
        )
    values = condition_values(HERE)
    if events and all(_is_shut(event, policy.decide(_arn(event, stage), values)) for event in events):
        report.warn(
            f"{PATH} lets nobody in from this machine: every request to the REST API is answered 403; name {HERE} "
            "in aws:SourceIp to call it here, where no request on AWS comes from",
            place,
        )


def _arn(event: HttpEvent, stage: str) -> str:
    method = "GET" if event.method in ("ANY", "*") else event.method
    return f"{_BASE}/{stage}/{method}/{event.path.strip('/')}"


def _is_shut(event: HttpEvent, decision: Decision) -> bool:
    """Return whether nobody passes, whatever an authorizer says."""
    if decision == "none":
        return event.authorizer is None or isinstance(event.authorizer, JwtAuthorizer)
    return decision == "deny"
