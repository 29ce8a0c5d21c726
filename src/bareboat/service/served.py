"""`functions.NAME.models` -> ServedModels; the routes that a protocol's clients ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from bareboat.service.draft import Draft
from bareboat.service.keys.functions import ServedModelKeys, StoredModelKeys
from bareboat.service.model import Engine, Protocol, ServedModel
from bareboat.service.nodes import Node, plain
from bareboat.service.signatures import Signature, signature_of
from bareboat.service.stores import model_file
from bareboat.service.triggers import Event, HttpApiEvent, HttpEvent

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z"

ROUTES: dict[str, tuple[str, ...]] = {
    "mlflow": ("POST /invocations", "GET /ping", "GET /health", "GET /version"),
    "sagemaker": ("POST /invocations", "GET /ping"),
    "oip": (
        "GET /v2",
        "GET /v2/health/live",
        "GET /v2/health/ready",
        "GET /v2/models/{model}",
        "GET /v2/models/{model}/ready",
        "POST /v2/models/{model}/infer",
    ),
    "models": ("GET /models", "GET /models/{name}", "POST /models/{name}"),
}
"""What clients of each protocol ask for; `models` are bareboat's own of a function with `models:`."""


class ServedDraft(Draft):
    """The keys of one function that say which models it serves and how clients speak to it."""

    def models(self) -> tuple[ServedModel, ...]:
        """Return the entries of `models`, () when there are none or each has a problem."""
        node = self.node.get("models")
        if node is None or self.keys.models is None or not isinstance(node.value, dict):
            return ()
        if not node.value:
            self.report.problems.add(node.place, f"{self.path}.models is empty", expected="at least one model")
        found = []
        seen: dict[str, str] = {}
        for name, child in node.value.items():
            path = f"{self.path}.models.{name}"
            if not re.match(_NAME, name):
                self.report.problems.add(
                    node.key_place(name),
                    f"{path}: the model name '{name}'",
                    expected="letters, digits, '-', '_' and '.', at most 64",
                )
            elif seen.setdefault(name.lower(), name) != name:
                self.report.problems.add(
                    node.key_place(name),
                    f"{path} and {seen[name.lower()]} differ only in capitals",
                    expected="names that files may have side by side",
                )
            keys = self.keys.models.get(name)
            model = self._model(name, path, keys, child) if keys is not None else None
            if model is not None:
                found.append(model)
        for key in ("features", "signature", "labels"):
            if self.node.get(key) is not None:
                self.report.problems.add(
                    self.node.key_place(key),
                    f"{self.path} has {key} beside models",
                    expected=f"{key} of each model inside its entry",
                    fix=f"move it to {self.path}.models.NAME.{key}",
                )
        return tuple(found)

    def _model(self, name: str, path: str, keys: Any, node: Node) -> ServedModel | None:
        engine: Engine = self.keys.engine or "auto"
        entries: list[tuple[str, str | StoredModelKeys | None, Node]]
        if isinstance(keys, str):
            entries = [(path, keys, node)]
            labels, signature = None, Signature()
        else:
            assert isinstance(keys, ServedModelKeys)
            first = node.get("model")
            if keys.model is None or first is None:
                if first is None:
                    self.report.problems.add(node.place, f"{path} has no model", expected="model: FILE")
                return None
            versions = node.get("versions")
            older = versions.value if versions is not None and isinstance(versions.value, list) else []
            if versions is not None and not isinstance(versions.value, list):
                older = [versions]
            if len(older) != len(keys.versions or ()):
                return None  # an entry of the wrong kind, which has been told
            entries = [(f"{path}.model", keys.model, first)]
            entries += [
                (f"{path}.versions[{index}]", said, each)
                for index, (said, each) in enumerate(zip(keys.versions or (), older, strict=True))
            ]
            labels = tuple(keys.labels) if keys.labels is not None else None
            signature = signature_of(node, keys, path, self.context.folder, self.report)
            if keys.engine is not None:
                engine = keys.engine
                self.report.value(f"{path}.engine", engine, node.get("engine") or "")
        files = [model_file(said, each, at, self.context.folder, self.report) for at, said, each in entries]
        self.report.value(f"{path}.model", plain(entries[0][2]), entries[0][2])
        if any(file is None for file in files):
            return None
        place = self.node.get("models")
        return ServedModel(
            name=name,
            key=path,
            where=place.key_place(name) if place is not None else self.where,
            files=tuple(file for file in files if file is not None),
            features=signature.features,
            labels=labels,
            outputs=signature.outputs,
            bounds=signature.bounds,
            features_key=signature.features_key,
            engine=engine,
        )

    def protocol(self, events: Iterable[Event]) -> Protocol:
        """Return `protocol`, and warn of routes that its clients ask for and no event covers."""
        found: Protocol = self.keys.protocol or "bareboat"
        node = self.node.get("protocol")
        serves = any(self.node.get(key) is not None for key in ("model", "models"))
        if node is not None and self.allowed("protocol", node):
            self.report.value(f"{self.path}.protocol", found, node)
        if found != "bareboat":
            for key in ("before", "after"):
                if self.node.get(key) is not None:
                    self.report.problems.add(
                        self.node.key_place(key),
                        f"{self.path} has {key} and the protocol {found}",
                        expected=f"the rows and answers of {found} as they are",
                        fix=f"take out {key}, or the protocol",
                    )
        wanted = ROUTES.get("models" if found == "bareboat" and self.node.get("models") is not None else found, ())
        missing = [route for route in wanted if not _is_covered(route, events)]
        if missing and serves:
            who = "clients of several models" if found == "bareboat" else f"clients of {found}"
            more = " and ".join(f"- httpApi: {route}" for route in missing)
            self.report.warn(
                f"{self.path}: {who} also ask for {', '.join(missing)}, which no event covers; "
                f"add {more}, or - httpApi: '*'",
                (node or self.node.get("models") or self.node).place,
            )
        return found

    def engine(self) -> Engine:
        """Return `engine`, which only model functions have."""
        node = self.node.get("engine")
        if node is None or self.keys.engine is None or not self.allowed("engine", node):
            return "auto"
        found: Engine = self.keys.engine
        self.report.value(f"{self.path}.engine", found, node)
        return found

    def cache_mb(self) -> int | None:
        """Return `cacheSize`, None when it is not set."""
        node = self.node.get("cacheSize")
        if node is None or self.keys.cache_size is None or not self.allowed("cacheSize", node):
            return None
        self.report.value(f"{self.path}.cacheSize", self.keys.cache_size, node)
        return int(self.keys.cache_size)


def _is_covered(route: str, events: Iterable[Event]) -> bool:
    method, _, path = route.partition(" ")
    return any(
        event.method in ("*", method) and (event.path == "*" or _ends_as(event.path, path))
        for event in events
        if isinstance(event, (HttpApiEvent, HttpEvent))
    )


def _ends_as(pattern: str, path: str) -> bool:
    """Tell whether a route matches a path, whatever stands before it: protocols look at the end of a path."""
    segments, wanted = pattern.strip("/").split("/"), path.strip("/").split("/")
    return any(_matches(tail, wanted) for tail in _tails(segments, wanted[0]))


def _tails(segments: list[str], first: str) -> Iterator[list[str]]:
    """Yield what is left of a route behind each base path that is not the protocol's own beginning."""
    for at, segment in enumerate(segments):
        yield segments[at:]
        if segment == first:
            return


def _matches(pattern: list[str], wanted: list[str]) -> bool:
    for at, segment in enumerate(pattern):
        if at == len(wanted):
            return False
        if segment.endswith("+}"):
            return True
        if not segment.startswith("{") and (segment != wanted[at] or wanted[at].startswith("{")):
            return False
    return len(pattern) == len(wanted)
