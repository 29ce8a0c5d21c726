"""A served model and what was read of it -> the part of its document that is about rows and answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bareboat.artifact.columns import ANY, columns_of
from bareboat.errors import ConfigurationError, Problem
from bareboat.runtime.signature import is_plain
from bareboat.service.model import Feature, Output, ServedModel
from bareboat.service.problems import nearest
from bareboat.service.signatures import faults_of

if TYPE_CHECKING:
    from bareboat.forest import Ensemble
    from bareboat.pipeline.foreign.model import ForeignModel
    from bareboat.pipeline.ir import Column, Pipeline

    Readable = Ensemble | Pipeline | ForeignModel

_TEXTS = ("string", "category")
_NUMBERS = ("float", "int", "bool", "datetime")
_TAKE = "take unknown out"


def signature_document(model: ServedModel, read: Readable) -> dict[str, Any]:
    """Return what a model document says of rows and answers: labels, inputs, outputs, bounds.

    Args:
        read: of the model's file; anything with the surface of a Pipeline.
    Raises:
        ConfigurationError: features, signature or labels do not fit the model; every problem at once.
    """
    columns = columns_of(read)
    problems = [*_input_problems(model, columns), *_label_problems(model, read)]
    outputs = outputs_of(read, model.labels)
    if not problems:
        problems += _output_problems(model, outputs)
    if problems:
        raise ConfigurationError(problems[0].found, problems=tuple(problems))
    return {
        "labels": list(model.labels if model.labels is not None else read.classes) or None,
        "inputs": _inputs(model, columns, is_forest=not hasattr(read, "columns")),
        "outputs": _declared(outputs, model.outputs),
        "bounds": model.bounds,
    }


def parts_for(document: Mapping[str, Any]) -> set[str]:
    """Return which parts of the runtime a model document's inputs need, by the words of shipping.py."""
    uses = {"bounds"} if document["bounds"] == "warn" else set()
    for each in document["inputs"]:
        if each["dtype"] == "datetime":
            uses.add("datetime")
        if not is_plain(each):
            uses.add("typed")
    return uses


def outputs_of(read: Readable, labels: Sequence[Any] | None = None) -> list[dict[str, Any]]:
    """Return the parts of an answer: name, dtype, and where they have one shape, enum, minimum and maximum.

    Args:
        labels: instead of the model's own.
    """
    kind = getattr(read, "kind", "proba" if read.is_classifier else "value")
    if kind == "value":
        several = read.n_outputs > 1
        return [{"name": "prediction", "dtype": "float", **({"shape": [read.n_outputs]} if several else {})}]
    names = list(labels if labels is not None else read.classes) or list(range(read.n_classes))
    label = {"name": "label", "dtype": _dtype_of(names), "enum": names}
    if kind == "label":
        return [label]
    scores: dict[str, Any] = {"name": kind, "dtype": "float"}
    if kind == "proba":
        scores |= {"shape": [read.n_classes], "minimum": 0, "maximum": 1}
    else:
        scores["shape"] = [read.n_outputs]
    return [scores, label]


def describe_model(read: Readable) -> dict[str, Any]:
    """Return what the manifest says of a model, beside its inputs and labels; trees and leaves of all its forests."""
    forests: tuple[Any, ...] = getattr(read, "forests", (read,))
    about: dict[str, Any] = {
        "source": read.source,
        "objective": read.objective,
        "n_classes": read.n_classes,
        "n_outputs": read.n_outputs,
    }
    if hasattr(read, "n_trees"):
        about |= {"n_trees": read.n_trees, "n_leaves": sum(forest.n_leaves for forest in forests)}
    return about


def _inputs(model: ServedModel, columns: Sequence[Column], *, is_forest: bool) -> list[dict[str, Any]]:
    if not columns:
        return [_input(feature, None, is_forest=False) for feature in model.features or ()]
    declared = _in_order(model.features or tuple(Feature(column.name) for column in columns), columns)
    return [_input(feature, column, is_forest=is_forest) for feature, column in zip(declared, columns, strict=True)]


def _input(feature: Feature, column: Column | None, *, is_forest: bool) -> dict[str, Any]:
    """Join what is declared of an input with what the model says of it."""
    own = column.name if column is not None else feature.name
    nullable = feature.nullable
    if nullable is None:
        nullable = column is not None and column.nullable and not is_forest
    made = {
        "name": feature.name,
        "aliases": [own] if own != feature.name else [],
        "dtype": _dtype(feature, column),
        "nullable": nullable,
        "values": None if column is None or column.values is None else list(column.values),
        "others": column is None or column.others,
        "enum": list(feature.enum) if feature.enum is not None else None,
        "minimum": feature.minimum,
        "maximum": feature.maximum,
        "default": feature.default,
    }
    if column is not None and column.enum is not None and feature.enum is None:
        made["enum"] = list(column.enum)
    shape = getattr(column, "shape", None)
    if shape is not None:
        made["shape"] = list(shape)
    if feature.unknown == "missing":
        made |= {"others": True, "unknown": "missing"}
    return made


def _dtype(feature: Feature, column: Column | None) -> str:
    if feature.dtype is not None:
        return feature.dtype
    if column is None:
        return "float"
    return column.dtype if column.used else ANY


def _in_order(features: tuple[Feature, ...], columns: Sequence[Column]) -> tuple[Feature, ...]:
    """Return the features in the model's order: by their columns when any names one, else as they stand."""
    if all(feature.column is None for feature in features):
        return features
    by_column = {feature.column or feature.name: feature for feature in features}
    return tuple(by_column[column.name] for column in columns)


def _input_problems(model: ServedModel, columns: Sequence[Column]) -> list[Problem]:
    where, path = str(model.where), f"{model.key}.{model.features_key}"
    features = model.features
    if not columns:
        if features:
            return [problem for each in features for problem in _value_problems(path, where, each, None)]
        return [
            Problem(
                f"{model.key}.model does not say which inputs it takes",
                expected="signature.inputs: a name and a dtype for each",
                fix="bareboat model signature MODEL --from data.csv",
                where=where,
            )
        ]
    if features is None:
        return []
    problems = _name_problems(path, where, features, [column.name for column in columns])
    if problems or len(features) != len(columns):
        return problems
    pairs = zip(_in_order(features, columns), columns, strict=True)
    return [problem for feature, column in pairs for problem in _value_problems(path, where, feature, column)]


def _name_problems(path: str, where: str, features: tuple[Feature, ...], own: list[str]) -> list[Problem]:
    names = [feature.name for feature in features]
    if len(names) != len(own):
        return [
            Problem(
                f"{path} has {len(names)} name" + "s" * (len(names) != 1),
                expected=f"{len(own)}, one for each feature of the model, in its order: {_listed(own)}",
                fix=_count_fix([feature.column or feature.name for feature in features], own),
                where=where,
            )
        ]
    problems = [
        Problem(f"{path} names {name!r} twice", expected="different names", where=where)
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if any(feature.column is not None for feature in features):
        return problems + _column_problems(path, where, features, own)
    plain = [plain_name(name) for name in own]
    for position, name in enumerate(names):
        if plain[position] != plain_name(name) and plain.count(plain_name(name)) == 1:
            problems.append(
                Problem(
                    f"{path}[{position}] is {name!r}, which is the model's feature {plain.index(plain_name(name))}",
                    expected=f"a name for the model's feature {position}, {own[position]!r}",
                    fix=f"write the names in the model's order: {_listed(own)}",
                    where=features[position].place("name") or where,
                )
            )
    return problems


def _column_problems(path: str, where: str, features: tuple[Feature, ...], own: list[str]) -> list[Problem]:
    """Hold the columns that are named, in any order, against the model's."""
    named = [feature.column or feature.name for feature in features]
    free = [name for name in own if name not in named]
    problems = []
    for position, (feature, name) in enumerate(zip(features, named, strict=True)):
        if name in own and named.index(name) == position:
            continue
        near = nearest(name, free)
        problems.append(
            Problem(
                f"{path}[{position}] is the model's column {name!r}"
                + (" once more" if name in own else ", which it does not have"),
                expected=f"one of {_listed(free)}",
                fix=f"column: {near}" if near else "",
                where=feature.place("column") or where,
            )
        )
    return problems


def _value_problems(path: str, where: str, feature: Feature, column: Column | None) -> Iterator[Problem]:
    """Hold the keys of a feature against the model's column."""
    path = f"{path} {feature.name!r}"

    def problem(key: str, found: str, expected: str, fix: str = "") -> Problem:
        return Problem(f"{path}: {key} is {found}", expected=expected, fix=fix, where=feature.place(key) or where)

    if column is not None and column.used and feature.dtype is not None:
        allowed = _allowed(column)
        if feature.dtype not in allowed:
            what = "text" if column.dtype in _TEXTS else "numbers"
            yield problem("dtype", f"{feature.dtype}, and the model reads {what}", f"one of {', '.join(allowed)}")
            return
    if feature.nullable and column is not None and not column.nullable and feature.default is None:
        yield problem(
            "nullable", "true", "false: the model cannot answer for a missing value", "take it away, or give a default"
        )
    dtype = _dtype(feature, column)
    if feature.dtype is None and dtype != ANY:
        for fault in faults_of(feature, dtype):
            yield problem(fault.key, fault.found, fault.expected, fault.fix)
    if feature.unknown is not None and dtype in _TEXTS:
        why = _unknown_fault(feature.unknown, column)
        if why:
            yield problem("unknown", f"{feature.unknown}, and {why}", "a column of values that the model lists", _TAKE)
    known = None if column is None or column.others else column.enum or column.values
    for key, values in (("enum", feature.enum or ()), ("default", (feature.default,))):
        for value in values:
            if value is not None and known is not None and value not in known:
                texts = [str(each) for each in known]
                near = nearest(str(value), texts)
                yield problem(
                    key,
                    f"{value!r}, which the model does not know",
                    f"one of {_listed(texts)}",
                    f"write {near}" if near else "",
                )


def _unknown_fault(unknown: str, column: Column | None) -> str:
    """Say why `unknown` has no meaning for a column, or ""."""
    if column is None or column.values is None:
        return "the model has no list of its values"
    if column.others:
        return "the model has an answer of its own for values that it does not know"
    if column.enum is not None:
        return "the model has no answer for some of its own values"
    if unknown == "missing" and not column.nullable:
        return "the model cannot answer for a missing value"
    return ""


def _allowed(column: Column) -> tuple[str, ...]:
    if column.dtype == "bool":
        return ("bool",) if column.values is not None else (*_NUMBERS,)
    if column.dtype not in _TEXTS:
        return _NUMBERS
    return _TEXTS if column.values is not None else (*_TEXTS, "datetime", "bool")


def _dtype_of(labels: Sequence[Any]) -> str:
    kinds = {type(label) for label in labels}
    named = {str: "string", bool: "bool", int: "int", float: "float"}
    return named.get(kinds.pop(), "category") if len(kinds) == 1 else "category"


def _declared(outputs: list[dict[str, Any]], declared: Sequence[Output]) -> list[dict[str, Any]]:
    """Return the outputs with what is declared of them."""
    said = {each.name: each for each in declared}
    made = []
    for output in outputs:
        own = said.get(output["name"])
        more = {} if own is None else {"dtype": own.dtype, "minimum": own.minimum, "maximum": own.maximum}
        made.append(output | {key: value for key, value in more.items() if value is not None})
    return made


def _output_problems(model: ServedModel, outputs: list[dict[str, Any]]) -> list[Problem]:
    own = {each["name"]: each for each in outputs}
    problems = []
    for declared in model.outputs:
        path, where = f"{model.key}.signature.outputs {declared.name!r}", str(declared.where or model.where)
        output = own.get(declared.name)
        if output is None:
            near = nearest(declared.name, own)
            found = f"{path}: the model's answers have no such part"
            fix = f"write {near}" if near else ""
            problems.append(Problem(found, expected=f"one of {', '.join(own)}", fix=fix, where=where))
            continue
        if declared.dtype is not None and declared.dtype != output["dtype"] and output["dtype"] != "category":
            problems.append(
                Problem(f"{path}: dtype is {declared.dtype}", expected=f"{output['dtype']}, as it is", where=where)
            )
        if declared.enum is not None and list(declared.enum) != output.get("enum"):
            expected = _listed([str(each) for each in output["enum"]]) if "enum" in output else "no enum"
            problems.append(Problem(f"{path}: enum differs from the labels", expected=expected, where=where))
    return problems


def _count_fix(names: list[str], own: Sequence[str]) -> str:
    given = {plain_name(name) for name in names}
    absent = [name for name in own if plain_name(name) not in given]
    if 0 < len(absent) < len(own) and len(names) < len(own):
        return f"add {_listed(absent)}"
    return "leave the key out to use the model's own names"


def _label_problems(model: ServedModel, forest: Readable) -> list[Problem]:
    where, path = str(model.where), f"{model.key}.labels"
    if model.labels is None:
        return []
    if not forest.is_classifier:
        return [
            Problem(
                f"{path} is set, and the model is no classifier (its objective is {forest.objective})",
                fix="take the key away",
                where=where,
            )
        ]
    labels = model.labels
    if len(labels) != forest.n_classes:
        return [
            Problem(
                f"{path} has {len(labels)} entries",
                expected=f"{forest.n_classes}, one for each class of the model, in its order",
                where=where,
            )
        ]
    repeated = sorted({repr(label) for label in labels if labels.count(label) > 1})
    return [Problem(f"{path} has {label} twice", expected="different labels", where=where) for label in repeated]


def plain_name(name: str) -> str:
    """Letters and digits alone: LightGBM saves `sepal length (cm)` as `sepal_length_(cm)`."""
    return re.sub(r"[^0-9a-z]+", " ", name.lower()).strip() or name


def _listed(names: Sequence[Any]) -> str:
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(repr(name) for name in names[:12]) + more
