"""Keys of `provider`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from bareboat.service.keys.apis import ApiGatewayKeys, ProviderHttpApiKeys, UsagePlanKeys
from bareboat.service.keys.base import (
    ArchitectureName,
    CloudFormation,
    Environment,
    Keys,
    MemorySize,
    Retention,
    Said,
    Text,
    Timeout,
    doc,
)
from bareboat.service.keys.deployment import DeploymentBucketKeys, RuntimeManagementKeys, VpcKeys


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
    api_gateway: Annotated[ApiGatewayKeys | None, doc("The REST API.", "should")] = None
    log_retention_in_days: Annotated[Retention | None, doc("Days that logs are kept.", "should")] = None
    logs: Annotated[dict[str, Any] | None, doc("Logs of the APIs.", "should")] = None
    tracing: Annotated[bool | dict[str, Any] | None, doc("X-Ray.", "should")] = None
    profile: Annotated[str | None, doc("The profile of the AWS credentials.", "should")] = None
    tags: Annotated[dict[str, str] | None, doc("Tags of functions and APIs.", "should")] = None
    stack_tags: Annotated[dict[str, str] | None, doc("Tags of the stack.", "should")] = None
    stack_name: Annotated[StackName | None, doc("service-stage.", "should")] = None
    deployment_bucket: Annotated[str | DeploymentBucketKeys | None, doc("The bucket of the artifacts.", "should")] = (
        None
    )
    deployment_prefix: Annotated[str | None, doc("The folder in the bucket; serverless.", "should")] = None
    vpc: Annotated[VpcKeys | None, doc("Subnets and security groups.", "should")] = None
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
    runtime_management: Literal["auto", "onFunctionUpdate"] | RuntimeManagementKeys | None = None
    s3: dict[str, Any] | None = None
    stack_parameters: list[dict[str, Any]] | None = None
    stack_policy: list[dict[str, Any]] | None = None
    version_functions: bool | None = None
    vpc_endpoint_ids: list[Text] | CloudFormation | None = None
    # older forms
    iam_role_statements: Annotated[list[Any] | None, doc("The older form of iam.role.statements.", "must")] = None
    iam_managed_policies: list[Text] | None = None
    api_keys: list[str | dict[str, Any]] | None = None
    usage_plan: UsagePlanKeys | list[dict[str, UsagePlanKeys]] | None = None
    resource_policy: list[Any] | None = None
    lambda_hashing_version: Annotated[str | int | None, doc("No meaning here.", "should")] = None
    variable_syntax: Annotated[str | None, doc("No meaning here.")] = None
    use_cloud_formation: bool | None = None
