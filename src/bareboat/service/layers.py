"""`layers` and `custom.pythonRequirements.layer` -> Layers; `layers` of a function -> the ones that it refers to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from bareboat.service.check import Checker
from bareboat.service.keys.file import LayerKeys
from bareboat.service.layer import Layer, LayerRef
from bareboat.service.model import Function, Place
from bareboat.service.modules import file_in
from bareboat.service.nodes import Node, plain
from bareboat.service.problems import listed, nearest
from bareboat.service.report import Report

MOST = 5
"""AWS Lambda quotas, "Function layers"."""
OF_PROJECT = "pythonRequirements"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,140}\Z")


def logical_id(name: str) -> str:
    """Return what a layer is called in CloudFormation, as Serverless has it: `my-deps` is MyDashdepsLambdaLayer."""
    plain_name = name.replace("-", "Dash").replace("_", "Underscore")
    return f"{plain_name[:1].upper()}{plain_name[1:]}LambdaLayer"


class LayerReader:
    """Reads what serverless.yml says of layers.

    Args:
        folder: the service's, where paths start.
    """

    def __init__(self, folder: Path, checker: Checker, report: Report) -> None:
        self._folder = folder
        self._checker = checker
        self._report = report

    def own(self, keys: Mapping[str, LayerKeys], node: Node | None) -> dict[str, Layer]:
        """Return the entries of `layers`; one with a problem, which was told, by its name alone."""
        found: dict[str, Layer] = {}
        ids: dict[str, str] = {}
        for name, said in keys.items():
            if node is None or said is None or not (child := node.value[name]).is_mapping:
                continue
            where = node.key_place(name)
            if not _NAME.match(name):
                self._report.problems.add(
                    where, f"the layer name '{name}'", expected="letters, digits, '-' and '_', at most 140"
                )
            elif (first := ids.setdefault(logical_id(name), name)) != name:
                self._report.problems.add(
                    where, f"the layers {first} and {name} are both {logical_id(name)} on AWS", fix="rename one of them"
                )
            layer = self._layer(name, where, said, child, f"layers.{name}")
            found[name] = layer or self._described(name, where, said)
        return found

    def of_project(self, node: Node | None, service: str, stage: str) -> Layer | None:
        """Return the layer of `custom.pythonRequirements.layer`, which has all that the project itself needs."""
        if node is None or node.state or not node.value:
            return None
        path = "custom.pythonRequirements.layer"
        keys = LayerKeys()
        if node.is_mapping:
            keys = self._checker.keys(node, LayerKeys, path)
            for key in ("path", "package", "requirements"):
                if node.get(key) is not None:
                    self._report.problems.add(
                        node.key_place(key),
                        f"{path} has {key}",
                        expected="a layer of what the project needs",
                        fix="an entry of its own under layers",
                    )
        layer = self._described(OF_PROJECT, node.place, keys)
        return replace(
            layer,
            full_name=keys.name or f"{service}-{stage}-python-requirements",
            description=layer.description or f"What {service} needs of Python packages",
            requirements="project",
        )

    def _layer(self, name: str, where: Place, keys: LayerKeys, node: Node, path: str) -> Layer | None:
        folder = artifact = None
        requirements: tuple[str, ...] | Path | None = None
        before = len(self._report.problems)
        child = node.get("path")
        if child is not None and keys.path is not None:
            folder = (self._folder / keys.path).resolve()
            if "\0" in keys.path or not folder.is_dir():
                what = ", it is a file" if "\0" not in keys.path and folder.is_file() else ""
                self._report.problems.add(
                    child.place,
                    f"{path}.path: there is no folder {keys.path}{what}",
                    expected=f"a folder in {self._folder}",
                )
        said = keys.package.artifact if keys.package is not None else None
        child = node.get("package", "artifact")
        if child is not None and said:
            artifact = file_in(self._folder, said)
            if artifact is None:
                self._report.problems.add(
                    child.place, f"{path}.package.artifact: there is no file {said}", expected="a zip"
                )
        child = node.get("requirements")
        if child is not None:
            requirements = self._requirements(keys.requirements, child, path)
        present = [key for key in ("path", "requirements") if node.get(key) is not None]
        if not present and not said:
            self._report.problems.add(
                where,
                f"{path} has nothing in it",
                expected="path: FOLDER, requirements: FILE or a list, or package.artifact: ZIP",
            )
        if said and "requirements" in present:
            self._report.problems.add(
                where, f"{path} has package.artifact and requirements", expected="one of them: a ready zip is not built"
            )
        if len(self._report.problems) > before:
            return None
        for key in ("path", "requirements"):
            if (child := node.get(key)) is not None:
                self._report.value(f"{path}.{key}", plain(child), child)
        return replace(
            self._described(name, where, keys),
            path=folder,
            artifact=artifact,
            patterns=tuple(keys.package.patterns or ()) if keys.package is not None else (),
            requirements=requirements,
            places=tuple(str(line.place) for line in child.value)
            if (child := node.get("requirements")) is not None and isinstance(child.value, list)
            else (),
        )

    def _requirements(self, said: str | list[str] | None, node: Node, path: str) -> tuple[str, ...] | Path | None:
        if isinstance(said, str):
            file = file_in(self._folder, said)
            if file is None:
                lone = re.match(r"[A-Za-z0-9][\w.-]*\s*($|[\[<>=!~])", said) and not said.endswith((".txt", ".in"))
                self._report.problems.add(
                    node.place,
                    f"{path}.requirements: there is no file {said}",
                    expected="a requirements file, or a list of requirements",
                    fix=f"requirements: ['{said}']" if lone else "",
                )
            return file
        lines = tuple(line.strip() for line in said or ())
        if not any(lines):
            self._report.problems.add(node.place, f"{path}.requirements is empty", expected="at least one requirement")
        return lines

    def _described(self, name: str, where: Place, keys: LayerKeys) -> Layer:
        return Layer(
            name=name,
            where=where,
            full_name=keys.name or name,
            logical_id=logical_id(name),
            description=keys.description or "",
            runtimes=tuple(keys.compatible_runtimes or ()),
            architectures=tuple(keys.compatible_architectures or ()),
            license=keys.license_info or "",
            retain=bool(keys.retain),
            allowed_accounts=tuple(keys.allowed_accounts or ()),
        )


def references(
    node: Node, path: str, layers: Mapping[str, Layer], others: Iterable[str], report: Report
) -> tuple[LayerRef, ...]:
    """Return what a function's `layers` refer to, in their order; the last one wins where two bring one file.

    Args:
        node: the function's list, or the provider's.
        path: of the list, such as `functions.predict.layers`.
        layers: those of the service.
        others: logical ids of `resources`, which a Ref may name too.
    """
    children = node.value if isinstance(node.value, list) else [node]
    found: list[LayerRef] = []
    seen: set[str] = set()
    for child in children:
        ref = _reference(child, path, layers, frozenset(others), report)
        if ref is None:
            continue
        said = ref.name or str(ref.written)
        if said in seen:
            report.problems.add(child.place, f"{path} names {said} twice", expected="each layer once")
        seen.add(said)
        found.append(ref)
        if not ref.name:
            report.warn(
                f"{path}: {_short(ref)} lies on AWS: it is neither counted into the function's 262,144,000 bytes nor "
                "there when the function runs on this machine",
                child.place,
            )
    if len(children) > MOST:
        report.problems.add(
            node.place,
            f"{path} has {len(children)} layers",
            expected=f"at most {MOST}, Lambda's limit",
            fix="put the requirements of several into one layer",
        )
    return tuple(found)


def _reference(
    node: Node, path: str, layers: Mapping[str, Layer], others: frozenset[str], report: Report
) -> LayerRef | None:
    written = plain(node)
    if node.state or (isinstance(written, str) and ":" in written):
        return LayerRef(written=written)
    said = written.get("Ref") if isinstance(written, dict) and len(written) == 1 else written
    if not isinstance(said, str) or (isinstance(written, dict) and said in others):
        return LayerRef(written=written)
    by_id = {layer.logical_id: layer.name for layer in layers.values()}
    name = by_id.get(said) or (said if isinstance(written, str) and said in layers else "")
    if name:
        return LayerRef(name=name, written=written)
    known = list(by_id) if isinstance(written, dict) else list(layers)
    near = nearest(said, known)
    if isinstance(written, dict) and said in layers:
        near = logical_id(said)
    asked = f"{{Ref: {said}}}" if isinstance(written, dict) else f"'{said}'"
    report.problems.add(
        node.place,
        f"{path} names {asked}, and there is no such layer",
        expected=f"one of {listed(known)}, or an ARN" if known else "an entry of layers, or an ARN",
        fix=f"write {near}" if near else "",
    )
    return None


def _short(ref: LayerRef) -> str:
    if isinstance(ref.written, str):
        return ref.written
    return next(iter(ref.written), "CloudFormation") if isinstance(ref.written, dict) else "CloudFormation"


def with_targets(
    layers: Mapping[str, Layer], functions: Iterable[Function], default: tuple[str, Literal["x86_64", "arm64"]],
    report: Report,
) -> dict[str, Layer]:  # fmt: skip
    """Return the layers with the Python and the CPU that they are built for: those of the functions with them.

    Args:
        default: Python version and architecture of the service, for a layer that no function has.
    """
    made: dict[str, Layer] = {}
    users = list(functions)
    for name, layer in layers.items():
        using = [one for one in users if name in one.own_layers]
        targets = dict.fromkeys((one.python, one.architecture) for one in using)
        if len(targets) > 1 and layer.requirements is not None:
            report.problems.add(
                layer.where,
                f"the layer {name} is of functions for {' and '.join(f'python{p} on {a}' for p, a in targets)}",
                expected="one runtime and architecture: a layer holds the wheels of one",
                fix="a layer for each, with the same requirements",
            )
        python, architecture = next(iter(targets)) if targets else _declared(layer, default)
        for one in using:
            _compare(layer, one, report)
        made[name] = replace(layer, python=python, architecture=architecture)
    return made


def _declared(layer: Layer, default: tuple[str, Literal["x86_64", "arm64"]]) -> tuple[str, Literal["x86_64", "arm64"]]:
    python = next((said.removeprefix("python") for said in layer.runtimes if said.startswith("python3.")), default[0])
    return python, layer.architectures[0] if layer.architectures else default[1]


def _compare(layer: Layer, function: Function, report: Report) -> None:
    """Say when a layer says that it is not for a function which has it."""
    if layer.runtimes and f"python{function.python}" not in layer.runtimes and function.runtime not in layer.runtimes:
        report.warn(
            f"the layer {layer.name} is for {listed(layer.runtimes)}, and functions.{function.name} has it on "
            f"{function.runtime}",
            layer.where,
        )
    if layer.architectures and function.architecture not in layer.architectures:
        report.warn(
            f"the layer {layer.name} is for {listed(layer.architectures)}, and functions.{function.name} has it on "
            f"{function.architecture}",
            layer.where,
        )
