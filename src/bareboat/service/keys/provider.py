"""Keys of `provider`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from bareboat.service.keys.base import (
    ArchitectureName,
    CloudFormation,
    Count,
    Environment,
    Keys,
    MemorySize,
    Payload,
    Retention,
    Said,
    Text,
    Timeout,
    doc,
)


class CorsKeys(Keys):
    """CORS of the HTTP API."""

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
    enable_simple_responses: bool | None = None
    payload_version: Payload | None = None
    result_ttl_in_seconds: Annotated[int, Said("a whole number of seconds from 0 to 3600", ge=0, le=3600)] | None = None


class ProviderHttpApiKeys(Keys):
    """The HTTP API."""

    cors: Annotated[bool | CorsKeys | None, doc("true for Serverless's defaults, or a mapping.", "should")] = None
    payload: Annotated[Payload | None, doc("The event format of functions that do not say otherwise; '2.0'.")] = None
    authorizers: Annotated[dict[str, AuthorizerKeys] | None, doc("JWT and Lambda authorizers by name.")] = None
    id: Text | None = None
    name: str | None = None
    description: str | None = None
    metrics: bool | None = None
    disable_default_endpoint: bool | None = None
    use_provider_tags: bool | None = None
    should_start_name_with_service: bool | None = None
    timeout: int | float | None = None


class RoleKeys(Keys):
    """The role of the functions."""

    name: str | None = None
    path: str | None = None
    statements: Annotated[list[Any] | None, doc("IAM statements.", "must")] = None
    managed_policies: list[Text] | None = None
    permissions_boundary: Text | None = None
    permission_boundary: Text | None = None
    tags: dict[str, str] | None = None


class IamKeys(Keys):
    """IAM."""

    role: Annotated[str | CloudFormation | None, doc("A role, or the statements of one that is made.", "must")] = None
    deployment_role: Text | None = None


StackName = Annotated[
    str, Said("letters, digits and '-', a letter first, at most 128", pattern="^[a-zA-Z][a-zA-Z0-9-]*$", max_length=128)
]


class ProviderKeys(Keys):
    """AWS, and what all functions inherit."""

    name: Annotated[str | None, doc("aws.", "must")] = None
    runtime: Annotated[str | None, doc("python3.13 and the like.", "must")] = None
    stage: Annotated[str | None, doc("dev, unless --stage says otherwise.", "must")] = None
    region: Annotated[str | None, doc("us-east-1, unless --region says otherwise.", "must")] = None
    environment: Annotated[Environment | None, doc("Variables of all functions.", "must")] = None
    iam: Annotated[IamKeys | None, doc("The role of the functions.", "must")] = None
    memory_size: Annotated[MemorySize | None, doc("MB; 1024.", "should")] = None
    timeout: Annotated[Timeout | None, doc("Seconds; 6.", "should")] = None
    architecture: Annotated[ArchitectureName | None, doc("x86_64 or arm64; x86_64.", "should")] = None
    http_api: Annotated[ProviderHttpApiKeys | None, doc("The HTTP API.", "should")] = None
    api_gateway: Annotated[dict[str, Any] | None, doc("The REST API.", "should")] = None
    log_retention_in_days: Annotated[Retention | None, doc("Days that logs are kept.", "should")] = None
    logs: Annotated[dict[str, Any] | None, doc("Logs of the APIs.", "should")] = None
    tracing: Annotated[bool | dict[str, Any] | None, doc("X-Ray.", "should")] = None
    profile: Annotated[str | None, doc("The profile of the AWS credentials.", "should")] = None
    tags: Annotated[dict[str, str] | None, doc("Tags of functions and APIs.", "should")] = None
    stack_tags: Annotated[dict[str, str] | None, doc("Tags of the stack.", "should")] = None
    stack_name: Annotated[StackName | None, doc("service-stage.", "should")] = None
    deployment_bucket: Annotated[str | dict[str, Any] | None, doc("The bucket of the artifacts.", "should")] = None
    deployment_prefix: Annotated[str | None, doc("The folder in the bucket; serverless.", "should")] = None
    vpc: Annotated[dict[str, Any] | None, doc("Subnets and security groups.", "should")] = None
    layers: Annotated[
        list[str | CloudFormation] | None, doc("{Ref: NameLambdaLayer}, a layer's name, or an ARN; at most 5.")
    ] = None
    ecr: Annotated[dict[str, Any] | None, doc("Container images.")] = None
    api_name: str | None = None
    cfn_role: Text | None = None
    deployment_method: Literal["changesets", "direct"] | None = None
    deletion_protection: bool | dict[str, Any] | None = None
    disable_rollback: bool | None = None
    endpoint_type: str | None = None
    event_bridge: dict[str, Any] | None = None
    kinesis: dict[str, Any] | None = None
    kms_key_arn: Text | None = None
    log_data_protection_policy: dict[str, Any] | None = None
    notification_arns: list[Text] | None = None
    prune_function_versions: bool | dict[str, Any] | None = None
    role: Text | None = None
    role_permissions_boundary: Text | None = None
    rollback_configuration: dict[str, Any] | None = None
    runtime_management: str | dict[str, Any] | None = None
    s3: dict[str, Any] | None = None
    stack_parameters: list[dict[str, Any]] | None = None
    stack_policy: list[dict[str, Any]] | None = None
    version_functions: bool | None = None
    vpc_endpoint_ids: list[Text] | CloudFormation | None = None
    # older forms
    iam_role_statements: Annotated[list[Any] | None, doc("The older form of iam.role.statements.", "must")] = None
    iam_managed_policies: list[Text] | None = None
    api_keys: list[Any] | None = None
    usage_plan: list[Any] | dict[str, Any] | None = None
    resource_policy: list[Any] | None = None
    lambda_hashing_version: Annotated[str | int | None, doc("No meaning here.", "should")] = None
    variable_syntax: Annotated[str | None, doc("No meaning here.")] = None
    use_cloud_formation: bool | None = None
