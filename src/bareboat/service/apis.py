"""The two APIs of a service, read around its functions: first what routes ask for, then what the routes make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bareboat.service.api import Authorizer, Throttle
from bareboat.service.authorizer_functions import Surroundings
from bareboat.service.check import Checker
from bareboat.service.http_api import PATH as HTTP_PATH
from bareboat.service.http_api import check_cors, http_api_of, show_cors, with_routes
from bareboat.service.jwks import check_jwks, jwks_of
from bareboat.service.keys.file import ServerlessKeys
from bareboat.service.keys.provider import ProviderKeys
from bareboat.service.model import Function, Provider
from bareboat.service.nodes import Node
from bareboat.service.report import Report
from bareboat.service.resource_policy import check_policy
from bareboat.service.rest_api import check_private, rest_api_of, shared_schemas, timeout_of, with_stage
from bareboat.service.rest_events import RestSurroundings, with_shared_cors
from bareboat.service.route_checks import check_routes
from bareboat.service.shared_apis import check_apis
from bareboat.service.stages import StageReader, throttle_of_plugin
from bareboat.service.triggers import HttpApiEvent, HttpEvent


class ApiReader:
    """Reads both APIs of one file.

    Args:
        keys, tree: the file, checked and with its places.
        prefix: of functions' names on AWS, `service-stage-`.
        pseudo: CloudFormation's pseudo parameters that are known.
    """

    def __init__(
        self,
        keys: ServerlessKeys,
        tree: Node,
        prefix: str,
        pseudo: Mapping[str, str],
        folder: Path,
        checker: Checker,
        report: Report,
    ) -> None:
        self.tree = tree
        self.checker = checker
        self.report = report
        self.keys = keys.provider or ProviderKeys()
        self.node = tree.get("provider") or Node({}, tree.place)
        self.jwks_node = tree.get("custom", "bareboat", "jwks")
        names = {
            name: (each.name if each is not None and each.name else f"{prefix}{name}")
            for name, each in (keys.functions or {}).items()
        }
        self.around = Surroundings(names, pseudo, jwks_of(self.jwks_node, folder, checker, report))
        self.stages = StageReader(tree, pseudo, checker, report)
        self.rest = RestSurroundings(
            self.around,
            shared_schemas(self.keys, self.node, report),
            timeout_of(self.keys),
            throttle_of_plugin(self.stages.plugin),
        )

    def provider(self, provider: Provider) -> Provider:
        """Return the provider with both APIs, as far as they are known without routes."""
        node = self.node.get("httpApi")
        http_api = http_api_of(self.keys.http_api, node, self.around, self.report)
        check_cors(http_api.cors, node.get("cors") if node else None, f"{HTTP_PATH}.cors", self.report)
        rest_api = rest_api_of(self.keys, self.tree, self.checker, self.report)
        return replace(provider, http_api=http_api, rest_api=rest_api)

    def with_routes(
        self, provider: Provider, functions: Mapping[str, Function]
    ) -> tuple[Provider, dict[str, Function]]:
        """Return the provider with what its routes make of the APIs, and the functions with CORS joined by path."""
        check_routes(
            [
                (name, event)
                for name, function in functions.items()
                for event in function.events
                if isinstance(event, (HttpApiEvent, HttpEvent))
            ],
            self.report,
        )
        joined = _with_cors(functions)
        events = [event for function in joined.values() for event in function.events]
        http_routes = [event for event in events if isinstance(event, HttpApiEvent)]
        methods = [event for event in events if isinstance(event, HttpEvent)]
        stages = self.stages
        http_api = with_routes(provider.http_api, http_routes, stages.http(_limits(http_routes)))
        rest_api = with_stage(provider.rest_api, stages.rest(_limits(methods)))
        stages.check([*_limits(http_routes), *_limits(methods)])
        node = self.node.get("httpApi")
        show_cors(http_api.cors, node.get("cors") if node else None, f"{HTTP_PATH}.cors", self.report)
        check_private(rest_api, methods, self.report)
        check_apis(self.node, http_routes, self.report)
        said = self.node.get("apiGateway", "resourcePolicy") or self.node.get("resourcePolicy") or self.node
        check_policy(rest_api, methods, provider.stage, said.place, self.report)
        used: dict[str, Authorizer] = dict(http_api.authorizers)
        used.update({event.authorizer.name: event.authorizer for event in methods if event.authorizer is not None})
        check_jwks(self.jwks_node, self.around.jwks, used, self.report)
        return replace(provider, http_api=http_api, rest_api=rest_api), joined


def _limits(events: list[HttpApiEvent] | list[HttpEvent]) -> dict[str, Throttle | None]:
    return {event.route_key: event.throttle for event in events}


def _with_cors(functions: Mapping[str, Function]) -> dict[str, Function]:
    """Return the functions; methods of one resource have its CORS, which is what all of them say."""
    places = [
        (name, index, event)
        for name, function in functions.items()
        for index, event in enumerate(function.events)
        if isinstance(event, HttpEvent)
    ]
    joined = with_shared_cors([event for _, _, event in places])
    found = dict(functions)
    for number, event in joined.items():
        name, index, _ = places[number]
        events = list(found[name].events)
        events[index] = event
        found[name] = replace(found[name], events=tuple(events))
    return found
