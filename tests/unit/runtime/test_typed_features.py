"""Each dtype, its limits and its missing values: what is taken, and what a 400 says of the rest."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bareboat.errors import InputError
from bareboat.runtime.bounds import warning_of
from bareboat.runtime.moments import epoch_s
from bareboat.runtime.signature import Feature, Signature, signature_of
from bareboat.runtime.typed import TypedFeature

NAN = float("nan")
UNKNOWN = {"others": True, "unknown": "missing"}


def signature(*features: Feature, **more: Any) -> Signature:
    return Signature(features, 10, **more)


def one(value: Any, *, as_values: bool = False, is_text: bool = False, **said: Any) -> Any:
    """Return what the model is given for one value, or (found, expected) of the 400."""
    try:
        (row,), _ = signature(TypedFeature("x", **said), as_values=as_values).read({"x": value}, is_text=is_text)
    except InputError as error:
        (problem,) = error.problems
        return problem.found, problem.expected
    return row[0]


@pytest.mark.parametrize(
    ("said", "value", "given"),
    [
        ({"dtype": "float", "minimum": 0}, 0, 0.0),
        ({"dtype": "float", "maximum": 2.5}, 2.5, 2.5),
        ({"dtype": "int"}, 6, 6.0),
        ({"dtype": "int"}, 6.0, 6.0),
        ({"dtype": "int"}, -(2**63), -(2.0**63)),
        ({"dtype": "bool"}, True, 1.0),
        ({"dtype": "bool"}, False, 0.0),
        ({"dtype": "bool"}, 1, 1.0),
        ({"dtype": "bool"}, 0.0, 0.0),
        ({"dtype": "bool", "values": [True, False]}, True, 0.0),
        ({"dtype": "bool", "values": [1, 0]}, True, 0.0),
        ({"dtype": "string", "values": ["a", "b"]}, "b", 1.0),
        ({"dtype": "string", "values": ["a", "b"], "others": True}, "c", -1.0),
        ({"dtype": "string", "values": ["a", None], "nullable": True}, None, 1.0),
        ({"dtype": "string"}, "anything", -1.0),
        ({"dtype": "category", "values": ["a", 7]}, 7, 1.0),
        ({"dtype": "category", "values": ["a", 7], "others": True}, 8, -1.0),
        ({"dtype": "category", "values": ["a", None], **UNKNOWN}, "c", 1.0),
        ({"dtype": "datetime"}, "1970-01-02", 86400.0),
        ({"dtype": "datetime"}, "1970-01-01T00:00:01.5+00:00", 1.5),
        ({"dtype": "any"}, [{"a": 1}], -1.0),
        ({"dtype": "float", "enum": [1, 2.5]}, 1.0, 1.0),
        ({"dtype": "int", "default": 3}, None, 3.0),
        ({"dtype": "string", "values": ["a", "b"], "default": "b"}, None, 1.0),
    ],
)
def test_a_value_that_fits_is_given_to_a_model_of_codes(said: dict[str, Any], value: object, given: float) -> None:
    assert one(value, **said) == given


@pytest.mark.parametrize(
    ("said", "value", "given"),
    [
        ({"dtype": "float"}, 6, 6.0),
        ({"dtype": "int"}, 6.0, 6),
        ({"dtype": "int"}, 2**62 + 1, 2**62 + 1),
        ({"dtype": "bool"}, 1, True),
        ({"dtype": "string"}, "a", "a"),
        ({"dtype": "string", "nullable": True}, None, None),
        ({"dtype": "category"}, 7, 7),
        ({"dtype": "category", "values": ["a"], "others": True}, "b", "b"),
        ({"dtype": "category", "values": ["a"], **UNKNOWN}, "b", None),
        ({"dtype": "category", "values": ["a"], **UNKNOWN}, "a", "a"),
        ({"dtype": "datetime"}, "2026-03-31 12:00", "2026-03-31 12:00"),
        ({"dtype": "datetime"}, datetime(2026, 3, 31, tzinfo=UTC), "2026-03-31T00:00:00+00:00"),
        ({"dtype": "any"}, [1], [1]),
        ({"dtype": "float", "nullable": True}, None, None),
        ({"dtype": "float", "default": 2}, None, 2.0),
    ],
)
def test_a_value_that_fits_is_given_to_a_model_of_values(said: dict[str, Any], value: object, given: object) -> None:
    found = one(value, as_values=True, **said)

    assert found == given
    assert type(found) is type(given)


@pytest.mark.parametrize(
    ("said", "value", "found", "expected"),
    [
        ({"dtype": "float", "minimum": 0, "maximum": 120}, 121, "121", "a number from 0 to 120"),
        ({"dtype": "float", "minimum": 0}, -0.5, "-0.5", "a number of at least 0"),
        ({"dtype": "int", "maximum": 5, "nullable": True}, 6, "6", "a whole number of at most 5 or null"),
        ({"dtype": "int"}, 6.5, "6.5", "a whole number"),
        ({"dtype": "int"}, True, "true", "a whole number"),
        ({"dtype": "int"}, 2**63, "9223372036854775808", "a whole number"),
        ({"dtype": "bool"}, "true", 'the text "true"', "true or false"),
        ({"dtype": "bool"}, 2, "2", "true or false"),
        ({"dtype": "bool"}, [], "a list", "true or false"),
        ({"dtype": "string"}, 5, "5", "a text"),
        ({"dtype": "string", "values": ["a", "b"]}, "c", 'the text "c"', 'one of "a", "b"'),
        ({"dtype": "string", "values": ["a"], "others": True}, 5, "5", "a text"),
        ({"dtype": "string", "values": ["a"], "others": True}, [], "a list", "a text"),
        ({"dtype": "string", "values": ["a", "b"], "enum": ["b"]}, "a", 'the text "a"', 'one of "b"'),
        ({"dtype": "category"}, {}, "an object", "a text, a number, true or false"),
        ({"dtype": "datetime"}, "31.3.2026", 'the text "31.3.2026"', "a date or time in ISO 8601"),
        ({"dtype": "datetime"}, 5, "5", "a date or time in ISO 8601"),
        (
            {"dtype": "datetime", "minimum": "2020-01-01"},
            "2019-12-31T23:59:59Z",
            'the text "2019-12-31T23:59:59Z"',
            "a date or time in ISO 8601 of at least 2020-01-01",
        ),
        ({"dtype": "float", "enum": [1, 2]}, 3, "3", "one of 1, 2"),
        ({"dtype": "float", "enum": [1, 2], "others": True}, 3, "3", "one of 1, 2"),
        ({"dtype": "float", "enum": [1, 2], "default": 1}, True, "true", "one of 1, 2 or null"),
        ({"dtype": "string", "enum": ["a"]}, "b", 'the text "b"', 'one of "a"'),
        ({"dtype": "bool", "enum": [True]}, False, "false", "one of true"),
        ({"dtype": "int"}, None, "null", "a whole number"),
    ],
)
@pytest.mark.parametrize("as_values", [False, True])
def test_a_value_that_does_not_fit_is_named_with_what_is_taken(
    said: dict[str, Any], value: object, found: str, expected: str, as_values: bool
) -> None:
    assert one(value, as_values=as_values, **said) == (found, expected)


@pytest.mark.parametrize(
    ("said", "text", "given"),
    [
        ({"dtype": "int"}, "6", 6),
        ({"dtype": "bool"}, "true", True),
        ({"dtype": "bool"}, "0", False),
        ({"dtype": "string"}, "12", "12"),
        ({"dtype": "string", "nullable": True}, "", None),
        ({"dtype": "string", "values": ["", "a"]}, "", ""),
        ({"dtype": "category", "values": ["7", "a"]}, "7", "7"),
        ({"dtype": "category", "values": [7, True]}, "7", 7),
        ({"dtype": "category", "values": [7, True]}, "true", True),
        ({"dtype": "datetime"}, "2026-03-31", "2026-03-31"),
        ({"dtype": "float", "default": 5}, "", 5.0),
    ],
)
def test_texts_of_a_query_are_read_by_their_dtype(said: dict[str, Any], text: str, given: object) -> None:
    assert one(text, as_values=True, is_text=True, **said) == given


@pytest.mark.parametrize(
    ("value", "given"),
    [
        ([[1, 2], [3, 4.5]], [[1.0, 2.0], [3.0, 4.5]]),
        ([], []),
        ([[1, 2], [3]], ("a list", "nested lists of n x 2 numbers")),
        ([[1, None]], ("a list", "nested lists of n x 2 numbers")),
        (5, ("5", "nested lists of n x 2 numbers")),
    ],
)
def test_a_tensor_comes_as_nested_lists(value: object, given: object) -> None:
    assert one(value, as_values=True, shape=[None, 2]) == given


def test_what_is_missing_is_the_default_else_missing_else_refused() -> None:
    wanted = signature(
        TypedFeature("a", dtype="int", default=7),
        TypedFeature("b", dtype="string", values=["x", None], nullable=True),
        TypedFeature("c", dtype="bool", nullable=True),
        TypedFeature("d", dtype="int"),
    )

    (row,), _ = wanted.read({"d": 1})

    assert str(row) == "[7.0, 1.0, nan, 1.0]"
    with pytest.raises(InputError) as refused:
        wanted.read({})
    assert [(each.where, each.found) for each in refused.value.problems] == [("d", "nothing")]


@pytest.mark.parametrize(("bounds", "counted"), [("warn", {"n": 1, "when": 1, "kind": 1, "flag": 1}), ("ignore", {})])
@pytest.mark.parametrize("as_values", [False, True])
def test_values_outside_their_bounds_are_counted_or_ignored(
    bounds: str, counted: dict[str, int], as_values: bool
) -> None:
    features = [
        TypedFeature("n", minimum=0, maximum=1),
        TypedFeature("when", dtype="datetime", maximum="2020-01-01"),
        TypedFeature("kind", dtype="string", values=["a", "b"], others=True, enum=["a"]),
        TypedFeature("flag", dtype="bool", enum=[True], others=True),
        TypedFeature("fine", minimum=0),
    ]
    outside: dict[str, int] = {}

    rows, _ = signature(*features, bounds=bounds, as_values=as_values).read(
        {"n": 2, "when": "2021-01-01", "kind": "z", "flag": 0, "fine": 1}, outside=outside
    )

    assert rows == ([[2.0, "2021-01-01", "z", False, 1.0]] if as_values else [[2.0, 1609459200.0, -1.0, 0.0, 1.0]])
    assert outside == counted


def test_a_warning_names_the_features_in_ascii() -> None:
    assert warning_of({"age": 2, "größe 📏": 1}) == r"outside bounds: age, gr\xf6\xdfe \U0001f4cf"
    assert len(warning_of({f"feature number {place}\n": 1 for place in range(100)})) <= 500


def test_a_document_gives_the_signature() -> None:
    inputs = [
        {"name": "a", "aliases": ["A"], "dtype": "float", "nullable": True, "values": None, "others": True}
        | dict.fromkeys(["enum", "minimum", "maximum", "default"]),
        {"name": "b", "aliases": [], "dtype": "string", "nullable": False, "values": ["x"], "others": False}
        | dict.fromkeys(["enum", "minimum", "maximum", "default"]),
    ]

    codes = signature_of({"inputs": inputs, "engine": "pipeline", "bounds": "error"}, 10)
    values = signature_of({"inputs": inputs, "engine": "framework", "bounds": "error"}, 10)

    assert str(codes.read({"b": "x"})) == "([[nan, 0.0]], False)"
    assert values.read({"A": 2, "b": "x"}) == ([[2.0, "x"]], False)
    assert values.read({"b": "x"}) == ([[None, "x"]], False)


@given(st.datetimes(), st.sampled_from(["T", " "]))
def test_a_moment_is_the_seconds_that_python_counts(moment: datetime, separator: str) -> None:
    seconds = epoch_s(moment.isoformat(separator))

    assert seconds is not None
    assert math.isclose(seconds, moment.replace(tzinfo=UTC).timestamp(), rel_tol=0, abs_tol=1e-5)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-03-31T02:00:00+02:00", 1774915200.0),
        ("2026-03-30T19:00:00-05:00", 1774915200.0),
        ("2024-02-29", 1709164800.0),
        ("2023-02-29", None),
        ("2026-13-01", None),
        ("0000-01-01", None),
        ("2026-03-31T24:00", None),
        ("2026-03-31T12:60", None),
        ("2026-03-31T12:00:60", None),
        ("2026-03-31T1:00", None),
        ("2026-03-31T", None),
        ("2026-03-31T12:00:00.", None),
        ("2026-03-31T12:00:00+2", None),
        ("2026-03-31T12:00:00+25:00", None),
        ("2026-03-31Z", None),
        ("2026-03-31X12:00", None),
        ("\uff12026-03-31", None),
        ("20260331", None),
        (" 2026-03-31", None),
        ("", None),
    ],
)
def test_dates_and_times_are_those_of_iso_8601(text: str, seconds: float | None) -> None:
    assert epoch_s(text) == seconds


FEATURES = [
    Feature("plain", nullable=True),
    TypedFeature("whole", dtype="int", minimum=-5),
    TypedFeature("flag", dtype="bool", nullable=True),
    TypedFeature("text", dtype="string", values=["a", "b", None], others=True, nullable=True),
    TypedFeature("unread", dtype="any", nullable=True),
    TypedFeature("kind", dtype="category", values=["x", 1, 2.5, True]),
]
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.floats(), st.sampled_from(["a", "b", "x", "", 2**63, 10**400]),
    st.lists(st.none(), max_size=1),
)  # fmt: skip


@given(row=st.fixed_dictionaries({feature.name: VALUES for feature in FEATURES}), as_list=st.booleans())
@settings(deadline=None)
def test_the_quick_way_reads_a_row_as_the_slow_way_does(row: dict[str, Any], as_list: bool) -> None:
    sent: Any = list(row.values()) if as_list else row
    quick = signature(*FEATURES)
    slow = signature(*FEATURES)
    slow._plain = lambda _: None
    answers = []
    for reader in (quick, slow):
        try:
            answers.append(str(reader.read(sent)))
        except InputError as error:
            answers.append(str(error))

    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("values", "value", "is_text"),
    [
        (["a", "b"], "c", False),
        ([1, 2], 3, False),
        ([1, 2], "3", True),
        (["a", "b"], "3", True),
        (["a", "b"], "true", True),
        ([True, 1.5], 2, False),
        ([], "c", False),
    ],
)
def test_a_stranger_may_be_a_missing_value(values: list[Any], value: object, is_text: bool) -> None:
    assert math.isnan(one(value, dtype="category", values=values, is_text=is_text, **UNKNOWN))


@pytest.mark.parametrize(
    ("values", "value", "found", "expected"),
    [
        ([1, 2], "1", 'the text "1"', "a number"),  # nobody would be told that it was no 1
        (["a"], 1, "1", "a text"),
        (["a", 2], True, "true", "a text or a number"),
        (["a"], ["a"], "a list", "a text"),
        (["a"], None, "null", "a text"),
    ],
)
def test_a_stranger_of_another_kind_is_refused(values: list[Any], value: object, found: str, expected: str) -> None:
    assert one(value, dtype="category", values=values, **UNKNOWN) == (found, expected)


@pytest.mark.parametrize("bounds", ["error", "warn", "ignore"])
def test_bounds_say_what_happens_to_a_stranger_outside_an_enum(bounds: str) -> None:
    feature = TypedFeature("x", dtype="category", values=["a", "b"], enum=["a"], nullable=True, default="b", **UNKNOWN)
    outside: dict[str, int] = {}

    def read(value: object) -> object:
        (row,), _ = signature(feature, bounds=bounds).read({"x": value}, outside=outside)
        return row[0]

    if bounds == "error":
        with pytest.raises(InputError):
            read("c")
    else:
        assert math.isnan(read("c"))  # type: ignore[arg-type]
        assert outside == ({"x": 1} if bounds == "warn" else {})
    assert read("a") == 0.0
    assert read(None) == 1.0  # the default is for nothing sent


def test_rows_with_strangers_are_read_alike_quickly_and_slowly() -> None:
    features = [Feature("n"), *(TypedFeature(name, dtype="category", values=["a", "b"], **UNKNOWN) for name in "xy")]
    (quick,), _ = signature(*features).read({"n": 1, "x": "c", "y": "b"})
    (slow,), _ = signature(*features).read({"y": "b", "x": "c", "n": "1"}, is_text=True)

    assert quick[::2] == slow[::2] == [1.0, 1.0]
    assert math.isnan(quick[1])
    assert math.isnan(slow[1])
