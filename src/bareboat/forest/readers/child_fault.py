"""What went wrong in the child process -> the error that a person reads, with the cure where it is known."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.readers.saved_version import saved_version

_INSTALL = {"sklearn": "scikit-learn", "cv2": "opencv-python", "yaml": "pyyaml"}
_FRAMEWORKS = (
    "catboost",
    "cloudpickle",
    "joblib",
    "lightgbm",
    "lz4",
    "numpy",
    "pandas",
    "scipy",
    "sklearn",
    "skops",
    "xgboost",
)
_OF_MAIN = re.compile(r"Can't get attribute '([^']+)' on <module '__(?:mp_)?main__'")


def fault_error(path: Path, python: str, fault: dict[str, Any], words: str) -> ModelError:
    """Return the error for what the child raised while it opened a file.

    Args:
        path: of the file.
        python: the interpreter that opened it.
        fault: `child_main._fault` of it.
        words: what the child printed.
    """
    of_main = _OF_MAIN.search(str(fault.get("text")))
    if of_main is not None:
        return _of_main(path, of_main[1])
    missing = str(fault.get("missing") or "")
    top = missing.partition(".")[0]
    here, saved = str(fault.get("sklearn") or ""), ""
    if not missing or top in _FRAMEWORKS:
        saved = saved_version(path)
    if here and saved and here != saved and top in ("", "sklearn"):
        return _of_another_version(path, _what(fault), saved, here)
    if missing:
        return _missing(path, python, missing, saved)
    return ModelError(
        f"the file cannot be opened: {_what(fault)}{last_words(words)}",
        expected="a whole file of a model, and the versions that saved it",
        fix="copy it again, install those versions, or save the model in the framework's own format",
        where=str(path),
    )


def last_words(words: str) -> str:
    """Return the last line that the child printed, for the end of a message."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return f"; it printed last: {lines[-1][:200]}" if lines else ""


def _what(fault: dict[str, Any]) -> str:
    place = f" ({fault['place']})" if fault.get("place") else ""
    return f"{fault.get('type')}: {fault.get('text')}{place}"


def _of_main(path: Path, name: str) -> ModelError:
    return ModelError(
        f"{name} stood in the script or notebook that saved the model (__main__), and is nowhere else",
        expected="classes and functions of modules, which can be imported wherever the model is opened",
        fix=f"move {name} into a module beside the model, such as steps.py, import it from there in the script, and "
        "save the model again",
        where=str(path),
    )


def _of_another_version(path: Path, what: str, saved: str, here: str) -> ModelError:
    return ModelError(
        f"scikit-learn {saved} saved this model, and {here}, which is installed, cannot open it: {what}",
        expected=f"scikit-learn {saved}, or a model that {here} saved",
        fix=f"python -m venv old && old/bin/pip install scikit-learn=={saved} (and what else the model needs), then "
        "set BAREBOAT_PYTHON=old/bin/python; or fit and save the model again",
        where=str(path),
    )


def _missing(path: Path, python: str, missing: str, saved: str) -> ModelError:
    top = missing.partition(".")[0]
    if top in _FRAMEWORKS:
        wanted = _INSTALL.get(top, top) + (f"=={saved}" if top == "sklearn" and saved else "")
        fix = f"{python} -m pip install {wanted}, or set BAREBOAT_PYTHON to a Python that has it"
    else:
        fix = (
            f"put {top}.py, or the folder of that package, where serverless.yml lies, or the model that none names yet;"
            f" or set PYTHONPATH to the folder of {top}"
        )
    return ModelError(f"the file needs the module {missing}, which {python} has not", fix=fix, where=str(path))
