"""Functions, their versions and aliases, and what becomes of their asynchronous events."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from bareboat.aws.shipment import FunctionCode, ImageCode
from bareboat.aws.template import naming
from bareboat.aws.template.aliases import Rollout
from bareboat.aws.template.bucket import bucket_ref
from bareboat.aws.template.destinations import add_event_config, allow_dead_letters
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.layers import layer_ref
from bareboat.aws.template.roles import role_arn
from bareboat.aws.template.targets import condition_of, function_ref, functions_of
from bareboat.service.model import Function, Provider

_UNVERSIONED = ("Code", "ReservedConcurrentExecutions", "Tags", "RecursiveLoop", "RuntimeManagementConfig")
"""What a function has beside its versions: a change of these alone publishes none, and AWS refuses to be asked."""

_RUNTIME_UPDATES = {"onFunctionUpdate": "FunctionUpdate", "manual": "Manual"}


def add_functions(draft: Draft, rollout: Rollout | None) -> None:
    """Add each function that the shipment has, with its version, its alias and its event configuration."""
    for function in functions_of(draft.service):
        code = draft.shipment.functions[function.name]
        properties = _properties(draft, function, code)
        depends = [] if function.options.get("disableLogs") else [naming.log_group_id(function.name)]
        depends += [name for name in function.options.get("dependsOn") or () if name not in depends]
        draft.add(
            naming.function_id(function.name),
            "AWS::Lambda::Function",
            properties,
            DependsOn=depends or None,
            Condition=condition_of(draft, function.name),
        )
        draft.allow(function.name, *code.permissions)
        version = _add_version(draft, function, code, properties)
        _add_alias(draft, function, version, rollout)
        add_event_config(draft, function)


def _properties(draft: Draft, function: Function, code: FunctionCode) -> Json:
    provider, options = draft.service.provider, function.options
    properties = _code(draft, code)
    properties["FunctionName"] = function.full_name
    properties["MemorySize"] = function.memory_mb
    properties["Timeout"] = function.timeout_s
    properties["Architectures"] = [code.architecture]
    properties["Role"] = role_arn(provider, function)
    if function.description:
        properties["Description"] = function.description
    if variables := {**function.environment, **options.get("environment", {})}:
        properties["Environment"] = {"Variables": variables}
    if tags := options.get("tags"):
        properties["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    if function.layers:
        properties["Layers"] = [layer_ref(draft, ref) for ref in function.layers]
    if function.ephemeral_storage_mb != 512:
        properties["EphemeralStorage"] = {"Size": function.ephemeral_storage_mb}
    reserved = options.get("reservedConcurrency", function.reserved_concurrency)
    if reserved is not None:
        properties["ReservedConcurrentExecutions"] = reserved
    if options.get("snapStart"):
        properties["SnapStart"] = {"ApplyOn": "PublishedVersions"}
    if loop := options.get("recursiveLoop"):
        properties["RecursiveLoop"] = loop
    if "Runtime" in properties and (management := _runtime_management(provider, function)):
        properties["RuntimeManagementConfig"] = management
    if logging := _logging(provider, function):
        properties["LoggingConfig"] = logging
    if durable := options.get("durableConfig"):
        properties["DurableConfig"] = _durable(durable)
        draft.allow(function.name, _checkpoints(function))
    _add_dead_letters(draft, function, properties)
    _add_key(draft, function, properties)
    _add_tracing(draft, function, properties)
    _add_network(draft, function, properties)
    return properties


def _code(draft: Draft, code: FunctionCode) -> Json:
    if isinstance(code.code, ImageCode):
        image = code.code
        config = {
            "Command": list(image.command),
            "EntryPoint": list(image.entry_point),
            "WorkingDirectory": image.working_directory,
        }
        config = {key: value for key, value in config.items() if value}
        properties: Json = {"Code": {"ImageUri": image.uri}, "PackageType": "Image"}
        return {**properties, "ImageConfig": config} if config else properties
    place = {"S3Bucket": bucket_ref(draft), "S3Key": code.code.key}
    return {"Code": place, "Handler": code.handler, "Runtime": code.runtime}


def _runtime_management(provider: Provider, function: Function) -> Json:
    said: Json = {}
    for level in (provider.options, function.options):
        entry = level.get("runtimeManagement") or {}
        said.update({"mode": entry} if isinstance(entry, str) else entry)
    mode = said.get("mode", "auto")
    if mode not in _RUNTIME_UPDATES:
        return {}
    config: Json = {"UpdateRuntimeOn": _RUNTIME_UPDATES[mode]}
    return {**config, "RuntimeVersionArn": said["arn"]} if mode == "manual" and said.get("arn") else config


def _logging(provider: Provider, function: Function) -> Json:
    said = function.options.get("logs") or (provider.options.get("logs") or {}).get("lambda") or {}
    keys = ("applicationLogLevel", "logFormat", "logGroup", "systemLogLevel")
    return {key[0].upper() + key[1:]: said[key] for key in keys if said.get(key)} if isinstance(said, dict) else {}


def _durable(said: Mapping[str, Any]) -> Json:
    config: Json = {"ExecutionTimeout": said.get("executionTimeout")}
    if said.get("retentionPeriodInDays") is not None:
        config["RetentionPeriodInDays"] = said["retentionPeriodInDays"]
    return config


def _checkpoints(function: Function) -> Json:
    """Let a durable function keep its state. The role cannot wait for the function: its ARN is spelt out."""
    name = f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{function.full_name}"
    return {
        "Effect": "Allow",
        "Action": ["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState"],
        "Resource": [{"Fn::Sub": f"{name}:*/durable-execution/*/*"}],
    }


def _add_dead_letters(draft: Draft, function: Function, properties: Json) -> None:
    if target := function.options.get("onError"):
        properties["DeadLetterConfig"] = {"TargetArn": target}
        allow_dead_letters(draft, function, target)


def _add_key(draft: Draft, function: Function, properties: Json) -> None:
    options = function.options
    key = options.get("kmsKeyArn") or options.get("awsKmsKeyArn") or draft.service.provider.options.get("kmsKeyArn")
    if not key:
        return
    properties["KmsKeyArn"] = key
    if isinstance(key, str):  # the policy of a key of `resources` may name the role: it cannot name the key as well
        draft.allow(function.name, {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [key]})


def _add_tracing(draft: Draft, function: Function, properties: Json) -> None:
    shared = draft.service.provider.options.get("tracing")
    mode = function.options.get("tracing") or (shared.get("lambda") if isinstance(shared, dict) else shared)
    if not mode:
        return
    properties["TracingConfig"] = {"Mode": "Active" if mode is True else mode}
    actions = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    draft.allow(function.name, {"Effect": "Allow", "Action": actions, "Resource": ["*"]})


def _add_network(draft: Draft, function: Function, properties: Json) -> None:
    own = function.options.get("vpc")
    if own is not False:
        said = {**(draft.service.provider.options.get("vpc") or {}), **(own if isinstance(own, dict) else {})}
        if said.get("securityGroupIds") and said.get("subnetIds"):
            config = {"SecurityGroupIds": said["securityGroupIds"], "SubnetIds": said["subnetIds"]}
            if said.get("ipv6AllowedForDualStack") is not None:
                config["Ipv6AllowedForDualStack"] = said["ipv6AllowedForDualStack"]
            properties["VpcConfig"] = config
    if files := function.options.get("fileSystemConfig"):
        properties["FileSystemConfigs"] = [{"Arn": files.get("arn"), "LocalMountPath": files.get("localMountPath")}]
        actions = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        draft.allow(function.name, {"Effect": "Allow", "Action": actions, "Resource": [files.get("arn")]})


def _add_version(draft: Draft, function: Function, code: FunctionCode, properties: Json) -> str | None:
    """Add the version, named by all that makes it new, and return its logical id; None where there are no versions."""
    said = function.options.get("versionFunction", draft.service.provider.options.get("versionFunctions"))
    kept = said is not False or bool(function.options.get("durableConfig"))
    if not kept and function.name not in draft.aliases:
        return None
    version: Json = {"FunctionName": function_ref(draft, function.name)}
    if code.code.sha256:
        is_image = isinstance(code.code, ImageCode)
        digest = code.code.sha256
        version["CodeSha256"] = digest if is_image else base64.b64encode(bytes.fromhex(digest)).decode()
    if function.description:
        version["Description"] = function.description
    logical_id = naming.version_id(function.name, _digest(draft, function, code, properties))
    is_rolled = draft.aliases.get(function.name, ("", ""))[1] == naming.LIVE
    draft.add(
        logical_id,
        "AWS::Lambda::Version",
        version,
        DeletionPolicy="Retain" if kept or is_rolled else None,
        Condition=condition_of(draft, function.name),
    )
    draft.output(naming.version_output(function.name), {"Ref": logical_id}, "Current Lambda function version")
    if condition := condition_of(draft, function.name):
        draft.outputs[naming.version_output(function.name)]["Condition"] = condition
    return logical_id


def _digest(draft: Draft, function: Function, code: FunctionCode, properties: Json) -> str:
    """Return a digest of what a version is: code, layers and configuration."""
    layers = [draft.shipment.layers[name].sha256 for name in function.own_layers if name in draft.shipment.layers]
    settings = {key: value for key, value in properties.items() if key not in _UNVERSIONED}
    what = [code.code.sha256 or properties["Code"], layers, settings, *_overrides(draft, function)]
    text = json.dumps(what, sort_keys=True, separators=(",", ":"))
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _overrides(draft: Draft, function: Function) -> list[Json]:
    """Return what `resources` changes of the function, where it does: Serverless leaves that to the next version."""
    found = []
    for section in ("Resources", "extensions"):
        said = (draft.service.resources.get(section) or {}).get(naming.function_id(function.name)) or {}
        changed = {key: value for key, value in (said.get("Properties") or {}).items() if key not in _UNVERSIONED}
        if changed:
            found.append(changed)
    return found


def _add_alias(draft: Draft, function: Function, version: str | None, rollout: Rollout | None) -> None:
    if function.name not in draft.aliases or version is None:
        return
    logical_id, name = draft.aliases[function.name]
    newest = {"Fn::GetAtt": [version, "Version"]}
    properties: Json = {
        "FunctionName": function_ref(draft, function.name),
        "FunctionVersion": newest,
        "Name": name,
    }
    if rollout is not None and function.name in rollout.old:
        weight = {"FunctionVersion": newest, "FunctionWeight": rollout.weight}
        properties["FunctionVersion"] = rollout.old[function.name]
        properties["RoutingConfig"] = {"AdditionalVersionWeights": [weight]}
    if concurrency := function.options.get("provisionedConcurrency"):
        properties["ProvisionedConcurrencyConfig"] = {"ProvisionedConcurrentExecutions": concurrency}
    draft.add(logical_id, "AWS::Lambda::Alias", properties, Condition=condition_of(draft, function.name))
