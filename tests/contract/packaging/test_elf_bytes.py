"""Any bytes are read or refused, in bounded time; every class and order of bytes is read as the ABI has it."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bareboat.packaging.elf import Elf, read_elf

KERNEL = Path(__file__).parents[3] / "src" / "bareboat" / "runtime" / "native" / "kernel-linux-x86_64.so"


def library(*, wide: bool = True, order: str = "<", machine: int = 62, kind: int = 3) -> bytes:
    """Write a file of one segment: header, program headers, dynamic section, names and one needed version."""
    head = struct.Struct(order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"))
    segment = struct.Struct(order + ("IIQQQQQQ" if wide else "IIIIIIII"))
    tag = struct.Struct(order + ("qQ" if wide else "iI"))
    names = b"\0libc.so.6\0libself.so.1\0$ORIGIN/lib:/opt\0GLIBC_2.17\0"
    at = {name: names.index(name) for name in (b"libc", b"libself", b"$ORIGIN", b"GLIBC")}
    begin = 16 + head.size + 2 * segment.size
    dynamic_size = 8 * tag.size
    strings = begin + dynamic_size
    versions = strings + len(names)
    tags = [(1, at[b"libc"]), (14, at[b"libself"]), (29, at[b"$ORIGIN"]), (5, strings), (10, len(names)),
            (0x6FFFFFFE, versions), (0x6FFFFFFF, 1), (0, 0)]  # fmt: skip
    needed = struct.pack(order + "HHIII", 1, 1, at[b"libc"], 16, 0)
    needed += struct.pack(order + "IHHII", 0, 0, 2, at[b"GLIBC"], 0)
    size = versions + len(needed)

    def program_header(what: int, offset: int, length: int) -> bytes:
        if wide:
            return segment.pack(what, 5, offset, offset, offset, length, length, 4096)
        return segment.pack(what, offset, offset, offset, length, length, 5, 4096)

    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    header = head.pack(kind, machine, 1, 0, 16 + head.size, 0, 0, 16 + head.size, segment.size, 2, 0, 0, 0)
    body = program_header(1, 0, size) + program_header(2, begin, dynamic_size)
    return ident + header + body + b"".join(tag.pack(*one) for one in tags) + names + needed


@pytest.mark.parametrize(
    ("wide", "order", "machine", "name"),
    [
        (True, "<", 62, "x86_64"),
        (False, "<", 62, "x32"),
        (False, "<", 3, "i386"),
        (True, "<", 183, "aarch64"),
        (True, ">", 183, "aarch64_be"),
        (False, ">", 20, "ppc"),
        (True, ">", 22, "s390"),
        (True, "<", 999, "machine 999"),
    ],
)
def test_every_class_and_order_of_bytes_is_read(wide: bool, order: str, machine: int, name: str) -> None:
    elf = read_elf(library(wide=wide, order=order, machine=machine))

    assert elf == Elf(
        name, ("libc.so.6",), {"libc.so.6": ("GLIBC_2.17",)}, ("$ORIGIN/lib", "/opt"), "libself.so.1", inherits=False
    )


def test_an_object_file_and_a_core_are_none() -> None:
    assert read_elf(library(kind=1)) is None
    assert read_elf(library(kind=4)) is None


def test_a_file_that_ends_before_its_segments_do_is_damaged() -> None:
    with pytest.raises(ValueError, match="is cut off or damaged: it has"):
        read_elf(library()[:-1])


@given(st.lists(st.tuples(st.integers(4, 600), st.integers(0, 255)), min_size=1, max_size=12))
@settings(max_examples=600, deadline=1000)
def test_altered_headers_are_read_or_refused(changes: list[tuple[int, int]]) -> None:
    data = bytearray(library())
    for place, value in changes:
        data[place % len(data)] = value

    with suppress(ValueError):
        read_elf(bytes(data))


@given(st.lists(st.tuples(st.integers(4, 10_000_000), st.integers(0, 255)), min_size=1, max_size=40))
@settings(max_examples=200, deadline=1000)
def test_an_altered_library_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    if not KERNEL.is_file():
        pytest.skip("the kernels are not built")
    data = bytearray(KERNEL.read_bytes())
    for place, value in changes:
        data[place % len(data)] = value

    with suppress(ValueError):
        read_elf(bytes(data))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(ValueError):
        read_elf(b"\x7fELF" + data)


def test_a_list_of_versions_that_leads_back_to_itself_ends() -> None:
    data = bytearray(library())
    place = data.rindex(struct.pack("<HHIII", 1, 1, 1, 16, 0))
    struct.pack_into("<I", data, place + 12, 0xFFFFFFFF)  # vn_next

    with suppress(ValueError):
        read_elf(bytes(data))
