"""A model document -> Signature: the rows that a model function takes, and what is wrong with all others."""

from __future__ import annotations

from operator import itemgetter

from bareboat.runtime.document import Repeated, parse_number
from bareboat.runtime.faults import SHOWN, Faults, cut, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

NAN = float("nan")
_NUMBERS = {float, int}
# The nearest name is looked for only where that is quick: finding it is quadratic in the key's length.
_GUESSES = 10
_GUESSED_LENGTH = 64
_GUESSED_NAMES = 1000
_NAMES_LISTED = 10


class Feature:
    """One feature: the names that requests may use for it, and the values that it takes.

    Args:
        name: the name that requests use; `aliases` are taken too (the model's own name).
        nullable: whether null and a missing key mean missing (NaN).
        categories: for a categorical feature its values; the forest sees a value's index.
    """

    __slots__ = ("aliases", "codes", "expected", "name", "nullable")

    def __init__(
        self,
        name: str,
        aliases: Sequence[str] = (),
        *,
        nullable: bool = False,
        categories: Sequence[Any] | None = None,
    ) -> None:
        self.name = name
        self.aliases = tuple(aliases)
        self.nullable = nullable
        self.codes: dict[object, float] | None = None
        self.expected = "a number"
        if categories is not None:
            self.codes = {_key(category): float(code) for code, category in enumerate(categories)}
            self.expected = _one_of(map(_literal, categories))
        if nullable:
            self.expected += " or null"

    def number(self, value: object) -> float | None:
        """Return what the forest is given for a value: NaN for missing, None when the value does not fit."""
        if value is None:
            return NAN if self.nullable else None
        if self.codes is not None:
            try:
                return self.codes.get(_key(value))
            except TypeError:  # a list or an object cannot be looked up
                return None
        if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
            return None
        try:
            number = float(value)  # an int, or a number of numpy's that a `before` function made
        except (OverflowError, TypeError, ValueError):
            return None
        return number if number - number == 0.0 else None

    def number_of_text(self, text: object) -> float | None:
        """Do the same for the text of a query string: empty is null, and numbers are written as in JSON."""
        if not isinstance(text, str):
            return self.number(text)
        if not text:
            return self.number(None)
        if self.codes is not None and text in self.codes:
            return self.codes[text]
        value = parse_number(text)
        return None if value is None else self.number(value)


class Signature:
    """The features of a model, in its order, and how many rows one request may have."""

    __slots__ = ("_pick", "_place_of", "features", "max_rows")

    def __init__(self, features: Sequence[Feature], max_rows: int) -> None:
        self.features = tuple(features)
        self.max_rows = max_rows
        self._place_of: dict[str, int] = {}
        for place, feature in enumerate(self.features):
            self._place_of.update(dict.fromkeys(feature.aliases, place))
        for place, feature in enumerate(self.features):  # last: a name that requests use wins over an alias
            self._place_of[feature.name] = place
        names = [feature.name for feature in self.features]
        # One call of C picks a whole row; a single name would come back bare, and categories need looking up.
        self._pick: Callable[[Any], tuple[Any, ...]] | None = (
            itemgetter(*names) if len(names) > 1 and all(each.codes is None for each in self.features) else None
        )

    def knows(self, name: str) -> bool:
        """Tell whether a request may use this name for a feature."""
        return name in self._place_of

    def read(self, document: object, *, is_text: bool = False) -> tuple[list[list[float]], bool]:
        """Turn a document into rows.

        Args:
            document: one row as an object of features or a list, or many as `{"instances": [...]}`.
            is_text: whether the values are the texts of a query string.
        Returns:
            Rows of n_features floats in the model's order, NaN for missing; and whether they were `instances`.
        Raises:
            InputError: anything does not fit; it names each wrong field, up to a hundred.
        """
        row = self._plain(document)
        if row is not None:
            return [row], False
        faults = Faults()
        if isinstance(document, dict) and "instances" in document and not self.knows("instances"):
            rows = self._instances(document, faults)
            faults.refuse()
            return rows, True
        row = self._row(document, None, faults, is_text=is_text)
        faults.refuse()
        return [row], False

    def _instances(self, document: Mapping[str, object], faults: Faults) -> list[list[float]]:
        for key in document:
            if key != "instances":
                faults.add(str(key), "a key beside instances", "instances alone")
        if isinstance(document, Repeated):
            for key in document.keys_repeated:
                faults.add(key, "a key given more than once", "one value")
        instances = document["instances"]
        if not isinstance(instances, (list, tuple)):
            faults.add("instances", describe(instances), "a list of rows")
            return []
        if not instances:
            faults.add("instances", "an empty list", "at least one row")
        if len(instances) > self.max_rows:
            faults.add("instances", f"{len(instances)} rows", f"at most {self.max_rows}")
        faults.refuse()
        rows = []
        for index, instance in enumerate(instances):
            row = self._plain(instance)
            rows.append(self._row(instance, index, faults) if row is None else row)
            if faults.is_full:
                break
        return rows

    def _plain(self, values: Any) -> list[float] | None:
        """Return a row that holds all features by their names, or in order, as finite numbers; None for any other."""
        kind = type(values)
        if self._pick is None or (kind is not dict and kind is not list) or len(values) != len(self.features):
            return None
        try:
            picked = self._pick(values) if kind is dict else values
            if not _NUMBERS.issuperset(map(type, picked)):
                return None
            row = list(map(float, picked))
        except (KeyError, OverflowError):
            return None
        total = sum(row)
        return row if total - total == 0.0 else None  # taken from itself, infinity leaves NaN

    def _row(self, values: object, index: int | None, faults: Faults, *, is_text: bool = False) -> list[float]:
        if isinstance(values, dict):
            return self._named(values, "" if index is None else f"instances[{index}].", faults, is_text=is_text)
        if isinstance(values, (list, tuple)):
            return self._listed(values, "" if index is None else f"instances[{index}]", faults)
        faults.add(
            "body" if index is None else f"instances[{index}]",
            describe(values),
            f"an object of features or a list of {len(self.features)} values",
        )
        return []

    def _named(self, values: Mapping[Any, object], path: str, faults: Faults, *, is_text: bool) -> list[float]:
        row = [NAN] * len(self.features)
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
                row[place] = _fit(self.features[place], value, f"{path}{key}", faults, is_text=is_text)
        if isinstance(values, Repeated):
            for key in values.keys_repeated:
                faults.add(f"{path}{key}", "a key given more than once", "one value")
        for feature, key in zip(self.features, given):  # noqa: B905 - of one length by construction
            if key is None and not feature.nullable:
                faults.add(f"{path}{feature.name}", "nothing", feature.expected)
        return row

    def _listed(self, values: Sequence[object], path: str, faults: Faults) -> list[float]:
        if values and all(isinstance(value, (dict, list, tuple)) for value in values):
            faults.add(path or "body", "a list of rows", 'one row; many go as {"instances": [...]}')
            return []
        if len(values) != len(self.features):
            expected = f"{len(self.features)} values, in the model's order"
            faults.add(path or "body", f"a list of {len(values)} values", expected)
            return []
        return [
            _fit(feature, value, f"{path}[{place}]", faults, is_text=False, name=feature.name)
            for place, (feature, value) in enumerate(zip(self.features, values))  # noqa: B905 - of one length
        ]

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
        return _one_of(feature.name for feature in self.features)


def signature_of(document: Mapping[str, Any], max_rows: int) -> Signature:
    """Return the signature of a model document (docs/artifact.md)."""
    return Signature(
        [
            Feature(each["name"], each["aliases"], nullable=each["nullable"], categories=each["values"])
            for each in document["inputs"]
        ],
        max_rows,
    )


def _fit(feature: Feature, value: object, field: str, faults: Faults, *, is_text: bool, name: str = "") -> float:
    number = feature.number_of_text(value) if is_text else feature.number(value)
    if number is None:
        faults.add(field, describe(value), f"{feature.expected} ({name})" if name else feature.expected)
        return NAN
    return number


def _key(value: object) -> object:
    """Keep true apart from 1, as JSON does and Python does not."""
    return ("bool", value) if isinstance(value, bool) else value


def _literal(value: object) -> str:
    return f'"{cut(value, SHOWN)}"' if isinstance(value, str) else describe(value)


def _one_of(names: Iterable[str]) -> str:
    listed = list(names)
    more = f", ... ({len(listed)} in all)" if len(listed) > _NAMES_LISTED else ""
    return "one of " + ", ".join(cut(name, SHOWN) for name in listed[:_NAMES_LISTED]) + more
