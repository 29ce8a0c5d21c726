"""A native library's file -> what it asks of the machine that loads it."""

from __future__ import annotations

import io
import mmap
from collections.abc import Iterable
from typing import IO, Any, cast

import msgspec

_MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "aarch64", "EM_386": "i386", "EM_ARM": "arm"}


class Elf(msgspec.Struct, frozen=True):
    """What the headers of an ELF file say.

    Args:
        machine: "x86_64", "aarch64", else as the ELF specification names it.
        needed: names of the libraries that the loader must find (DT_NEEDED), in order.
        versions: for each library, the symbol versions asked of it, such as GLIBC_2.17.
        search: folders that the file tells the loader to look in (DT_RUNPATH, DT_RPATH), `$ORIGIN` as written.
        soname: its own name, "" if it has none.
    """

    machine: str
    needed: tuple[str, ...] = ()
    versions: dict[str, tuple[str, ...]] = {}
    search: tuple[str, ...] = ()
    soname: str = ""


def is_elf(data: bytes) -> bool:
    """Whether these are the first bytes of an ELF file."""
    return data[:4] == b"\x7fELF"


def read_elf(data: bytes | mmap.mmap) -> Elf | None:
    """Read the headers of an ELF file.

    Args:
        data: the whole file.
    Returns:
        None for an object file or a core dump, which no loader loads.
    Raises:
        ValueError: the file is cut off or damaged.
    Source:
        System V ABI, chapter 5; LSB 5, symbol versioning (SHT_GNU_verneed).
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.dynamic import DynamicSegment
    from elftools.elf.elffile import ELFFile
    from elftools.elf.gnuversions import GNUVerNeedSection

    try:
        elf = ELFFile(cast("IO[bytes]", io.BytesIO(data) if isinstance(data, bytes) else data))
        if elf["e_type"] not in {"ET_DYN", "ET_EXEC"}:
            return None
        machine = _MACHINES.get(elf["e_machine"], str(elf["e_machine"]))
        needed: list[str] = []
        search: list[str] = []
        soname = ""
        dynamic = next((s for s in elf.iter_segments("PT_DYNAMIC") if isinstance(s, DynamicSegment)), None)
        tags: Iterable[Any] = dynamic.iter_tags() if dynamic is not None else ()
        for tag in tags:
            if tag.entry.d_tag == "DT_NEEDED":
                needed.append(tag.needed)
            elif tag.entry.d_tag == "DT_SONAME":
                soname = tag.soname
            elif tag.entry.d_tag in {"DT_RPATH", "DT_RUNPATH"}:
                search += (tag.rpath if tag.entry.d_tag == "DT_RPATH" else tag.runpath).split(":")
        versions: dict[str, tuple[str, ...]] = {}
        for section in elf.iter_sections():
            if isinstance(section, GNUVerNeedSection):
                for library, wanted in section.iter_versions():
                    versions[str(library.name)] = tuple(sorted(str(one.name) for one in wanted))
    except (ELFError, ValueError, AttributeError, KeyError, TypeError, IndexError, OverflowError) as error:
        raise ValueError(f"is cut off or damaged: {error}") from error
    return Elf(machine, tuple(needed), versions, tuple(filter(None, search)), soname)
