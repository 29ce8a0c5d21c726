"""What the child process makes of a pickle: an Ensemble, a `.pipeline` file or a refusal, and what it needs."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bareboat.errors import ModelError
from bareboat.pipeline.attribute import attribute
from bareboat.pipeline.errors import NotCompilable


def answer(path: str, kind: str, folder: str, _arguments: Sequence[str] = ()) -> dict[str, object]:
    """Open a file in the child process; return what `answer.json` must hold.

    Raises:
        ModelError: it holds nothing that predicts.
    """
    from bareboat.forest.readers.child_load import load_noted
    from bareboat.forest.readers.child_openers import class_name

    model, notes = load_noted(path, kind)
    names = attribute(model, "feature_names_in_")
    about = {
        "class_name": class_name(type(model)),
        "packages": packages_of(model),
        "python": platform.python_version(),
        "feature_names": [str(name) for name in names] if names is not None else [],
    }
    try:
        return {"about": about, **_packed(model, notes, folder)}
    except NotCompilable as error:
        refusal = {"steps": list(error.steps), "problems": [each.to_dict() for each in error.problems]}
        return {"about": about, "refusal": refusal}


def packages_of(model: Any) -> dict[str, str]:
    """Return the distributions, with versions, that the classes of an object and of all within it come from."""
    from bareboat.pipeline.needs import distributions_of

    return distributions_of(model)


def _packed(model: Any, notes: Sequence[str], folder: str) -> dict[str, object]:
    from dataclasses import replace

    from bareboat.forest.readers.child_answer import packed
    from bareboat.forest.readers.child_openers import opened
    from bareboat.pipeline.compile import compile_model
    from bareboat.pipeline.file import pipeline_bytes
    from bareboat.pipeline.sorting import is_trees, model_inside, refuse_strangers

    model = model_inside(model)
    refuse_strangers(model)
    if is_trees(model):
        try:
            return packed(opened(model), notes, folder)
        except NotCompilable:
            raise
        except ModelError as error:
            raise NotCompilable(error.problems[0].found, problems=error.problems) from error
    pipeline = compile_model(model)
    pipeline = replace(pipeline, notes=(*pipeline.notes, *notes))
    (Path(folder) / "model.pipeline").write_bytes(pipeline_bytes(pipeline))
    return {"pipeline": True}
