"""`request.parameters` and `request.schemas` of a method -> what is wrong with a request to it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from bareboat.errors import LocalError
from bareboat.local import patterns
from bareboat.local.patterns import PatternTooSlowError
from bareboat.local.rest.call import RestCall
from bareboat.local.rest.schema import draft_4
from bareboat.service.api import RequestRules, Schema
from bareboat.service.triggers import HttpEvent

MODEL = re.compile(r"(?:https?://[^/]+)?/?restapis/[^/]*/models/([A-Za-z0-9]+)\Z")
Complain = Callable[[Any], str]  # a document -> what is wrong with it; "" when nothing is
ANY_TYPE = "$default"


class Invalid(NamedTuple):
    """Why a request is refused: the kind of gateway response, its message, and what the schema said."""

    kind: str
    message: str
    details: str = ""


class Validator:
    """What a method demands of a request.

    Args:
        required: `header.NAME`, `path.NAME`, `querystring.NAME`.
        schemas: by content type.
    Source:
        Parameters come before the body, and are named by place and name in alphabetical order (recorded, as the words
        are, docs/local-rest-api.md). AWS's guide: a blank one counts as missing; a body whose type has no model is not
        looked at, unless there is a model for `$default`.
    """

    __slots__ = ("_required", "_schemas")

    def __init__(self, required: Iterable[str], schemas: Mapping[str, Complain]) -> None:
        self._required = sorted(required)
        self._schemas = schemas

    def check(self, call: RestCall) -> Invalid | None:
        """Return what is wrong with a request; None when nothing is."""
        if self._required:
            missing = self._missing(call)
            if missing:
                return Invalid("BAD_REQUEST_PARAMETERS", f"Missing required request parameters: [{', '.join(missing)}]")
        if self._schemas:
            complain = self._schemas.get(_content_type(call)) or self._schemas.get(ANY_TYPE)
            if complain is not None:
                details = _read(call.request.body, complain)
                if details:
                    return Invalid("BAD_REQUEST_BODY", "Invalid request body", details)
        return None

    def _missing(self, call: RestCall) -> list[str]:
        headers: dict[str, str] | None = None
        query: dict[str, list[str]] | None = None
        missing = []
        for parameter in self._required:
            place, _, name = parameter.partition(".")
            if place == "path":
                found = call.parameters.get(name, "")
            elif place == "header":
                if headers is None:
                    headers = {sent.lower(): value for sent, value in call.request.headers}
                found = headers.get(name.lower(), "")
            else:
                if query is None:
                    query = call.query()
                found = (query.get(name) or [""])[-1]
            if not found:
                missing.append(name)
        return missing


def make_validators(events: Iterable[HttpEvent]) -> dict[str, Validator]:
    """Return the validators of methods, by their keys; a method that demands nothing has none.

    Raises:
        LocalError: a model refers to what is no model, or is no JSON schema of draft 4.
    """
    demanding = {event.route_key: event.rules for event in events if event.rules.schemas or _required(event.rules)}
    if not demanding:
        return {}
    models = {schema.name: schema for rules in demanding.values() for schema in rules.schemas if schema.name}
    made: dict[int, Complain] = {}
    validators = {}
    for key, rules in demanding.items():
        for schema in rules.schemas:
            if id(schema) not in made:
                made[id(schema)] = _compile(schema, models)
        compiled = {schema.content_type.lower(): made[id(schema)] for schema in rules.schemas}
        validators[key] = Validator(_required(rules), compiled)
    return validators


def _required(rules: RequestRules) -> list[str]:
    return [name for name, required in rules.parameters.items() if required]


def _content_type(call: RestCall) -> str:
    found = ""
    for name, value in call.request.headers:
        if len(name) == 12 and name.lower() == "content-type":
            found = value.partition(";")[0].strip().lower()  # the last, as in the event
    return found or "application/json"


def _read(body: bytes, complain: Complain) -> str:
    if not body.strip():
        return complain({})  # no body is an empty object (recorded: it fails where something is required)
    patterns.begin()
    try:
        return complain(json.loads(body.decode(), parse_constant=_no_number))
    except (
        ValueError,
        OverflowError,
        PatternTooSlowError,
        re.error,
    ) as error:  # numbers too large to compute with among them
        return f"[{error}]"
    except RecursionError:
        return "[the body is nested too deeply]"


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _compile(schema: Schema, models: Mapping[str, Schema]) -> Complain:
    from jsonschema.exceptions import SchemaError, best_match
    from referencing import Registry, Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT4

    where = str(schema.where)
    document = _renamed(schema.schema, models, where)
    Draft4Validator = draft_4()  # noqa: N806 - a class
    try:
        Draft4Validator.check_schema(document)
    except SchemaError as error:
        raise LocalError(
            f"the model for {schema.content_type} is no JSON schema: {error.message}",
            expected="JSON Schema, draft 4, which is what API Gateway reads",
            where=where,
        ) from error
    known: dict[str, Any] = {}
    waiting = [document]
    while waiting:  # what the models refer to, and what those refer to
        for name in _names(waiting.pop()):
            if name not in known:
                known[name] = _renamed(models[name].schema, models, str(models[name].where))
                waiting.append(known[name])
    resources = [(_uri(name), Resource.from_contents(of, default_specification=DRAFT4)) for name, of in known.items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    validator = Draft4Validator(document, registry=registry, format_checker=Draft4Validator.FORMAT_CHECKER)

    def complain(body: Any) -> str:
        error = best_match(validator.iter_errors(body))
        return "" if error is None else f"[{error.json_path}: {error.message}]"

    for reference in _local_references(document):
        try:
            registry.resolver_with_root(Resource.from_contents(document, default_specification=DRAFT4)).lookup(
                reference
            )
        except Unresolvable as error:
            raise LocalError(
                f"a model refers to {reference}, which it does not have", expected="a place in the model", where=where
            ) from error
    return complain


def _uri(name: str) -> str:
    return f"model:{name}"


def _renamed(schema: Any, models: Mapping[str, Schema], where: str) -> Any:
    """Return a schema whose references to other models of the API name those alone.

    Raises:
        LocalError: a reference is neither to a model of the API nor within the schema.
    """
    if isinstance(schema, Mapping):
        renamed = {
            name: _renamed(value, models, where)
            for name, value in schema.items()
            if name != "$schema" or not isinstance(value, str)  # all of it is draft 4, and read by `draft_4`
        }
        reference = schema.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            found = MODEL.search(reference)
            if found is None or found[1] not in models:
                raise LocalError(
                    f"a model refers to {reference}",
                    expected="a place in the model itself, or https://apigateway.amazonaws.com/restapis/ID/models/NAME"
                    f" with the name of a model that a method uses ({', '.join(sorted(models)) or 'there are none'})",
                    where=where,
                )
            renamed["$ref"] = _uri(found[1])
        return renamed
    if isinstance(schema, list | tuple):
        return [_renamed(value, models, where) for value in schema]
    return schema


def _references(schema: Any) -> Iterable[str]:
    if isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _names(schema: Any) -> list[str]:
    return [reference.removeprefix("model:") for reference in _references(schema) if reference.startswith("model:")]


def _local_references(schema: Any) -> list[str]:
    return [reference for reference in _references(schema) if reference.startswith("#")]
