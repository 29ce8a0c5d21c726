"""`functions.NAME` -> Function, with what it inherits from the provider filled in."""

from __future__ import annotations

import re
from typing import Any, get_args

from bareboat.service import modules, runtimes
from bareboat.service.check import checked_value, known_keys
from bareboat.service.draft import Context
from bareboat.service.environment import display, variables_of
from bareboat.service.events import EventSurroundings, events_of
from bareboat.service.function_urls import function_url
from bareboat.service.keys.functions import FunctionKeys
from bareboat.service.layer import LayerRef
from bareboat.service.layers import references
from bareboat.service.model import Architecture, Function, ModelFile, Place
from bareboat.service.nodes import Node, plain
from bareboat.service.packages import package_rules
from bareboat.service.problems import is_misspelt
from bareboat.service.report import Report
from bareboat.service.scalars import js_text
from bareboat.service.served import ServedDraft
from bareboat.service.source_events import model_event
from bareboat.service.stores import model_file
from bareboat.service.triggers import Event, HttpApiEvent, HttpEvent, ScheduleEvent, SourceEvent

NAME = re.compile(r"[A-Za-z0-9_-]+\Z")

_NOT_YET = {
    "explain": "explanations are not served yet",
    "batch": "batch scoring is not there yet",
    "warmup": "functions are not kept warm",
    "alarms": "those of serverless-plugin-aws-alerts are not made; set custom.bareboat.alarms",
    "module": "the function is packaged with the whole folder; 'module' is not used",
    "vendor": "a function's own vendor folder is not used",
}
_NOT_LOCAL = {
    "onError": "there is no dead letter queue locally; an event that fails for good is told in a warning",
    "destinations": "nothing is sent to them locally; an event that fails for good is told in a warning",
}
_OPTIONS = frozenset(
    [
        "role",
        "tags",
        "vpc",
        "tracing",
        "logRetentionInDays",
        "provisionedConcurrency",
        "snapStart",
        "image",
        "destinations",
        "onError",
        "fileSystemConfig",
        "kmsKeyArn",
        "awsKmsKeyArn",
        "condition",
        "dependsOn",
        "maximumEventAge",
        "maximumRetryAttempts",
        "versionFunction",
        "runtimeManagement",
        "disableLogs",
        "logDataProtectionPolicy",
        "logs",
        "recursiveLoop",
        "durableConfig",
        "explain",
        "batch",
        "module",
        "vendor",
        "iamRoleStatements",
        "iamRoleStatementsName",
        "iamRoleStatementsInherit",
        "iamPermissionsBoundary",
        "warmup",
        "alarms",
    ]
)


def function_of(
    name: str, where: Place, keys: FunctionKeys, node: Node, context: Context, report: Report
) -> Function | None:
    """Return a function, or None when its problems leave nothing to return.

    Args:
        where: where the name stands.
        keys: the checked mapping; a field that had a problem is None.
        node: the same mapping with places.
    """
    draft = _Function(name, where, keys, node, context, report)
    return draft.build()


class _Function(ServedDraft):
    def build(self) -> Function | None:
        keys, context = self.keys, self.context
        kind = self.kind()
        full_name = self.full_name()
        runtime, python = self.runtime(kind)
        handler = self.handler() if kind == "handler" and python else None
        model = self.model() if kind == "model" else None
        models = self.models() if kind == "models" else ()
        architecture = self.architecture()
        memory_mb = self.inherited("memorySize", keys.memory_size, context.provider_keys.memory_size, 1024)
        timeout_s = self.inherited("timeout", keys.timeout, context.provider_keys.timeout, 6)
        environment, raw = self.environment()
        events = self.events(timeout_s)
        package = package_rules(
            keys.package, self.node.get("package"), context.folder, f"{self.path}.package", self.report
        )
        if package.patterns:
            self.report.value(f"{self.path}.package.patterns", list(package.patterns), self.node.get("package") or "")
        signature, labels, before, after = (
            self.signature(),
            self.labels(),
            self.wrapper("before"),
            self.wrapper("after"),
        )
        protocol, cache_mb = self.protocol(events), self.cache_mb()
        engine = self.engine()
        samples = self.samples()
        layers = self.layers()
        options = self.options(raw)
        if kind == "" or python is None:
            return None
        return Function(
            name=self.name,
            full_name=full_name,
            where=self.where,
            runtime=runtime,
            python=python,
            architecture=architecture,
            handler=handler,
            model=model,
            models=models,
            features=signature.features,
            outputs=signature.outputs,
            bounds=signature.bounds,
            features_key=signature.features_key,
            labels=labels,
            protocol=protocol,
            cache_mb=cache_mb,
            engine=engine,
            before=before,
            after=after,
            samples=samples,
            description=keys.description or "",
            memory_mb=memory_mb,
            timeout_s=timeout_s,
            ephemeral_storage_mb=keys.ephemeral_storage_size or 512,
            reserved_concurrency=keys.reserved_concurrency if isinstance(keys.reserved_concurrency, int) else None,
            environment=environment,
            events=events,
            package=package,
            layers=layers,
            http_api_payload=self.payload(),
            url=function_url(keys.url, self.node.get("url"), f"{self.path}.url", self.report),
            options=options,
        )

    def kind(self) -> str:
        """Return which of handler, model, models and image the function is; "" after a problem."""
        present = [key for key in ("handler", "model", "models", "image") if self.node.get(key) is not None]
        if len(present) == 1:
            return present[0]
        if not present:
            if any(
                is_misspelt(key, list(self.node.value), known_keys(FunctionKeys))
                for key in ("handler", "model", "models")
            ):
                return ""
            self.report.problems.add(
                self.where,
                f"{self.path} has neither handler nor model",
                expected="handler: module.function, or model: FILE",
            )
        else:
            self.report.problems.add(
                self.node.key_place(present[1]),
                f"{self.path} has {' and '.join(present)}",
                expected="exactly one of them",
            )
        return ""

    def full_name(self) -> str:
        if not NAME.match(self.name):
            self.report.problems.add(
                self.where, f"the function name '{self.name}'", expected="letters, digits, '-' and '_'"
            )
        given = self.node.get("name")
        full = self.keys.name or f"{self.context.service}-{self.context.provider.stage}-{self.name}"
        if given is None or not given.state:
            if len(full) > 64:
                self.report.problems.add(
                    (given or self.node).place,
                    f"{self.path} would be called {full} on AWS, {len(full)} characters",
                    expected="at most 64 characters",
                    fix=f"set {self.path}.name",
                )
            elif given is not None and not NAME.match(full):
                self.report.problems.add(
                    given.place, f"{self.path}.name is '{full}'", expected="letters, digits, '-' and '_'"
                )
        self.report.value(f"{self.path}.name", full, given or "default")
        return full

    def handler(self) -> str | None:
        """Return the handler as written, its file looked for."""
        text, child = self.keys.handler, self.node.get("handler")
        if text is None or child is None or child.state:
            return text
        self.report.value(f"{self.path}.handler", text, child)
        if not modules.is_handler(text):
            self.report.problems.add(
                child.place, f"{self.path}.handler is '{text}'", expected="module.function, such as handler.predict"
            )
            return None
        if self.context.has_artifact or (self.keys.package and self.keys.package.artifact):
            return text
        if not self.module_is_there(text):
            self.missing_module("handler", text, child)
        return text

    def model(self) -> ModelFile | None:
        """Return the model file, or the model in a store."""
        said, child = self.keys.model, self.node.get("model")
        if said is None or child is None or child.state:
            return None
        self.report.value(f"{self.path}.model", plain(child), child)
        return model_file(said, child, f"{self.path}.model", self.context.folder, self.report)

    def runtime(self, kind: str) -> tuple[str, str | None]:
        """Return the declared runtime and the Python version that is used for it."""
        own, shared = self.node.get("runtime"), self.context.provider_node.get("runtime")
        child = own or shared
        declared = self.keys.runtime or self.context.provider_keys.runtime
        if child is not None and child.state == "pending":
            self.report.problems.add(
                child.place, f"the runtime is {child.value}, which needs AWS", expected="a runtime such as python3.13"
            )
            return "", None
        if declared is None:
            if child is None and kind != "image":
                self.report.info(
                    f"{self.path} declares no runtime; {runtimes.STAND_IN} is used (Serverless would take Node.js)",
                    self.node.place,
                )
            self.report.value(f"{self.path}.runtime", runtimes.STAND_IN, "default")
            return runtimes.STAND_IN, runtimes.STAND_IN.removeprefix("python")
        self.report.value(f"{self.path}.runtime", declared, own or self.from_provider("runtime"))
        owner = self.path if own else "provider"
        python = runtimes.python_of(declared, child.place if child else None, f"{owner}.runtime", self.report)
        return declared, python

    def architecture(self) -> Architecture:
        found = self.inherited(
            "architecture", self.keys.architecture, self.context.provider_keys.architecture, get_args(Architecture)[0]
        )
        return found if found in get_args(Architecture) else "x86_64"

    def payload(self) -> Any:
        own = self.keys.http_api.payload if self.keys.http_api else None
        if own is not None:
            self.report.value(f"{self.path}.httpApi.payload", own, self.node.get("httpApi", "payload") or "")
        return own or self.context.provider.http_api.payload

    def environment(self) -> tuple[dict[str, str], dict[str, Any]]:
        """Return the variables as text, and as written where a deployment needs that."""
        provider = (self.context.provider_keys.environment, self.context.provider_node.get("environment"))
        own = (self.keys.environment, self.node.get("environment"))
        found = variables_of(provider, own, self.path, self.context.pseudo, self.report)
        for name, variable in found.items():
            origin = variable.node.provenance()
            origin = f"provider.environment.{name} {origin}" if variable.inherited else origin
            self.report.value(f"{self.path}.environment.{name}", display(name, variable), origin)
        raw = {name: variable.raw for name, variable in found.items() if variable.raw is not None}
        return {name: variable.text for name, variable in found.items()}, raw

    def events(self, timeout_s: int) -> tuple[Event, ...]:
        node = self.node.get("events")
        if node is None:
            return ()
        around = EventSurroundings(self.context.provider.http_api.authorizers, self.context.rest)
        events = events_of(self.keys.events or [], node, f"{self.path}.events", around, self.report)
        for index, event in enumerate(events):
            kind, shown = _described(event)
            self.report.value(f"{self.path}.events[{index}].{kind}", shown, str(event.where))
        if timeout_s >= 30 and any(isinstance(event, HttpApiEvent) for event in events):
            self.report.warn(
                f"{self.path}: the HTTP API waits 30 s at most and the timeout is {timeout_s} s: a late answer is 503",
                node.place,
            )
        if self.keys.model is not None or self.keys.models is not None:
            events = tuple(
                model_event(event, self.path, self.report, wrapped=bool(self.keys.before)) for event in events
            )
        slow = [event for event in events if isinstance(event, HttpEvent) and timeout_s > event.timeout_s]
        if slow:
            self.report.warn(
                f"{self.path}: {slow[0].route_key} of the REST API waits {slow[0].timeout_s:g} s at most and the "
                f"timeout is {timeout_s} s: a late answer is 504",
                node.place,
            )
        return events

    def layers(self) -> tuple[LayerRef, ...]:
        own, shared = self.keys.layers, self.context.provider_keys.layers
        if not (shared if own is None else own):
            return ()
        self.inherited("layers", own, shared, [])
        node, path = self.node.get("layers"), f"{self.path}.layers"
        if node is None:
            node, path = self.context.provider_node.get("layers"), "provider.layers"
        assert node is not None
        return references(node, path, self.context.layers, self.context.resources, self.report)

    def conflicts(self) -> None:
        """Say which settings AWS would refuse beside each other."""
        keys = self.keys
        pairs = {
            ("snapStart", "provisionedConcurrency"): keys.snap_start and keys.provisioned_concurrency,
            ("snapStart", "fileSystemConfig"): keys.snap_start and keys.file_system_config,
            ("iamRoleStatements", "role"): keys.iam_role_statements is not None and keys.role,
        }
        for (first, second), both in pairs.items():
            if both:
                self.report.problems.add(
                    self.node.key_place(first), f"{self.path} has {first} and {second}", expected="one of them"
                )
        if keys.file_system_config and not (keys.vpc or self.context.provider_keys.vpc):
            self.report.problems.add(
                self.node.key_place("fileSystemConfig"),
                f"{self.path} has fileSystemConfig and no vpc",
                expected="vpc: {securityGroupIds, subnetIds} of the function or the provider, in which the files are",
            )

    def options(self, raw_environment: dict[str, Any]) -> dict[str, Any]:
        for key, what in _NOT_YET.items():
            child = self.node.get(key)
            if child is not None and child.value is not False and (key, child.value) != ("alarms", True):
                self.report.warn(f"{self.path}.{key}: {what}", self.node.key_place(key))
        for key, what in _NOT_LOCAL.items():
            if self.node.get(key) is not None:
                self.report.info(f"{self.path}.{key}: {what}", self.node.key_place(key))
        self.conflicts()
        found = {
            key: checked_value(self.keys, key, child)
            for key, child in self.node.items()
            if key in _OPTIONS and child.value is not None
        }
        if "vpc" in self.node.value and self.node.get("vpc") is None:
            found["vpc"] = False  # null takes the function out of the provider's
        tags = {**self.context.provider.tags, **(self.keys.tags or {})}
        if tags:
            found["tags"] = tags
        if raw_environment:
            found["environment"] = raw_environment
        if isinstance(self.keys.reserved_concurrency, dict):
            found["reservedConcurrency"] = self.keys.reserved_concurrency
        return found


def _described(event: Event) -> tuple[str, str]:
    """Return an event's kind and what `check` shows of it."""
    if isinstance(event, HttpApiEvent):
        return "httpApi", event.route_key + _guard(event)
    if isinstance(event, HttpEvent):
        return "http", event.route_key + _guard(event)
    if isinstance(event, ScheduleEvent):
        return "schedule", ", ".join(event.rates)
    if isinstance(event, SourceEvent) and isinstance(event.config, dict):
        return event.kind, event.name
    return event.kind, js_text(event.config) if not isinstance(event.config, (dict, list)) else "..."


def _guard(event: HttpApiEvent | HttpEvent) -> str:
    """Return what a request needs: `(jwt auth, an API key)`."""
    needs = []
    if event.authorizer is not None:
        scopes = f" with one of {', '.join(event.scopes)}" if event.scopes else ""
        needs.append(f"authorizer {event.authorizer.name}{scopes}")
    if isinstance(event, HttpEvent) and event.private:
        needs.append("an API key")
    return f" ({', '.join(needs)})" if needs else ""
