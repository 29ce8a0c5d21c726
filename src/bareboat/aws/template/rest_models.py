"""Schemas of requests -> models of a REST API, and the validator that holds methods to them."""

from __future__ import annotations

import json
from typing import Any

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.gateway import without_nothing
from bareboat.aws.template.rest_resources import RestMethod, rest_api_id


def add_models(draft: Draft, methods: list[RestMethod]) -> dict[str, Json]:
    """Add models and validator, and return what each method says of them, by its route key."""
    found: dict[str, Json] = {}
    for method in methods:
        request = method.event.options.get("request") or {}
        schemas = {**(request.get("schema") or {}), **(request.get("schemas") or {})}
        models = {kind: {"Ref": _add_model(draft, method, kind, said)} for kind, said in schemas.items()}
        said: Json = {"RequestModels": models} if models else {}
        if models or any(method.event.rules.parameters.values()):
            said["RequestValidatorId"] = {"Ref": _add_validator(draft)}
        found[method.event.route_key] = said
    return found


def _add_validator(draft: Draft) -> str:
    service = draft.service.name
    logical_id = naming.rest_validator_id(service)
    if logical_id not in draft.resources:
        properties = {
            "RestApiId": rest_api_id(draft),
            "ValidateRequestBody": True,
            "ValidateRequestParameters": True,
            "Name": f"{service}-{draft.stage} | Validate request body and querystring parameters",
        }
        draft.add(logical_id, "AWS::ApiGateway::RequestValidator", properties)
    return logical_id


def _add_model(draft: Draft, method: RestMethod, content_type: str, said: Any) -> str:
    """Add the model of a method's content type, or one of the API's by name, and return its logical id."""
    shared = (draft.service.provider.rest_api.options.get("request") or {}).get("schemas") or {}
    if isinstance(said, str) and said in shared:
        logical_id, said, content_type = naming.rest_model_id(said), shared[said], "application/json"
    else:
        logical_id = naming.rest_method_model_id(method.path, method.verb, content_type)
    if logical_id not in draft.resources:
        entry: Json = said if isinstance(said, dict) and "schema" in said else {"schema": said}
        properties = {
            "RestApiId": rest_api_id(draft),
            "ContentType": content_type,
            "Schema": _schema(entry["schema"]),
            "Name": entry.get("name"),
            "Description": entry.get("description"),
        }
        draft.add(logical_id, "AWS::ApiGateway::Model", without_nothing(properties))
    return logical_id


def _schema(said: Any) -> Any:
    """Return a schema that stands as text in the file as what it says."""
    return json.loads(said) if isinstance(said, str) else said
