"""What the gateway answers by itself -> responses of an OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bareboat.service.api import Authorizer, GatewayResponse, HttpApi, IamAuthorizer, JwtAuthorizer, RestApi
from bareboat.service.triggers import HttpApiEvent, HttpEvent

MESSAGE: dict[str, Any] = {
    "type": "object",
    "description": "What the gateway says by itself.",
    "properties": {"message": {"type": ["string", "null"]}, "Message": {"type": ["string", "null"]}},
    "anyOf": [{"required": ["message"]}, {"required": ["Message"]}],
}
"""Capital where an IAM policy denies, as AWS has it."""
WORDS = {
    400: "The request does not fit.",
    401: "There is no credential, or none that is valid.",
    403: "The credential does not allow it.",
    413: "The body is too large.",
    415: "The content type is not taken.",
    429: "Too many requests.",
    500: "An error inside the function, its answer or the authorizer.",
    502: "The function failed, or its answer is no response.",
    503: "The function is at its limit, or took too long.",
    504: "The function took too long.",
}
# Status, and the kinds of gateway response that may give it another.
_REST = {
    "BAD_REQUEST_BODY": 400, "BAD_REQUEST_PARAMETERS": 400, "UNAUTHORIZED": 401, "ACCESS_DENIED": 403,
    "AUTHORIZER_FAILURE": 500, "AUTHORIZER_CONFIGURATION_ERROR": 500, "INVALID_API_KEY": 403, "EXPIRED_TOKEN": 403,
    "INVALID_SIGNATURE": 403, "MISSING_AUTHENTICATION_TOKEN": 403, "REQUEST_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415, "THROTTLED": 429, "QUOTA_EXCEEDED": 429, "API_CONFIGURATION_ERROR": 500,
    "DEFAULT_5XX": 502, "INTEGRATION_FAILURE": 504, "INTEGRATION_TIMEOUT": 504,
}  # fmt: skip


def http_api_answers(event: HttpApiEvent, api: HttpApi) -> dict[str, Any]:
    """Return what an HTTP API may answer to a route in place of its function."""
    statuses = [413, 500, 503]
    if event.authorizer is not None:
        statuses += [403] if isinstance(event.authorizer, IamAuthorizer) else [401, 403]
    if api.throttle is not None or event.route_key in api.throttles or event.throttle is not None:
        statuses.append(429)
    return {str(status): _answer(status, {}) for status in sorted(statuses)}


def rest_answers(event: HttpEvent, api: RestApi) -> dict[str, Any]:
    """Return what a REST API may answer to a method in place of its function."""
    kinds = ["REQUEST_TOO_LARGE", "DEFAULT_5XX", "INTEGRATION_TIMEOUT", "API_CONFIGURATION_ERROR", "THROTTLED"]
    kinds += _of_authorizer(event.authorizer)
    if event.private:
        kinds += ["INVALID_API_KEY", "QUOTA_EXCEEDED"]
    if event.rules.parameters:
        kinds.append("BAD_REQUEST_PARAMETERS")
    if event.rules.schemas:
        kinds += ["BAD_REQUEST_BODY", "UNSUPPORTED_MEDIA_TYPE"]
    own = {response.kind: response for response in api.responses}
    answers: dict[int, dict[str, Any]] = {}
    for kind in kinds:
        response = own.get(kind) or own.get("DEFAULT_4XX" if _REST[kind] < 500 else "DEFAULT_5XX")
        status = _REST[kind] if response is None or response.status is None else response.status
        content = _content(response)
        answers[status] = _answer(status, answers[status]["content"] | content if status in answers else content)
    return {str(status): answers[status] for status in sorted(answers)}


def joined(own: Mapping[str, Any], gateway: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a function answers with what the gateway answers in its place; where both do, either."""
    made = {status: dict(answer) for status, answer in own.items()}
    for status, answer in gateway.items():
        if status not in made:
            made[status] = answer
        elif "content" in made[status]:
            made[status]["content"] = _either(made[status]["content"], answer["content"])
    return {status: made[status] for status in sorted(made)}


def _either(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(one)
    for kind, media in other.items():
        if kind not in made:
            made[kind] = media
        elif made[kind]["schema"] and made[kind] != media:
            made[kind] = {"schema": {"anyOf": [made[kind]["schema"], media["schema"]] if media["schema"] else {}}}
    return {kind: media if media["schema"] != {"anyOf": {}} else {"schema": {}} for kind, media in made.items()}


def _of_authorizer(authorizer: Authorizer | None) -> Iterable[str]:
    if authorizer is None:
        return ()
    if isinstance(authorizer, IamAuthorizer):
        return ("MISSING_AUTHENTICATION_TOKEN", "INVALID_SIGNATURE", "EXPIRED_TOKEN", "ACCESS_DENIED")
    if isinstance(authorizer, JwtAuthorizer):
        return ("UNAUTHORIZED", "ACCESS_DENIED", "AUTHORIZER_CONFIGURATION_ERROR")
    return ("UNAUTHORIZED", "ACCESS_DENIED", "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR")


def _content(response: GatewayResponse | None) -> dict[str, Any]:
    if response is None or not response.templates:
        return {}
    return {kind: {"schema": {}} for kind in response.templates}


def _answer(status: int, content: Mapping[str, Any]) -> dict[str, Any]:
    kinds = dict(content) or {"application/json": {"schema": {"$ref": "#/components/schemas/Message"}}}
    return {"description": WORDS.get(status, "The gateway's own answer."), "content": kinds}
