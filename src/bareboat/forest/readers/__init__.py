"""Model file -> Forest. A new format is one module here and one line in READERS."""

from __future__ import annotations

from pathlib import Path

from bareboat.errors import ModelError
from bareboat.forest.ir import Forest
from bareboat.forest.readers.lightgbm import LIGHTGBM_TEXT
from bareboat.forest.readers.reader import Reader

READERS: tuple[Reader, ...] = (LIGHTGBM_TEXT,)

_STRANGERS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x80", "a pickle", "load it in Python and save the model in one of these formats"),
    (b"PK\x03\x04", "a zip archive", "unpack it and give the model file inside"),
    (b"\x1f\x8b", "a gzip file", "unpack it first"),
    (b"BBFOREST", "a .forest file, which bareboat wrote from a model", "give the model file that it was made from"),
    (b"{", "a JSON document", "save the model in one of these formats"),
    (b"\x7fELF", "a program or a native library", "give the model file"),
)


def read_forest(path: Path) -> Forest:
    """Read a model file in any known format.

    Raises:
        ModelError: the file cannot be read, is of no known format, or is damaged; names the file and the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"cannot read the model file: {error.strerror or error}",
            expected="a model file",
            fix="check the path and its permissions",
            where=str(path),
        ) from error
    for reader in READERS:
        if reader.matches(data[:64]):
            return reader.read(path, data)
    raise _unknown_format(path, data)


def _unknown_format(path: Path, data: bytes) -> ModelError:
    found, fix = "a file of no known model format", "save the model again in one of these formats"
    if not data:
        found, fix = "an empty file (0 bytes)", "copy or save the model again"
    for start, name, cure in _STRANGERS:
        if data.startswith(start):
            found, fix = name, cure
    return ModelError(found, expected=" or ".join(reader.name for reader in READERS), fix=fix, where=str(path))
