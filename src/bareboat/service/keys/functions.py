"""Keys of `functions.NAME`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from bareboat.service.keys.apis import FunctionUrlKeys
from bareboat.service.keys.base import (
    ArchitectureName,
    CacheSize,
    CloudFormation,
    Count,
    Description,
    Environment,
    EphemeralStorage,
    Keys,
    MemorySize,
    Payload,
    Retention,
    Text,
    Timeout,
    doc,
)
from bareboat.service.keys.deployment import (
    DestinationsKeys,
    DurableKeys,
    FileSystemKeys,
    LogsKeys,
    RuntimeManagementKeys,
    VpcKeys,
)
from bareboat.service.keys.events import EventKeys


class FunctionPackageKeys(Keys):
    """What a function's artifact holds."""

    patterns: Annotated[list[str] | None, doc("Globs in order; '!' takes away.", "must")] = None
    include: Annotated[list[str] | None, doc("The older form of patterns.", "must")] = None
    exclude: Annotated[list[str] | None, doc("The older form of patterns with '!'.", "must")] = None
    individually: Annotated[bool | None, doc("An artifact of its own for this function.", "must")] = None
    artifact: Annotated[str | None, doc("A zip that is ready, instead of a build.", "must")] = None
    exclude_dev_dependencies: bool | None = None


class FeatureKeys(Keys):
    """One feature of a model function."""

    name: Annotated[str | None, doc("The name that requests use.")] = None
    nullable: Annotated[
        bool | None, doc("Whether null and a missing key mean a missing value; else they are a 400.")
    ] = None


Scalar = str | bool | int | float
DtypeName = Literal["float", "int", "bool", "string", "category", "datetime"]
BoundsName = Literal["error", "warn", "ignore"]
UnknownName = Literal["error", "missing"]


class InputKeys(Keys):
    """One input of a model."""

    name: Annotated[str | None, doc("The name that requests use.")] = None
    dtype: Annotated[DtypeName | None, doc("What a value is; else as the model has it.")] = None
    nullable: Annotated[
        bool | None, doc("Whether null and a missing key mean a missing value; else they are a 400.")
    ] = None
    enum: Annotated[list[Scalar] | None, doc("The values that are expected.")] = None
    minimum: Annotated[str | int | float | None, doc("The least number, or the first date, that is expected.")] = None
    maximum: Annotated[str | int | float | None, doc("The greatest number, or the last date, that is expected.")] = None
    default: Annotated[Scalar | None, doc("What null and a missing key stand for.")] = None
    unknown: Annotated[
        UnknownName | None, doc("What a category that the model was not trained on is: an error, or a missing value.")
    ] = None
    column: Annotated[str | None, doc("The model's own name for it, when that differs from the name.")] = None


class OutputKeys(Keys):
    """One part of an answer."""

    name: Annotated[str | None, doc("proba, label or prediction.")] = None
    dtype: Annotated[DtypeName | None, doc("What a value is; else as the model has it.")] = None
    enum: Annotated[list[Scalar] | None, doc("The labels there are.")] = None
    minimum: Annotated[int | float | None, doc("The least prediction, for the documentation.")] = None
    maximum: Annotated[int | float | None, doc("The greatest prediction, for the documentation.")] = None


class SignatureKeys(Keys):
    """What a model takes and answers."""

    inputs: Annotated[list[str | InputKeys] | None, doc("In the model's order, unless they name columns.")] = None
    outputs: Annotated[list[OutputKeys] | None, doc("What answers hold.")] = None
    bounds: Annotated[
        BoundsName | None, doc("What happens to a value outside minimum, maximum or enum: error, warn or ignore.")
    ] = None


class FunctionHttpApiKeys(Keys):
    """The HTTP API's settings for this function."""

    payload: Annotated[Payload | None, doc("The event format.")] = None


class ImageKeys(Keys):
    """A container image instead of an archive."""

    name: str | None = None
    uri: str | None = None
    working_directory: str | None = None
    command: list[str] | None = None
    entry_point: list[str] | None = None


EngineName = Literal["auto", "compiled", "onnx", "framework"]
ProtocolName = Literal["bareboat", "mlflow", "oip", "sagemaker"]


LoadName = Literal["build", "cold-start"]


class StoredModelKeys(Keys):
    """Where a model comes from."""

    source: Annotated[str | None, doc("s3://BUCKET/KEY, https://HOST/PATH, or a file of the folder.", "must")] = None
    version_id: Annotated[str | None, doc("The version in the bucket; else the one that bareboat.lock pins.")] = None
    sha256: Annotated[str | None, doc("What the content must be; else what bareboat.lock pins.")] = None
    load: Annotated[
        LoadName | None, doc("build puts the model into the artifact; cold-start fetches it to /tmp when it starts.")
    ] = None


class ServedModelKeys(Keys):
    """One of several models of a function."""

    model: Annotated[
        str | StoredModelKeys | None, doc("The model file, here or in a store; its version is the default one.", "must")
    ] = None
    versions: Annotated[
        list[str | StoredModelKeys] | None, doc("Model files of older versions, which clients may ask for.")
    ] = None
    features: Annotated[list[str | FeatureKeys] | None, doc("The names that requests use, in the model's order.")] = (
        None
    )
    signature: Annotated[
        str | SignatureKeys | None, doc("What the model takes and answers, here or in a JSON or YAML file.")
    ] = None
    labels: Annotated[list[str | bool | int | float] | None, doc("What each class is called in answers.")] = None
    engine: Annotated[EngineName | None, doc("auto, compiled, onnx or framework; else the function's.")] = None


class FunctionKeys(Keys):
    """One function."""

    handler: Annotated[str | None, doc("module.function, or folder/module.function.", "must")] = None
    model: Annotated[
        str | StoredModelKeys | None,
        doc("bareboat: a model file, or an MLflow model's folder, here or in a store, instead of a handler.", "must"),
    ] = None
    engine: Annotated[
        EngineName | None, doc("bareboat: auto compiles the model where it can; compiled, onnx, framework.", "must")
    ] = None
    models: Annotated[
        dict[str, str | ServedModelKeys] | None,
        doc("bareboat: several models by name, a file each or a mapping; the first is the default.", "must"),
    ] = None
    protocol: Annotated[
        ProtocolName | None, doc("bareboat: what clients speak: bareboat, mlflow, oip or sagemaker.", "must")
    ] = None
    cache_size: Annotated[
        CacheSize | None, doc("bareboat: MB for loaded models; else half of the function's memory.")
    ] = None
    features: Annotated[
        list[str | FeatureKeys] | None, doc("bareboat: the names that requests use, in the model's order.", "must")
    ] = None
    signature: Annotated[
        str | SignatureKeys | None,
        doc("bareboat: what the model takes and answers, here or in a JSON or YAML file.", "must"),
    ] = None
    labels: Annotated[
        list[str | bool | int | float] | None, doc("bareboat: what each class is called in answers.", "must")
    ] = None
    before: Annotated[str | None, doc("bareboat: module.function that turns the event's input into rows.", "must")] = (
        None
    )
    after: Annotated[
        str | None, doc("bareboat: module.function that turns the prediction into the answer.", "must")
    ] = None
    samples: Annotated[
        list[str | dict[str, Any] | list[Any]] | None, doc("bareboat: sample events, as files or written out.", "must")
    ] = None
    explain: Annotated[bool | str | dict[str, Any] | None, doc("bareboat: explanations at the endpoint.")] = None
    batch: Annotated[bool | str | dict[str, Any] | None, doc("bareboat: scoring of files.")] = None
    events: Annotated[list[EventKeys] | None, doc("What invokes the function.", "must")] = None
    package: Annotated[FunctionPackageKeys | None, doc("What the artifact holds.", "must")] = None
    runtime: Annotated[str | None, doc("python3.13 and the like; else the provider's.", "must")] = None
    name: Annotated[str | None, doc("The name on AWS; else service-stage-function.", "should")] = None
    description: Annotated[Description | None, doc("At most 256 characters.", "should")] = None
    memory_size: Annotated[MemorySize | None, doc("MB; else the provider's, else 1024.", "should")] = None
    timeout: Annotated[Timeout | None, doc("Seconds; else the provider's, else 6.", "should")] = None
    environment: Annotated[Environment | None, doc("Variables, added to the provider's.", "should")] = None
    architecture: Annotated[
        ArchitectureName | None, doc("x86_64 or arm64; else the provider's, else x86_64.", "should")
    ] = None
    role: Annotated[Text | None, doc("An IAM role.", "should")] = None
    tags: Annotated[dict[str, str] | None, doc("Tags, added to the provider's.", "should")] = None
    vpc: Annotated[bool | VpcKeys | None, doc("Subnets and security groups.", "should")] = None
    tracing: Annotated[bool | Literal["Active", "PassThrough"] | None, doc("X-Ray.", "should")] = None
    log_retention_in_days: Annotated[Retention | None, doc("Days that logs are kept.", "should")] = None
    http_api: Annotated[FunctionHttpApiKeys | None, doc("payload: '1.0' or '2.0'.")] = None
    layers: Annotated[
        list[str | CloudFormation] | None, doc("{Ref: NameLambdaLayer}, a layer's name, or an ARN; at most 5.")
    ] = None
    reserved_concurrency: Annotated[Count | CloudFormation | None, doc("How many may run at once.")] = None
    provisioned_concurrency: Annotated[Count | CloudFormation | None, doc("How many are kept warm.")] = None
    ephemeral_storage_size: Annotated[EphemeralStorage | None, doc("MB of /tmp; else 512.")] = None
    snap_start: Annotated[bool | None, doc("Whether versions start from a snapshot.")] = None
    image: Annotated[str | ImageKeys | None, doc("A container image.")] = None
    url: Annotated[bool | FunctionUrlKeys | None, doc("An address of its own: true, or a mapping.", "should")] = None
    destinations: DestinationsKeys | None = None
    on_error: Text | None = None
    file_system_config: FileSystemKeys | None = None
    kms_key_arn: Text | None = None
    aws_kms_key_arn: Text | None = None
    condition: str | None = None
    depends_on: list[str] | None = None
    maximum_event_age: int | None = None
    maximum_retry_attempts: int | None = None
    version_function: bool | None = None
    runtime_management: Literal["auto", "onFunctionUpdate"] | RuntimeManagementKeys | None = None
    disable_logs: bool | None = None
    log_data_protection_policy: dict[str, Any] | None = None
    logs: LogsKeys | None = None
    recursive_loop: str | None = None
    durable_config: DurableKeys | None = None
    # keys of common plugins; a note says what will not happen
    module: Annotated[str | None, doc("serverless-python-requirements: the folder of an individual function.")] = None
    vendor: str | None = None
    iam_role_statements: Annotated[
        list[dict[str, Any]] | dict[str, Any] | None,
        doc("Statements of a role of the function's own (serverless-iam-roles-per-function)."),
    ] = None
    iam_role_statements_name: Annotated[str | None, doc("The name of that role.")] = None
    iam_role_statements_inherit: Annotated[
        bool | None, doc("Whether that role has the provider's statements too; false.")
    ] = None
    iam_permissions_boundary: Annotated[Text | None, doc("The permissions boundary of that role.")] = None
    warmup: bool | dict[str, Any] | None = None
    alarms: Annotated[
        bool | list[Any] | None, doc("bareboat: false for no alarms of this function (custom.bareboat.alarms).")
    ] = None
