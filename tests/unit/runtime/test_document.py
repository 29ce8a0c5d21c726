"""The text of a body becomes a document, or an error that says what is wrong with it."""

from __future__ import annotations

import pytest

from bareboat.errors import InputError
from bareboat.runtime.document import Repeated, parse, parse_number, refuse_repeated


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("six", "text that is no JSON at line 1, column 1 (Expecting value)"),
        ('{"a": 1,\n "b"}', "text that is no JSON at line 2, column 5 (Expecting ':' delimiter)"),
        ('{"a": 1} {"a": 2}', "text that is no JSON at line 1, column 10 (Extra data)"),
        ("[" * 200_000, "JSON that is nested too deeply"),
        ('{"a":' * 200_000, "JSON that is nested too deeply"),
        ("1" * 5000, "an integer of thousands of digits"),
    ],
)
def test_a_body_that_is_no_json_is_refused(text: str, found: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(text)

    (problem,) = refused.value.problems
    assert (problem.where, problem.found) == ("body", found)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse('\ufeff{"a": 1}') == {"a": 1}


def test_an_object_with_a_key_given_twice_remembers_it() -> None:
    document = parse('{"a": 1, "b": 2, "a": 3, "b": 4, "c": 5}')

    assert document == {"a": 3, "b": 4, "c": 5}
    assert isinstance(document, Repeated)
    assert document.keys_repeated == ("a", "b")


def test_keys_given_twice_are_found_at_any_depth() -> None:
    with pytest.raises(InputError) as refused:
        refuse_repeated(parse('{"a": [1, {"b": {"c": 1, "c": 2}}], "d": 1, "d": 2}'))

    assert sorted(problem.where for problem in refused.value.problems) == ["a[1].b.c", "d"]


def test_a_document_without_keys_given_twice_passes() -> None:
    refuse_repeated(parse('{"a": [1, {"b": {"c": 1}}], "d": "x"}'))


@pytest.mark.parametrize(("text", "number"), [("6", 6), ("-6.5e1", -65.0), ("0", 0)])
def test_a_number_is_read_by_jsons_grammar(text: str, number: float) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["", "true", "null", '"6"', "[6]", "6a", "0x6", "1" * 5000])
def test_what_is_no_number_gives_none(text: str) -> None:
    assert parse_number(text) is None
