"""YAML with places, and scalars as js-yaml reads them."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.errors import ConfigurationError
from bareboat.service.compose import compose
from bareboat.service.nodes import plain
from bareboat.service.scalars import js_text, read_scalar


def read(text: str | bytes):
    return plain(compose(text if isinstance(text, bytes) else text.encode(), "f.yml"))


def refusal(text: str | bytes):
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    (problem,) = caught.value.problems
    return problem


# js-yaml 4.3.2 through `osls print` 4.3.1, and YAML 1.2 core, section 10.3.2
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("No", "No"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b101", 5),
        ("-0x10", -16),
        ("1_000", "1_000"),
        ("12e3", 12000),
        ("1.10", 1.1),
        (".5", 0.5),
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01T10:00:00Z", "2020-01-01T10:00:00Z"),
        ("12:30", "12:30"),
        (".inf", None),
        (".NaN", None),
        ("1.", 1),
        ("0o8", "0o8"),
        ("+12", 12),
        ("1e400", None),
        ("python3.10", "python3.10"),
    ],
)
def test_a_plain_scalar_is_read_as_js_yaml_reads_it(text, value):
    found = read_scalar(text)

    assert found == value
    assert type(found) is type(value)


# ECMAScript's Number::toString, checked with node 20
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e30, "1e+30"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (0.00001, "0.00001"),
        (1.5, "1.5"),
        (123456789012345680000.0, "123456789012345680000"),
        (5e-324, "5e-324"),
        (-1.25e-9, "-1.25e-9"),
        (0.1, "0.1"),
        (-0.0, "0"),
        (12, "12"),
        (True, "true"),
        (None, ""),
    ],
)
def test_a_scalar_becomes_text_as_in_javascript(value, text):
    assert js_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_written_as_javascript_does_reads_back(value):
    assert float(js_text(value)) == value or math.isclose(float(js_text(value)), value, rel_tol=0)


def test_quoted_scalars_stay_text():
    assert read("a: '12'\nb: \"true\"\nc: 'null'") == {"a": "12", "b": "true", "c": "null"}


def test_places_are_counted_from_one():
    node = compose(b"a:\n  - b: xyz\n", "f.yml")

    assert str(node.value["a"].value[0].value["b"].place) == "f.yml:2:8"
    assert str(node.value["a"].value[0].key_place("b")) == "f.yml:2:5"


def test_a_byte_order_mark_is_ignored():
    assert read(b"\xef\xbb\xbfa: 1") == {"a": 1}


def test_merge_keys_add_what_is_not_written():
    text = "base: &base {a: 1, b: 2}\none: {<<: *base, b: 3}\ntwo: {<<: [*base, {c: 4, a: 9}]}"

    found = read(text)

    assert found["one"] == {"a": 1, "b": 3}
    assert found["two"] == {"a": 1, "b": 2, "c": 4}


def test_a_quoted_merge_key_is_a_key():
    assert read("'<<': 1") == {"<<": 1}


# AWS CloudFormation user guide, intrinsic function reference: short and full forms
@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("!Ref Table", {"Ref": "Table"}),
        ("!GetAtt Table.Stream.Arn", {"Fn::GetAtt": ["Table", "Stream.Arn"]}),
        ("!GetAtt [Table, Arn]", {"Fn::GetAtt": ["Table", "Arn"]}),
        ("!Sub 'arn:${AWS::Region}'", {"Fn::Sub": "arn:${AWS::Region}"}),
        ("!Join ['-', [a, !Ref B]]", {"Fn::Join": ["-", ["a", {"Ref": "B"}]]}),
        ("!If [C, 1, 2]", {"Fn::If": ["C", 1, 2]}),
        ("!Condition C", {"Condition": "C"}),
        ("!ImportValue {Fn::Sub: x}", {"Fn::ImportValue": {"Fn::Sub": "x"}}),
    ],
)
def test_cloudformation_short_forms_are_spelt_out(short, full):
    assert read(f"a: {short}") == {"a": full}


def test_standard_tags_choose_the_type():
    assert read("a: !!str 12\nb: !!int '12'\nc: !!float 1\nd: !!bool 'true'") == {"a": "12", "b": 12, "c": 1, "d": True}


@pytest.mark.parametrize(
    ("text", "where", "found"),
    [
        ("a:\n\tb: 1", "f.yml:2:1", "a tab stands where YAML wants spaces"),
        ("a: 1\nb: 2\na: 3", "f.yml:3:1", "key 'a' stands here again"),
        ("a: [1", "f.yml:", "not valid YAML"),
        ("a: 'x", "f.yml:1", "not valid YAML"),
        ("a: b: c", "f.yml:1:5", "not valid YAML"),
        ("a: @x", "f.yml:1:4", "not valid YAML"),
        ("a: 1\n---\nb: 2", "f.yml:2:1", "a second document begins here"),
        ("a: *b", "f.yml:1:4", "alias *b has no anchor"),
        ("a: &a [*a]", "f.yml:1:8", "alias *a stands inside what it names"),
        ("a: !Nope 1", "f.yml:1:4", "unknown tag !Nope"),
        ("a: !!int x", "f.yml:1:4", "unknown tag !!int"),
        ("? [a]\n: b", "f.yml:1:3", "a mapping or a list stands as a key"),
        ("a: {<<: 1}", "f.yml:1:9", "<< merges something that is no mapping"),
        (b"a: \xff", "f.yml:1:4", "byte 0xff is not UTF-8"),
        (b"a: 1\nb: caf\xe9", "f.yml:2:7", "byte 0xe9 is not UTF-8"),
        (b"\xff\xfea\x00", "f.yml:1:1", "byte 0xff is not UTF-8"),
        (b"a: \x01", "f.yml:1:4", "control character U+0001"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_place(text, where, found):
    problem = refusal(text)

    assert problem.where.startswith(where)
    assert found in problem.found


def test_aliases_that_blow_up_are_refused_at_once():
    levels = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    levels += [f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefghi", "bcdefghij", strict=True)]

    problem = refusal("\n".join(levels))

    assert problem.found == "aliases make this more than 200,000 values"


def test_deep_nesting_is_refused():
    assert "deeper than 100" in refusal("[" * 5000).found


def test_a_huge_file_is_refused():
    assert refusal(b"# " + b"x" * 6_000_000).expected == "at most 5 MB"


@given(st.binary(max_size=60) | st.text("a:{}[]&*!\n\t -'\"<>|?%@#,01", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data):
    with suppress(ConfigurationError):
        plain(compose(data, "f.yml"))


def test_keys_become_text_as_in_javascript():
    assert read("1: a\ntrue: b\non: c") == {"1": "a", "true": "b", "on": "c"}


def test_the_parser_in_python_reads_the_same(monkeypatch):
    text = "a: &x {b: [1, 'two', !Ref T], <<: {c: 0o17}}\nd: *x\ne: |\n  text\n  more\n"
    with_libyaml = read(text)
    monkeypatch.setattr("bareboat.service.compose.yaml.__with_libyaml__", False)

    assert read(text) == with_libyaml
    assert refusal("a:\n\tb: 1").where == "f.yml:2:1"
    assert refusal("a: [1").found.startswith("not valid YAML")
