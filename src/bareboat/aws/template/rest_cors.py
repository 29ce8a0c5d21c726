"""CORS of REST resources -> their OPTIONS methods, which API Gateway answers itself."""

from __future__ import annotations

import re

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.gateway import free_id
from bareboat.aws.template.rest_resources import RestMethod, RestTree, rest_api_id
from bareboat.service.api import RestCors


def add_preflights(draft: Draft, tree: RestTree, methods: list[RestMethod]) -> list[str]:
    """Add an OPTIONS method to each resource with CORS, and return their logical ids."""
    by_path: dict[str, list[RestMethod]] = {}
    for method in methods:
        if method.event.cors is not None:
            by_path.setdefault(method.path, []).append(method)
    own = {method.path for method in methods if method.verb == "OPTIONS"}
    return [_add(draft, tree, path, some) for path, some in by_path.items() if path not in own]


def _add(draft: Draft, tree: RestTree, path: str, methods: list[RestMethod]) -> str:
    cors = methods[-1].event.cors
    assert cors is not None
    headers = preflight_headers(cors)
    matched = any(_chooses(method) for method in methods)
    properties = {
        "AuthorizationType": "NONE",
        "HttpMethod": "OPTIONS",
        "MethodResponses": [
            {
                "StatusCode": "200",
                "ResponseParameters": {f"method.response.header.{name}": True for name in headers},
                "ResponseModels": {},
            }
        ],
        "RequestParameters": {},
        "Integration": {
            "Type": "MOCK",
            "RequestTemplates": {"application/json": "{statusCode:200}"},
            "ContentHandling": "CONVERT_TO_TEXT",
            "IntegrationResponses": [
                {
                    "StatusCode": "200",
                    "ResponseParameters": {f"method.response.header.{name}": value for name, value in headers.items()},
                    "ResponseTemplates": {"application/json": origin_template(cors.origins) if matched else ""},
                }
            ],
        },
        "ResourceId": tree.resource(path),
        "RestApiId": rest_api_id(draft),
    }
    logical_id = free_id(draft, naming.rest_method_id(path, "OPTIONS"), path)
    return draft.add(logical_id, "AWS::ApiGateway::Method", properties)


def _chooses(method: RestMethod) -> bool:
    """Whether the answer's origin depends on the request's: `origins`, or `origin` with commas."""
    said = method.event.options.get("cors")
    return isinstance(said, dict) and bool(said.get("origins") or "," in str(said.get("origin") or ""))


def preflight_headers(cors: RestCors) -> Json:
    """Return the headers of the answer, as static values in quotes."""
    headers = {
        "Access-Control-Allow-Origin": cors.origins[0],
        "Access-Control-Allow-Headers": ",".join(cors.headers),
        "Access-Control-Allow-Methods": ",".join(cors.methods),
    }
    if cors.allow_credentials:
        headers["Access-Control-Allow-Credentials"] = "true"
    if cors.max_age_s:
        headers["Access-Control-Max-Age"] = str(cors.max_age_s)
    if cors.cache_control:
        headers["Cache-Control"] = cors.cache_control
    return {name: f"'{value}'" for name, value in headers.items()}


def origin_template(origins: tuple[str, ...]) -> str:
    """Return a response template (VTL) that answers with the request's origin where it is one of these.

    Args:
        origins: addresses in which `*` stands for one sign or more.
    """
    tests = " || ".join(f'$asked.matches("{_pattern(origin)}")' for origin in origins)
    return (
        '#set($asked = $input.params("Origin"))'
        '#if($asked == "")#set($asked = $input.params("origin"))#end'
        f"#if({tests})#set($context.responseOverride.header.Access-Control-Allow-Origin = $asked)#end"
    )


def _pattern(origin: str) -> str:
    return re.sub(r"[.*]", lambda sign: "[.]" if sign[0] == "." else ".+", origin)
