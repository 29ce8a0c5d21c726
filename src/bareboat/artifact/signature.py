"""A served model and its forest -> the part of its document that is about rows and answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bareboat.errors import ConfigurationError, Problem
from bareboat.service.model import Feature, ServedModel

if TYPE_CHECKING:
    from bareboat.forest import Ensemble


def signature_document(model: ServedModel, forest: Ensemble) -> dict[str, Any]:
    """Return what a model document says of rows and answers: labels, inputs, outputs, bounds.

    Raises:
        ConfigurationError: `features` or `labels` do not fit the model; every problem at once.
    """
    problems = [*_feature_problems(model, forest), *_label_problems(model, forest)]
    if problems:
        raise ConfigurationError(problems[0].found, problems=tuple(problems))
    return {
        "labels": list(model.labels if model.labels is not None else forest.classes) or None,
        "inputs": _inputs(model, forest),
        "outputs": [],
        "bounds": "error",
    }


def describe_model(forest: Ensemble) -> dict[str, Any]:
    """Return what the manifest says of a forest, beside its features and labels."""
    return {
        "source": forest.source,
        "objective": forest.objective,
        "n_classes": forest.n_classes,
        "n_outputs": forest.n_outputs,
        "n_trees": forest.n_trees,
        "n_leaves": forest.n_leaves,
    }


def _inputs(model: ServedModel, forest: Ensemble) -> list[dict[str, Any]]:
    declared = model.features or tuple(Feature(name) for name in forest.feature_names)
    return [
        {
            "name": feature.name,
            "aliases": [own] if own != feature.name else [],
            "dtype": "float" if categories is None else "category",
            "nullable": feature.nullable,
            "values": list(categories) if categories is not None else None,
            "others": False,
            "enum": None,
            "minimum": None,
            "maximum": None,
            "default": None,
        }
        for feature, own, categories in zip(declared, forest.feature_names, forest.categories, strict=True)
    ]


def _feature_problems(model: ServedModel, forest: Ensemble) -> list[Problem]:
    where, path = str(model.where), f"{model.key}.features"
    own = forest.feature_names
    if model.features is None:
        return []
    names = [feature.name for feature in model.features]
    if len(names) != len(own):
        return [
            Problem(
                f"{path} has {len(names)} names",
                expected=f"{len(own)}, one for each feature of the model, in its order: {_listed(own)}",
                fix=_count_fix(names, own),
                where=where,
            )
        ]
    problems = [
        Problem(f"{path} names {name!r} twice", expected="different names", where=where)
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    plain = [_plain(name) for name in own]
    for position, name in enumerate(names):
        if plain[position] != _plain(name) and plain.count(_plain(name)) == 1:
            problems.append(
                Problem(
                    f"{path}[{position}] is {name!r}, which is the model's feature {plain.index(_plain(name))}",
                    expected=f"a name for the model's feature {position}, {own[position]!r}",
                    fix=f"write the names in the model's order: {_listed(own)}",
                    where=where,
                )
            )
    return problems


def _count_fix(names: list[str], own: tuple[str, ...]) -> str:
    given = {_plain(name) for name in names}
    absent = [name for name in own if _plain(name) not in given]
    if 0 < len(absent) < len(own) and len(names) < len(own):
        return f"add {_listed(absent)}"
    return "leave the key out to use the model's own names"


def _label_problems(model: ServedModel, forest: Ensemble) -> list[Problem]:
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


def _plain(name: str) -> str:
    """Letters and digits alone: LightGBM saves `sepal length (cm)` as `sepal_length_(cm)`."""
    return re.sub(r"[^0-9a-z]+", " ", name.lower()).strip() or name


def _listed(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(repr(name) for name in names[:12]) + more


def nearest(name: str, names: list[str]) -> str:
    """Return the name that was probably meant, or ""."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, names, 1)), "")
