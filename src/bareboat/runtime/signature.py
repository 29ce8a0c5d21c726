"""A model document -> Signature: the rows that a model function takes, and what is wrong with all others."""

from __future__ import annotations

from operator import itemgetter

from bareboat.runtime.document import Repeated, parse_number
from bareboat.runtime.faults import SHOWN, Faults, cut, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Row = list[Any]
    Reader = Callable[[Any], Any]

NAN = float("nan")
REFUSED: Any = object()
"""What is read of a value that does not fit."""

_NUMBERS = {float, int}
# The nearest name is looked for only where that is quick: finding it is quadratic in the key's length.
_GUESSES = 10
_GUESSED_LENGTH = 64
_GUESSED_NAMES = 1000
_NAMES_LISTED = 10
_MEASURED = {"float", "int", "datetime"}  # what minimum and maximum are held against is what was read
_MORE = ("values", "enum", "minimum", "maximum", "default", "shape")
VALUE_ENGINES = {"framework", "onnx"}


class Feature:
    """A number: the names that requests may use for it, and whether it may be missing.

    Features of which more is said are of typed.py, which ships only where it is needed; what this one says of itself
    is said here.

    Args:
        name: the name that requests use; `aliases` are taken too (the model's own name).
        nullable: whether null and a missing key mean a missing value.
    """

    __slots__ = ("aliases", "name", "nullable")

    dtype: str = "float"
    values: Sequence[Any] | None = None
    others = True
    enum: Sequence[Any] | None = None
    minimum: Any = None
    maximum: Any = None
    default: Any = None
    shape: Sequence[int | None] | None = None
    is_plain = True

    def __init__(self, name: str, aliases: Sequence[str] = (), *, nullable: bool = False) -> None:
        self.name = name
        self.aliases = tuple(aliases)
        self.nullable = nullable

    def reader(self, *, as_values: bool) -> Reader:  # noqa: ARG002
        """Return the function that makes of a value, which is not None, what the model is given, or REFUSED.

        Args:
            as_values: whether the model takes Python's values, rather than floats with codes for texts.
        """
        return number_of

    def missing(self, *, as_values: bool) -> object:
        """Return what the model is given for null and a missing key, or REFUSED."""
        if not self.nullable:
            return REFUSED
        return None if as_values else NAN

    def limit(self) -> Callable[[Any], bool] | None:
        """Return what tells whether a value is outside its bounds; None where there are none.

        It is given what was read of a number or a date, and of anything else what was sent.
        """
        return None

    def of_text(self, text: str) -> object:
        """Return what the text of a query string, or of a CSV field, says: empty is null, numbers are as in JSON."""
        number = parse_number(text)
        return None if not text else text if number is None else number

    def expected(self, *, strict: bool) -> str:  # noqa: ARG002
        """Say in words what is taken.

        Args:
            strict: whether values outside their bounds are refused.
        """
        return "a number or null" if self.nullable else "a number"


def signature_of(document: Mapping[str, Any], max_rows: int) -> Signature:
    """Return the signature that a model document declares.

    Args:
        document: with `inputs`, `bounds` and `engine`.
        max_rows: how many rows one request may have.
    """
    features = []
    for each in document["inputs"]:
        if is_plain(each):
            features.append(Feature(each["name"], each["aliases"], nullable=each["nullable"]))
        else:
            from bareboat.runtime.typed import typed_feature

            features.append(typed_feature(each))
    as_values = document["engine"] in VALUE_ENGINES
    return Signature(features, max_rows, bounds=document["bounds"], as_values=as_values)


def is_plain(declared: Mapping[str, Any]) -> bool:
    """Tell whether an input of a model document is a number of which nothing more is said."""
    return declared["dtype"] == "float" and all(declared.get(key) is None for key in _MORE)


class Signature:
    """The features of a model, in its order, and how many rows one request may have.

    Args:
        bounds: what happens to a value outside its feature's minimum, maximum or enum that the model can answer:
            error (it is refused), warn (it is counted) or ignore.
        as_values: whether rows hold Python's values, None for missing, as an engine that is no table takes them; else
            floats: codes of texts, seconds of dates, NaN for missing.
    """

    __slots__ = (
        "_limits",
        "_missing",
        "_place_of",
        "_plain",
        "_readers",
        "bounds",
        "features",
        "max_rows",
    )

    def __init__(
        self, features: Sequence[Feature], max_rows: int, *, bounds: str = "error", as_values: bool = False
    ) -> None:
        self.features = tuple(features)
        self.max_rows = max_rows
        self.bounds = bounds
        self._place_of: dict[str, int] = {}
        for place, feature in enumerate(self.features):
            self._place_of.update(dict.fromkeys(feature.aliases, place))
        for place, feature in enumerate(self.features):  # last: a name that requests use wins over an alias
            self._place_of[feature.name] = place
        self._readers = [feature.reader(as_values=as_values) for feature in self.features]
        self._missing = [feature.missing(as_values=as_values) for feature in self.features]
        self._limits = [None if bounds == "ignore" else feature.limit() for feature in self.features]
        self._plain: Callable[[Any], Row | None]
        if all(feature.is_plain for feature in self.features):
            self._plain = _plain_reader([feature.name for feature in self.features])
        else:
            from bareboat.runtime.quick import quick_reader

            self._plain = quick_reader(self.features, self._limits, self._missing, as_values=as_values)

    def knows(self, name: str) -> bool:
        """Tell whether a request may use this name for a feature."""
        return name in self._place_of

    def read(
        self, document: object, *, is_text: bool = False, outside: dict[str, int] | None = None
    ) -> tuple[list[Row], bool]:
        """Turn a document into rows.

        Args:
            document: one row as an object of features or a list, or many as `{"instances": [...]}`.
            is_text: whether the values are texts of a query string or of CSV.
            outside: filled with the features whose values were outside their bounds, and how many values, when
                `bounds` is warn.
        Returns:
            Rows of n_features values in the model's order; and whether they were `instances`.
        Raises:
            InputError: anything does not fit; it names each wrong field, up to a hundred.
        """
        row = self._plain(document)
        if row is not None:
            return [row], False
        reading = _Reading(is_text, {} if outside is None else outside)
        if isinstance(document, dict) and "instances" in document and not self.knows("instances"):
            rows = self._instances(document, reading)
            reading.faults.refuse()
            return rows, True
        row = self._row(document, "", reading)
        reading.faults.refuse()
        return [row], False

    def _instances(self, document: Mapping[str, object], reading: _Reading) -> list[Row]:
        faults = reading.faults
        for key in document:
            if key != "instances":
                faults.add(str(key), "a key beside instances", "instances alone")
        if isinstance(document, Repeated):
            for key in document.keys_repeated:
                faults.add(key, "a key given more than once", "one value")
        return self._many(document["instances"], "instances", reading)

    def read_rows(
        self, rows: object, place: str = "instances", *, is_text: bool = False, outside: dict[str, int] | None = None
    ) -> list[Row]:
        """Turn many rows into rows, whatever the features are called.

        Args:
            rows: what should be a list of objects of features or lists.
            place: where they stand, for what is wrong with them: `place[3].x`.
            is_text, outside: as for `read`.
        Raises:
            InputError: anything does not fit; it names each wrong field, up to a hundred.
        """
        reading = _Reading(is_text, {} if outside is None else outside)
        read = self._many(rows, place, reading)
        reading.faults.refuse()
        return read

    def _many(self, instances: object, place: str, reading: _Reading) -> list[Row]:
        faults = reading.faults
        if not isinstance(instances, (list, tuple)):
            faults.add(place, describe(instances), "a list of rows")
            return []
        if not instances:
            faults.add(place, "an empty list", "at least one row")
        if len(instances) > self.max_rows:
            faults.add(place, f"{len(instances)} rows", f"at most {self.max_rows}")
        faults.refuse()
        rows = []
        for index, instance in enumerate(instances):
            row = self._plain(instance)
            rows.append(self._row(instance, f"{place}[{index}]", reading) if row is None else row)
            if faults.is_full:
                break
        return rows

    def _row(self, values: object, place: str, reading: _Reading) -> Row:
        if isinstance(values, dict):
            return self._named(values, place and f"{place}.", reading)
        if isinstance(values, (list, tuple)):
            return self._listed(values, place, reading)
        reading.faults.add(
            place or "body",
            describe(values),
            f"an object of features or a list of {len(self.features)} values",
        )
        return []

    def _named(self, values: Mapping[Any, object], path: str, reading: _Reading) -> Row:
        faults = reading.faults
        row = self._missing.copy()
        given: list[object] = [None] * len(self.features)
        for key, value in values.items():
            if faults.is_full:
                return row
            place = self._place_of.get(key)
            if place is None:
                faults.add(f"{path}{key}", "an unknown feature", self._nearest(key, len(faults.problems)))
            elif given[place] is not None:
                found = f"a second value, beside {given[place]}"
                faults.add(f"{path}{key}", found, f"one value for {self.features[place].name}")
            else:
                given[place] = key
                row[place] = self._fit(place, value, reading)
                if row[place] is REFUSED:
                    faults.add(f"{path}{key}", describe(value), self._expected(place))
        if isinstance(values, Repeated):
            for key in values.keys_repeated:
                faults.add(f"{path}{key}", "a key given more than once", "one value")
        for place, key in enumerate(given):
            if key is None and row[place] is REFUSED:
                faults.add(f"{path}{self.features[place].name}", "nothing", self._expected(place))
        return row

    def _listed(self, values: Sequence[object], path: str, reading: _Reading) -> Row:
        faults = reading.faults
        if values and all(isinstance(value, (dict, list, tuple)) for value in values):
            faults.add(path or "body", "a list of rows", 'one row; many go as {"instances": [...]}')
            return []
        if len(values) != len(self.features):
            expected = f"{len(self.features)} values, in the model's order"
            faults.add(path or "body", f"a list of {len(values)} values", expected)
            return []
        row = []
        for place, value in enumerate(values):
            row.append(self._fit(place, value, reading))
            if row[place] is REFUSED:
                faults.add(
                    f"{path}[{place}]", describe(value), f"{self._expected(place)} ({self.features[place].name})"
                )
        return row

    def _fit(self, place: int, value: object, reading: _Reading) -> object:
        """Return what the model is given for a value, or REFUSED."""
        feature = self.features[place]
        if reading.is_text and isinstance(value, str):
            value = feature.of_text(value)
        if value is None:
            return self._missing[place]
        read = self._readers[place](value)
        limit = self._limits[place]
        if limit is None or read is REFUSED or not limit(read if feature.dtype in _MEASURED else value):
            return read
        if self.bounds == "error":
            return REFUSED
        reading.outside[feature.name] = reading.outside.get(feature.name, 0) + 1
        return read

    def _expected(self, place: int) -> str:
        return self.features[place].expected(strict=self.bounds == "error")

    def _nearest(self, key: object, guesses: int) -> str:
        if (
            isinstance(key, str)
            and len(key) <= _GUESSED_LENGTH
            and guesses < _GUESSES
            and len(self._place_of) <= _GUESSED_NAMES
        ):
            from difflib import get_close_matches

            near = get_close_matches(key, list(self._place_of), n=1)
            if near:
                return f"perhaps {near[0]}"
        return one_of([feature.name for feature in self.features])


class _Reading:
    """One request while it is read."""

    __slots__ = ("faults", "is_text", "outside")

    def __init__(self, is_text: bool, outside: dict[str, int]) -> None:
        self.faults = Faults()
        self.is_text = is_text
        self.outside = outside


def _plain_reader(names: Sequence[str]) -> Callable[[Any], Row | None]:
    """Return the function that reads a row of finite numbers with all names, or in order; None for any other."""
    n = len(names)
    pick = itemgetter(*names) if n > 1 else lambda values: [values[name] for name in names]

    def plain(values: Any) -> Row | None:
        kind = type(values)
        if (kind is not dict and kind is not list) or len(values) != n:
            return None
        try:
            picked = pick(values) if kind is dict else values
            if not _NUMBERS.issuperset(map(type, picked)):
                return None
            row = list(map(float, picked))
        except (KeyError, OverflowError):
            return None
        total = sum(row)  # one call of C picks a row, and one looks whether all of it is finite
        return row if total - total == 0.0 else None  # taken from itself, infinity leaves NaN

    return plain


def number_of(value: Any) -> Any:
    """Return a finite number as a float, or REFUSED."""
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        return REFUSED
    try:
        number = float(value)  # an int, or a number of numpy's that a `before` function made
    except (OverflowError, TypeError, ValueError):
        return REFUSED
    return number if number - number == 0.0 else REFUSED


def literal(value: object) -> str:
    """Write a value as a client would."""
    return f'"{cut(value, SHOWN)}"' if isinstance(value, str) else describe(value)


def one_of(values: Sequence[Any], write: Callable[[Any], str] = str) -> str:
    """List the first few values, and say how many there are."""
    more = f", ... ({len(values)} in all)" if len(values) > _NAMES_LISTED else ""
    return "one of " + ", ".join(cut(write(each), SHOWN + 2) for each in values[:_NAMES_LISTED]) + more
