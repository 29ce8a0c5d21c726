"""`custom.bareboat.openapi`: an OpenAPI document -> events of functions, as if they stood in serverless.yml.

The document's routes are events before anything else looks at them, so that `check`, `serve`, access rules, permissions
and the template know of no difference. Each has its place in the document.

Source:
    OpenAPI 3.0 and 3.1, Swagger 2.0; API Gateway developer guide, "OpenAPI extensions for API Gateway".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from bareboat.errors import ConfigurationError
from bareboat.service.compose import compose
from bareboat.service.model import Place
from bareboat.service.nodes import Node, plain, to_node
from bareboat.service.openapi_access import SchemeReader
from bareboat.service.openapi_rules import request_node
from bareboat.service.problems import listed, nearest
from bareboat.service.report import Report

PATH = "custom.bareboat.openapi"
FUNCTION = "x-bareboat-function"
ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_CORS = "x-amazon-apigateway-cors"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_CORS_KEYS = {
    "allowOrigins": "allowedOrigins",
    "allowHeaders": "allowedHeaders",
    "allowMethods": "allowedMethods",
    "exposeHeaders": "exposedResponseHeaders",
    "allowCredentials": "allowCredentials",
    "maxAge": "maxAge",
}
Kind = Literal["httpApi", "http"]


class Operation(NamedTuple):
    """One method of one path of the document.

    Args:
        method: as an event has it: `get`, or `any`.
        place: of the method.
    """

    path: str
    method: str
    node: Node
    item: Node
    place: Place

    @property
    def text(self) -> str:
        """How messages call it."""
        return f"{self.method.upper()} {self.path}"


def document_of(tree: Node, folder: Path) -> Path | None:
    """Return the file that `custom.bareboat.openapi` names, be it there or not."""
    node = tree.get("custom", "bareboat", "openapi")
    file = node.get("file") if node is not None and node.is_mapping else node
    return folder / file.value if file is not None and isinstance(file.value, str) and not file.state else None


def add_document(tree: Node, folder: Path, report: Report) -> None:
    """Add the routes of the document to the functions of the file, and what it says of CORS and authorizers."""
    said = tree.get("custom", "bareboat", "openapi")
    if said is None or said.state:
        return
    kind = _kind(said, report)
    file = document_of(tree, folder)
    if kind is None or file is None:
        if file is None:
            report.problems.add(said.place, f"{PATH} names no file", expected="a file, or {file: FILE, api: rest}")
        return
    document = _read(file, folder, said, report)
    if document is not None:
        _Import(tree, document, kind, file.name, report).add()


def _kind(said: Node, report: Report) -> Kind | None:
    if not said.is_mapping:
        return "httpApi"
    for key in said.value:
        if key not in ("file", "api"):
            near = nearest(key, ("file", "api"))
            report.problems.add(
                said.key_place(key),
                f"{PATH} has no key '{key}'",
                expected="file and api",
                fix=f"rename it to '{near}'" if near else "",
            )
    api = said.get("api")
    if api is None or api.value == "http":
        return "httpApi"
    if api.value == "rest":
        return "http"
    report.problems.add(api.place, f"{PATH}.api is '{plain(api)}'", expected="http, or rest")
    return None


def _read(file: Path, folder: Path, said: Node, report: Report) -> Node | None:
    try:
        document = compose(file.read_bytes(), str(file.relative_to(folder)))
    except OSError as error:
        report.problems.add(
            said.place,
            f"{PATH}: {file.name} cannot be read: {error.strerror}",
            expected="an OpenAPI document, YAML or JSON",
        )
        return None
    except ConfigurationError as error:
        for problem in error.problems:
            report.problems.add(problem.where, problem.found, expected=problem.expected, fix=problem.fix)
        return None
    version = document.get("openapi") or document.get("swagger")
    if version is None or not str(version.value).startswith(("3.0", "3.1", "2")):
        report.problems.add(
            document.place,
            f"{file.name} is no OpenAPI document" if version is None else f"{file.name} is OpenAPI {version.value}",
            expected="openapi: 3.0.x or 3.1.x, or swagger: '2.0'",
        )
        return None
    return document


class _Import:
    def __init__(self, tree: Node, document: Node, kind: Kind, name: str, report: Report) -> None:
        self.tree = tree
        self.document = document
        self.kind = kind
        self.name = name
        self.report = report
        functions = tree.get("functions")
        self.functions = dict(functions.items()) if functions is not None else {}
        self.schemes = SchemeReader(tree, document, kind, list(self.functions), report)

    def add(self) -> None:
        """Add everything."""
        operations = list(self._operations())
        if not operations:
            self.report.warn(f"{self.name} has no path", self.document.place)
        for operation in operations:
            function = self._function(operation)
            if function is not None and self._calls_a_function(operation):
                self._add_event(function, operation)
        if self.kind == "httpApi":
            self._add_cors()

    def _operations(self) -> Iterator[Operation]:
        paths = self.document.get("paths")
        for path, item in paths.items() if paths is not None else ():
            if item.get("$ref") is not None:
                self.report.problems.add(
                    item.place, f"{self.name}: {path} is a reference", expected="the operations themselves"
                )
            for key, node in item.items():
                method = "any" if key == ANY else key if key in _METHODS else ""
                if method:
                    yield Operation(path, method, node, item, item.key_place(key))
                elif key == "trace":
                    self.report.problems.add(
                        item.key_place(key), f"{self.name}: API Gateway has no TRACE", expected="another method"
                    )

    def _function(self, operation: Operation) -> str | None:
        """Return the function of an operation: by x-bareboat-function, its operationId or tag, or the only one."""
        for node in (operation.node, operation.item, self.document):
            named = node.get(FUNCTION)
            if named is None:
                continue
            if named.value in self.functions:
                return str(named.value)
            near = nearest(str(named.value), self.functions)
            self.report.problems.add(
                named.place,
                f"{self.name}: {operation.text} is for the function '{plain(named)}'",
                expected=f"one of {listed(self.functions)}" if self.functions else "a function of serverless.yml",
                fix=f"write {near}" if near else "",
            )
            return None
        identifier, tags = operation.node.get("operationId"), operation.node.get("tags")
        names = [identifier] if identifier is not None else []
        names += tags.value if tags is not None and isinstance(tags.value, list) else []
        for name in names:
            if name.value in self.functions:
                return str(name.value)
        if len(self.functions) == 1:
            return next(iter(self.functions))
        self.report.problems.add(
            operation.place,
            f"{self.name}: {operation.text} names no function",
            expected=f"{FUNCTION}: one of {listed(self.functions)}, or an operationId that is its name"
            if self.functions
            else "a function in serverless.yml",
        )
        return None

    def _calls_a_function(self, operation: Operation) -> bool:
        kind = operation.node.get(_INTEGRATION, "type")
        if kind is None or str(kind.value).lower() == "aws_proxy":
            return True
        if str(kind.value).lower() == "mock" and operation.method == "options":
            return False  # a preflight, which API Gateway answers
        self.report.problems.add(
            kind.place,
            f"{self.name}: the integration of {operation.text} is {kind.value}",
            expected="aws_proxy: bareboat makes the integration with the function itself",
            fix=f"take out {_INTEGRATION}",
        )
        return False

    def _add_event(self, name: str, operation: Operation) -> None:
        place = operation.place
        path = "*" if operation.path.lstrip("/") == "$default" else operation.path
        entries = {
            "path": Node(path, place),
            "method": Node("*" if operation.method == "any" else operation.method, place),
        }
        authorizer, private = self.schemes.access(operation.node, operation.text, place)
        if authorizer is not None:
            entries["authorizer"] = authorizer
        if self.kind == "http":
            if private:
                entries["private"] = Node(True, place)
            request = request_node(self.document, operation.item, operation.node)
            if request is not None:
                entries["request"] = request
        elif private:
            self.report.problems.add(
                place,
                f"{self.name}: {operation.text} asks for an API key, which HTTP APIs do not have",
                expected=f"{PATH}: {{file: {self.name}, api: rest}}",
            )
        event = Node(entries, place, keys=dict.fromkeys(entries, place))
        node = self.functions[name]
        if not node.is_mapping:
            return
        events = node.value.get("events")
        if events is None or not isinstance(events.value, list):
            if events is not None and events.value is not None:
                return  # a problem, which is told
            events = node.value["events"] = Node([], place)
            node.keys["events"] = place
        events.value.append(Node({self.kind: event}, place, keys={self.kind: place}))

    def _add_cors(self) -> None:
        said = self.document.get(_CORS)
        provider = self.tree.get("provider")
        if said is None or not said.is_mapping or provider is None or not provider.is_mapping:
            return
        if self.tree.get("provider", "httpApi", "cors") is not None:
            self.report.warn(f"{self.name}: {_CORS} gives way to provider.httpApi.cors", said.place)
            return
        found = {_CORS_KEYS[key]: child for key, child in said.items() if key in _CORS_KEYS}
        for key, child in found.items():
            if key.startswith(("allowed", "exposed")) and isinstance(child.value, str):
                found[key] = to_node(child.value.split(","), child.place)
        api = _mapping(provider, "httpApi", said.place)
        api.value["cors"] = Node(found, said.place, keys={key: child.place for key, child in found.items()})
        api.keys["cors"] = said.place


def _mapping(node: Node, key: str, place: Place) -> Node:
    """Return the mapping of a key, an empty one put there where there is none."""
    child = node.get(key)
    if child is None:
        child = node.value[key] = Node({}, place)
        node.keys[key] = place
    return child
