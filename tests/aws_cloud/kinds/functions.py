"""Lambda: functions, versions, aliases, permissions, addresses, layers, what calls them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from aws_cloud.kinds.base import Failed, Kind, Made, Place, as_bool, chosen, tag_map
from aws_cloud.lambda_changes import changed_code, published, set_code
from aws_cloud.moto import ACCOUNT

_NUMBERS = ("MemorySize", "Timeout")
_CONFIGURATION = (
    "Runtime", "Role", "Handler", "Description", "VpcConfig", "DeadLetterConfig", "KMSKeyArn", "TracingConfig",
    "Layers", "FileSystemConfigs", "ImageConfig", "EphemeralStorage", "SnapStart", "LoggingConfig",
)  # fmt: skip


class Function(Kind):
    type = "AWS::Lambda::Function"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("lambda")
        name = properties.get("FunctionName") or place.name(64)
        settings = _configuration(properties)
        try:
            said = client.create_function(
                FunctionName=name,
                Code=_code(properties),
                **_known(settings),
                **chosen(properties, "PackageType", "Architectures"),
                **({"Tags": tag_map(properties["Tags"])} if properties.get("Tags") else {}),
            )
        except client.exceptions.ResourceConflictException as error:
            raise Failed(f"Function already exist: {name}", "AlreadyExists") from error
        set_code(place.moto, place.kept, place.region, name, _code(properties))
        place.kept.set(place.region, name, settings)
        self._concurrency(place, name, properties, {})
        return Made(name, {"Arn": said["FunctionArn"], "SnapStartResponse.ApplyOn": "None"})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        client, name = place.client("lambda"), made.physical_id
        if properties.get("Code") != old.get("Code") or properties.get("Architectures") != old.get("Architectures"):
            changed_code(place.moto, place.kept, place.region, name, _code(properties), properties.get("Architectures"))
        settings, before = _configuration(properties), _configuration(old)
        if settings != before:
            empty = {key: _EMPTY.get(key) for key in before if key not in settings and key in _EMPTY}
            client.update_function_configuration(FunctionName=name, **_known({**empty, **settings}))
            forgotten = {key: None for key in before if key not in settings}
            place.kept.set(place.region, name, {**forgotten, **settings})
        if gone := sorted(set(tag_map(old.get("Tags"))) - set(tag_map(properties.get("Tags")))):
            client.untag_resource(Resource=made.attributes["Arn"], TagKeys=gone)
        if properties.get("Tags"):
            client.tag_resource(Resource=made.attributes["Arn"], Tags=tag_map(properties["Tags"]))
        self._concurrency(place, name, properties, old)
        return made

    def _concurrency(self, place: Place, name: str, properties: dict[str, Any], old: dict[str, Any]) -> None:
        wanted = properties.get("ReservedConcurrentExecutions")
        if wanted is not None:
            place.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(wanted))
        elif old.get("ReservedConcurrentExecutions") is not None:
            place.client("lambda").delete_function_concurrency(FunctionName=name)

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        client = place.client("lambda")
        with suppress(client.exceptions.ResourceNotFoundException):
            client.delete_function(FunctionName=made.physical_id)
        place.kept.forget(place.region, made.physical_id)


_EMPTY: dict[str, Any] = {
    "Description": "",
    "Environment": {"Variables": {}},
    "Layers": [],
    "Timeout": 3,
    "MemorySize": 128,
}


def _known(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings for moto, which takes no layer of another account."""
    if "Layers" not in settings:
        return settings
    return {**settings, "Layers": [one for one in settings["Layers"] if f":{ACCOUNT}:layer:" in one]}


def _configuration(properties: dict[str, Any]) -> dict[str, Any]:
    settings = chosen(properties, *_CONFIGURATION)
    settings |= {key: int(properties[key]) for key in _NUMBERS if key in properties}
    if "EphemeralStorage" in settings:
        settings["EphemeralStorage"] = {"Size": int(settings["EphemeralStorage"]["Size"])}
    if "Environment" in properties:
        variables = (properties["Environment"] or {}).get("Variables") or {}
        settings["Environment"] = {"Variables": {key: str(value) for key, value in variables.items()}}
    if "VpcConfig" in settings:
        settings["VpcConfig"] = chosen(settings["VpcConfig"], "SubnetIds", "SecurityGroupIds")
    return settings


def _code(properties: dict[str, Any]) -> dict[str, Any]:
    code: dict[str, Any] = properties["Code"]
    if "ZipFile" in code:
        import io
        import zipfile

        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("index.py", code["ZipFile"])
        return {"ZipFile": buffer.getvalue()}
    return chosen(code, "S3Bucket", "S3Key", "S3ObjectVersion", "ImageUri")


class Version(Kind):
    type = "AWS::Lambda::Version"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        name = properties["FunctionName"].split(":function:")[-1]
        arn, version, is_new = published(
            place.moto, place.kept, place.region, name, properties.get("CodeSha256"), properties.get("Description")
        )
        if not is_new:
            raise Failed(
                f"A version for this Lambda function exists ( {version} ). Modify the function to create a new "
                "version.",
                "AlreadyExists",
            )
        self._provision(place, name, version, properties)
        return Made(arn, {"Version": version, "FunctionArn": arn})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        name, version = made.physical_id.split(":")[-2:]
        self._provision(place, name, version, properties)
        return made

    def _provision(self, place: Place, name: str, version: str, properties: dict[str, Any]) -> None:
        _provisioned(place, name, version, properties.get("ProvisionedConcurrencyConfig"))

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        client = place.client("lambda")
        name, version = made.physical_id.split(":")[-2:]
        try:
            aliases = client.list_aliases(FunctionName=name)["Aliases"]
        except ClientError:
            return  # the function is gone, and its versions with it
        users = [one["Name"] for one in aliases if version in _versions(one)]
        if users:
            raise Failed(f"Unable to delete version because the following aliases reference it: [{', '.join(users)}]")
        with suppress(ClientError):
            client.delete_function(FunctionName=name, Qualifier=version)
        place.kept.forget(place.region, name, version)


def _versions(alias: dict[str, Any]) -> set[str]:
    return {alias["FunctionVersion"], *((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})}


class Alias(Kind):
    type = "AWS::Lambda::Alias"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("lambda")
        name = properties["FunctionName"].split(":function:")[-1]
        _refuse_parted(properties)
        try:
            said = client.create_alias(
                FunctionName=name,
                Name=properties["Name"],
                FunctionVersion=str(properties["FunctionVersion"]),
                RoutingConfig=_routing(properties),
                **chosen(properties, "Description"),
            )
        except client.exceptions.ResourceConflictException as error:
            raise Failed(
                f"Alias already exists: {said_arn(place, name, properties['Name'])}", "AlreadyExists"
            ) from error
        place.kept.touch(place.region, name, properties["Name"])
        _provisioned(place, name, properties["Name"], properties.get("ProvisionedConcurrencyConfig"))
        return Made(said["AliasArn"], {"AliasArn": said["AliasArn"]})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        name = properties["FunctionName"].split(":function:")[-1]
        _refuse_parted(properties)
        place.client("lambda").update_alias(
            FunctionName=name,
            Name=properties["Name"],
            FunctionVersion=str(properties["FunctionVersion"]),
            Description=properties.get("Description", ""),
            RoutingConfig=_routing(properties),
        )
        place.kept.touch(place.region, name, properties["Name"])
        _provisioned(place, name, properties["Name"], properties.get("ProvisionedConcurrencyConfig"))
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        name = properties["FunctionName"].split(":function:")[-1]
        with suppress(ClientError):
            place.client("lambda").delete_alias(FunctionName=name, Name=properties["Name"])
        place.kept.forget(place.region, name, properties["Name"])


def said_arn(place: Place, name: str, alias: str) -> str:
    return place.arn("lambda", f"function:{name}:{alias}")


def _routing(properties: dict[str, Any]) -> dict[str, Any]:
    weights = (properties.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or []
    return {"AdditionalVersionWeights": {str(one["FunctionVersion"]): float(one["FunctionWeight"]) for one in weights}}


def _refuse_parted(properties: dict[str, Any]) -> None:
    """Refuse weights with provisioned concurrency, in Lambda's words."""
    if properties.get("ProvisionedConcurrencyConfig") and _routing(properties)["AdditionalVersionWeights"]:
        raise Failed("Alias with weights can not be used with Provisioned Concurrency", "InvalidRequest")


def _provisioned(place: Place, name: str, qualifier: str, config: dict[str, Any] | None) -> None:
    key = (place.region, name, qualifier)
    if config:
        place.kept.provisioned[key] = {"Requested": int(config["ProvisionedConcurrentExecutions"])}
    else:
        place.kept.provisioned.pop(key, None)


class Permission(Kind):
    type = "AWS::Lambda::Permission"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        statement = place.name(100)
        place.client("lambda").add_permission(
            FunctionName=properties["FunctionName"],
            StatementId=statement,
            **chosen(
                properties, "Action", "Principal", "SourceArn", "SourceAccount", "EventSourceToken", "PrincipalOrgID",
                "FunctionUrlAuthType",
            ),
        )  # fmt: skip
        return Made(statement, {"Id": statement})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("lambda").remove_permission(
                FunctionName=properties["FunctionName"], StatementId=made.physical_id
            )


class Url(Kind):
    type = "AWS::Lambda::Url"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        if key := _qualified(place, properties):
            return self._kept(place, key, properties)
        said = place.client("lambda").create_function_url_config(**_url(properties))
        return Made(
            said["FunctionArn"],
            {"FunctionUrl": f"{said['FunctionUrl'].rstrip('/')}/", "FunctionArn": said["FunctionArn"]},
        )

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        if key := _qualified(place, properties):
            place.kept.urls[key].update(_url(properties))
            return made
        place.client("lambda").update_function_url_config(**{"Cors": {}, **_url(properties)})
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        if key := _qualified(place, properties):
            place.kept.urls.pop(key, None)
            return
        with suppress(ClientError):
            place.client("lambda").delete_function_url_config(FunctionName=_url(properties)["FunctionName"])

    def _kept(self, place: Place, key: tuple[str, str, str], properties: dict[str, Any]) -> Made:
        """Keep the address of an alias, of which moto makes none."""
        arn = said_arn(place, key[1], key[2])
        address = f"https://{uuid4().hex}.lambda-url.{place.region}.on.aws/"
        told = {"FunctionUrl": address, "FunctionArn": arn, "CreationTime": "2026-11-22T12:00:00Z"}
        place.kept.urls[key] = {"InvokeMode": "BUFFERED", **_url(properties), **told}
        return Made(arn, {"FunctionUrl": address, "FunctionArn": arn})


def _qualified(place: Place, properties: dict[str, Any]) -> tuple[str, str, str] | None:
    name, _, alias = _url(properties)["FunctionName"].partition(":function:")[2].partition(":")
    if not name:
        name, _, alias = _url(properties)["FunctionName"].partition(":")
    return (place.region, name, alias) if alias else None


def _url(properties: dict[str, Any]) -> dict[str, Any]:
    name = properties["TargetFunctionArn"]
    if properties.get("Qualifier"):
        name = f"{name}:{properties['Qualifier']}"
    settings = {"FunctionName": name, **chosen(properties, "AuthType", "InvokeMode")}
    if cors := properties.get("Cors"):
        whole = {"AllowCredentials": as_bool, "MaxAge": int}
        settings["Cors"] = {key: whole.get(key, list)(value) for key, value in cors.items()}
    return settings


class LayerVersion(Kind):
    type = "AWS::Lambda::LayerVersion"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        said = place.client("lambda").publish_layer_version(
            LayerName=properties.get("LayerName") or place.name(64),
            Content=chosen(properties["Content"], "S3Bucket", "S3Key", "S3ObjectVersion"),
            **chosen(properties, "Description", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo"),
        )
        return Made(said["LayerVersionArn"], {"LayerVersionArn": said["LayerVersionArn"]})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        name, version = made.physical_id.split(":")[-2:]
        with suppress(ClientError):
            place.client("lambda").delete_layer_version(LayerName=name, VersionNumber=int(version))


class LayerVersionPermission(Kind):
    type = "AWS::Lambda::LayerVersionPermission"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        name, version = properties["LayerVersionArn"].split(":")[-2:]
        statement = place.name(100)
        place.client("lambda").add_layer_version_permission(
            LayerName=name,
            VersionNumber=int(version),
            StatementId=statement,
            **chosen(properties, "Action", "Principal", OrganizationId="OrganizationId"),
        )
        return Made(f"{properties['LayerVersionArn']}#{statement}", {"Id": statement})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        name, version = properties["LayerVersionArn"].split(":")[-2:]
        with suppress(ClientError):
            place.client("lambda").remove_layer_version_permission(
                LayerName=name, VersionNumber=int(version), StatementId=made.physical_id.split("#")[1]
            )


class EventInvokeConfig(Kind):
    type = "AWS::Lambda::EventInvokeConfig"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        place.client("lambda").put_function_event_invoke_config(
            FunctionName=properties["FunctionName"],
            Qualifier=properties["Qualifier"],
            **{
                key: int(properties[key])
                for key in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")
                if key in properties
            },
            **chosen(properties, "DestinationConfig"),
        )
        return Made(f"{properties['FunctionName']}|{properties['Qualifier']}")

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        return self.create(place, properties)

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("lambda").delete_function_event_invoke_config(
                FunctionName=properties["FunctionName"], Qualifier=properties["Qualifier"]
            )


class EventSourceMapping(Kind):
    type = "AWS::Lambda::EventSourceMapping"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        said = place.client("lambda").create_event_source_mapping(**_mapping(properties))
        return Made(said["UUID"], {"Id": said["UUID"]})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        settings = _mapping(properties)
        for name in ("EventSourceArn", "StartingPosition", "StartingPositionTimestamp"):
            settings.pop(name, None)
        place.client("lambda").update_event_source_mapping(UUID=made.physical_id, **settings)
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("lambda").delete_event_source_mapping(UUID=made.physical_id)


def _mapping(properties: dict[str, Any]) -> dict[str, Any]:
    numbers = (
        "BatchSize", "MaximumBatchingWindowInSeconds", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds",
        "ParallelizationFactor", "TumblingWindowInSeconds",
    )  # fmt: skip
    return {
        **{key: int(properties[key]) for key in numbers if key in properties},
        **{key: as_bool(properties[key]) for key in ("Enabled", "BisectBatchOnFunctionError") if key in properties},
        **chosen(
            properties, "EventSourceArn", "FunctionName", "FilterCriteria", "StartingPosition", "DestinationConfig",
            "FunctionResponseTypes", "ScalingConfig",
        ),
    }  # fmt: skip


KINDS = (
    Function, Version, Alias, Permission, Url, LayerVersion, LayerVersionPermission, EventInvokeConfig,
    EventSourceMapping,
)  # fmt: skip
