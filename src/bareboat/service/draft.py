"""One function on its way from keys to a Function: what it inherits, and the keys that belong to a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bareboat.service import modules
from bareboat.service.keys.functions import FunctionKeys
from bareboat.service.keys.provider import ProviderKeys
from bareboat.service.layer import Layer
from bareboat.service.model import Place, Provider
from bareboat.service.nodes import Node, plain
from bareboat.service.report import Report
from bareboat.service.rest_events import RestSurroundings
from bareboat.service.signatures import Signature, signature_of


class Context(NamedTuple):
    """What all functions of a service have in common.

    Args:
        requirements_file: where dependencies that bring handler modules are named.
        has_artifact: whether a ready-made zip stands for the folder, so that no file is looked for.
        pseudo: CloudFormation's pseudo parameters that are known, by name.
        layers: those that the service makes.
        resources: logical ids of its own CloudFormation.
        rest: what events of the REST API are read against.
    """

    service: str
    folder: Path
    provider: Provider
    provider_keys: ProviderKeys
    provider_node: Node
    plugins: tuple[str, ...]
    requirements_file: str
    has_artifact: bool
    pseudo: Mapping[str, str]
    layers: Mapping[str, Layer]
    resources: tuple[str, ...]
    rest: RestSurroundings


class Draft:
    """The keys of one function with their places, and where what is found of them goes."""

    def __init__(
        self, name: str, where: Place, keys: FunctionKeys, node: Node, context: Context, report: Report
    ) -> None:
        self.name = name
        self.where = where
        self.keys = keys
        self.node = node
        self.context = context
        self.report = report
        self.path = f"functions.{name}"

    def from_provider(self, key: str) -> str:
        """Return the origin of a setting that the provider gave."""
        node = self.context.provider_node.get(key)
        return f"provider.{key} {node.provenance()}" if node is not None else "default"

    def inherited(self, key: str, own: Any, shared: Any, default: Any) -> Any:
        """Return a setting of the function, else the provider's, else the default, and add it to the values."""
        if own is not None:
            self.report.value(f"{self.path}.{key}", own, self.node.get(key) or "")
            return own
        if shared is not None:
            self.report.value(f"{self.path}.{key}", shared, self.from_provider(key))
            return shared
        self.report.value(f"{self.path}.{key}", default, "default")
        return default

    def module_is_there(self, text: str) -> bool:
        """Tell whether the file of `module.function` is in the folder."""
        folder = self.context.folder / (self.keys.module or ".")
        return (
            modules.module_file(text, folder) is not None or modules.module_file(text, self.context.folder) is not None
        )

    def missing_module(self, key: str, text: str, child: Node) -> None:
        """A module that is not in the folder may still come from a plugin, a layer or a dependency."""
        context = self.context
        top = re.split(r"[./]", text, maxsplit=1)[0]
        if top == "wsgi_handler" and "serverless-wsgi" in context.plugins:
            self.report.warn(
                f"{self.path}.{key}: wsgi_handler.py is made by the plugin serverless-wsgi, which does not run here; "
                "the function will fail at import",
                child.place,
            )
        elif self.keys.layers or context.provider_keys.layers:
            self.report.warn(
                f"{self.path}.{key}: {modules.looked_for(text)} is not here; a layer must bring it", child.place
            )
        elif not modules.named_in_requirements(text, context.folder, context.requirements_file):
            self.report.problems.add(
                child.place,
                f"{self.path}.{key} is '{text}', and there is no file {modules.looked_for(text)}",
                expected=f"the module in {context.folder}",
            )

    def signature(self) -> Signature:
        """Return what `features` or `signature` declare."""
        for key in ("features", "signature"):
            if self.node.get(key) is not None and not self.allowed(key, self.node.get(key)):
                return Signature()
        return signature_of(self.node, self.keys, self.path, self.context.folder, self.report)

    def labels(self) -> tuple[str | int | float | bool, ...] | None:
        """Return `labels`, None when there are none."""
        node = self.node.get("labels")
        if self.keys.labels is None or not self.allowed("labels", node):
            return None
        self.report.value(f"{self.path}.labels", list(self.keys.labels), node or "")
        return tuple(self.keys.labels)

    def allowed(self, key: str, node: Node | None) -> bool:
        """Tell whether a key that belongs to a model stands beside one."""
        if self.node.get("model") is not None or self.node.get("models") is not None:
            return True
        self.report.problems.add(
            self.node.key_place(key) if node else self.node.place,
            f"{self.path} has {key} and no model",
            expected=f"{key} only beside model",
            fix=f"take out {key}, or set model",
        )
        return False

    def wrapper(self, key: str) -> str | None:
        """Return `before` or `after`, its file looked for."""
        text: str | None = getattr(self.keys, key)
        child = self.node.get(key)
        if text is None or child is None or child.state or not self.allowed(key, child):
            return None
        self.report.value(f"{self.path}.{key}", text, child)
        if not modules.is_handler(text):
            self.report.problems.add(child.place, f"{self.path}.{key} is '{text}'", expected="module.function")
        elif not self.module_is_there(text):
            self.missing_module(key, text, child)
        return text

    def samples(self) -> tuple[Any, ...]:
        """Return sample events: a text names a file, anything else is the event itself."""
        node = self.node.get("samples")
        children = node.value if node is not None and isinstance(node.value, list) else [node] if node else []
        found: list[Any] = []
        for child in children:
            if not isinstance(child.value, str):
                found.append(plain(child))
                continue
            path = modules.file_in(self.context.folder, child.value)
            if path is None:
                self.report.problems.add(child.place, f"{self.path}.samples: there is no file {child.value}")
            found.append(path)
        return tuple(found)
