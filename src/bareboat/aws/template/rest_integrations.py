"""What a REST method calls, and how a request becomes its call."""

from __future__ import annotations

from typing import Any

from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.gateway import invocation_uri, without_nothing
from bareboat.aws.template.rest_resources import RestMethod
from bareboat.aws.template.rest_responses import integration_responses
from bareboat.aws.template.rest_templates import FORM, form_template, json_template
from bareboat.aws.template.targets import target_arn
from bareboat.service.triggers import HttpEvent

_PARTS = (("querystrings", "querystring"), ("headers", "header"), ("paths", "path"))


def integration_of(draft: Draft, method: RestMethod) -> Json:
    """Return the integration of a method."""
    event = method.event
    kind = event.integration
    request = event.options.get("request") or {}
    api = draft.service.provider.rest_api.options
    mode = str((event.options.get("response") or {}).get("transferMode") or "").upper()
    found: Json = {
        "IntegrationHttpMethod": "POST",
        "Type": kind,
        "TimeoutInMillis": event.options.get("timeoutInMillis") or api.get("timeoutInMillis"),
    }
    if kind in ("AWS", "AWS_PROXY"):
        streams = mode == "STREAM" and kind == "AWS_PROXY"
        found["Uri"] = invocation_uri(target_arn(draft, method.function.name), streams=streams)
    elif kind in ("HTTP", "HTTP_PROXY"):
        found["Uri"] = request.get("uri")
        found["IntegrationHttpMethod"] = str(request.get("method") or method.verb).upper()
        if event.options.get("connectionType"):
            found["ConnectionType"] = str(event.options["connectionType"]).upper().replace("-", "_")
            found["ConnectionId"] = event.options.get("connectionId")
    if kind in ("AWS", "HTTP", "MOCK"):
        found["PassthroughBehavior"] = request.get("passThrough") or ("NEVER" if kind == "AWS" else None)
        found["ContentHandling"] = request.get("contentHandling")
        found["RequestTemplates"] = _templates(event) or None
        found["IntegrationResponses"] = integration_responses(event)
    parameters = _parameters(event)
    if parameters:
        found["RequestParameters"] = parameters
    if mode and kind in ("AWS_PROXY", "HTTP_PROXY"):
        found["ResponseTransferMode"] = mode
    return without_nothing(found)


def _templates(event: HttpEvent) -> Json:
    """Return the request templates: each `lambda` integration has two, and an event its own; null takes one away."""
    found: Json = {}
    if event.integration == "AWS":
        said: Any = event.options.get("authorizer")
        claims = (said.get("claims") if isinstance(said, dict) else None) or []
        found = {"application/json": json_template(claims), FORM: form_template(claims)}
    found.update((event.options.get("request") or {}).get("template") or {})
    return {kind: template for kind, template in found.items() if template is not None}


def _parameters(event: HttpEvent) -> Json:
    """Return what of a request goes into the integration's call."""
    found: Json = {}
    if event.integration in ("AWS", "HTTP", "HTTP_PROXY"):
        given = (event.options.get("request") or {}).get("parameters") or {}
        for plural, singular in _PARTS:
            for name, said in (given.get(plural) or {}).items():
                own = said.get("mappedValue") if isinstance(said, dict) else None
                found[f"integration.request.{singular}.{name}"] = own or f"method.request.{singular}.{name}"
    if event.asynchronous:
        found["integration.request.header.X-Amz-Invocation-Type"] = "'Event'"
    return found
