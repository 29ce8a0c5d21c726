"""Keys of what only a deployment needs: network, files, logs, destinations, the bucket."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from bareboat.service.keys.base import CloudFormation, Count, Keys, Said, Text, doc


class VpcKeys(Keys):
    """The network that functions are in."""

    security_group_ids: Annotated[list[Text] | CloudFormation | None, doc("Security groups.", "should")] = None
    subnet_ids: Annotated[list[Text] | CloudFormation | None, doc("Subnets.", "should")] = None
    ipv6_allowed_for_dual_stack: Annotated[bool | None, doc("Whether IPv6 goes out of dual-stack subnets.")] = None


class FileSystemKeys(Keys):
    """A file system of EFS."""

    arn: Annotated[Text | None, doc("An access point.")] = None
    local_mount_path: Annotated[str | None, doc("Below /mnt.")] = None


class DestinationsKeys(Keys):
    """Where the results of asynchronous events go."""

    on_success: Annotated[
        str | dict[str, Any] | None, doc("A function of this file, an ARN, or {type: sqs, arn: ...}.")
    ] = None
    on_failure: Annotated[
        str | dict[str, Any] | None, doc("A function of this file, an ARN, or {type: sqs, arn: ...}.")
    ] = None


class LogsKeys(Keys):
    """How a function logs."""

    log_format: Annotated[Literal["JSON", "Text"] | None, doc("JSON or Text.")] = None
    application_log_level: Annotated[
        Literal["DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN"] | None, doc("Of the function's own lines.")
    ] = None
    system_log_level: Annotated[Literal["DEBUG", "INFO", "WARN"] | None, doc("Of Lambda's lines.")] = None
    log_group: Annotated[Text | None, doc("A log group that is there, instead of the function's own.")] = None


class RuntimeManagementKeys(Keys):
    """When AWS changes the runtime of a function."""

    mode: Annotated[Literal["auto", "onFunctionUpdate", "manual"] | None, doc("auto.")] = None
    arn: Annotated[Text | None, doc("The runtime's version, for manual.")] = None


DurableTimeout = Annotated[int, Said("seconds, 1 to 31622400", ge=1, le=31_622_400)]
Days = Annotated[int, Said("days, 1 to 90", ge=1, le=90)]


class DurableKeys(Keys):
    """How long a durable function may run, and be looked at."""

    execution_timeout: Annotated[DurableTimeout | None, doc("Seconds, a year at most.")] = None
    retention_period_in_days: Annotated[Days | None, doc("1 to 90.")] = None


class DeploymentBucketKeys(Keys):
    """The bucket that code is uploaded to."""

    NAMES: ClassVar[dict[str, str]] = {"sse_kms_key_id": "sseKMSKeyId"}

    name: Annotated[str | None, doc("A bucket that is there, instead of the stack's own.", "should")] = None
    max_previous_deployment_artifacts: Annotated[Count | None, doc("How many versions are kept; 5.")] = None
    block_public_access: Annotated[bool | None, doc("Nothing in it is ever public; true.")] = None
    skip_policy_setup: Annotated[bool | None, doc("No policy that refuses plain HTTP.")] = None
    versioning: Annotated[bool | None, doc("What was deleted can be had back; true.")] = None
    server_side_encryption: Annotated[Literal["AES256", "aws:kms"] | None, doc("AES256.")] = None
    sse_kms_key_id: Annotated[str | None, doc("The key of aws:kms.")] = None
    tags: Annotated[dict[str, str] | None, doc("Tags of the bucket.")] = None


REFUSED_BUCKET_KEYS: dict[str, str] = dict.fromkeys(
    ("sseCustomerAlgorithim", "sseCustomerKey", "sseCustomerKeyMD5"),
    "Lambda could not read code that is encrypted with a key of your own; sseKMSKeyId can be one",
)
