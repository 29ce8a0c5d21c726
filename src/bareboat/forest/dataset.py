"""CSV or Parquet file -> the rows and the true answers that a model is judged by."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bareboat.errors import InputError
from bareboat.forest.frames import frame_columns
from bareboat.forest.ir import Category, Ensemble
from bareboat.forest.metrics import Truth
from bareboat.forest.rows import Matrix, matrix_of_columns
from bareboat.forest.schema import Schema
from bareboat.forest.table_file import (
    EMPTY,
    check_header,
    delimiter_of,
    is_number,
    is_parquet,
    parquet_table,
    table_bytes,
    table_text,
)

_ROW = re.compile(r"(.*)\bin row (\d+)", re.DOTALL)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Rows with their true answers.

    Args:
        rows: (n, n_features).
        truth: (n,) places of classes, or values.
        target: the column that `truth` came from.
    """

    rows: Matrix
    truth: Truth
    target: str


def read_dataset(path: Path, ensemble: Ensemble, target: str | None = None) -> Dataset:
    """Read a file of examples: a header, a column for each feature and one for the truth.

    Args:
        path: of `read_columns`.
        ensemble: says which columns are features, and what the classes are called.
        target: the column with the truth; None when it is the one that is no feature.
    Raises:
        InputError: the file cannot be read, or a column is missing, unknown or of the wrong kind; names the line.
    """
    columns = read_columns(path)
    with _placed(path):
        schema = Schema.of(ensemble)
        target = _target(list(columns), schema, target)
        truth = truth_of(columns.pop(target), ensemble, target)
        return Dataset(matrix_of_columns(_read_texts(columns, schema), schema), truth, target)


def read_rows(path: Path, ensemble: Ensemble, target: str | None = None) -> Matrix:
    """Read the rows of a file as `read_dataset` does; a column for the truth, `target`, need not be there.

    Raises:
        InputError: as `read_dataset`.
    """
    columns = read_columns(path)
    with _placed(path):
        schema = Schema.of(ensemble)
        others = [name for name in columns if schema.own(name) not in schema.names]
        if target is not None or (len(others) == 1 and schema.is_named):
            del columns[_target(list(columns), schema, target)]
        return matrix_of_columns(_read_texts(columns, schema), schema)


def truth_of(values: Sequence[Any], ensemble: Ensemble, name: str) -> Truth:
    """Return the place of each row's class, or its value: (n,).

    Raises:
        InputError: a value is missing, no number, or none of the classes.
    """
    if ensemble.is_classifier:
        places = _class_places(ensemble)
        return np.array([_place(places, value, row, name) for row, value in enumerate(values)], np.intp)
    truth = np.empty(len(values))
    for row, value in enumerate(values):
        try:
            truth[row] = value
        except (TypeError, ValueError):
            truth[row] = np.nan
        if not np.isfinite(truth[row]):
            raise InputError(
                f"{name} is {value!r} in row {row}", expected="a finite number", fix="leave out rows without an answer"
            )
    return truth


def _class_places(ensemble: Ensemble) -> dict[str, int]:
    classes: Sequence[Category] = ensemble.classes or range(ensemble.n_classes)
    return {_word(label): place for place, label in enumerate(classes)}


def _place(places: Mapping[str, int], value: Any, row: int, name: str) -> int:
    place = places.get(_word(value))
    if place is None:
        raise InputError(
            f"{name} is {value!r} in row {row}",
            expected=f"one of the model's classes: {', '.join(list(places)[:8])}",
            fix=_class_fix(value, places, row),
        )
    return place


def _class_fix(value: Any, places: Mapping[str, int], row: int) -> str:
    """Return the cure for a label that the model has not; numbers may stand for labels that its file does not hold."""
    if not is_number(str(value)) and list(places) == [str(place) for place in range(len(places))]:
        return "give the numbers of the classes as in training, or a model with labels: the pickled classifier"
    return "--target with another column" if row == 0 else "leave out rows of other classes"


def _word(label: Any) -> str:
    """Return a label as text, the same for 1, 1.0, "1", "1.0" and True."""
    text = str(label)
    if text in {"True", "true"}:
        return "1"
    if text in {"False", "false"}:
        return "0"
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() else str(number)


def _target(columns: list[str], schema: Schema, asked: str | None) -> str:
    if asked is not None:
        if asked not in columns:
            raise InputError(
                f"no column {asked!r}", expected=f"one of {', '.join(columns[:12])}", fix="--target with one of these"
            )
        return asked
    others = [name for name in columns if schema.own(name) not in schema.names]
    if not schema.is_named and len(others) == len(columns) and {"target", "label", "y"} & set(others):
        return next(name for name in ("target", "label", "y") if name in others)
    if len(others) != 1:
        found = f"the columns {', '.join(others[:8])} are no features" if others else "every column is a feature"
        given = {schema.own(name) for name in columns}
        without = [name for name in schema.names if name not in given] if schema.is_named else []
        fix = f"--target NAME, and a column for {', '.join(without[:8])}" if without else "--target NAME"
        raise InputError(found, expected="one more column, with the true answers", fix=fix)
    return others[0]


def read_columns(path: Path) -> dict[str, Any]:
    """Read a table: a header and rows, divided by `,` `;` `|` or tabs, also in `.gz`, `.bz2` or `.xz`; or Parquet.

    Returns:
        column -> texts of CSV, or values of Parquet; in the file's order.
    Raises:
        InputError: it cannot be read, or its names are none; names the line.
    """
    data = table_bytes(path)
    return dict(frame_columns(parquet_table(path, data)) if is_parquet(data) else _csv(path, data))


@contextmanager
def _placed(path: Path) -> Iterator[None]:
    """Say of which file an error is."""
    try:
        yield
    except InputError as error:
        problem = error.problems[0]
        raise InputError(
            _ROW.sub(_of_the_data, problem.found, count=1),
            expected=problem.expected,
            fix=problem.fix,
            where=str(path),
        ) from error


def _of_the_data(found: re.Match[str]) -> str:
    """Count a row from 1, as all that reads files does; rows of arrays are counted from 0."""
    return f"{found[1]}in row {int(found[2]) + 1} of the data"


def _csv(path: Path, data: bytes) -> dict[str, list[str]]:
    text, _ = table_text(path, data)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    try:
        header = next((row for row in reader if row), [])
        check_header(header, path)
        columns: list[list[str]] = [[] for _ in header]
        for row in reader:
            if len(row) != len(header):
                if not row:
                    continue  # an empty line
                raise InputError(
                    f"{len(row)} values",
                    expected=f"{len(header)}, as the header has",
                    where=f"{path}:{reader.line_num}",
                )
            for column, value in zip(columns, row, strict=True):
                column.append(value)
    except csv.Error as error:
        raise InputError(f"no CSV: {error}", expected="a header and rows", where=f"{path}:{reader.line_num}") from error
    if not columns[0]:
        raise InputError("no rows", expected="a header and rows", where=str(path))
    return dict(zip(header, columns, strict=True))


def _read_texts(columns: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Turn the texts of a CSV file into numbers and categories; what is neither stays a text and is told later."""
    order = schema.match(list(columns))
    read = {}
    for place, name in enumerate(order):
        column, codes = columns[name], schema.codes[place]
        if codes is not None and isinstance(column, list):
            read[name] = _categories(column, codes)
        elif isinstance(column, list):
            read[name] = [_value(text) for text in column]
        else:
            read[name] = column
    return read


def _categories(column: list[Any], codes: Mapping[Any, float]) -> list[Any]:
    known = {_word(category): category for _, category in codes}
    return [
        None if isinstance(text, str) and text.lower() in EMPTY and text not in known else known.get(_word(text), text)
        for text in column
    ]


def _value(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return float(text)
    except ValueError:
        return None if text.strip().lower() in EMPTY else text
