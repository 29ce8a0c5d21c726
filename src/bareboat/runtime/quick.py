"""Features -> a function that reads a row of them in a few calls of C, when the row is as it should be.

It ships where a model has a feature that is more than a number.
"""

from __future__ import annotations

from operator import ge, getitem, itemgetter, le

from bareboat.runtime.signature import REFUSED, Feature
from bareboat.runtime.typed import LONG, OTHER, codes_of, is_coded, is_number, range_of, stranger_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Row = list[Any]

_NUMBERS = {float, int}
_PLAIN = {str, bool, int, float}
_INFINITY = float("inf")


def quick_reader(
    features: tuple[Feature, ...],
    limits: Sequence[object],
    missing: Sequence[object],
    *,
    as_values: bool,
) -> Callable[[Any], Row | None]:
    """Return a function that reads a row which is as it should be, and returns None for any other.

    Such a row has the features by their names, or in order. Numbers are picked at once and looked at together, and
    texts are looked up in their vocabularies together. What cannot be told to be right in this way is left to
    `Signature`, which names what is wrong.

    Args:
        limits: for each feature its limit, or None.
        missing: for each feature what the model is given for null, or REFUSED.
    """
    numbers, codes, ignored = [], [], []
    for place, feature in enumerate(features):
        if is_number(feature) and (limits[place] is None or feature.enum is None):
            numbers.append(place)
        elif is_coded(feature) and limits[place] is None:
            codes.append(place)
        elif feature.dtype == "any":
            ignored.append(place)
        else:
            return lambda _: None
    if as_values:
        return lambda _: None
    return _mixed_reader(features, numbers, codes, ignored, limits, missing)


def _mixed_reader(
    features: tuple[Feature, ...],
    numbers: list[int],
    codes: list[int],
    ignored: list[int],
    limits: Sequence[object],
    missing: Sequence[object],
) -> Callable[[Any], Row | None]:
    n = len(features)
    names = [feature.name for feature in features]
    order = [*numbers, *codes, *ignored]
    number_pickers = (_picker([names[place] for place in numbers]), _picker(numbers))
    code_pickers = (_picker([names[place] for place in codes]), _picker(codes))
    pick_ignored = _picker([names[place] for place in ignored])
    others = [OTHER] * len(ignored)
    rearrange = None if order == list(range(n)) else _picker([order.index(place) for place in range(n)])
    tables = [_quick_codes(features[place], missing[place]) for place in codes]
    strangers: list[Any] = [stranger_of(features[place]) for place in codes]  # type: ignore[arg-type]
    whole_places = [at for at, place in enumerate(numbers) if features[place].dtype == "int"]
    wholes = _picker(whole_places)
    ranges = [range_of(features[place]) if limits[place] else (-_INFINITY, _INFINITY) for place in numbers]
    is_limited = any(limits[place] for place in numbers)
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    nulls = [missing[place] for place in numbers]
    blank = dict.fromkeys(names) if any(each is not REFUSED for each in missing) else {}

    def mixed(values: Any) -> Row | None:
        by_place = type(values) is list
        if not by_place:
            if type(values) is not dict:
                return None
            if blank and len(values) < n:
                values = blank | values  # what is not there is null
        if len(values) != n:
            return None
        try:
            picked = number_pickers[by_place](values)
            row: Row | None
            if _NUMBERS.issuperset(map(type, picked)):
                row = list(map(float, picked))
                total = sum(row)
                if total - total != 0.0 or (is_limited and not (all(map(le, lows, row)) and all(map(ge, highs, row)))):
                    return None
                given: Sequence[Any] = row
            else:
                row = _with_nulls(picked, nulls, lows, highs)
                if row is None:
                    return None
                given = picked
            if whole_places and not (_are_whole if given is row else _are_whole_or_null)(wholes(given)):
                return None
            texts = code_pickers[by_place](values)
            if others and not by_place:
                pick_ignored(values)  # they are there, or the row is not as it should be
        except (KeyError, OverflowError, TypeError):
            return None
        try:
            row += list(map(getitem, tables, texts))
        except KeyError:
            found = _codes(tables, texts, strangers)
            if found is None:
                return None
            row += found
        except TypeError:  # a list or an object cannot be looked up
            return None
        row += others
        return row if rearrange is None else list(rearrange(row))

    return mixed


def _codes(tables: Sequence[dict[Any, Any]], texts: Sequence[Any], strangers: Sequence[Any]) -> Row | None:
    """Return the codes of values of which some are strangers; None when one of those is refused."""
    found: Row = []
    for table, text, stranger in zip(tables, texts, strangers):  # noqa: B905 - of one length by construction
        code = table.get(text) if text is None or type(text) in _PLAIN else None
        if code is None:
            if stranger is REFUSED or type(text) is not str:
                return None
            code = stranger
        found.append(code)
    return found


def _with_nulls(
    picked: Sequence[Any], nulls: Sequence[object], lows: Sequence[float], highs: Sequence[float]
) -> Row | None:
    """Return a row of which some values are null; None when one is neither that nor a finite number in its range."""
    row: Row = []
    for value, null, low, high in zip(picked, nulls, lows, highs):  # noqa: B905 - of one length by construction
        if value is None:
            if null is REFUSED:
                return None
            row.append(null)
        elif type(value) in _NUMBERS and low <= value <= high and -_INFINITY < (number := float(value)) < _INFINITY:
            row.append(number)
        else:
            return None
    return row


def _are_whole(numbers: Sequence[float]) -> bool:
    return all(map(float.is_integer, numbers)) and min(numbers) >= -LONG and max(numbers) < LONG


def _are_whole_or_null(numbers: Sequence[Any]) -> bool:
    return all(each is None or (each == each // 1 and -LONG <= each < LONG) for each in numbers)


def _quick_codes(feature: Feature, missing: object) -> dict[Any, Any]:
    """Return the codes by bare value, of those values that no value of another type equals; null is among them."""
    if feature.dtype == "bool":
        read = feature.reader(as_values=False)
        table: dict[Any, Any] = {each: read(each) for each in (False, True) if read(each) is not REFUSED}
    else:
        table = {key: code for key, code in codes_of(feature).items() if isinstance(key, str)}
    if missing is not REFUSED:
        table[None] = missing
    return table


def _picker(keys: Sequence[Any]) -> Callable[[Any], Sequence[Any]]:
    """Return what takes the values at these keys or places: one call of C, and always a sequence."""
    if len(keys) > 1:
        return itemgetter(*keys)
    if not keys:
        return lambda _: ()
    (key,) = keys
    return lambda values: (values[key],)
