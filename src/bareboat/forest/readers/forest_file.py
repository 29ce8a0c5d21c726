"""`.forest` file -> Ensemble, so that what `bareboat model import` wrote is a model like any other."""

from __future__ import annotations

from pathlib import Path

from bareboat.forest.file_reader import read_forest_file
from bareboat.forest.ir import Ensemble
from bareboat.forest.layout import MAGIC
from bareboat.forest.readers.reader import Reader


def _matches(head: bytes) -> bool:
    return head.startswith(MAGIC)


def _read(path: Path, _head: bytes) -> Ensemble:
    return read_forest_file(path)


FOREST_FILE = Reader(name=".forest file (bareboat model import)", matches=_matches, read=_read, whole=False)
