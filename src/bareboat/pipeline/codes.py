"""A column of texts or other labels, as any kind of data frame keeps it -> the codes of a pipeline's vocabulary."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.frames import home_of
from bareboat.forest.ir import Category, Floats
from bareboat.forest.schema import is_missing
from bareboat.pipeline.ir import OTHER

_REMEMBERED = 65_536


class WrongValueError(Exception):
    """A value that is no text where the vocabulary holds texts alone, or that cannot be looked up."""

    def __init__(self, value: object) -> None:
        self.value = value


class CodeBook:
    """The values of one column and their codes.

    Args:
        values: by code. `None` among them stands for a missing value that is None; NaN is never among them.
    """

    def __init__(self, values: Sequence[Category | None]) -> None:
        self.values = tuple(values)
        self.missing = float(self.values.index(None)) if None in self.values else math.nan
        self.holds_texts = all(value is None or isinstance(value, str) for value in self.values)
        self._codes = {_key(value): float(code) for code, value in enumerate(self.values)}
        self._texts = _Texts(self)

    def code(self, value: Any) -> float:
        """Return the code of one value: OTHER of a stranger, NaN of a missing one.

        Raises:
            WrongValueError: it is no text, and all values are.
        """
        if value is None:
            return self.missing
        try:
            code = self._codes.get(_key(value))
        except TypeError:
            code = None
            if not is_missing(value):
                raise WrongValueError(value) from None
        if code is not None:
            return code
        if is_missing(value):
            return math.nan
        if self.holds_texts and not isinstance(value, str):
            raise WrongValueError(value)
        return OTHER

    def codes(self, series: Any) -> Floats:
        """Return the codes of a column: (n,).

        Args:
            series: a Series of pandas or polars, an array of Arrow or numpy, or a list of values.
        Raises:
            WrongValueError: as `code`.
        """
        home = home_of(series)
        if home == "pandas":
            return self._of_pandas(series)
        if home == "polars":
            return self._of_polars(series)
        if home == "pyarrow":
            return self._of_arrow(series)
        if isinstance(series, np.ndarray) and series.dtype.kind in "biuf":
            return self._of_numbers(series)
        return self._of_values(series.tolist() if isinstance(series, np.ndarray) else series)

    def _of_values(self, values: Iterable[Any]) -> Floats:
        if self.holds_texts:
            with suppress(TypeError):  # what cannot be looked up is told below
                return np.fromiter(map(self._texts.__getitem__, values), np.float64)
        return np.fromiter(map(self.code, values), np.float64)

    def _of_numbers(self, numbers: NDArray[Any]) -> Floats:
        """Look every number up once, however often it is there."""
        distinct, places = np.unique(numbers, return_inverse=True)
        codes = np.array([self.code(number) for number in distinct.tolist()], np.float64)
        return codes[places.reshape(-1)]

    def _of_pandas(self, series: Any) -> Floats:
        dtype = series.dtype
        if str(dtype) == "category":
            return self._of_categories(dtype.categories.tolist(), series.cat.codes.to_numpy())
        if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
            return self._of_numbers(series.to_numpy())
        if self.holds_texts and getattr(dtype, "storage", "") == "pyarrow":  # pandas' own type of texts
            import pyarrow

            codes = self._of_arrow(pyarrow.array(series, from_pandas=True))
            if isinstance(dtype.na_value, float):
                codes[series.isna().to_numpy()] = math.nan  # a missing text is NaN to pandas, not None
            return codes
        return self._of_values(series.astype(object).tolist())

    def _of_polars(self, series: Any) -> Floats:
        if self.holds_texts and str(series.dtype).startswith(("String", "Categorical", "Enum")):
            try:
                return self._of_arrow(series.to_arrow())
            except ImportError:  # polars needs pyarrow for it
                return self._of_values(series.to_list())
        if series.dtype.is_numeric():
            return self._of_numbers(series.cast(float).to_numpy())
        return self._of_values(series.to_list())

    def _of_arrow(self, column: Any) -> Floats:
        from pyarrow import types

        if hasattr(column, "combine_chunks"):
            column = column.combine_chunks()
        kind = column.type
        if types.is_dictionary(kind):
            places = column.indices.cast("int64").fill_null(-1).to_numpy(zero_copy_only=False)
            codes = self._of_categories(column.dictionary.to_pylist(), places)
            codes[places < 0] = self.missing
            return codes
        if self.holds_texts and (types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)):
            return self._of_arrow_texts(column)
        return self._of_values(column.to_pylist())

    def _of_arrow_texts(self, column: Any) -> Floats:
        import pyarrow
        from pyarrow import compute, types

        if types.is_string_view(column.type):  # which index_in does not know
            column = column.cast(pyarrow.large_string())
        texts = [text for text in self.values if text is not None]
        places = compute.index_in(column, value_set=pyarrow.array(texts, column.type))
        found = places.fill_null(len(texts)).to_numpy(zero_copy_only=False)
        codes: Floats = np.array([*(self._codes[_key(text)] for text in texts), OTHER])[found]
        if column.null_count:
            codes[column.is_null().to_numpy(zero_copy_only=False)] = self.missing
        return codes

    def _of_categories(self, categories: Sequence[Any], places: NDArray[Any]) -> Floats:
        """Look each category up once; a place below 0 is a missing value. Only categories that occur may be wrong."""
        codes = np.full(len(categories) + 1, math.nan)  # the last one is for -1
        occurs = np.zeros(len(codes), np.bool_)
        occurs[places] = True
        for place in np.flatnonzero(occurs[:-1]).tolist():
            codes[place] = self.code(categories[place])
        found: Floats = codes[places]
        return found


class _Texts(dict[Any, float]):
    """The codes by value, without the detour that tells True from 1: for columns of texts, asked once a row.

    It remembers strangers, but no more than so many: they are what other people send.
    """

    def __init__(self, vocabulary: CodeBook) -> None:
        super().__init__({value: float(code) for code, value in enumerate(vocabulary.values)})
        self[None] = vocabulary.missing
        self[np.nan] = math.nan  # found by its identity, as nearly every NaN in a data frame is this one
        self._vocabulary = vocabulary

    def __missing__(self, value: Any) -> float:
        code = self._vocabulary.code(value)
        if len(self) < _REMEMBERED and isinstance(value, str):
            self[value] = code
        return code


def _key(value: Any) -> tuple[bool, Any]:
    """Tell True from 1, which are the same key of a dict."""
    if isinstance(value, np.generic):
        value = value.item()
    return isinstance(value, bool), value
