"""What a reader of a model format is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bareboat.forest.ir import Forest


@dataclass(frozen=True, slots=True)
class Reader:
    """One model format: how it is called, how to tell it, how to read it.

    Args:
        name: as an error message names it, such as "LightGBM text (Booster.save_model)".
        matches: whether the first bytes of a file are of this format.
        read: turns the whole file into a Forest; raises ModelError with the place of what is wrong.
    """

    name: str
    matches: Callable[[bytes], bool]
    read: Callable[[Path, bytes], Forest]
