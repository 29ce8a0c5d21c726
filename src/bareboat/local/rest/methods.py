"""The `http` events of a service -> the methods of its REST API, and the OPTIONS that CORS adds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bareboat.errors import LocalError
from bareboat.local.addresses import digest_id
from bareboat.local.gateway.routes import Route, RouteTable
from bareboat.local.rest.preflight import Preflight
from bareboat.local.rest.validation import Validator, make_validators
from bareboat.service.model import Service
from bareboat.service.triggers import HttpEvent


@dataclass(frozen=True, slots=True)
class Method(Route):
    """One method of a REST API. `function` is "" for the OPTIONS of CORS, which no function answers.

    Args:
        event: what serverless.yml says of it; None for the OPTIONS of CORS.
        resource_id: six characters, the same for each method of a path.
        validator: None where anything may be sent.
        preflight: what the OPTIONS of CORS answers.
    """

    event: HttpEvent | None = None
    resource_id: str = ""
    validator: Validator | None = None
    preflight: Preflight | None = None


def rest_table(service: Service) -> RouteTable[Method]:
    """Return the methods of a service's REST API, ready to be asked.

    Raises:
        LocalError: two methods are the same, a path is none that API Gateway takes, a model cannot be read.
    """
    return RouteTable(rest_methods(service), decode=False, empty_greedy=False)


def rest_methods(service: Service) -> tuple[Method, ...]:
    """Return the methods of the service's `http` events, in the order of serverless.yml, then those of CORS.

    Raises:
        LocalError: two path variables stand in the same place, or a model cannot be read.
    """
    events = [
        (function, event)
        for function in service.functions.values()
        for event in function.events
        if isinstance(event, HttpEvent)
    ]
    validators = make_validators(event for _, event in events)
    methods = [
        Method(
            event.route_key,
            event.method,
            event.path,
            function.name,
            timeout_s=function.timeout_s,
            where=str(event.where),
            event=event,
            resource_id=resource_id(event.path),
            validator=validators.get(event.route_key),
        )
        for function, event in events
    ]
    _refuse_siblings(methods)
    return (*methods, *_preflights(methods))


def resource_id(path: str) -> str:
    """Return six characters that name a resource as AWS's ids do, the same for the same path."""
    return digest_id(path, 6)


def _preflights(methods: list[Method]) -> Iterable[Method]:
    explicit = {method.path for method in methods if method.method == "OPTIONS"}
    cors = {method.path: method.event.cors for method in methods if method.event is not None and method.event.cors}
    for path, of_resource in cors.items():  # the methods of a resource have the same, joined when the file was read
        if path not in explicit:
            yield Method(
                f"OPTIONS {path}",
                "OPTIONS",
                path,
                "",
                resource_id=resource_id(path),
                preflight=Preflight(of_resource),
            )


def _refuse_siblings(methods: list[Method]) -> None:
    """Refuse two path variables beside each other, which AWS does when the API is made (recorded)."""
    variables: dict[str, tuple[str, Method]] = {}
    for method in methods:
        segments = method.path.split("/")
        for at, segment in enumerate(segments):
            if segment.startswith("{"):
                parent = "/".join(segments[:at])
                name, other = variables.setdefault(parent, (segment, method))
                if name != segment:
                    raise LocalError(
                        f"{method.key} has {segment} where {other.key} has {name}; a REST API takes one path variable"
                        " in a place",
                        expected=f"the same name in both, such as {name}",
                        fix="rename one of them",
                        where=method.where,
                    )
