"""The keys at the top of serverless.yml."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from bareboat.service.keys.base import ArchitectureName, Description, Keys, Said, doc
from bareboat.service.keys.functions import FunctionKeys
from bareboat.service.keys.provider import ProviderKeys

LayerName = Annotated[
    str,
    Said(
        "letters, digits, '-' and '_', at most 140",
        pattern=r"^(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:)?[a-zA-Z0-9_-]+$",
        max_length=140,
    ),
]
LicenseInfo = Annotated[str, Said("at most 512 characters", max_length=512)]


class PackageKeys(Keys):
    """What artifacts hold."""

    patterns: Annotated[list[str] | None, doc("Globs in order; '!' takes away.", "must")] = None
    include: Annotated[list[str] | None, doc("The older form of patterns.", "must")] = None
    exclude: Annotated[list[str] | None, doc("The older form of patterns with '!'.", "must")] = None
    individually: Annotated[bool | None, doc("An artifact of its own for each function.", "must")] = None
    artifact: Annotated[str | None, doc("A zip that is ready, instead of a build.", "must")] = None
    exclude_dev_dependencies: Annotated[bool | None, doc("No meaning here.", "should")] = None
    path: str | None = None


class PluginKeys(Keys):
    """Plugins in the long form."""

    modules: list[str] | None = None
    local_path: str | None = None


class LayerPackageKeys(Keys):
    """What a layer holds."""

    patterns: Annotated[list[str] | None, doc("Globs of the folder's files in order; '!' takes away.")] = None
    artifact: Annotated[str | None, doc("A zip that is ready, instead of a build.")] = None


class LayerKeys(Keys):
    """A layer that the service makes."""

    path: Annotated[str | None, doc("A folder that ships as it is; Lambda lays it to /opt.")] = None
    requirements: Annotated[
        str | list[str] | None, doc("Python packages for python/: a requirements file, or requirements.")
    ] = None
    name: Annotated[LayerName | None, doc("The name on AWS; else the key.")] = None
    description: Annotated[Description | None, doc("At most 256 characters.")] = None
    package: LayerPackageKeys | None = None
    compatible_runtimes: Annotated[list[str] | None, doc("The runtimes it is for, as AWS shows them.")] = None
    compatible_architectures: Annotated[list[ArchitectureName] | None, doc("The CPUs it is for.")] = None
    license_info: Annotated[LicenseInfo | None, doc("At most 512 characters.")] = None
    allowed_accounts: Annotated[list[str] | None, doc("Accounts that may use it.")] = None
    retain: Annotated[bool | None, doc("Whether older versions stay after a deployment.")] = None


class ResourcesKeys(Keys):
    """CloudFormation of one's own, added to the stack."""

    NAMES: ClassVar[dict[str, str]] = {
        **{
            name: name.capitalize()
            for name in (
                "resources",
                "outputs",
                "conditions",
                "parameters",
                "mappings",
                "metadata",
                "rules",
                "transform",
                "description",
            )
        },
        "format_version": "AWSTemplateFormatVersion",
    }

    resources: Annotated[dict[str, Any] | None, doc("Resources by logical id.", "must")] = None
    outputs: Annotated[dict[str, Any] | None, doc("Outputs of the stack.", "must")] = None
    extensions: Annotated[dict[str, Any] | None, doc("Changes to generated resources.")] = None
    conditions: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None
    mappings: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    rules: dict[str, Any] | None = None
    transform: str | list[Any] | dict[str, Any] | None = None
    description: str | None = None
    format_version: str | None = None


class ServerlessKeys(Keys):
    """serverless.yml."""

    service: Annotated[str | None, doc("The service's name.", "must")] = None
    provider: Annotated[ProviderKeys | None, doc("AWS, and what all functions inherit.", "must")] = None
    functions: Annotated[dict[str, FunctionKeys] | None, doc("The functions by name.", "must")] = None
    package: Annotated[PackageKeys | None, doc("What artifacts hold.", "must")] = None
    plugins: Annotated[
        list[str] | PluginKeys | None, doc("Accepted; `bareboat check` says what each comes to.", "must")
    ] = None
    custom: Annotated[
        dict[str, Any] | None, doc("Values for ${self:custom...}, and pythonRequirements, bareboat.", "must")
    ] = None
    resources: Annotated[ResourcesKeys | None, doc("CloudFormation of one's own.", "must")] = None
    framework_version: Annotated[str | None, doc("No meaning here.", "must")] = None
    params: Annotated[
        dict[str, dict[str, Any]] | None, doc("Values for ${param:}, by stage, and default.", "should")
    ] = None
    use_dotenv: Annotated[bool | None, doc("Read .env or .env.STAGE for ${env:}.", "should")] = None
    layers: Annotated[dict[str, LayerKeys] | None, doc("Layers that the service makes.")] = None
    # no meaning here
    config_validation_mode: str | None = None
    variables_resolution_mode: str | int | None = None
    unresolved_variables_notification_mode: str | None = None
    deprecation_notification_mode: str | None = None
    disabled_deprecations: str | list[str] | None = None
    enable_local_installation_fallback: bool | None = None
    project_dir: str | None = None
    app: str | None = None
    org: str | None = None
    tenant: str | None = None
    dashboard: dict[str, Any] | None = None
    console: bool | dict[str, Any] | None = None
    outputs: dict[str, Any] | None = None
    license_key: str | None = None


REFUSED_KEYS: dict[str, str] = {
    "constructs": "Lift constructs are out of scope",
    "stepFunctions": "Step Functions are out of scope",
    "appSync": "AppSync is out of scope",
    "stages": "'stages' belongs to Serverless 4",
    "state": "'state' belongs to Serverless 4",
    "build": "'build' belongs to Serverless 4 and JavaScript",
}
REFUSED_PROVIDER_KEYS: dict[str, str] = {
    "alb": "load balancers are out of scope",
    "cloudFront": "Lambda@Edge is out of scope",
    "websocket": "WebSocket APIs are out of scope",
    "websocketsApiName": "WebSocket APIs are out of scope",
    "websocketsApiRouteSelectionExpression": "WebSocket APIs are out of scope",
    "websocketsDescription": "WebSocket APIs are out of scope",
}
