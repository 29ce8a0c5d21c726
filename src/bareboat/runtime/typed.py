"""Features that are more than numbers: what requests may send for them, and what the model is given.

It ships where a model has such a feature.
"""

from __future__ import annotations

from bareboat.runtime.faults import describe
from bareboat.runtime.signature import NAN, REFUSED, Feature, literal, number_of, one_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from bareboat.runtime.signature import Reader

OTHER = -1.0
"""What a model of codes is given for a value outside the vocabulary."""
LONG = 2**63
"""Whole numbers are from -LONG to LONG - 1: what engines hold."""

_BOOLS: dict[object, bool] = {True: True, False: False}  # 1 and 0 are found too, as many clients write them
_TEXTS = {"true": True, "false": False}
_INFINITY = float("inf")
_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "string": "a text",
    "category": "a text, a number, true or false",
    "datetime": "a date or time in ISO 8601",
    "any": "anything",
}


class TypedFeature(Feature):
    """One feature: the names that requests may use for it, and the values that it takes.

    Args:
        name: the name that requests use; `aliases` are taken too (the model's own name).
        dtype: float, int, bool, string, category, datetime, or any for a column that the model never reads.
        nullable: whether null and a missing key mean a missing value.
        values: the vocabulary; the model is given a value's place. It may hold None, which is then what null is.
        others: whether the model can answer for a value that is not in `values` (or, of a number, not in `enum`).
        enum: the values that are declared; without `others` nothing else is taken, with it `bounds` decides.
        minimum, maximum: of a number, or texts of ISO 8601 for a datetime.
        default: what null and a missing key stand for, as JSON has it; None for nothing.
        shape: of a tensor of numbers, which comes as nested lists; None in it is any length.
        unknown: with "missing" a value that is not in `values` is given to the model as a missing one (`others` then
            holds too); it has to be of a kind that `values` has.
    """

    __slots__ = ("default", "dtype", "enum", "maximum", "minimum", "others", "shape", "unknown", "values")

    is_plain = False

    def __init__(  # noqa: PLR0913
        self,
        name: str,
        aliases: Sequence[str] = (),
        *,
        dtype: str = "float",
        nullable: bool = False,
        values: Sequence[Any] | None = None,
        others: bool = False,
        enum: Sequence[Any] | None = None,
        minimum: Any = None,
        maximum: Any = None,
        default: Any = None,
        shape: Sequence[int | None] | None = None,
        unknown: str = "error",
    ) -> None:
        super().__init__(name, aliases, nullable=nullable)
        self.dtype = dtype
        self.values = values
        self.others = others
        self.enum = enum
        self.minimum = minimum
        self.maximum = maximum
        self.default = default
        self.shape = shape
        self.unknown = unknown

    def reader(self, *, as_values: bool) -> Reader:
        """Return what reads a value, as for any Feature."""
        return reader_of(self, as_values=as_values)

    def missing(self, *, as_values: bool) -> object:
        """Return what the model is given for null and a missing key: the default's, or the code of null."""
        if self.default is not None:
            return self.reader(as_values=as_values)(self.default)
        return missing_of(self, as_values=as_values) if self.nullable else REFUSED

    def limit(self) -> Callable[[Any], bool] | None:
        """Return what tells whether a value is outside minimum, maximum and an enum that is not the model's own."""
        return limit_of(self)

    def of_text(self, text: str) -> object:
        """Return what a text says: empty is null, numbers are as in JSON."""
        return value_of_text(self, text)

    def expected(self, *, strict: bool) -> str:
        """Say in words what is taken."""
        text = words_of(self, strict=strict)
        return f"{text} or null" if self.nullable or self.default is not None else text


def typed_feature(declared: Mapping[str, Any]) -> TypedFeature:
    """Return the feature that an input of a model document is."""
    keys = ("dtype", "nullable", "values", "others", "enum", "minimum", "maximum", "default")
    more = {key: declared[key] for key in ("shape", "unknown") if key in declared}
    return TypedFeature(declared["name"], declared["aliases"], **{key: declared[key] for key in keys}, **more)


def is_number(feature: Feature) -> bool:
    """Whether the model computes with a feature, and takes any number for it."""
    return feature.dtype in {"float", "int"} and feature.shape is None and (feature.enum is None or feature.others)


def is_coded(feature: Feature) -> bool:
    """Whether the model is given a code from a table that knows every value."""
    return feature.dtype == "bool" or (feature.values is not None and feature.dtype in {"string", "category"})


def reader_of(feature: TypedFeature, *, as_values: bool) -> Reader:
    """Return what reads a value, as `Feature.reader` says."""
    if feature.shape is not None:
        return _tensor_reader(feature.shape)
    if feature.dtype == "any":
        return (lambda value: value) if as_values else (lambda _: OTHER)
    if feature.dtype == "datetime":
        return _moment_text if as_values else _moment
    if feature.dtype in {"float", "int"}:
        return _number_reader(feature, as_values)
    if feature.dtype == "bool":
        return _bool_reader(feature, as_values)
    return _text_reader(feature, as_values)


def codes_of(feature: Feature) -> dict[object, float]:
    """Return the code of each value that is taken, by `key_of`."""
    codes = {key_of(value): float(code) for code, value in enumerate(feature.values or ()) if value is not None}
    if feature.enum is not None and not feature.others:
        listed = {key_of(value) for value in feature.enum}
        codes = {key: code for key, code in codes.items() if key in listed}
    return codes


def missing_of(feature: Feature, *, as_values: bool) -> object:
    """Return what a model that can answer for a missing value is given for it: the code of null, where it has one."""
    if as_values:
        return None
    values = list(feature.values or ())
    return float(values.index(None)) if None in values else NAN


def stranger_of(feature: TypedFeature) -> object:
    """Return what a model of codes is given for a text outside the vocabulary, or REFUSED."""
    if not feature.others or feature.dtype == "bool" or not _kinds(feature)(""):
        return REFUSED
    return missing_of(feature, as_values=False) if feature.unknown == "missing" else OTHER


def limit_of(feature: TypedFeature) -> Callable[[Any], bool] | None:
    """Return what tells whether a value is outside its bounds, as `Feature.limit` does."""
    if feature.enum is not None and feature.others:
        listed = {key_of(value) for value in feature.enum}
        if feature.dtype in {"float", "int"}:
            return lambda value: value not in listed
        if feature.dtype == "bool":
            return lambda value: key_of(_BOOLS.get(value, value)) not in listed
        return lambda value: key_of(value) not in listed
    if feature.minimum is None and feature.maximum is None:
        return None
    low, high = range_of(feature)
    if feature.dtype == "datetime":
        return lambda value: not low <= (_moment(value) if isinstance(value, str) else value) <= high
    return lambda value: not low <= value <= high


def range_of(feature: Feature) -> tuple[float, float]:
    """Return minimum and maximum as numbers, of a datetime in seconds; without one the infinite."""
    low, high = (_moment(end) if isinstance(end, str) else end for end in (feature.minimum, feature.maximum))
    return (-_INFINITY if low is None else low), (_INFINITY if high is None else high)


def value_of_text(feature: TypedFeature, text: str) -> object:
    """Return what a text says, as `Feature.of_text` does."""
    if not text:
        return text if feature.values is not None and "" in feature.values else None
    if feature.dtype in {"string", "datetime", "any"} or (feature.values is not None and text in feature.values):
        return text
    if text in _TEXTS and feature.dtype not in {"float", "int"}:
        said: object = _TEXTS[text]
    else:
        from bareboat.runtime.document import parse_number

        said = parse_number(text)
    is_text = said is None or (feature.unknown == "missing" and not _kinds(feature)(said))
    return text if is_text else said


def words_of(feature: TypedFeature, *, strict: bool) -> str:
    """Say in words what is taken, as `Feature.expected` does, null aside."""
    if feature.shape is not None:
        return f"nested lists of {' x '.join('n' if each is None else str(each) for each in feature.shape)} numbers"
    if feature.enum is not None and (strict or not feature.others):
        return one_of(feature.enum, literal)
    if feature.values is not None and not feature.others and feature.dtype != "bool":
        return one_of([value for value in feature.values if value is not None], literal)
    if feature.unknown == "missing":
        kinds = {"a text": "", "a number": 0, "true or false": True}
        return " or ".join(word for word, value in kinds.items() if _kinds(feature)(value))
    return _WORDS[feature.dtype] + (_range_text(feature.minimum, feature.maximum) if strict else "")


def _number_reader(feature: TypedFeature, as_values: bool) -> Reader:
    read: Reader = number_of if feature.dtype == "float" else _whole_value if as_values else _whole
    if feature.enum is None or feature.others:
        return read
    listed = set(feature.enum)

    def chosen(value: object) -> object:
        number = read(value)
        return number if number in listed else REFUSED

    return chosen


def _tensor_reader(shape: Sequence[int | None]) -> Reader:
    """Return what reads nested lists of finite numbers; it hands on lists of the same shape."""

    def nested(value: Any, depth: int) -> Any:
        if depth == len(shape):
            return number_of(value)
        if not isinstance(value, (list, tuple)) or (shape[depth] is not None and len(value) != shape[depth]):
            return REFUSED
        parts = [nested(each, depth + 1) for each in value]
        return REFUSED if any(each is REFUSED for each in parts) else parts

    return lambda value: nested(value.tolist() if hasattr(value, "tolist") else value, 0)


def _bool_reader(feature: TypedFeature, as_values: bool) -> Reader:
    table: dict[object, object] = {True: True, False: False} if as_values else {True: 1.0, False: 0.0}
    if feature.values is not None and not as_values:
        codes = codes_of(feature)
        other = OTHER if feature.others else REFUSED
        table = {each: codes.get(key_of(each), codes.get(int(each), other)) for each in (False, True)}
    elif feature.enum is not None and not feature.others:
        table = {each: made for each, made in table.items() if each in feature.enum}

    def truth(value: object) -> object:
        try:
            return table.get(value, REFUSED)
        except TypeError:  # a list or an object cannot be looked up
            return REFUSED

    return truth


def _text_reader(feature: TypedFeature, as_values: bool) -> Reader:
    fits = _kinds(feature)
    if feature.values is None:
        listed = None if feature.enum is None or feature.others else {key_of(value) for value in feature.enum}

        def free(value: object) -> object:
            if not fits(value) or (listed is not None and key_of(value) not in listed):
                return REFUSED
            return value if as_values else OTHER

        return free
    codes, others = codes_of(feature), feature.others
    is_missing = feature.unknown == "missing"
    stranger = missing_of(feature, as_values=as_values) if is_missing else OTHER

    def coded(value: object) -> object:
        try:
            code = codes.get(key_of(value))
        except TypeError:
            return REFUSED
        if code is None:
            if not others or not fits(value):
                return REFUSED
            return value if as_values and not is_missing else stranger
        return value if as_values else code

    return coded


def _kinds(feature: TypedFeature) -> Callable[[object], bool]:
    """Return what tells whether a value is of a kind that the vocabulary has.

    Texts always are, unless strangers are missing values: then "3" for 3 is a mistake that nobody would be told of.
    """
    if feature.dtype == "category" and feature.values is None:
        return lambda value: isinstance(value, (str, bool)) or number_of(value) is not REFUSED
    values = [value for value in feature.values or () if not isinstance(value, str) and value is not None]
    has_bools = any(isinstance(value, bool) for value in values)
    has_numbers = any(not isinstance(value, bool) for value in values)
    texts = [value for value in feature.values or () if isinstance(value, str)]
    has_texts = bool(texts) or not values or feature.unknown != "missing"

    def fits(value: object) -> bool:
        if isinstance(value, str):
            return has_texts
        return has_bools if isinstance(value, bool) else has_numbers and number_of(value) is not REFUSED

    return fits


def key_of(value: object) -> object:
    """Keep true apart from 1, as JSON does and Python does not."""
    return ("bool", value) if isinstance(value, bool) else value


def _range_text(minimum: object, maximum: object) -> str:
    if minimum is None:
        return "" if maximum is None else f" of at most {_bound(maximum)}"
    return f" of at least {_bound(minimum)}" if maximum is None else f" from {_bound(minimum)} to {_bound(maximum)}"


def _bound(value: object) -> str:
    return value if isinstance(value, str) else describe(value)


def _whole(value: object) -> object:
    number: Any = number_of(value)
    return number if number is not REFUSED and number.is_integer() and -LONG <= number < LONG else REFUSED


def _whole_value(value: Any) -> object:
    if type(value) is int:
        return value if -LONG <= value < LONG else REFUSED
    number: Any = _whole(value)
    return number if number is REFUSED else int(number)


def _moment(value: Any) -> Any:
    from bareboat.runtime.moments import epoch_s

    seconds = epoch_s(_moment_of(value))
    return REFUSED if seconds is None else seconds


def _moment_text(value: Any) -> object:
    return REFUSED if _moment(value) is REFUSED else _moment_of(value)


def _moment_of(value: Any) -> Any:
    """Take a date of Python's own, which a `before` function may have made, for its text."""
    return value.isoformat() if hasattr(value, "isoformat") else value
