"""The frame of bareboat's own files: a magic, a version, the size and a digest around what a decoder reads."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from bareboat.errors import ModelError
from bareboat.forest.digest import digest
from bareboat.forest.layout import DIGEST
from bareboat.runtime.kernel import FIX

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Frame(Generic[T]):
    """One format of files.

    Args:
        noun: what a file holds and how its name ends, such as "forest".
        magic: how a file starts.
        header: whose second field is the version and whose seventh the size of the file in bytes.
        oldest, newest: the versions that are read.
        decode: reads a file whose frame is whole; may raise what struct, json and numpy do.
    """

    noun: str
    magic: bytes
    header: struct.Struct
    oldest: int
    newest: int
    decode: Callable[[bytes], T]

    def read(self, path: Path) -> T:
        """Read a file.

        Raises:
            ModelError: it is of another format or version, or is damaged; names the path.
        """
        try:
            return self.read_bytes(path.read_bytes())
        except OSError as error:
            raise ModelError(f"cannot read the {self.noun}: {error.strerror or error}", where=str(path)) from error
        except ModelError as error:
            problem = error.problems[0]
            raise ModelError(problem.found, expected=problem.expected, fix=problem.fix, where=str(path)) from error

    def read_bytes(self, data: bytes) -> T:
        """Read the bytes of a file; raises as `read` does, without a place."""
        noun = self.noun
        if len(data) < self.header.size + DIGEST.size or not data.startswith(self.magic):
            raise ModelError(f"not a .{noun} file", expected=f"a file that starts with {self.magic.decode()}", fix=FIX)
        fields = self.header.unpack_from(data)
        version, size = fields[1], fields[6]
        if not self.oldest <= version <= self.newest:
            known = f"{self.oldest} to {self.newest}" if self.oldest < self.newest else f"{self.newest}"
            raise ModelError(f"a .{noun} file of version {version}", expected=f"version {known}", fix=FIX)
        if size != len(data) or DIGEST.unpack(data[-DIGEST.size :])[0] != digest(data[: -DIGEST.size]):
            raise ModelError(f"a damaged {noun}: its size or digest does not fit", expected="a whole file", fix=FIX)
        try:
            return self.decode(data)
        except (struct.error, LookupError, ValueError, TypeError, OverflowError) as error:
            raise ModelError(
                f"a damaged {noun}: {error}", expected=f"what docs/{noun}-format.md describes", fix=FIX
            ) from error
