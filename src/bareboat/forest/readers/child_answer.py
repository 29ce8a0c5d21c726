"""What the child found, as files of plain data, and these files -> an Ensemble that has been checked.

A folder holds `answer.json` and one of `model` (the bytes of a SavedModel) and `arrays.npz` (the arrays of an
Ensemble, which numpy reads without unpickling).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from bareboat.forest.ir import CategorySet, Ensemble, LinearLeaves, Transform, Trees
from bareboat.forest.readers.child_check import checked
from bareboat.forest.readers.reader import SavedModel

_TREES = tuple(field.name for field in fields(Trees) if field.name not in ("sets", "linear"))
_LINEAR = tuple(field.name for field in fields(LinearLeaves))
_PLAIN = tuple(field.name for field in fields(Ensemble) if field.name not in ("trees", "base", "transform"))
_TUPLES = ("feature_names", "parameters", "classes", "notes")


def answer(path: str, kind: str, folder: str, _arguments: Sequence[str] = ()) -> dict[str, object]:
    """Open a file in the child process and answer with its trees.

    Raises:
        ModelError: it holds no model of trees.
    """
    from bareboat.forest.readers.child_load import load_noted
    from bareboat.forest.readers.child_openers import opened

    model, notes = load_noted(path, kind)
    return packed(opened(model), notes, folder)


def packed(found: Ensemble | SavedModel, notes: Sequence[str], folder: str) -> dict[str, object]:
    """Write what an opener found into a folder; return what `answer.json` must hold."""
    if isinstance(found, SavedModel):
        (Path(folder) / "model").write_bytes(found.data)
        return {"classes": found.classes, "notes": (*found.notes, *notes)}
    found = replace(found, notes=(*found.notes, *notes))
    arrays = {name: values for name in _TREES if (values := getattr(found.trees, name)) is not None}
    arrays["base"] = found.base
    if found.trees.linear is not None:
        arrays |= {f"linear_{name}": getattr(found.trees.linear, name) for name in _LINEAR}
    np.savez(Path(folder) / "arrays.npz", **arrays)
    plain: dict[str, object] = {name: getattr(found, name) for name in _PLAIN}
    plain["transform"] = int(found.transform)
    plain["sets"] = [
        (f"{each.codes:x}", f"{each.right:x}", each.others_left, each.nan_left) for each in found.trees.sets
    ]
    return {"ensemble": plain}


def unpacked(answer: Mapping[str, Any], folder: Path) -> Ensemble | SavedModel:
    """Read the folder again.

    Raises:
        Exception: of any kind, when the files are not what `packed` writes; ModelError when the Ensemble is unsound.
    """
    if "ensemble" not in answer:
        classes, notes = (tuple(_plain(each) for each in answer[name]) for name in ("classes", "notes"))
        return SavedModel((folder / "model").read_bytes(), classes, tuple(map(str, notes)))
    plain: dict[str, Any] = dict(answer["ensemble"])
    sets = tuple(
        CategorySet(int(codes, 16), int(right, 16), bool(others_left), bool(nan_left))
        for codes, right, others_left, nan_left in plain.pop("sets")
    )
    with np.load(folder / "arrays.npz", allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    base = arrays.pop("base")
    linear = {name: arrays.pop(f"linear_{name}") for name in _LINEAR if f"linear_{name}" in arrays}
    trees = Trees(**arrays, sets=sets, linear=LinearLeaves(**linear) if linear else None)
    plain |= {name: tuple(_plain(each) for each in plain[name]) for name in _TUPLES}
    plain["categories"] = tuple(each if each is None else tuple(map(_plain, each)) for each in plain["categories"])
    plain["transform"] = Transform(plain["transform"])
    return checked(Ensemble(**plain, trees=trees, base=base))


def _plain(value: object) -> Any:
    if not isinstance(value, str | int | float):
        raise TypeError(f"{value!r:.40} where text or a number must be")
    return value
