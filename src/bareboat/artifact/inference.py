"""A model, and a table of examples -> the inputs that its signature declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.artifact.columns import columns_of
from bareboat.artifact.facts import Facts, read_facts
from bareboat.artifact.signature import plain_name
from bareboat.errors import InputError
from bareboat.service.model import Dtype, Feature
from bareboat.service.problems import nearest

if TYPE_CHECKING:
    from bareboat.forest import Ensemble
    from bareboat.pipeline.foreign.model import ForeignModel
    from bareboat.pipeline.ir import Column, Pipeline

_FEW = 20
"""A text of an engine without a vocabulary is a choice among so many values at most..."""
_TIMES = 5
"""... if each is there so many times on average."""


@dataclass(frozen=True, slots=True)
class Inferred:
    """What was learned of a model's inputs.

    Args:
        inputs: in the model's order.
        has_ranges: whether any has a minimum, maximum or enum.
        notes: what a person should know.
    """

    inputs: tuple[Feature, ...]
    has_ranges: bool
    notes: tuple[str, ...] = ()


def infer(model: Ensemble | ForeignModel | Pipeline, sample: Path | None = None, target: str | None = None) -> Inferred:
    """Say what a model takes, as far as it and a table tell.

    Without a table there are no ranges, and an input may be missing where the model was trained with missing values (a
    forest) or has a step for them (a pipeline). With one, it may be missing where the table has it missing.

    Args:
        model: what was read of it; anything with the surface of a Pipeline.
        sample: CSV or Parquet with a header.
        target: a column of it that is no input.
    Raises:
        InputError: the table cannot be read, lacks a column, or holds texts where the model computes.
    """
    columns = columns_of(model)
    if sample is None:
        return Inferred(_alone(model, columns), False)
    facts = read_facts(sample)
    if target is not None:
        if target not in facts:
            near = nearest(target, facts)
            raise InputError(
                f"there is no column {target!r}",
                expected=f"one of {_listed(list(facts))}",
                fix=f"--target {near}" if near else "",
                where=str(sample),
            )
        if any(column.name == target for column in columns):
            raise InputError(f"{target!r} is an input of the model", expected="the column that it predicts")
        del facts[target]
    notes: list[str] = []
    if not columns:
        features = [_of_facts(each, notes) for each in facts.values()]
    else:
        matched = _matched(columns, facts, sample, notes)
        if not hasattr(model, "columns"):  # of a forest no feature may be missing unless that is said
            columns = tuple(
                replace(column, nullable=each.n_missing > 0) for column, each in zip(columns, matched, strict=True)
            )
        features = [_joined(column, each, sample, notes) for column, each in zip(columns, matched, strict=True)]
    commas = [name for name, each in facts.items() if each.as_text is not None and _is_number(features, name)]
    if commas:
        notes.append(f"decimal commas are read as points, which requests must have: {_listed(commas)}")
    has_ranges = any(each.minimum is not None or each.enum is not None for each in features)
    return Inferred(tuple(features), has_ranges, tuple(notes))


def _alone(model: Ensemble | ForeignModel | Pipeline, columns: Sequence[Column]) -> tuple[Feature, ...]:
    if hasattr(model, "columns"):
        return tuple(
            Feature(column.name, column.nullable or None, column.dtype if column.used else None) for column in columns
        )
    from bareboat.forest.missing import seen_missing

    missing = seen_missing(model)
    return tuple(
        Feature(column.name, place in missing or None, "category" if column.values is not None else "float")
        for place, column in enumerate(columns)
    )


def _matched(columns: Sequence[Column], facts: Mapping[str, Facts], path: Path, notes: list[str]) -> list[Facts]:
    """Find the column of the table for each of the model: by name, or by place where the model has counted them."""
    by_plain = {plain_name(name): each for name, each in facts.items()}
    found = [facts.get(column.name) or by_plain.get(plain_name(column.name)) for column in columns]
    if all(each is None for each in found) and len(facts) == len(columns):
        notes.append("no name is one of the model's; the table's columns are taken in their order")
        return list(facts.values())
    taken = {each.name for each in found if each is not None}
    left = [name for name in facts if name not in taken]
    lacking = [column.name for column, each in zip(columns, found, strict=True) if each is None]
    if lacking:
        near = nearest(lacking[0], left) if len(lacking) < len(columns) else None  # else it is another table
        raise InputError(
            f"the table lacks {_listed(lacking)}",
            expected=f"a column for each of the model's {len(columns)} inputs",
            fix=f"rename {near!r} to {lacking[0]!r}" if near else "--from with the table that the model was trained on",
            where=str(path),
        )
    if left:
        notes.append(f"left out, since the model does not take them: {_listed(left)}")
    return [each for each in found if each is not None]


def _joined(column: Column, facts: Facts, path: Path, notes: list[str]) -> Feature:
    """Join what the model says of a column with what the table holds."""
    if facts.as_text is not None and (column.values is not None or column.dtype in ("string", "category")):
        facts = facts.as_text
    nullable = _nullable(facts, column)
    if facts.n_missing > 0 and not column.nullable:
        notes.append(f"{facts.name!r} is missing in {facts.n_missing} rows, which the model cannot answer")
    if not column.used:
        return Feature(facts.name, True)
    if column.values is not None:
        if column.dtype != "bool" and facts.values:
            known = {str(value) for value in column.values}
            strange = [value for value in facts.values if str(value) not in known]
            if strange:
                what = "takes for others" if column.others else "cannot answer"
                notes.append(f"{facts.name!r} has values that the model {what}: {_listed(strange)}")
        return Feature(facts.name, nullable, column.dtype)
    if column.dtype in ("string", "category"):
        return replace(_of_facts(facts, notes, text=column.dtype), nullable=nullable)
    if facts.dtype in ("string", "datetime"):
        text, row = facts.odd or ((facts.values or ("",))[0] or "text", 0)
        raise InputError(
            f"{facts.name!r} holds the text {str(text)[:60]!r}"
            + (f" in row {row + 1} of the data" if facts.odd else ""),
            expected="numbers, since the model computes with them",
            fix="leave out rows that are no examples, and write missing values as nothing",
            where=f"{path}:{row + 2}" if facts.odd else str(path),
        )
    dtype: Dtype = column.dtype if facts.dtype is None or column.dtype != "float" else facts.dtype
    low, high = _range(facts, notes)
    return Feature(facts.name, nullable, dtype, minimum=low, maximum=high)


def _is_number(features: Sequence[Feature], name: str) -> bool:
    return any(each.name == name and each.dtype in ("int", "float") for each in features)


def _nullable(facts: Facts, column: Column) -> bool | None:
    """Tell whether a value may be missing: where the table has it so; None for what holds without being said."""
    if facts.n_missing > 0:
        return column.nullable or None
    return False if column.nullable else None


def _of_facts(facts: Facts, notes: list[str], *, text: Dtype | None = None) -> Feature:
    """Declare a column of which the model says nothing, or only that it is text."""
    dtype: Dtype = text or facts.dtype or "string"
    enum = None
    if dtype in ("string", "category") and 0 < len(facts.values) <= _FEW:
        if len(facts.values) * _TIMES <= facts.n_rows - facts.n_missing:
            enum = tuple(str(value) for value in facts.values)
    elif dtype in ("string", "category") and facts.n_values * 2 > facts.n_rows > _FEW:
        notes.append(f"{facts.name!r} has {facts.n_values} values in {facts.n_rows} rows: is it an identifier?")
    if facts.odd is not None:
        notes.append(
            f"{facts.name!r} holds numbers, and the text {facts.odd[0][:60]!r} in row {facts.odd[1] + 1} of the data"
        )
    low, high = (None, None) if dtype in ("string", "category", "bool") else _range(facts, notes)
    return Feature(facts.name, facts.n_missing > 0 or None, dtype, enum, minimum=low, maximum=high)


def _range(facts: Facts, notes: list[str]) -> tuple[str | int | float | None, str | int | float | None]:
    if facts.minimum is not None and facts.minimum == facts.maximum:
        notes.append(f"{facts.name!r} is {facts.minimum} in every row; it is given no range")
        return None, None
    return facts.minimum, facts.maximum


def _listed(names: Sequence[object]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(repr(name)[:60] for name in names[:8]) + more
