"""Keys of the APIs: what `provider.apiGateway`, `provider.httpApi`, `functions.NAME.url` and `http` events share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from bareboat.service.keys.base import CloudFormation, Count, Keys, Payload, Said, Text, doc

Ttl = Annotated[int, Said("a whole number of seconds from 0 to 3600", ge=0, le=3600)]
Millis = Annotated[int, Said("a whole number of milliseconds, 50 or more", ge=50)]
Rate = Annotated[float, Said("requests a second, 0 or more", ge=0)]
Compression = Annotated[int, Said("a whole number of bytes from 0 to 10485760", ge=0, le=10485760)]
Period = Literal["DAY", "WEEK", "MONTH"]


class CorsKeys(Keys):
    """CORS of the HTTP API, or of a function URL."""

    allowed_origins: list[str] | None = None
    allowed_headers: list[str] | None = None
    allowed_methods: list[str] | None = None
    exposed_response_headers: list[str] | None = None
    allow_credentials: bool | None = None
    max_age: Count | None = None


class AuthorizerKeys(Keys):
    """A JWT or Lambda authorizer of the HTTP API."""

    type: Annotated[Literal["jwt", "request"] | None, doc("jwt, or request for a function; jwt.")] = None
    name: str | None = None
    identity_source: list[Text] | Text | None = None
    issuer_url: Annotated[Text | None, doc("Who issues the tokens (jwt).")] = None
    audience: Annotated[list[Text] | Text | None, doc("Whom the tokens are for (jwt).")] = None
    function_name: Annotated[str | None, doc("The function that decides (request).")] = None
    function_arn: Text | None = None
    managed_externally: bool | None = None
    enable_simple_responses: Annotated[bool | None, doc('Whether it answers {"isAuthorized": ...} (request).')] = None
    payload_version: Payload | None = None
    result_ttl_in_seconds: Annotated[Ttl | None, doc("How long its answers are kept (request); 0 is not at all.")] = (
        None
    )


class ProviderHttpApiKeys(Keys):
    """The HTTP API."""

    cors: Annotated[bool | CorsKeys | None, doc("true for Serverless's defaults, or a mapping.", "should")] = None
    payload: Annotated[Payload | None, doc("The event format of functions that do not say otherwise; '2.0'.")] = None
    authorizers: Annotated[dict[str, AuthorizerKeys] | None, doc("JWT and Lambda authorizers by name.", "should")] = (
        None
    )
    id: Text | None = None
    name: str | None = None
    description: str | None = None
    metrics: bool | None = None
    disable_default_endpoint: bool | None = None
    use_provider_tags: bool | None = None
    should_start_name_with_service: bool | None = None
    timeout: int | float | None = None


class ApiKeyKeys(Keys):
    """One API key."""

    name: Annotated[str | None, doc("What it is called; it needs this or a value.")] = None
    value: Annotated[str | None, doc("What clients send, 20 characters or more; else AWS makes one.")] = None
    description: str | None = None
    customer_id: str | None = None
    enabled: bool | None = None


class QuotaKeys(Keys):
    """How many requests a key has in a period."""

    limit: Count | None = None
    offset: Count | None = None
    period: Period | None = None


class PlanThrottleKeys(Keys):
    """How fast requests of a key may come."""

    burst_limit: Count | None = None
    rate_limit: Rate | None = None


class UsagePlanKeys(Keys):
    """Limits of API keys."""

    quota: Annotated[QuotaKeys | None, doc("limit, period (DAY, WEEK, MONTH), offset.")] = None
    throttle: Annotated[PlanThrottleKeys | None, doc("burstLimit, rateLimit.")] = None


class ModelKeys(Keys):
    """A model of the REST API that methods name."""

    schema: Annotated[dict[str, Any] | None, doc("A JSON schema, draft 4.")] = None
    name: str | None = None
    description: str | None = None


class ProviderRequestKeys(Keys):
    """What methods of the REST API share of request checks."""

    schemas: dict[str, ModelKeys] | None = None


class ApiGatewayKeys(Keys):
    """The REST API."""

    api_keys: Annotated[
        list[str | dict[str, Any]] | None,
        doc("Names, {name, value, description, enabled}, or lists of them by usage plan.", "should"),
    ] = None
    usage_plan: Annotated[
        UsagePlanKeys | list[dict[str, UsagePlanKeys]] | None, doc("One plan, or a list of them by name.", "should")
    ] = None
    api_key_source_type: Annotated[str | None, doc("HEADER, or AUTHORIZER; HEADER.")] = None
    binary_media_types: Annotated[
        list[str] | CloudFormation | None, doc("Content types whose bodies are base64 in events.", "should")
    ] = None
    minimum_compression_size: Annotated[Compression | None, doc("From how many bytes on answers are compressed.")] = (
        None
    )
    request: Annotated[ProviderRequestKeys | None, doc("schemas by name, for request.schemas of methods.")] = None
    resource_policy: Annotated[list[Any] | None, doc("IAM statements of the API itself.")] = None
    disable_default_endpoint: bool | None = None
    endpoint: Annotated[dict[str, Any] | None, doc("securityPolicy and accessMode of its own address.")] = None
    timeout_in_millis: Annotated[Millis | None, doc("How long methods wait; 29000.")] = None
    description: str | None = None
    metrics: bool | None = None
    rest_api_id: Text | None = None
    rest_api_resources: list[dict[str, Any]] | dict[str, Any] | None = None
    rest_api_root_resource_id: Text | None = None
    should_start_name_with_service: bool | None = None
    stage: str | None = None
    websocket_api_id: Text | None = None


class HttpCorsKeys(Keys):
    """CORS of a REST method."""

    origin: str | None = None
    origins: list[str] | None = None
    headers: list[str] | None = None
    methods: list[str] | None = None
    allow_credentials: bool | None = None
    max_age: Annotated[int, Said("a whole number of seconds, 1 or more", ge=1)] | None = None
    cache_control: str | None = None


class HttpAuthorizerKeys(Keys):
    """The authorizer of a REST method."""

    name: Annotated[str | None, doc("A function of this file, or what an arn is called.")] = None
    arn: Annotated[Text | None, doc("A function elsewhere, or a Cognito user pool.")] = None
    type: Annotated[str | None, doc("token, request, cognito_user_pools or aws_iam; token.")] = None
    identity_source: Annotated[str | None, doc("method.request.header.Authorization; more than one with commas.")] = (
        None
    )
    identity_validation_expression: Annotated[str | None, doc("What a token must match.")] = None
    result_ttl_in_seconds: Annotated[Ttl | None, doc("How long answers are kept; 300.")] = None
    scopes: Annotated[list[Text] | None, doc("Of which a Cognito token must have one.")] = None
    claims: list[str] | None = None
    authorizer_id: Text | None = None
    managed_externally: bool | None = None


class RequestParameterKeys(Keys):
    """One parameter of a request."""

    required: bool | None = None
    mapped_value: Text | None = None


class RequestParametersKeys(Keys):
    """Parameters of a request: NAME: true is one that must be there."""

    querystrings: dict[str, bool | RequestParameterKeys] | None = None
    headers: dict[str, bool | RequestParameterKeys] | None = None
    paths: dict[str, bool | RequestParameterKeys] | None = None


class RequestKeys(Keys):
    """What a REST method demands of a request, and what it makes of it."""

    parameters: Annotated[RequestParametersKeys | None, doc("querystrings, headers, paths.", "should")] = None
    schemas: Annotated[
        dict[str, str | dict[str, Any]] | None,
        doc("By content type: a JSON schema, or the name of one of provider.apiGateway.request.schemas.", "should"),
    ] = None
    schema: Annotated[dict[str, str | dict[str, Any]] | None, doc("The older form of schemas.")] = None
    template: dict[str, str | None] | None = None
    pass_through: Literal["NEVER", "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES"] | None = None
    content_handling: str | None = None
    method: str | None = None
    uri: Text | None = None


class ThrottlingKeys(Keys):
    """serverless-api-gateway-throttling: how fast requests may come."""

    max_requests_per_second: Rate | None = None
    max_concurrent_requests: Count | None = None
    disabled: bool | None = None


class ThrottleKeys(Keys):
    """A limit: `rate` requests a second on the long run, `burst` at once."""

    rate: Annotated[Rate | None, doc("Requests a second.")] = None
    burst: Annotated[Count | None, doc("Requests at once.")] = None


class StageThrottleKeys(Keys):
    """Limits of the stage, and of routes by their key."""

    rate: Annotated[Rate | None, doc("Requests a second of each API.")] = None
    burst: Annotated[Count | None, doc("Requests at once.")] = None
    routes: Annotated[dict[str, ThrottleKeys] | None, doc("By route: 'POST /predict': {rate, burst}.")] = None


class JwksKeys(Keys):
    """Where the keys of a JWT authorizer come from here, and what its tokens have."""

    keys: Annotated[str | None, doc("A file, or an address, of a JSON Web Key Set.")] = None
    issuer: Annotated[str | None, doc("Instead of an issuer that only a deployment knows.")] = None
    audience: Annotated[list[str] | None, doc("Instead of audiences that only a deployment knows.")] = None


class FunctionUrlKeys(Keys):
    """A function URL."""

    authorizer: Annotated[Literal["aws_iam"] | None, doc("aws_iam: requests must be signed.")] = None
    cors: Annotated[bool | CorsKeys | None, doc("true for Serverless's defaults, or a mapping.")] = None
    invoke_mode: Annotated[Literal["BUFFERED", "RESPONSE_STREAM"] | None, doc("BUFFERED.")] = None
