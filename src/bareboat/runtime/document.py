"""The text of a request's body -> a document of dicts, lists, texts and numbers."""

from __future__ import annotations

from json.decoder import JSONDecodeError, JSONDecoder

from bareboat.runtime.faults import Faults, fault

JSON = "JSON: an object of features, a list, or an object with instances"


class Repeated(dict):  # type: ignore[type-arg]
    """An object whose text gave some key more than once; the last value stands.

    Attributes:
        keys_repeated: those keys.
    """

    __slots__ = ("keys_repeated",)

    keys_repeated: tuple[str, ...]


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) == len(pairs):
        return values
    counts = dict.fromkeys(values, 0)
    for key, _ in pairs:
        counts[key] += 1
    repeated = Repeated(values)
    repeated.keys_repeated = tuple(key for key, count in counts.items() if count > 1)
    return repeated


_DECODER = JSONDecoder(object_pairs_hook=_object)
_SCAN = _DECODER.scan_once  # type: ignore[attr-defined]  # what decode() calls between its two searches for white space


def parse(text: str) -> object:
    """Parse the body of a request.

    The literals NaN and Infinity, which Python's decoder takes, come through as floats: the signature refuses them
    where they stand. An object with a key given twice comes through as `Repeated`, for the same reason.

    Raises:
        InputError: the text is not JSON, too deep, or holds an integer of thousands of digits.
    """
    try:
        document, end = _SCAN(text, 0)
        if end == len(text):
            return document
    except (ValueError, StopIteration, RecursionError):
        pass  # told apart below
    try:
        return _DECODER.decode(text.removeprefix("\ufeff"))
    except JSONDecodeError as error:
        found = f"text that is no JSON at line {error.lineno}, column {error.colno} ({error.msg})"
        raise fault("body", found, JSON) from None
    except RecursionError:
        raise fault("body", "JSON that is nested too deeply", JSON) from None
    except ValueError:  # Python's limit on the digits of an integer, 4300
        raise fault("body", "an integer of thousands of digits", "numbers that a float can hold") from None


def parse_number(text: str) -> object:
    """Return the number that a query string's text is, by JSON's grammar, or None when it is none."""
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    return value if type(value) in (int, float) else None


def refuse_repeated(document: object) -> None:
    """Refuse a document in which an object gives a key twice, at any depth, naming each place.

    Raises:
        InputError: there is one.
    """
    faults = Faults()
    pending: list[tuple[str, object]] = [("", document)]
    while pending and not faults.is_full:
        place, value = pending.pop()
        if isinstance(value, dict):
            if isinstance(value, Repeated):
                for key in value.keys_repeated:
                    faults.add(place + key, "a key given more than once", "one value")
            pending.extend((f"{place}{key}.", each) for key, each in value.items() if isinstance(each, (dict, list)))
        elif isinstance(value, list):
            inside = place.removesuffix(".")
            pending.extend((f"{inside}[{i}].", each) for i, each in enumerate(value) if isinstance(each, (dict, list)))
    faults.refuse()
