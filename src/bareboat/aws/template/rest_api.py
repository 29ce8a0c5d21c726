"""REST API: what Serverless makes of `http` events, in order."""

from __future__ import annotations

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft
from bareboat.aws.template.gateway import address, without_nothing
from bareboat.aws.template.rest_authorizers import add_rest_authorizers
from bareboat.aws.template.rest_cors import add_preflights
from bareboat.aws.template.rest_keys import add_keys
from bareboat.aws.template.rest_methods import add_methods, add_permissions
from bareboat.aws.template.rest_models import add_models
from bareboat.aws.template.rest_resources import RestTree, methods_of, rest_api_id
from bareboat.aws.template.rest_stage import add_deployment, stage_name


def add_rest_api(draft: Draft) -> None:
    """Add the REST API of the service's `http` events, if there are any.

    Raises:
        ConfigurationError: `restApiResources` lacks a path that is there already in a shared API.
    """
    methods = methods_of(draft)
    if not methods:
        return
    options = draft.service.provider.rest_api.options
    if not options.get("restApiId"):
        _add_api(draft)
    tree = RestTree(draft, methods)
    preflights = add_preflights(draft, tree, methods)
    add_permissions(draft, methods)
    authorizers = add_rest_authorizers(draft, methods)
    added = add_methods(draft, tree, methods, authorizers, add_models(draft, methods))
    deployment = add_deployment(draft, [*added, *preflights])
    add_keys(draft, deployment)
    draft.output("ServiceEndpoint", address(rest_api_id(draft), f"/{stage_name(draft)}"), "URL of the service endpoint")


def _add_api(draft: Draft) -> None:
    service = draft.service
    provider, api = service.provider, service.provider.rest_api
    first = bool(api.options.get("shouldStartNameWithService"))
    kind = str(provider.options.get("endpointType") or "EDGE").upper()
    endpoint = api.options.get("endpoint") or {}
    types = api.options.get("binaryMediaTypes")
    mode = endpoint.get("accessMode")
    properties = {
        "Name": provider.options.get("apiName") or naming.api_name(service.name, draft.stage, service_first=first),
        "Description": api.options.get("description"),
        "BinaryMediaTypes": types if isinstance(types, dict) else list(api.binary_types) or None,
        "DisableExecuteApiEndpoint": True if api.disabled else None,
        "EndpointConfiguration": without_nothing(
            {"Types": [kind], "VpcEndpointIds": provider.options.get("vpcEndpointIds")}
        ),
        "SecurityPolicy": endpoint.get("securityPolicy"),
        "EndpointAccessMode": str(mode).upper() if mode is not None else None,
        "Tags": [{"Key": key, "Value": value} for key, value in provider.tags.items()] or None,
        # an empty policy takes away one that was there
        "Policy": {"Version": "2012-10-17", "Statement": list(api.policy)} if api.policy else "",
        "ApiKeySourceType": api.key_source if api.key_source != "HEADER" else None,
        "MinimumCompressionSize": api.compress_from_bytes,
    }
    draft.add(naming.REST_API, "AWS::ApiGateway::RestApi", without_nothing(properties))
