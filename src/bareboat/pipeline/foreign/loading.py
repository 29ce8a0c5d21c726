"""A file -> the object in it, and the names of the classes and functions that it asked for. Runs in the child only."""

from __future__ import annotations

import json
import pickle
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.readers import child_load

Names = set[tuple[str, str]]
"""(module, qualified name)."""


def load_recorded(path: str, kind: str, trusted: tuple[str, ...] = ()) -> tuple[Any, str, Names, list[str]]:
    """Open a file.

    Args:
        path, kind: as `child_load.load` takes them.
        trusted: types that a skops file may hold beyond those that are known.
    Returns:
        The object; pickle, joblib or skops, which opens it again; what it asked for; what was warned of meanwhile.
    Raises:
        ModelError: it is of no kind that is opened here, or holds a class that nobody else could import.
        Exception: whatever the file's own code raises.
    """
    names: Names = set()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if kind == "skops":
            model, loader = _skops(path, names, trusted), "skops"
        elif kind == "joblib" or (kind == "pickle" and child_load.is_joblib(path)):
            model, loader = _joblib(path, names), "joblib"
        elif kind == "pickle":
            model, loader = _pickle(path, names), "pickle"
        else:
            raise ModelError(
                "a file of CatBoost's own format",
                expected="a pickle, joblib or skops file",
                fix="take the key engine away: such a model compiles",
            )
    return model, loader, names, child_load.notes_of(caught)


def _pickle(path: str, names: Names) -> Any:
    class Recorder(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            return _found(super().find_class, module, name, names)

    with Path(path).open("rb") as file:
        return Recorder(file).load()


def _joblib(path: str, names: Names) -> Any:
    import joblib
    from joblib import numpy_pickle

    original = numpy_pickle.NumpyUnpickler.find_class

    def find_class(self: Any, module: str, name: str) -> Any:
        return _found(lambda *args: original(self, *args), module, name, names)

    numpy_pickle.NumpyUnpickler.find_class = find_class  # nothing else runs in this process
    try:
        return joblib.load(path)
    finally:
        numpy_pickle.NumpyUnpickler.find_class = original


def _found(find: Any, module: str, name: str, names: Names) -> Any:
    names.add((module, name))
    try:
        found = find(module, name)
    except AttributeError as error:
        if module != "__main__":
            raise
        raise ModelError(
            f"the class or function {name} stood in the script or notebook that saved the model (__main__)",
            expected="a module that can be imported where the model is served",
            fix=f"move {name} to a module beside serverless.yml, import it from there, and save the model again",
        ) from error
    if name == "subimport" and module.startswith("cloudpickle"):

        def subimport(imported: str) -> Any:
            names.add((imported, ""))
            return found(imported)

        return subimport
    return found


def _skops(path: str, names: Names, trusted: tuple[str, ...]) -> Any:
    import skops.io

    with zipfile.ZipFile(path) as archive:
        names |= set(_skops_names(json.loads(archive.read("schema.json"))))
    types = skops.io.get_untrusted_types(file=path)
    strangers = [each for each in types if not _is_trusted(each) and each not in trusted]
    if strangers:
        raise ModelError(
            "types that are not trusted: " + ", ".join(strangers[:10]),
            expected="types that skops or bareboat know, or those that MLflow's skops_trusted_types names",
            fix="save the model with joblib, if you trust its file as you would code",
        )
    return skops.io.load(path, trusted=types)


def _is_trusted(name: str) -> bool:
    return name in child_load.TRUSTED or name.startswith(child_load.TRUSTED_MODULES)


def _skops_names(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        module, name = node.get("__module__"), node.get("__class__")
        if isinstance(module, str) and isinstance(name, str):
            yield module, name
        for each in node.values():
            yield from _skops_names(each)
    elif isinstance(node, list):
        for each in node:
            yield from _skops_names(each)
