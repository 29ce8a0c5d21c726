"""What the child process runs: a pickle -> plain arrays and text in a folder, by a function that `child.py` names.

It is run as a script by the user's own interpreter, which has the model's framework and may have no bareboat.
"""

import sys

if not getattr(sys.flags, "safe_path", False):
    del sys.path[0]  # this folder, where `lightgbm` would be bareboat's reader

import importlib
import importlib.util
import json
import os
import traceback

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120


def _lend_bareboat() -> None:
    """Make `bareboat` importable from where it lies, and nothing else of the environment around it."""
    path = os.path.join(_ROOT, "__init__.py")  # noqa: PTH118
    spec = importlib.util.spec_from_file_location("bareboat", path, submodule_search_locations=[_ROOT])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bareboat"] = module
    spec.loader.exec_module(module)


def _fault(error: BaseException) -> "dict[str, object]":
    """Return the first cause of an error: its type, its text and where it was raised."""
    while error.__cause__ is not None or (error.__context__ is not None and not error.__suppress_context__):
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    return {
        "type": type(error).__name__,
        "text": str(error)[:2000],
        "place": place,
        "missing": missing,
        "sklearn": _version("scikit-learn"),
    }


def _version(name: str) -> str:
    """Return the version of a distribution, "" of one that is not installed."""
    import importlib.metadata

    try:
        return importlib.metadata.version(name)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is no help
        return ""


def _answer(path: str, kind: str, folder: str, entry: str, arguments: "list[str]") -> "dict[str, object]":
    from bareboat.errors import BareboatError

    sys.path.append(os.getcwd())  # noqa: PTH109
    module, _, name = entry.partition(":")
    try:
        answer: dict[str, object] = getattr(importlib.import_module(module), name)(path, kind, folder, arguments)
    except BareboatError as error:
        return {"problems": [problem.to_dict() for problem in error.problems]}
    return answer


def _main() -> None:
    path, kind, folder, entry, *arguments = sys.argv[1:]
    sys.argv = [path]
    if sys.version_info < (3, 11):  # noqa: UP036 - the user's interpreter may be any
        answer: dict[str, object] = {"old": "{}.{}".format(*sys.version_info[:2])}
    else:
        _lend_bareboat()
        try:
            answer = _answer(path, kind, folder, entry, arguments)
        except BaseException as error:  # noqa: BLE001 - told to the parent
            answer = {"fault": _fault(error)}
    with open(os.path.join(folder, "answer.json"), "w", encoding="utf-8") as file:  # noqa: PTH118, PTH123
        json.dump(answer, file)


if __name__ == "__main__":
    _main()
