"""A native library's file -> the same without debug symbols and what else no loader reads.

No `strip` of the host is asked, so every host gives the same bytes, for any CPU. What is loaded (the segments) keeps
its bytes, its addresses and its alignment; sections that are not loaded go, with the room that they took. A file whose
layout is not plain is left as it is.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from bareboat.packaging.cache import cannot_write

# System V ABI, chapters 4 and 5 (64 bits, little-endian).
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_IDENT = b"\x7fELF\x02\x01\x01"
_SHT_NULL, _SHT_STRTAB, _SHT_RELA, _SHT_NOBITS, _SHT_REL = 0, 3, 4, 8, 9
_SHF_ALLOC, _SHF_INFO_LINK = 2, 0x40
_PT_LOAD = 1
_WORTH_BYTES = 2048  # less is not worth another file than the one that was published
_GAP = 4096
_BLOCK = 1 << 20

Bytes = bytes | mmap.mmap
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Section:
    name: bytes
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry: int

    @property
    def room(self) -> Range:
        """The bytes that it takes in the file."""
        return (self.offset, self.offset if self.kind == _SHT_NOBITS else self.offset + self.size)


_NOTHING = _Section(b"", _SHT_NULL, 0, 0, 0, 0, 0, 0, 0, 0)


def strip_files(files: Mapping[str, Path | bytes], folder: Path) -> tuple[dict[str, Path], dict[str, int]]:
    """Strip the native files of a package.

    Those in `*.libs` stay as they are: they were moved there by a tool that lays out files in its own way.

    Args:
        files: path in the artifact -> file.
        folder: where smaller copies are written; nothing else is in it.
    Returns:
        path -> smaller copy, of those that were worth it; path -> bytes saved.
    Raises:
        PackagingError: the disk is full.
    """
    smaller: dict[str, Path] = {}
    saved: dict[str, int] = {}
    for path, source in sorted(files.items()):
        if isinstance(source, bytes) or path.partition("/")[0].endswith(".libs") or ".so" not in path:
            continue
        copy = folder / str(len(smaller))
        gained = _strip_file(source, copy)
        if gained:
            smaller[path], saved[path] = copy, gained
    return smaller, saved


def _strip_file(source: Path, copy: Path) -> int:
    """Write a smaller copy; return the bytes saved, 0 when there is none."""
    with source.open("rb") as file:
        if file.read(7) != _IDENT:
            return 0
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            stripped = strip_symbols(data)
            if stripped is None:
                return 0
            try:
                copy.parent.mkdir(parents=True, exist_ok=True)
                with copy.open("wb") as out:
                    stripped.write(file, out)
            except OSError as error:
                raise cannot_write(copy, error) from error
            return len(data) - stripped.size


@dataclass(frozen=True, slots=True)
class Stripped:
    """A smaller file: pieces of the old one, moved to the front, and what is written over and behind them.

    Args:
        pieces: (start, end) in the old file, and by how many bytes it moves to the front.
        patches: (offset in the new file, bytes).
    """

    pieces: tuple[tuple[Range, int], ...]
    patches: tuple[tuple[int, bytes], ...]
    size: int

    def write(self, old: BinaryIO, file: BinaryIO) -> None:
        """Write the new file, from the old one."""
        for (start, end), shift in self.pieces:
            file.seek(start - shift)
            old.seek(start)
            file.writelines(old.read(min(end - block, _BLOCK)) for block in range(start, end, _BLOCK))
        for offset, patch in self.patches:
            file.seek(offset)
            file.write(patch)


def strip_symbols(data: Bytes) -> Stripped | None:
    """Return an ELF file without the sections that are not loaded (.symtab, .debug_*, .comment).

    Args:
        data: the whole file.
    Returns:
        None where nothing is gained, and for what is not a plain shared library or program of 64 bits.
    """
    try:
        return _stripped(data)
    except (struct.error, ValueError, IndexError):
        return None  # a damaged file: the check of native libraries says so


def _stripped(data: Bytes) -> Stripped | None:
    if data[:7] != _IDENT:
        return None
    ident, kind, machine, version, entry, phoff, shoff, flags, ehsize, phsize, phnum, shsize, shnum, shstrndx = (
        _HEADER.unpack_from(data)
    )
    plain = kind in (2, 3) and ehsize == _HEADER.size and phsize == _SEGMENT.size and shsize == _SECTION.size
    if not plain or not phnum or not 0 < shstrndx < shnum < 0xFF00:
        return None
    segments = [_SEGMENT.unpack_from(data, phoff + number * phsize) for number in range(phnum)]
    sections = _sections(data, shoff, shnum, shstrndx)
    ends = max(*(one.room[1] for one in sections), shoff + shnum * shsize, *(s[2] + s[5] for s in segments))
    if ends > len(data) or len(data) - ends > _GAP or any(data[ends:]):
        return None  # cut off, or with somebody's data behind its end (patchelf leaves a zero there)
    kept = _kept(sections)
    rooms: list[Range] = [(0, ehsize), (phoff, phoff + phnum * phsize)]
    rooms += [(segment[2], segment[2] + segment[5]) for segment in segments]
    rooms += [one.room for one in kept]
    moves = _moves(_joined(rooms), max(segment[7] for segment in segments if segment[0] == _PT_LOAD))
    (_, end), shift = moves[-1]
    body = end - shift
    names, table = _table(kept, moves, body)
    if names is None:
        return None
    names += b"\0" * (-(body + len(names)) % 8)
    start = body + len(names)
    header = _HEADER.pack(
        ident, kind, machine, version, entry, phoff - _shift(moves, phoff), start, flags, ehsize, phsize, phnum, shsize,
        len(kept) + 1, len(kept),
    )  # fmt: skip
    program = b"".join(_SEGMENT.pack(*s[:2], s[2] - _shift(moves, s[2]), *s[3:]) for s in segments)
    if start + len(table) + _WORTH_BYTES > len(data):
        return None
    patches = ((0, header), (phoff - _shift(moves, phoff), program), (body, names + table))
    return Stripped(tuple(moves), patches, start + len(table))


def _sections(data: Bytes, shoff: int, shnum: int, shstrndx: int) -> list[_Section]:
    raw = [_SECTION.unpack_from(data, shoff + number * _SECTION.size) for number in range(shnum)]
    start, size = raw[shstrndx][4], raw[shstrndx][5]
    names = data[start : start + size]
    found = []
    for name, kind, flags, address, offset, length, link, info, align, entry in raw:
        text = names[name : names.index(b"\0", name)]
        found.append(_Section(text, kind, flags, address, offset, length, link, info, align, entry))
    return found


def _kept(sections: Sequence[_Section]) -> list[_Section]:
    """Return the loaded sections at their numbers, which symbol tables mention; among them those that go are empty."""
    last = max(number for number, one in enumerate(sections) if one.flags & _SHF_ALLOC)
    return [one if one.flags & _SHF_ALLOC else _NOTHING for one in sections[: last + 1]]


def _joined(rooms: Sequence[Range]) -> list[Range]:
    """Return the ranges of bytes that stay, in order, joined where little lies between them."""
    found: list[Range] = []
    for start, end in sorted(room for room in rooms if room[0] < room[1]):
        if found and start <= found[-1][1] + _GAP:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _moves(rooms: Sequence[Range], align: int) -> list[tuple[Range, int]]:
    """Return by how much each range moves to the front: whole pages, as the loader maps pages."""
    moves: list[tuple[Range, int]] = []
    shift = 0
    align = max(align, 0x1000)
    for room in rooms:
        if moves:
            gap = room[0] - moves[-1][0][1]
            shift += gap // align * align
        moves.append((room, shift))
    return moves


def _shift(moves: Sequence[tuple[Range, int]], offset: int) -> int:
    """Return by how much the byte at `offset` moves."""
    before = [shift for (start, _), shift in moves if start <= offset]
    return before[-1] if before else 0


def _table(sections: Sequence[_Section], moves: Sequence[tuple[Range, int]], end: int) -> tuple[bytes | None, bytes]:
    """Return the names of the sections and their table, with the section of names last."""
    names = bytearray(b"\0")
    table = bytearray()
    for section in (*sections, _Section(b".shstrtab", _SHT_STRTAB, 0, 0, 0, 0, 0, 0, 1, 0)):
        one = section
        numbers = (one.link, one.info if _info_is_a_section(one) else 0)
        if any(number and (number >= len(sections) or sections[number] is _NOTHING) for number in numbers):
            return None, b""
        at = len(names) if one.name else 0
        if one.name:
            names += one.name + b"\0"
        if one.kind == _SHT_NULL:
            table += _SECTION.pack(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
            continue
        one = replace(one, offset=one.offset - _shift(moves, one.offset))
        if section.name == b".shstrtab" and not section.flags & _SHF_ALLOC:
            one = replace(one, offset=end, size=len(names))
        table += _SECTION.pack(
            at, one.kind, one.flags, one.address, one.offset, one.size, one.link, one.info, one.align, one.entry
        )
    return bytes(names), bytes(table)


def _info_is_a_section(section: _Section) -> bool:
    return section.kind in (_SHT_REL, _SHT_RELA) or bool(section.flags & _SHF_INFO_LINK)
