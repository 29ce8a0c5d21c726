"""CSV and columns -> rows as a signature reads them."""

from __future__ import annotations

from bareboat.runtime.answers import none_for_nan
from bareboat.runtime.faults import LISTED, Faults, describe, fault, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bareboat.runtime.signature import Feature, Signature

# What pandas reads as missing (pandas.read_csv, na_values), which is how these clients write it.
_MISSING = frozenset(("#N/A", "N/A", "n/a", "NA", "<NA>", "#NA", "NULL", "null", "None", "NaN", "nan", "-NaN", "-nan"))

_BOOLS = {"True": True, "TRUE": True, "False": False, "FALSE": False}


def csv_rows(text: str) -> list[list[Any]]:
    """Read the lines of a CSV; an empty cell, or one of the words for it, is None. Empty lines are left out.

    Raises:
        InputError: a quote is not closed, or lines have unlike numbers of cells.
    """
    import csv

    rows: list[list[Any]] = []
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        for cells in reader:
            if not cells:
                continue
            if rows and len(cells) != len(rows[0]):
                found = f"{len(cells)} cells in line {reader.line_num}"
                raise fault("body", found, f"{len(rows[0])}, as in the first line")
            rows.append([None if not cell or cell in _MISSING else cell for cell in cells])
    except csv.Error as error:
        raise fault("body", f"text that is no CSV at line {reader.line_num} ({error})", "CSV") from None
    if not rows:
        raise fault("body", "nothing", "rows")
    return rows


def read_cells(rows: list[list[Any]], features: Mapping[int, Feature]) -> list[list[Any]]:
    """Return the rows with the texts of some columns as numbers and booleans where they are some.

    Unlike in JSON `.5`, `+1` and ` 1` are numbers, and pandas writes `True`.

    Args:
        features: by the place of their column.
    """
    for place, feature in features.items():
        dtype = "float" if feature.is_plain else getattr(feature, "dtype", "")
        if dtype in ("float", "int"):
            for row in rows:
                if row[place] is not None:
                    try:
                        row[place] = float(row[place])
                    except ValueError:
                        pass  # the signature says what is wrong with it
        elif dtype == "bool":
            for row in rows:
                row[place] = _BOOLS.get(row[place], row[place])
    return rows


def without_nan(rows: list[Any]) -> list[Any]:
    """Return rows with None for NaN, which is how these clients write what is missing."""
    return [
        {key: none_for_nan(value) for key, value in row.items()}
        if type(row) is dict
        else [none_for_nan(value) for value in row]
        if type(row) is list
        else row
        for row in rows
    ]


def named_rows(signature: Signature, columns: Sequence[Any], rows: Sequence[Any], place: str) -> list[Any]:
    """Return rows of a table with column names, in the model's order or by name.

    Args:
        rows: lists of as many values as there are columns.
        place: where the columns stand, for what is wrong with them.
    Raises:
        InputError: a name is unknown or there twice, or a row is of another length.
    """
    faults = Faults()
    names = [feature.name for feature in signature.features]
    if list(columns) != names:
        seen: set[object] = set()
        for index, column in enumerate(columns):
            if not isinstance(column, str) or not signature.knows(column):
                found = f'an unknown feature, "{column}"' if isinstance(column, str) else describe(column)
                faults.add(f"{place}[{index}]", found, listed(names))
            elif column in seen:
                faults.add(f"{place}[{index}]", f'"{column}" a second time', "each column once")
            seen.add(column if isinstance(column, str) else index)
        faults.refuse()
    n = len(columns)
    for index, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != n:
            found = f"{len(row)} values" if isinstance(row, list) else describe(row)
            faults.add(f"row {index}", found, f"a list of {n} values, one a column")
        if len(faults.problems) >= LISTED:
            break
    faults.refuse()
    if list(columns) == names:
        return list(rows)
    return [dict(zip(columns, row)) for row in rows]  # noqa: B905 - of one length


def rows_of_columns(columns: Mapping[str, Any], place: str) -> list[dict[str, Any]]:
    """Turn columns by name into rows: `{"a": [1, 2], "b": [3, 4]}`, where each value may be a list of one.

    Raises:
        InputError: the columns are of unlike lengths, or none.
    """
    if not columns:
        raise fault(place, "no column", "a column for each feature")
    if not any(isinstance(values, list) for values in columns.values()):
        return [dict(columns)]
    faults = Faults()
    n: int | None = None
    flat = {}
    for name, values in columns.items():
        if not isinstance(values, list):
            faults.add(f"{place}.{name}", describe(values), "a list, as the other columns have")
            continue
        if n is None:
            n = len(values)
        if len(values) != n:
            faults.add(f"{place}.{name}", f"{len(values)} values", f"{n}, as the first column has")
        flat[name] = [each[0] if isinstance(each, list) and len(each) == 1 else each for each in values]
    faults.refuse()
    names = list(flat)
    return [dict(zip(names, row)) for row in zip(*flat.values())]  # noqa: B905 - of one length
