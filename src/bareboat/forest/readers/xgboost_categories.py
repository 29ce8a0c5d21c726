"""`cats` of an XGBoost model (3.1 and later) -> each feature's categories.

The place of a category in its feature's list is its code in the trees; XGBoost's `predict` finds it by name in the data
frame that it is given. Source: src/data/cat_container.cc (3.2.0).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from bareboat.forest.ir import Category
from bareboat.forest.readers.document import SAVE_AGAIN, Part
from bareboat.forest.readers.xgboost_objective import Version

Names = tuple[tuple[Category, ...] | None, ...]
_DAMAGED_BEFORE = (3, 4, 0)
"""XGBoost 3.1 to 3.3 count characters of pandas' categories where bytes are meant, which loses names outside ASCII
(python-package/xgboost/_data_utils.py, npstr_to_arrow_strarr)."""


def read_categories(model: Part, version: Version, names: tuple[str, ...]) -> tuple[Names, tuple[str, ...]]:
    """Return for each feature the categories whose places are its codes, or None where the file names none.

    Args:
        model: `gradient_booster.model`.
        version: of the XGBoost that saved it.
        names: of the features.
    Returns:
        the categories, and notes on features whose categories XGBoost did not keep.
    Raises:
        ModelError: the lists are damaged.
    """
    encodings = list(model["cats"]["enc"]) if "cats" in model else []
    if not encodings:
        return (None,) * len(names), ()
    if len(encodings) != len(names):
        raise model["cats"].error(f"categories of {len(encodings)} features", f"of {len(names)}", SAVE_AGAIN)
    found: list[tuple[Category, ...] | None] = []
    notes: list[str] = []
    for encoding, name in zip(encodings, names, strict=True):
        if "offsets" not in encoding:
            found.append(tuple(encoding["values"].integers().tolist()) or None)
            continue
        words = _words(encoding, damaged=version < _DAMAGED_BEFORE)
        found.append(words or None)
        if words is None:
            notes.append(
                f"the categories of {name!r} are not known: XGBoost 3.1 to 3.3 does not keep names outside ASCII; give "
                "their codes (column.cat.codes), or train with 3.4 or later"
            )
    return tuple(found), tuple(notes)


def _words(encoding: Part, *, damaged: bool) -> tuple[str, ...] | None:
    """Return the names of one feature, () of a numeric one, or None when they are lost."""
    offsets = encoding["offsets"].integers().tolist()
    values = encoding["values"].integers()
    if not offsets:
        return ()
    if offsets[0] != 0 or offsets[-1] != len(values) or any(start > end for start, end in pairwise(offsets)):
        raise encoding["offsets"].error("offsets that do not rise from 0 to the end", "as many as values", SAVE_AGAIN)
    text = (values & 0xFF).astype(np.uint8).tobytes()
    if damaged and not text.isascii():
        return None
    try:
        words = tuple(text[start:end].decode() for start, end in pairwise(offsets))
    except UnicodeDecodeError:  # loaded from a damaged file and saved by a later version
        return None
    if len(set(words)) != len(words):
        raise encoding["values"].error("a category that stands twice", "each once", SAVE_AGAIN)
    return words
