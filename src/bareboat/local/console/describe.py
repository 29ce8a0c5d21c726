"""A cloud -> what the page must know of its service: routes, functions, what requests hold."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from bareboat import __version__
from bareboat.local.console.source import Cloud
from bareboat.service.api import Authorizer, IamAuthorizer, JwtAuthorizer, LambdaAuthorizer
from bareboat.service.model import Function, Service
from bareboat.service.triggers import HttpApiEvent, HttpEvent, ScheduleEvent, SourceEvent

_PARAMETER = re.compile(r"\{([^{}]+?)(\+?)\}")
_MOST_EXAMPLES = 20
_LARGEST_EXAMPLE = 100_000


class Described:
    """Describes the service once a generation."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._of: tuple[Service, asyncio.Future[dict[str, Any]]] | None = None

    async def service(self) -> dict[str, Any]:
        """Return the description of the service that serves now."""
        service = self._cloud.service
        if self._of is None or self._of[0] is not service:
            made = asyncio.ensure_future(asyncio.to_thread(describe, service, self._manifests()))
            self._of = (service, made)
        described = await asyncio.shield(self._of[1])
        return {**described, "doors": [one._asdict() for one in self._cloud.addresses]}

    def _manifests(self) -> dict[str, Mapping[str, Any]]:
        return {name: artifact.manifest for name, artifact in self._cloud.artifacts.items()}


def describe(service: Service, manifests: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the page shows of a service.

    Args:
        manifests: of the functions' artifacts.
    """
    provider = service.provider
    keys = provider.rest_api.keys
    return {
        "name": service.name,
        "stage": provider.stage,
        "region": provider.region,
        "version": __version__,
        "file": service.path.name,
        "functions": [
            _function(service, one, manifests.get(one.name, {}).get("signature", {}).get(one.name))
            for one in service.functions.values()
        ],
        "routes": [route for one in service.functions.values() for route in _routes(one)],
        "triggers": [trigger for one in service.functions.values() for trigger in _triggers(one)],
        "keys": [{"name": key.name or f"key {number + 1}", "plan": key.plan} for number, key in enumerate(keys)],
    }


def _function(service: Service, function: Function, signature: Mapping[str, Any] | None) -> dict[str, Any]:
    from bareboat.artifact.proof.events import sample_events
    from bareboat.artifact.samples import sample_documents

    events = [
        {"name": sample.name, "text": sample.event[:_LARGEST_EXAMPLE]}
        for sample in sample_events(service, function)[:_MOST_EXAMPLES]
        if sample.event
    ]
    return {
        "name": function.name,
        "description": function.description,
        "runtime": f"python{function.python}",
        "handler": function.handler or "",
        "memory_mb": function.memory_mb,
        "timeout_s": function.timeout_s,
        "concurrency": function.reserved_concurrency,
        "protocol": function.protocol,
        "wrapped": function.before is not None,
        "models": _models(signature),
        "default": "" if signature is None else str(signature.get("default", "")),
        "rows": list(sample_documents(function)[:_MOST_EXAMPLES]) if signature is not None else [],
        "events": events,
        "url": None if function.url is None else {"auth": function.url.auth},
    }


def _models(signature: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return for each model what a row holds, in its newest version."""
    from bareboat.artifact.schemas import row_schema

    if signature is None:
        return []
    found = []
    for name, versions in signature.get("models", {}).items():
        version, document = next(iter(versions.items()))
        about = document.get("model", {})
        found.append(
            {
                "name": name,
                "version": version,
                "engine": document.get("engine", ""),
                "kind": document.get("kind", ""),
                "labels": _labels(document),
                "about": {key: about[key] for key in ("source", "objective", "trees") if key in about},
                "row": row_schema(document),
            }
        )
    return found


def _labels(document: Mapping[str, Any]) -> list[Any]:
    outputs = document.get("outputs", ())
    return next((list(each["enum"]) for each in outputs if each.get("name") == "label" and each.get("enum")), [])


def _routes(function: Function) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for event in function.events:
        if isinstance(event, HttpApiEvent):
            api, private, rules = "httpApi", False, None
        elif isinstance(event, HttpEvent):
            api, private, rules = "http", event.private, event.rules
        else:
            continue
        parameters = [{"name": name, "greedy": bool(greedy)} for name, greedy in _PARAMETER.findall(event.path)]
        needed = {} if rules is None else rules.parameters
        found.append(
            {
                "id": f"{api} {event.route_key}",
                "api": api,
                "key": event.route_key,
                "method": "ANY" if event.method == "*" else event.method,
                "path": event.path,
                "function": function.name,
                "access": access(event.authorizer, private=private, scopes=event.scopes),
                "parameters": parameters,
                "query": [key.partition(".")[2] for key in needed if key.startswith("querystring.")],
                "headers": [key.partition(".")[2] for key in needed if key.startswith("header.")],
                "schema": next((dict(each.schema) for each in rules.schemas), None) if rules is not None else None,
                "where": str(event.where),
            }
        )
    if function.url is not None:
        found.append(
            {
                "id": f"url {function.name}",
                "api": "url",
                "key": f"ANY {function.name}",
                "method": "ANY",
                "path": "/",
                "function": function.name,
                "access": access(
                    IamAuthorizer(function.url.where) if function.url.auth == "AWS_IAM" else None,
                    private=False,
                    scopes=(),
                ),
                "parameters": [],
                "query": [],
                "headers": [],
                "schema": None,
                "where": str(function.url.where),
            }
        )
    return found


def access(authorizer: Authorizer | None, *, private: bool, scopes: tuple[str, ...]) -> dict[str, Any]:
    """Return what a route demands of its callers; `kind` is "open" where that is nothing."""
    kind, name = "open", ""
    sources: tuple[str, ...] = ()
    if isinstance(authorizer, JwtAuthorizer):
        kind, name = ("cognito" if authorizer.cognito else "jwt"), authorizer.name
        sources = (authorizer.identity_source,)
    elif isinstance(authorizer, LambdaAuthorizer):
        kind, name, sources = "lambda", authorizer.name, authorizer.identity_sources
    elif isinstance(authorizer, IamAuthorizer):
        kind, name = "iam", authorizer.name
    if private and kind == "open":
        kind = "key"
    return {
        "kind": kind,
        "name": name,
        "private": private,
        "scopes": list(scopes),
        "sources": [source for source in sources if source],
        "function": authorizer.function if isinstance(authorizer, LambdaAuthorizer) else "",
    }


def _triggers(function: Function) -> list[dict[str, Any]]:
    """Return what calls a function besides requests."""
    found = []
    for event in function.events:
        if isinstance(event, ScheduleEvent):
            found.append({"kind": "schedule", "title": ", ".join(event.rates), "function": function.name})
        elif isinstance(event, SourceEvent):
            found.append({"kind": event.kind, "title": event.name or event.kind, "function": function.name})
    return found
