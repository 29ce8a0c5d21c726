"""What serverless.yml says of its APIs: who may call, how often, what a request must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from bareboat.service.model import Place

Period = Literal["DAY", "WEEK", "MONTH"]


@dataclass(frozen=True, slots=True)
class Cors:
    """CORS of an HTTP API or a function URL, as CloudFormation's CorsConfiguration has it."""

    allowed_origins: tuple[str, ...] = ("*",)
    allowed_methods: tuple[str, ...] = ()
    allowed_headers: tuple[str, ...] = ()
    exposed_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age_s: int | None = None


@dataclass(frozen=True, slots=True)
class RestCors:
    """CORS of a REST resource: what the mock integration behind OPTIONS answers."""

    origins: tuple[str, ...] = ("*",)
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age_s: int | None = None
    cache_control: str = ""


@dataclass(frozen=True, slots=True)
class Throttle:
    """A token bucket: `rate` requests a second on the long run, `burst` at once."""

    rate: float
    burst: int


@dataclass(frozen=True, slots=True)
class Quota:
    """How many requests a key has in a period; `offset` are those taken off the first period."""

    limit: int
    period: Period
    offset: int = 0


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One entry of `provider.apiGateway.apiKeys`.

    Args:
        name: "" where only a value is given.
        value: None where AWS makes one; the local cloud then makes one of its own and shows it.
        plan: the name of its usage plan; "" for the only one.
    """

    name: str
    where: Place
    value: str | None = None
    description: str = ""
    enabled: bool = True
    plan: str = ""
    customer_id: str = ""


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """One usage plan; `name` is "" for the only one."""

    name: str
    where: Place
    throttle: Throttle | None = None
    quota: Quota | None = None


@dataclass(frozen=True, slots=True)
class JwtAuthorizer:
    """A JWT authorizer of an HTTP API, or a Cognito user pool's of a REST API.

    Args:
        audience: () where none is asked for (Cognito).
        identity_source: such as `$request.header.Authorization`; `method.request.header.Authorization` in REST.
        cognito: whether it is a REST API's, which hands `claims` on and compares `scope`.
        jwks: a file (absolute) or an address instead of the issuer's own, of `custom.bareboat.jwks`; "" for the
            issuer's.
    """

    name: str
    where: Place
    issuer: str
    audience: tuple[str, ...] = ()
    identity_source: str = "$request.header.Authorization"
    cognito: bool = False
    jwks: str = ""


@dataclass(frozen=True, slots=True)
class LambdaAuthorizer:
    """A function that says who may call.

    Args:
        function: its name in this service; "" where it is another one, by `arn`.
        kind: "token" hands one header over, "request" the whole request.
        payload: the event format; REST has 1.0 alone.
        simple: whether it answers `{"isAuthorized": ...}` (HTTP APIs, 2.0).
        identity_sources: as written; a request that lacks one is a 401 without a call.
        ttl_s: how long an answer is kept for the same sources; 0 is not at all.
        pattern: what a token must match (`identityValidationExpression`).
    """

    name: str
    where: Place
    function: str = ""
    arn: str = ""
    kind: Literal["token", "request"] = "request"
    payload: Literal["1.0", "2.0"] = "2.0"
    simple: bool = False
    identity_sources: tuple[str, ...] = ()
    ttl_s: int = 0
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class IamAuthorizer:
    """`aws_iam`: requests must be signed (Signature Version 4)."""

    where: Place
    name: str = "aws_iam"


Authorizer = JwtAuthorizer | LambdaAuthorizer | IamAuthorizer


@dataclass(frozen=True, slots=True)
class Schema:
    """A model of a REST API: a JSON schema (draft 4) for a content type.

    Args:
        name: of the API's model; "" for one that a method has for itself.
    """

    content_type: str
    schema: Mapping[str, Any]
    where: Place
    name: str = ""


@dataclass(frozen=True, slots=True)
class RequestRules:
    """What a REST method demands of a request before a function is called.

    Args:
        parameters: `querystring.NAME`, `header.NAME`, `path.NAME` -> whether it must be there.
        schemas: of the body, one a content type.
    """

    parameters: Mapping[str, bool] = field(default_factory=dict)
    schemas: tuple[Schema, ...] = ()


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """What a REST API says in the place of one of its own answers (`AWS::ApiGateway::GatewayResponse`).

    Args:
        kind: such as "UNAUTHORIZED", or "DEFAULT_4XX".
        status: None leaves it.
        headers: name -> value, without the quotes of a static value.
        templates: content type -> template with `$context.error.messageString` and the like.
    """

    kind: str
    where: Place
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RestApi:
    """`provider.apiGateway`, and what `resources` and plugins add to it.

    Args:
        key_source: where the API key is: the X-Api-Key header, or `usageIdentifierKey` of an authorizer's answer.
        binary_types: content types whose bodies are base64 in events, such as `image/png` or `*/*`.
        compress_from_bytes: responses of this size and more are compressed for clients that accept it.
        throttle: of the stage; `throttles` has those of methods by `"GET /items/{id}"`.
        policy: the statements of the resource policy, as written.
        disabled: whether the default endpoint is off.
        options: the keys that nothing but a deployment needs, as written.
    """

    keys: tuple[ApiKey, ...] = ()
    plans: tuple[UsagePlan, ...] = ()
    key_source: Literal["HEADER", "AUTHORIZER"] = "HEADER"
    binary_types: tuple[str, ...] = ()
    compress_from_bytes: int | None = None
    stage_variables: Mapping[str, str] = field(default_factory=dict)
    throttle: Throttle | None = None
    throttles: Mapping[str, Throttle] = field(default_factory=dict)
    responses: tuple[GatewayResponse, ...] = ()
    policy: tuple[Any, ...] = ()
    disabled: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HttpApi:
    """`provider.httpApi`, and what `resources` adds to it.

    Args:
        payload: the event format of functions that do not say otherwise, "2.0" (default) or "1.0".
        authorizers: by the name that routes use.
        throttle: of the stage; `throttles` has those of routes by their key.
        disabled: whether the default endpoint is off.
        options: the keys that nothing but a deployment needs, as written.
    """

    cors: Cors | None = None
    payload: Literal["1.0", "2.0"] = "2.0"
    authorizers: Mapping[str, Authorizer] = field(default_factory=dict)
    stage_variables: Mapping[str, str] = field(default_factory=dict)
    throttle: Throttle | None = None
    throttles: Mapping[str, Throttle] = field(default_factory=dict)
    disabled: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FunctionUrl:
    """`functions.NAME.url`: an address of the function's own.

    Args:
        auth: "AWS_IAM" where requests must be signed.
        cors: None where the function answers preflights itself.
    """

    where: Place
    auth: Literal["NONE", "AWS_IAM"] = "NONE"
    cors: Cors | None = None
    invoke_mode: Literal["BUFFERED", "RESPONSE_STREAM"] = "BUFFERED"
