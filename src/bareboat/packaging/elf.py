"""A native library's file -> what it asks of the machine that loads it.

What the loader reads is read, and nothing else: program headers and the dynamic section, not the sections, which a
file may have lost and which may lie. Every number out of the file is held against its size, so that any bytes give an
answer or a ValueError, in a time that the size bounds.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

# System V ABI, chapters 4 and 5, and its processor supplements; LSB 5, symbol versioning.
_MACHINES = {
    3: "i386",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390",
    40: "arm",
    62: "x86_64",
    183: "aarch64",
    243: "riscv",
}
_SMALL = {"x86_64": "x32", "aarch64": "aarch64_ilp32", "riscv": "riscv32"}
_LARGE_ENDIAN = {"aarch64": "aarch64_be", "arm": "armeb"}
_ET_EXEC, _ET_DYN = 2, 3
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 0, 1, 5, 10, 14, 15, 29
_DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF
_LONGEST_NAME = 4096
_MOST_VERSIONS = 20_000  # in all; glibc has some 60


class Elf(msgspec.Struct, frozen=True):
    """What the headers of an ELF file say.

    Args:
        machine: "x86_64", "aarch64", ... ; "x32" and "aarch64_ilp32" with addresses of 32 bits, "aarch64_be" with the
            other order of bytes; "machine 99" for one without a name here.
        needed: names of the libraries that the loader must find (DT_NEEDED), in order.
        versions: for each library, the symbol versions asked of it, such as GLIBC_2.17.
        search: folders that the file tells the loader to look in (DT_RUNPATH, else DT_RPATH), `$ORIGIN` as written.
        soname: its own name, "" if it has none.
        inherits: whether the paths of whoever loads it are searched too, and its own by what it loads (no DT_RUNPATH).
        program: whether it is a program or static, which names a loader itself or needs none.
    """

    machine: str
    needed: tuple[str, ...] = ()
    versions: dict[str, tuple[str, ...]] = {}
    search: tuple[str, ...] = ()
    soname: str = ""
    inherits: bool = True
    program: bool = False


Bytes = bytes | mmap.mmap


def is_elf(data: bytes) -> bool:
    """Whether these are the first bytes of an ELF file."""
    return data[:4] == b"\x7fELF"


def read_elf(data: Bytes) -> Elf | None:
    """Read the headers of an ELF file.

    Args:
        data: the whole file.
    Returns:
        None for an object file or a core dump, which no loader loads.
    Raises:
        ValueError: the file is cut off or damaged.
    """
    try:
        return _read(data)
    except (struct.error, IndexError, OverflowError) as error:
        raise ValueError(f"is cut off or damaged: {error}") from error


@dataclass(slots=True)
class _Segments:
    loads: list[tuple[int, int, int]]
    dynamic: tuple[int, int] | None = None
    interpreter: bool = False

    def offset(self, address: int) -> int:
        """Return where in the file an address lies."""
        for start, begin, size in self.loads:
            if start <= address < start + size:
                return address - start + begin
        raise ValueError(f"is cut off or damaged: nothing is loaded at {address:#x}")


def _read(data: Bytes) -> Elf | None:
    if len(data) < 16 or data[4] not in {1, 2} or data[5] not in {1, 2}:
        raise ValueError("is cut off or damaged: the identification is none of ELF's")
    wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
    head = struct.unpack_from(order + ("HHIQQQIHHH" if wide else "HHIIIIIHHH"), data, 16)
    kind, machine, begin, entry, count = head[0], head[1], head[4], head[8], head[9]
    if kind not in {_ET_EXEC, _ET_DYN}:
        return None
    name = _MACHINES.get(machine, f"machine {machine}")
    if not wide:
        name = _SMALL.get(name, name)
    if order == ">":
        name = _LARGE_ENDIAN.get(name, name)
    segments = _segments(data, wide, order, begin, entry, count)
    is_program = segments.interpreter and kind == _ET_EXEC
    if segments.dynamic is None:
        return Elf(name, program=True)
    tags = _dynamic(data, wide, order, segments.dynamic)
    if _DT_STRTAB not in tags:
        return Elf(name, program=True)
    names = _Names(data, segments.offset(tags[_DT_STRTAB][0]), tags.get(_DT_STRSZ, [0])[0])
    paths = tags.get(_DT_RUNPATH) or tags.get(_DT_RPATH) or []
    return Elf(
        machine=name,
        needed=tuple(map(names.at, tags.get(_DT_NEEDED, []))),
        versions=_versions(data, order, segments, tags, names),
        search=tuple(folder for path in paths for folder in names.at(path).split(":") if folder),
        soname=names.at(tags[_DT_SONAME][0]) if _DT_SONAME in tags else "",
        inherits=_DT_RUNPATH not in tags,
        program=is_program or (segments.interpreter and _DT_SONAME not in tags),
    )


def _segments(data: Bytes, wide: bool, order: str, begin: int, entry: int, count: int) -> _Segments:
    layout = struct.Struct(order + ("IIQQQQQQ" if wide else "IIIIIIII"))
    found = _Segments([])
    if count and entry < layout.size:
        raise ValueError(f"is cut off or damaged: program headers of {entry} bytes")
    for number in range(count):
        values = layout.unpack_from(data, begin + number * entry)
        offset, address, size = (values[2], values[3], values[5]) if wide else (values[1], values[2], values[4])
        if values[0] == _PT_LOAD:
            if offset + size > len(data):
                raise ValueError(f"is cut off or damaged: it has {len(data):,} bytes and says {offset + size:,}")
            found.loads.append((address, offset, size))
        elif values[0] == _PT_DYNAMIC:
            found.dynamic = (offset, size)
        elif values[0] == _PT_INTERP:
            found.interpreter = True
    return found


def _dynamic(data: Bytes, wide: bool, order: str, place: tuple[int, int]) -> dict[int, list[int]]:
    layout = struct.Struct(order + ("qQ" if wide else "iI"))
    begin, size = place
    found: dict[int, list[int]] = {}
    for offset in range(begin, begin + min(size, len(data)) - layout.size + 1, layout.size):
        tag, value = layout.unpack_from(data, offset)
        if tag == _DT_NULL:
            break
        found.setdefault(tag, []).append(value)
    return found


class _Names:
    """The dynamic string table."""

    def __init__(self, data: Bytes, begin: int, size: int) -> None:
        self._data, self._begin, self._end = data, begin, begin + size

    def at(self, offset: int) -> str:
        """Return a name.

        Raises:
            ValueError: it lies outside of the table, or does not end.
        """
        begin = self._begin + offset
        end = self._data.find(b"\0", begin, min(self._end, begin + _LONGEST_NAME))
        if begin >= self._end or end < 0:
            raise ValueError("is cut off or damaged: a name does not end")
        return self._data[begin:end].decode("utf-8", "backslashreplace")


def _versions(
    data: Bytes, order: str, segments: _Segments, tags: dict[int, list[int]], names: _Names
) -> dict[str, tuple[str, ...]]:
    if _DT_VERNEED not in tags:
        return {}
    need, wanted = struct.Struct(order + "HHIII"), struct.Struct(order + "IHHII")
    found: dict[str, tuple[str, ...]] = {}
    left = _MOST_VERSIONS
    begin = segments.offset(tags[_DT_VERNEED][0])
    for offset, (_, count, file, first, _) in _chain(data, need, begin, tags.get(_DT_VERNEEDNUM, [0])[0], left):
        library = []
        for _, (_, _, _, name, _) in _chain(data, wanted, offset + first, count, left):
            library.append(names.at(name))
            left -= 1
        found[names.at(file)] = tuple(sorted(library))
    return found


def _chain(
    data: Bytes, layout: struct.Struct, offset: int, count: int, most: int
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the entries of a list in which each says how far off the next one is."""
    for _ in range(min(count, max(most, 0))):
        values = layout.unpack_from(data, offset)
        yield offset, values
        if not values[4]:
            return
        offset += values[4]
