"""The folder of an MLflow model -> the model file in it, and what the folder says of it.

Source: MLflow's documentation, "MLflow Models" (storage format) and "MLflow Model Signatures"; folders that MLflow
2.22 and 3.17 wrote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bareboat.errors import ModelError

MLMODEL = "MLmodel"

_FILES: Mapping[str, tuple[str, ...]] = {
    "sklearn": ("pickled_model",),
    "lightgbm": ("data", "lgb_model"),
    "xgboost": ("data", "xgb_model"),
    "catboost": ("data", "cb_model"),
    "onnx": ("data",),
    "pytorch": ("model_data",),
    "statsmodels": ("data", "statsmodels_model"),
}
"""Flavor -> the keys that may name its file."""

_REFUSED = {
    "tensorflow": "convert it with tf2onnx and give the .onnx file",
    "keras": "convert it with tf2onnx and give the .onnx file",
    "spark": "models of Spark need a JVM; train the same model with scikit-learn",
    "h2o": "models of H2O need a JVM",
    "prophet": "write a handler that loads it",
    "transformers": "write a handler that loads it, or export it to ONNX",
    "sentence_transformers": "write a handler that loads it, or export it to ONNX",
    "spacy": "write a handler that loads it",
    "langchain": "write a handler",
}
_PINNED = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([\w.!+-]+)\s*(?:;.*)?$")


@dataclass(frozen=True, slots=True)
class MlflowModel:
    """What the folder says.

    Args:
        flavor: such as `sklearn`.
        file: of the model; absolute.
        versions: {distribution: version} that requirements.txt pins, names in lower case with `-`.
        python: of the Python that saved it, such as `3.11.7`, or "".
        inputs: the parsed `signature.inputs`, or ().
        trusted: types that a skops file may hold.
        code: the folder of the user's own modules, or None.
    """

    flavor: str
    file: Path
    versions: Mapping[str, str]
    python: str
    inputs: tuple[Mapping[str, Any], ...]
    trusted: tuple[str, ...] = ()
    code: Path | None = None


def is_mlflow_folder(path: Path) -> bool:
    """Whether a path is the folder of an MLflow model, or its MLmodel file."""
    return path.name == MLMODEL or (path / MLMODEL).is_file()


def read_mlflow_folder(path: Path) -> MlflowModel:
    """Read the MLmodel file of a folder. Nothing of the model itself is opened.

    Raises:
        ModelError: it is damaged, its flavor cannot be served, or the file that it names is missing.
    """
    folder = path.parent if path.name == MLMODEL else path
    place = folder / MLMODEL
    document = _document(place)
    flavors = document.get("flavors")
    if not isinstance(flavors, dict) or not flavors:
        raise ModelError("an MLmodel file without flavors", expected="flavors of a saved model", where=str(place))
    flavor = next((name for name in _FILES if isinstance(flavors.get(name), dict)), None)
    if flavor is None:
        raise _other_flavor(flavors, place)
    said = flavors[flavor]
    return MlflowModel(
        flavor=flavor,
        file=_file(folder, flavor, said, flavors, place),
        versions=_versions(folder / "requirements.txt"),
        python=_python(folder, flavors),
        inputs=_inputs(document, place),
        trusted=tuple(map(str, said.get("skops_trusted_types") or ())),
        code=_code(folder, said, flavors),
    )


def _document(place: Path) -> dict[str, Any]:
    import yaml

    try:
        document = yaml.safe_load(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror or error}", where=str(place)) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(
            f"is no YAML: {' '.join(str(error).split())[:200]}", expected="a file that MLflow wrote", where=str(place)
        ) from error
    if not isinstance(document, dict):
        raise ModelError("is no MLmodel file", expected="a mapping with flavors", where=str(place))
    return document


def _other_flavor(flavors: Mapping[str, Any], place: Path) -> ModelError:
    names = [name for name in flavors if name != "python_function"]
    known = ", ".join(_FILES)
    if not names:
        loader = str((flavors.get("python_function") or {}).get("loader_module", ""))
        return ModelError(
            f"an MLflow model of the flavor python_function alone ({loader}): it is code, not a model file",
            expected=f"one of the flavors {known}",
            fix="log the model inside with its own flavor (mlflow.sklearn.log_model and the like), or write a handler",
            where=str(place),
        )
    return ModelError(
        f"an MLflow model of the flavor {', '.join(names)}",
        expected=f"one of the flavors {known}",
        fix=next((_REFUSED[name] for name in names if name in _REFUSED), "write a handler that loads it"),
        where=str(place),
    )


def _file(folder: Path, flavor: str, said: Mapping[str, Any], flavors: Mapping[str, Any], place: Path) -> Path:
    named = [said[key] for key in _FILES[flavor] if isinstance(said.get(key), str)]
    named += [
        (flavors.get("python_function") or {}).get(key) for key in ("model_path", "data")
    ]  # what old versions wrote there alone
    name = next((each for each in named if isinstance(each, str)), "")
    file = (folder / name).resolve()
    if flavor == "pytorch" and file.is_dir():
        file = next(
            (each for each in (file / "model.pth", file / "model.pt2", file / "model.ep") if each.is_file()), file
        )
    if flavor == "lightgbm" and file.is_dir():
        file = next(iter(sorted(file.glob("model.*"))), file)
    if not name or not file.is_relative_to(folder.resolve()):
        raise ModelError(
            f"the flavor {flavor} names {'no file' if not name else 'a file outside of its folder'}",
            expected="the name of a file in the folder",
            where=str(place),
        )
    if not file.is_file():
        raise ModelError(
            f"the flavor {flavor} names the file {name}, which is not there",
            expected=f"the whole folder as MLflow saved it, with {name}",
            fix="copy or download the folder again",
            where=str(place),
        )
    return file


def _versions(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found = (_PINNED.match(line) for line in lines)
    return {re.sub(r"[-_.]+", "-", each[1]).lower(): each[2] for each in found if each is not None}


def _python(folder: Path, flavors: Mapping[str, Any]) -> str:
    said = (flavors.get("python_function") or {}).get("python_version")
    if said:
        return str(said)
    try:
        text = (folder / "python_env.yaml").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.search(r"^python:\s*['\"]?([\d.]+)", text, re.MULTILINE)
    return found[1] if found else ""


def _inputs(document: Mapping[str, Any], place: Path) -> tuple[Mapping[str, Any], ...]:
    signature = document.get("signature")
    text = signature.get("inputs") if isinstance(signature, dict) else None
    if not text:
        return ()
    try:
        inputs = json.loads(text) if isinstance(text, str) else text
    except ValueError as error:
        raise ModelError(
            f"signature.inputs is no JSON: {error}", expected="what MLflow wrote", where=str(place)
        ) from error
    if not isinstance(inputs, Sequence) or not all(isinstance(each, dict) for each in inputs):
        return ()
    return tuple(inputs)


def _code(folder: Path, said: Mapping[str, Any], flavors: Mapping[str, Any]) -> Path | None:
    name = said.get("code") or (flavors.get("python_function") or {}).get("code")
    code = folder / name if isinstance(name, str) else None
    return code.resolve() if code is not None and code.is_dir() else None
