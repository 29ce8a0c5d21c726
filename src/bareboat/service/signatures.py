"""`features:` and `signature:` of a model -> what it declares of its inputs and outputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bareboat.errors import ConfigurationError
from bareboat.runtime.signature import REFUSED, literal, one_of
from bareboat.runtime.typed import TypedFeature, key_of
from bareboat.service import modules
from bareboat.service.check import Checker
from bareboat.service.compose import compose, decode
from bareboat.service.keys.functions import FeatureKeys, InputKeys, SignatureKeys
from bareboat.service.model import Bounds, Feature, Output, Place
from bareboat.service.nodes import Node, to_node
from bareboat.service.problems import nearest
from bareboat.service.report import Report

_SUFFIXES = (".json", ".yml", ".yaml")
_WITH_RANGE = ("float", "int", "datetime")
_WITH_VALUES = ("string", "category")


class Signature(NamedTuple):
    """What is declared of a model.

    Args:
        features: None when the model's own names are used.
        outputs: () for nothing.
        bounds: what happens to a value outside minimum, maximum or enum.
        features_key: the key that gave `features`.
    """

    features: tuple[Feature, ...] | None = None
    outputs: tuple[Output, ...] = ()
    bounds: Bounds = "error"
    features_key: str = "features"


class Fault(NamedTuple):
    """What is wrong with a key of a feature."""

    key: str
    found: str
    expected: str
    fix: str = ""


def signature_of(node: Node, keys: Any, path: str, folder: Path, report: Report) -> Signature:
    """Return what `features` or `signature` of a function, or of one of its models, declare.

    Args:
        node: the mapping that may have them.
        keys: the same, checked: `keys.features` and `keys.signature`.
        path: dotted, such as `functions.predict`.
        folder: where a file of `signature: FILE` lies.
        report: told of every problem.
    """
    short, whole = node.get("features"), node.get("signature")
    if short is not None and whole is not None:
        report.problems.add(
            node.key_place("features"),
            f"{path} has features and signature",
            expected="one of them: features is the short form of signature.inputs",
            fix="move the features into signature.inputs",
        )
        return Signature()
    if short is not None:
        if keys.features is None:
            return Signature()
        return Signature(_features(keys.features, short, f"{path}.features", report))
    if whole is None or keys.signature is None:
        return Signature()
    given: Any = keys.signature
    path = f"{path}.signature"
    if isinstance(given, str):
        report.value(path, given, whole)
        loaded = _from_file(given, whole, path, folder, report)
        if loaded is None:
            return Signature()
        given, whole = loaded
    inputs, outputs = whole.get("inputs"), whole.get("outputs")
    if given.bounds is not None:
        report.value(f"{path}.bounds", given.bounds, whole.get("bounds") or "")
    return Signature(
        None if given.inputs is None or inputs is None else _features(given.inputs, inputs, f"{path}.inputs", report),
        () if given.outputs is None or outputs is None else _outputs(given.outputs, outputs, f"{path}.outputs", report),
        given.bounds or "error",
        "signature.inputs",
    )


def faults_of(feature: Feature, dtype: str, *, values: Sequence[Any] | None = None) -> Iterator[Fault]:
    """Find what of a feature's keys does not fit its dtype, or one another.

    Args:
        values: the vocabulary of its model, without which there is no text that could not be.
    """
    plain = TypedFeature(feature.name, dtype=dtype, others=True, values=values)
    word = plain.expected(strict=True)
    read: Callable[[Any], Any] = plain.reader(as_values=dtype != "datetime")
    ends: dict[str, Any] = {}
    for key in ("minimum", "maximum"):
        end = getattr(feature, key)
        if end is None:
            continue
        if dtype not in _WITH_RANGE:
            yield Fault(
                key,
                f"{_shown(end)}, and values are {dtype}",
                "only for float, int and datetime",
                f"take {key} out, or use enum",
            )
        elif read(end) is REFUSED:
            yield Fault(key, _shown(end), word)
        else:
            ends[key] = read(end)
    if feature.unknown is not None and dtype not in _WITH_VALUES:
        found = f"{feature.unknown}, and values are {dtype}"
        yield Fault("unknown", found, "only for string and category", "take unknown out")
    if len(ends) == 2 and ends["minimum"] > ends["maximum"]:
        yield Fault("maximum", f"{_shown(feature.maximum)}, below the minimum", f"at least {feature.minimum}")
    yield from _enum_faults(feature.enum, read, word, dtype)
    if feature.default is None:
        return
    if read(feature.default) is REFUSED:
        yield Fault("default", _shown(feature.default), word, _quote_fix(feature.default, dtype))
    elif feature.enum and key_of(feature.default) not in set(map(key_of, feature.enum)):
        near = nearest(str(feature.default), [str(value) for value in feature.enum])
        expected = one_of(feature.enum, literal)
        yield Fault(
            "default", f"{_shown(feature.default)}, which is not in enum", expected, f"write {near}" if near else ""
        )
    elif ends and not (
        ends.get("minimum", -float("inf")) <= read(feature.default) <= ends.get("maximum", float("inf"))
    ):
        limits = TypedFeature("", dtype=dtype, minimum=feature.minimum, maximum=feature.maximum)
        yield Fault("default", _shown(feature.default), limits.expected(strict=True))


def _enum_faults(enum: Sequence[Any] | None, read: Callable[[Any], Any], word: str, dtype: str) -> Iterator[Fault]:
    seen = set()
    for value in enum or ():
        if read(value) is REFUSED:
            yield Fault("enum", _shown(value), word, _quote_fix(value, dtype))
        elif key_of(value) in seen:
            yield Fault("enum", f"{_shown(value)} twice", "each value once")
        seen.add(key_of(value))
    if enum == ():
        yield Fault("enum", "an empty list", "at least one value", "take enum out")


def _features(entries: Sequence[Any], node: Node, path: str, report: Report) -> tuple[Feature, ...]:
    nodes = node.value if isinstance(node.value, list) else [node]
    if len(nodes) != len(entries):  # an entry has a problem and was left out
        nodes = [child for child in nodes if isinstance(child.value, (str, dict))][: len(entries)]
    found: list[Feature] = []
    for index, (entry, child) in enumerate(zip(entries, nodes, strict=False)):
        if not isinstance(entry, (FeatureKeys, InputKeys)):
            found.append(Feature(entry, places={"": child.place}))
            continue
        if not entry.name:
            report.problems.add(child.place, f"{path}[{index}] has no name", expected="name: FEATURE")
            continue
        found.append(_feature(entry, child))
    _twice([(each.name, each.places[""]) for each in found], path, report, node)
    columns = [(each.column, each.places.get("column", each.places[""])) for each in found if each.column is not None]
    _twice(columns, path, report, node, "names the column")
    for index, feature in enumerate(found):
        if feature.dtype is not None:
            for fault in faults_of(feature, feature.dtype):
                report.problems.add(
                    feature.places.get(fault.key, feature.places[""]),
                    f"{path}[{index}].{fault.key} is {fault.found}",
                    expected=fault.expected,
                    fix=fault.fix,
                )
    report.value(path, [each.name for each in found], node)
    return tuple(found)


def _feature(entry: Any, node: Node) -> Feature:
    places: dict[str, Place] = {"": node.place}
    places.update((key, child.place) for key, child in node.items())
    if isinstance(entry, FeatureKeys):
        return Feature(entry.name or "", entry.nullable, places=places)
    return Feature(
        entry.name or "",
        entry.nullable,
        dtype=entry.dtype,
        enum=None if entry.enum is None else tuple(entry.enum),
        minimum=entry.minimum,
        maximum=entry.maximum,
        default=entry.default,
        column=entry.column,
        unknown=entry.unknown,
        places=places,
    )


def _twice(names: Sequence[tuple[str, Place]], path: str, report: Report, node: Node, verb: str = "has") -> None:
    seen: set[str] = set()
    for name, place in names:
        if name in seen:
            found = f"{path} {verb} '{name}' twice"
            report.problems.add(node.place if verb == "has" else place, found, expected="each name once")
        seen.add(name)


def _outputs(entries: Sequence[Any], node: Node, path: str, report: Report) -> tuple[Output, ...]:
    nodes = node.value if isinstance(node.value, list) else [node]
    found = []
    for index, (entry, child) in enumerate(zip(entries, nodes, strict=False)):
        if not entry.name:
            report.problems.add(child.place, f"{path}[{index}] has no name", expected="name: proba, label, ...")
            continue
        enum = None if entry.enum is None else tuple(entry.enum)
        found.append(Output(entry.name, entry.dtype, enum, entry.minimum, entry.maximum, child.place))
    _twice([(each.name, node.place) for each in found], path, report, node)
    return tuple(found)


def _from_file(name: str, node: Node, path: str, folder: Path, report: Report) -> tuple[Any, Node] | None:
    """Return the keys of `signature: FILE`, checked, and their mapping; None after a problem."""
    file = modules.file_in(folder, name) if name.endswith(_SUFFIXES) else None
    if file is None:
        report.problems.add(
            node.place,
            f"{path} is '{name}'" + (", and there is no such file" if name.endswith(_SUFFIXES) else ""),
            expected="inputs, outputs and bounds, or a .json, .yml or .yaml file that has them",
        )
        return None
    try:
        content = _content(file, name)
    except OSError as error:
        report.problems.add(node.place, f"{path}: {name} cannot be read: {error.strerror}", expected="a readable file")
        return None
    except ConfigurationError as error:
        for problem in error.problems:
            report.problems.add(problem.where, problem.found, expected=problem.expected, fix=problem.fix)
        return None
    if not isinstance(content.value, dict):
        report.problems.add(content.place, f"{name} holds no mapping", expected="inputs, outputs and bounds")
        return None
    return Checker(report.problems).keys(content, SignatureKeys, path), content


def _content(file: Path, name: str) -> Node:
    data = file.read_bytes()
    if file.suffix != ".json":
        return compose(data, name)
    try:
        value = json.loads(decode(data, name))
    except json.JSONDecodeError as error:
        place = Place(name, error.lineno, error.colno)
        raise ConfigurationError(f"not valid JSON: {error.msg}", expected="JSON", where=str(place)) from error
    except RecursionError as error:
        raise ConfigurationError(f"{name} is nested too deep", where=name) from error
    try:
        return compose(data, name)  # nearly all JSON is YAML, which tells places
    except ConfigurationError:
        return to_node(value, Place(name, 1, 1))


def _shown(value: object) -> str:
    return literal(value)


def _quote_fix(value: object, dtype: str) -> str:
    if dtype == "string" and not isinstance(value, str):
        return f'write "{json.dumps(value)}" in quotes'
    return ""
