"""What a stage has: variables and limits, from `custom` and from `resources`.

They have several homes: bareboat's own keys, the plugins that people use, and overrides of Serverless's own resources.
The first of them that says something of a stage or a route wins, in that order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bareboat.service.api import Throttle
from bareboat.service.api_keys import ACCOUNT_BURST, ACCOUNT_RATE
from bareboat.service.check import Checker
from bareboat.service.intrinsics import text_of
from bareboat.service.keys.apis import StageThrottleKeys, ThrottleKeys, ThrottlingKeys
from bareboat.service.nodes import Node, plain
from bareboat.service.problems import listed, nearest
from bareboat.service.report import Report

_REST_STAGE, _HTTP_STAGE = "AWS::ApiGateway::Stage", "AWS::ApiGatewayV2::Stage"


class Limits(NamedTuple):
    """The limits of one API: of its stage, and of routes by their key."""

    stage: Throttle | None
    routes: Mapping[str, Throttle]


class Stage(NamedTuple):
    """What a stage of one API has."""

    variables: Mapping[str, str]
    limits: Limits


def throttle(rate: Any, burst: Any, under: Throttle | None = None) -> Throttle | None:
    """Return a limit whose missing half is the stage's, or the account's; None where nothing is said."""
    if rate is None and burst is None:
        return None
    rate = (under.rate if under else ACCOUNT_RATE) if rate is None else rate
    burst = (under.burst if under else ACCOUNT_BURST) if burst is None else burst
    return Throttle(float(rate), int(burst))


def throttle_of_plugin(keys: ThrottlingKeys | None, under: Throttle | None = None) -> Throttle | None:
    """Return what serverless-api-gateway-throttling says of a route; `disabled` is the account's limit.

    Args:
        under: the stage's limit, for what is not said.
    """
    if keys is None:
        return None
    if keys.disabled:
        return Throttle(ACCOUNT_RATE, ACCOUNT_BURST)
    return throttle(keys.max_requests_per_second, keys.max_concurrent_requests, under)


class StageReader:
    """Reads variables and limits of both APIs.

    Args:
        tree: the file.
        pseudo: CloudFormation's pseudo parameters that are known.
    """

    def __init__(self, tree: Node, pseudo: Mapping[str, str], checker: Checker, report: Report) -> None:
        self.tree = tree
        self.pseudo = pseudo
        self.checker = checker
        self.report = report
        node = tree.get("custom", "bareboat", "throttle")
        self.own: StageThrottleKeys | None = None
        if node is not None and not node.state:
            said = checker.convert(node, StageThrottleKeys, "custom.bareboat.throttle")
            self.own = said if isinstance(said, StageThrottleKeys) else None
        plugin = tree.get("custom", "apiGatewayThrottling")
        self.plugin: ThrottlingKeys | None = None
        if plugin is not None and not plugin.state:
            said = checker.convert(plugin, ThrottlingKeys, "custom.apiGatewayThrottling")
            self.plugin = said if isinstance(said, ThrottlingKeys) else None
        self._shown: set[str] = set()

    def rest(self, routes: Mapping[str, Throttle | None]) -> Stage:
        """Return the REST API's stage; `routes` are its methods, with the limit that each event has."""
        methods: dict[str, Throttle] = {}
        stage = self._settings_of_stage()
        for settings, path in self._method_settings():
            stage = self._method_setting(settings, path, routes, stage, methods)
        variables = self._variables(
            [
                ("custom.bareboat.stageVariables", self.tree.get("custom", "bareboat", "stageVariables")),
                ("custom.stageSettings.Variables", self.tree.get("custom", "stageSettings", "Variables")),
                ("custom.stageVariables", self.tree.get("custom", "stageVariables")),
                *((f"{path}.{key}", node.get(key)) for node, path in self._rest_stages() for key in ("Variables",)),
            ]
        )
        return Stage(variables, self._limits(stage, methods, routes))

    def http(self, routes: Mapping[str, Throttle | None]) -> Stage:
        """Return the HTTP API's stage; `routes` are its routes, with the limit that each event has."""
        stage: Throttle | None = None
        found: dict[str, Throttle] = {}
        homes = [("custom.bareboat.stageVariables", self.tree.get("custom", "bareboat", "stageVariables"))]
        for node, path in self._resources(_HTTP_STAGE, "HttpApiStage"):
            homes.append((f"{path}.StageVariables", node.get("StageVariables")))
            default = node.get("DefaultRouteSettings")
            stage = stage or self._setting(default, f"{path}.DefaultRouteSettings", None)
            settings = node.get("RouteSettings") or Node({}, node.place)
            for key, child in settings.items():
                if key not in routes:
                    self._unknown_route(key, settings, f"{path}.RouteSettings", list(routes))
                limit = self._setting(child, f"{path}.RouteSettings.{key}", stage)
                if limit is not None:
                    found.setdefault(key, limit)
        return Stage(self._variables(homes), self._limits(stage, found, routes))

    def _limits(
        self, stage: Throttle | None, found: dict[str, Throttle], routes: Mapping[str, Throttle | None]
    ) -> Limits:
        if self.plugin is not None:
            stage = throttle_of_plugin(self.plugin) or stage
        if self.own is not None:
            stage = throttle(self.own.rate, self.own.burst, stage) or stage
        limits = dict(found)
        limits.update({key: limit for key, limit in routes.items() if limit is not None})
        node = self.tree.get("custom", "bareboat", "throttle", "routes")
        own: dict[str, ThrottleKeys] = (self.own.routes or {}) if self.own is not None else {}
        for key, each in own.items():
            limit = throttle(each.rate, each.burst, stage) if each is not None else None
            if key in routes and limit is not None:
                limits[key] = limit
                self.report.value(
                    f"custom.bareboat.throttle.routes.{key}",
                    f"{limit.rate:g} a second, {limit.burst} at once",
                    str(node.key_place(key)) if node is not None else "",
                )
        return Limits(stage, limits)

    def check(self, routes: list[str]) -> None:
        """Note limits of bareboat's own for routes that neither API has."""
        node = self.tree.get("custom", "bareboat", "throttle", "routes")
        for key, _ in node.items() if node is not None else ():
            if key not in routes:
                assert node is not None
                self._unknown_route(key, node, "custom.bareboat.throttle.routes", routes)

    def _unknown_route(self, key: str, node: Node, path: str, routes: list[str]) -> None:
        near = nearest(key, routes)
        self.report.problems.add(
            node.key_place(key),
            f"{path} has the route '{key}'",
            expected=f"one of {listed(routes)}" if routes else "a route of this service",
            fix=f"write '{near}'" if near else "",
        )

    def _resources(self, kind: str, logical_id: str) -> Iterator[tuple[Node, str]]:
        """Yield the properties of resources of a type, and of what extends Serverless's own of that name."""
        for section in ("extensions", "Resources"):
            node = self.tree.get("resources", section)
            for name, child in node.items() if node is not None else ():
                said = child.get("Type")
                if name.startswith(logical_id) or (said is not None and said.value == kind):
                    properties = child.get("Properties")
                    if properties is not None and properties.is_mapping:
                        yield properties, f"resources.{section}.{name}.Properties"

    def _rest_stages(self) -> Iterator[tuple[Node, str]]:
        yield from self._resources(_REST_STAGE, "ApiGatewayStage")
        for node, path in self._resources("AWS::ApiGateway::Deployment", "ApiGatewayDeployment"):
            described = node.get("StageDescription")
            if described is not None and described.is_mapping:
                yield described, f"{path}.StageDescription"

    def _settings_of_stage(self) -> Throttle | None:
        for node, path in self._rest_stages():
            found = self._setting(node, path, None)
            if found is not None:
                return found
        return None

    def _method_settings(self) -> Iterator[tuple[Node, str]]:
        """Yield the entries of MethodSettings; serverless-api-stage has one mapping for all methods."""
        homes = [(self.tree.get("custom", "stageSettings"), "custom.stageSettings"), *self._rest_stages()]
        for node, path in homes:
            settings = node.get("MethodSettings") if node is not None else None
            if settings is None:
                continue
            for entry in settings.value if isinstance(settings.value, list) else [settings]:
                if entry.is_mapping:
                    yield entry, f"{path}.MethodSettings"

    def _method_setting(
        self,
        node: Node,
        path: str,
        routes: Mapping[str, Throttle | None],
        stage: Throttle | None,
        methods: dict[str, Throttle],
    ) -> Throttle | None:
        """Take one entry in; return the stage's limit, which an entry for `/*` and `*` gives."""
        limit = self._setting(node, path, stage)
        if limit is None:
            return stage
        resource, method = (_text(node, key) for key in ("ResourcePath", "HttpMethod"))
        resource = ("/" + resource.replace("~1", "/").lstrip("/")) if resource else "/*"
        method = (method or "*").upper()
        if resource == "/*" and method == "*":
            return stage or limit
        keys = [
            key
            for key in routes
            if (resource in ("/*", key.partition(" ")[2])) and method in ("*", key.partition(" ")[0])
        ]
        if not keys:
            self.report.warn(f"{path}: no method is {method} {resource}; its limit holds for nothing", node.place)
        for key in keys:
            methods.setdefault(key, limit)
        return stage

    def _setting(self, node: Node | None, path: str, under: Throttle | None) -> Throttle | None:
        if node is None or not node.is_mapping:
            return None
        numbers = []
        for key in ("ThrottlingRateLimit", "ThrottlingBurstLimit"):
            child = node.get(key)
            value = child.value if child is not None else None
            if child is not None and isinstance(value, str) and value.strip().isdigit():
                value = int(value)
            if child is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0):
                if child.is_mapping or child.state:
                    self.report.warn(
                        f"{path}.{key} is known only after a deployment; it does not hold here", child.place
                    )
                else:
                    self.report.problems.add(
                        child.place, f"{path}.{key} is {plain(child)!r}", expected="a number, 0 or more"
                    )
                value = None
            numbers.append(value)
        return throttle(numbers[0], numbers[1], under)

    def _variables(self, homes: list[tuple[str, Node | None]]) -> dict[str, str]:
        found: dict[str, str] = {}
        for path, node in homes:
            if node is not None and not node.is_mapping and not node.state:
                self.report.problems.add(node.place, f"{path} is no mapping", expected="NAME: text")
                continue
            for name, child in node.items() if node is not None else ():
                if name in found or child.value is None:
                    continue
                text, whole = text_of(plain(child), self.pseudo)
                if not whole:
                    self.report.warn(
                        f"{path}.{name} is known only after a deployment; locally it is {text}", child.place
                    )
                found[name] = text
                if f"{path}.{name}" not in self._shown:  # both APIs have bareboat's own
                    self._shown.add(f"{path}.{name}")
                    self.report.value(f"{path}.{name}", text, child)
        return found


def _text(node: Node, key: str) -> str:
    child = node.get(key)
    return child.value if child is not None and isinstance(child.value, str) else ""
