"""The key types -> a JSON schema of serverless.yml for editors."""

from __future__ import annotations

import types
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from bareboat.service.check import known_keys
from bareboat.service.dependencies import LEVELS
from bareboat.service.keys.alarms import AlarmsKeys
from bareboat.service.keys.apis import JwksKeys, StageThrottleKeys
from bareboat.service.keys.base import Keys, Said
from bareboat.service.keys.file import ServerlessKeys
from bareboat.service.keys.provider import RoleKeys
from bareboat.service.keys.requirements import PythonRequirementsKeys
from bareboat.service.runtimes import LIVE, RETIRED

_ROOTS = (ServerlessKeys, PythonRequirementsKeys, RoleKeys, StageThrottleKeys, JwksKeys, AlarmsKeys)
_VARIABLE = {"type": "string", "pattern": r"\$\{", "description": "A variable such as ${self:custom.x}."}
_SCALARS = ["string", "number", "boolean"]  # YAML writes 3 where text is meant; Serverless takes it


def json_schema() -> dict[str, Any]:
    """Return a JSON schema (2020-12) of serverless.yml with bareboat's own keys.

    It is made from the same types that `load_service` checks against. Every value may also be a variable. It says
    nothing of what needs more than one place, such as two equal routes: `bareboat check` does.
    """
    made: dict[str, type[msgspec.Struct]] = {}
    (root, requirements, role, throttle, jwks, alarms), definitions = msgspec.json.schema_components(
        [struct_of(kind, made) for kind in _ROOTS],
        ref_template="#/$defs/{name}",
    )
    for definition in definitions.values():
        _soften(definition)
    definitions["Variable"] = _VARIABLE
    _refine(definitions, requirements, role, throttle, jwks, alarms)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "serverless.yml as bareboat reads it",
        **root,
        "$defs": definitions,
    }


def struct_of(kind: type[Keys], made: dict[str, type[msgspec.Struct]]) -> type[msgspec.Struct]:
    """Return a class of keys as a msgspec type; `made` holds those that exist."""
    if kind.__name__ not in made:
        known = known_keys(kind)
        struct = msgspec.defstruct(
            kind.__name__,
            [(each.attribute, _typed(each.type, made), None) for each in known.values()],
            kw_only=True,
            forbid_unknown_fields=True,
            rename={each.attribute: key for key, each in known.items()},
        )
        struct.__doc__ = kind.__doc__
        made[kind.__name__] = struct
    return made[kind.__name__]


def _typed(kind: Any, made: dict[str, type[msgspec.Struct]]) -> Any:
    """Return a declared type with classes of keys and what is said of values put in msgspec's terms."""
    origin = get_origin(kind)
    if origin is Annotated:
        said = [_meta(each) for each in kind.__metadata__ if isinstance(each, Said)]
        return Annotated[_typed(kind.__origin__, made), *said]
    if origin in (Union, types.UnionType):
        return Union[tuple(_typed(option, made) for option in get_args(kind))]  # noqa: UP007  built at run time
    if origin in (list, dict):
        return origin[tuple(_typed(option, made) for option in get_args(kind))]
    if isinstance(kind, type) and origin is None and issubclass(kind, Keys):
        return struct_of(kind, made)
    return kind


def _meta(said: Said) -> msgspec.Meta:
    limits = {name: getattr(said, name) for name in ("ge", "le", "max_length", "pattern", "description")}
    return msgspec.Meta(**{name: limit for name, limit in limits.items() if limit not in (None, "")})


def _soften(definition: dict[str, Any]) -> None:
    """Let every property be a variable, every text a number or a boolean, and a list of one its entry."""
    for name, schema in definition.get("properties", {}).items():
        schema.pop("default", None)
        definition["properties"][name] = _with_variable(schema)


def _with_variable(schema: dict[str, Any]) -> dict[str, Any]:
    description = schema.pop("description", None)
    options = [_inner(option) for option in schema.pop("anyOf", [schema])]
    options += [entry for option in options for entry in _entries(option) if entry not in options]
    if not any(option == {} or option.get("type") == _SCALARS for option in options):
        options.append({"$ref": "#/$defs/Variable"})
    softened: dict[str, Any] = {"anyOf": options}
    return softened if description is None else {"description": description, **softened}


def _entries(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what an entry of a list may be that also stands for the list: `rate: rate(5 minutes)`."""
    if schema.get("type") != "array" or not schema.get("items"):
        return []
    entries = schema["items"]["anyOf"]
    return [entry for entry in entries if entry.get("type") not in ("object", "null") and "$ref" not in entry]


def _inner(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") == "array" and schema.get("items"):
        return {**schema, "items": _with_variable(dict(schema["items"]))}
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        inner = schema["additionalProperties"]
        return {**schema, "additionalProperties": _with_variable(dict(inner)) if inner else True}
    if schema.get("type") == "string" and not {"enum", "pattern", "maxLength"} & schema.keys():
        return {**schema, "type": _SCALARS}
    return schema


def _refine(
    definitions: dict[str, Any],
    requirements: dict[str, Any],
    role: dict[str, Any],
    throttle: dict[str, Any],
    jwks: dict[str, Any],
    alarms: dict[str, Any],
) -> None:
    """Add what the types do not say."""
    account = {"type": ["string", "integer"], "pattern": r"^\d{12}$"}
    file = definitions["ServerlessKeys"]
    file["required"] = ["service", "provider"]
    properties = file["properties"]
    properties["service"]["anyOf"].append({"type": "object", "required": ["name"]})
    properties["custom"] = {
        "description": properties["custom"]["description"],
        "type": ["object", "null", "string"],
        "properties": {
            "pythonRequirements": {"anyOf": [requirements, {"$ref": "#/$defs/Variable"}, {"type": "null"}]},
            "bareboat": {
                "type": ["object", "null"],
                "description": "bareboat's own settings.",
                "properties": {
                    "slim": {
                        "description": "How much of the dependencies is left out.",
                        "anyOf": [{"enum": [*LEVELS, None]}, {"$ref": "#/$defs/Variable"}],
                    },
                    "proof": {
                        "description": "Whether samples are run to prove that slimmed packages answer as whole ones.",
                        "anyOf": [{"type": ["boolean", "null"]}, {"$ref": "#/$defs/Variable"}],
                    },
                    "accounts": {
                        "description": "The AWS accounts that it may be deployed to: one, a list, or by stage.",
                        "anyOf": [
                            account,
                            {"type": "array", "items": account},
                            {
                                "type": "object",
                                "additionalProperties": {"anyOf": [account, {"type": "array", "items": account}]},
                            },
                            {"$ref": "#/$defs/Variable"},
                            {"type": "null"},
                        ],
                    },
                    "canary": {
                        "description": "How new versions are tried: a share of the calls and a time, such as 10%/5m.",
                        "type": ["string", "boolean", "null"],
                    },
                    "keep": {
                        "description": "How many versions rollback can go back to stay beside the live one.",
                        "anyOf": [{"type": ["integer", "null"], "minimum": 0}, {"$ref": "#/$defs/Variable"}],
                    },
                    "bucketOwner": {
                        "description": "The account that owns the bucket of provider.deploymentBucket.",
                        "anyOf": [account, {"$ref": "#/$defs/Variable"}, {"type": "null"}],
                    },
                    "alarms": {
                        "description": "Who is told of errors, throttles and spend: true, or a mapping.",
                        "anyOf": [alarms, {"type": ["boolean", "null"]}, {"$ref": "#/$defs/Variable"}],
                    },
                    "throttle": {
                        "description": "Limits of each API, and of routes: {rate, burst, routes}.",
                        "anyOf": [throttle, {"$ref": "#/$defs/Variable"}, {"type": "null"}],
                    },
                    "stageVariables": {
                        "description": "For event.stageVariables.",
                        "type": ["object", "null", "string"],
                    },
                    "openapi": {
                        "description": "An OpenAPI document whose routes are events of functions.",
                        "anyOf": [
                            {"type": ["string", "null"]},
                            {
                                "type": "object",
                                "properties": {"file": {"type": "string"}, "api": {"enum": ["http", "rest"]}},
                                "required": ["file"],
                                "additionalProperties": False,
                            },
                        ],
                    },
                    "domains": {
                        "description": "stack: custom.customDomain is made by the stack; else it is left alone.",
                        "anyOf": [{"enum": ["stack", "outside", None]}, {"$ref": "#/$defs/Variable"}],
                    },
                    "jwks": {
                        "description": "The keys of JWT authorizers by name: a file, an address, or a mapping.",
                        "type": ["object", "null", "string"],
                        "additionalProperties": {"anyOf": [{"type": "string"}, jwks]},
                    },
                },
            },
        },
    }
    for name in ("functions", "resources"):
        mapping = next(
            option for option in properties[name]["anyOf"] if option.get("type") == "object" or "$ref" in option
        )
        properties[name]["anyOf"].append({"type": "array", "items": {"anyOf": [mapping, {"$ref": "#/$defs/Variable"}]}})
    definitions["ProviderKeys"]["properties"]["name"] = {"const": "aws", "description": "aws."}
    properties["provider"]["anyOf"].append({"const": "aws"})
    definitions["IamKeys"]["properties"]["role"]["anyOf"] = [
        {"type": "string"},
        role,
        {
            "type": "object",
            "maxProperties": 1,
            "patternProperties": {"^(Ref|Fn::.*)$": True},
            "additionalProperties": False,
        },
        {"type": "null"},
    ]
    definitions["EventKeys"].update(minProperties=1, maxProperties=1)
    definitions["FunctionKeys"]["oneOf"] = [{"required": [key]} for key in ("handler", "model", "models", "image")]
    runtime = {"anyOf": [{"enum": [*reversed(LIVE), *RETIRED]}, {"$ref": "#/$defs/Variable"}, {"type": "null"}]}
    for name in ("ProviderKeys", "FunctionKeys"):
        described = definitions[name]["properties"]["runtime"]["description"]
        definitions[name]["properties"]["runtime"] = {"description": described, **runtime}
