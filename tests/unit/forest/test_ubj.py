from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.forest.readers.ubj import DEPTH, UbjError, decode_ubj

# Examples of https://ubjson.org/type-reference/ and what XGBoost writes (src/common/json.cc, UBJWriter).
VALUES: list[tuple[bytes, Any]] = [
    (b"Z", None),
    (b"T", True),
    (b"F", False),
    (b"i\xf0", -16),
    (b"U\xff", 255),
    (b"I\x7f\xff", 32767),
    (b"l\x7f\xff\xff\xff", 2147483647),
    (b"L" + struct.pack(">q", -(1 << 62)), -(1 << 62)),
    (b"d" + struct.pack(">f", 3.5), 3.5),
    (b"D" + struct.pack(">d", 113.132), 113.132),
    (b"Ca", "a"),
    (b"Si\x05hello", "hello"),
    (b"NNT", True),
    (b"[TFZ]", [True, False, None]),
    (b"[#i\x03TFZ", [True, False, None]),
    (b"[]", []),
    (b"{}", {}),
    (b"{i\x01aU\x05i\x01b[T]}", {"a": 5, "b": [True]}),
    (b"{#i\x02i\x01aTi\x01bF", {"a": True, "b": False}),
]


@pytest.mark.parametrize(("data", "value"), VALUES)
def test_a_value_is_decoded(data: bytes, value: Any) -> None:
    assert decode_ubj(data) == value


@pytest.mark.parametrize(
    ("marker", "letter", "numbers"),
    [
        ("i", "b", [-128, 0, 127]),
        ("U", "B", [0, 255]),
        ("I", "h", [-32768, 32767]),
        ("l", "i", [-(1 << 31), (1 << 31) - 1]),
        ("L", "q", [-(1 << 63), (1 << 63) - 1]),
        ("d", "f", [1.5, -0.0, float("inf")]),
        ("D", "d", [1e300, 0.1]),
        ("d", "f", []),
    ],
)
def test_an_array_of_numbers_is_numpys(marker: str, letter: str, numbers: list[float]) -> None:
    data = f"[${marker}#".encode() + b"U" + bytes([len(numbers)]) + struct.pack(f">{len(numbers)}{letter}", *numbers)

    found = decode_ubj(data)

    assert isinstance(found, np.ndarray)
    assert found.tolist() == numbers


FAULTS: list[tuple[bytes, str, int]] = [
    (b"", "the end of the file", 0),
    (b"TT", "1 more bytes", 1),
    (b"H", "the marker b'H'", 0),
    (b"i", "the end of the file", 1),
    (b"[T", "the end of the file inside a container", 2),
    (b"{i\x01a", "the end of the file inside a value", 4),
    (b"Si\xff", "a length of -1", 1),
    (b"Sd\0\0\0\0", "a length that is no integer", 1),
    (b"Si\x05abc", "where 5 bytes should follow", 3),
    (b"Si\x02\xc3\x28", "not UTF-8", 3),
    (b"{i\x01aTi\x01aT}", "the key 'a' a second time", 5),
    (b"[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff", "should follow", 13),
    (b"[#L\x7f\xff\xff\xff\xff\xff\xff\xff", "more than there are bytes", 2),
    (b"[$S#i\x01", "what is no number", 1),
    (b"[$dT", "without its count", 3),
    (b"{$i#i\x01", "a typed object", 1),
    (b"[" * (DEPTH + 1), "containers in each other", DEPTH + 1),
]


@pytest.mark.parametrize(("data", "found", "offset"), FAULTS, ids=lambda each: str(each)[:40])
def test_a_fault_is_named_with_its_byte(data: bytes, found: str, offset: int) -> None:
    with pytest.raises(UbjError) as caught:
        decode_ubj(data)

    assert found in caught.value.found
    assert caught.value.offset == offset


@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_an_error(data: bytes) -> None:
    try:
        decode_ubj(data)
    except UbjError as error:
        assert 0 <= error.offset <= len(data)  # noqa: PT017


WHOLE = b"{i\x05trees[#i\x02{i\x01xSi\x02ab}[$l#i\x02\0\0\0\1\0\0\0\2i\x01yd\0\0\0\0}"


@pytest.mark.parametrize("size", range(len(WHOLE)))
def test_every_cut_is_an_error(size: int) -> None:
    with pytest.raises(UbjError):
        decode_ubj(WHOLE[:size])
