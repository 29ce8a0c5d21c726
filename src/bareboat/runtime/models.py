"""The models of a function: documents and files -> LoadedModels, each when it is first asked for."""

from __future__ import annotations

import json
import os

from bareboat.errors import ArtifactError
from bareboat.runtime.answers import Answers
from bareboat.runtime.signature import signature_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bareboat.runtime.signature import Signature

FOLDER = "models"
_RESIDENT = 3  # bytes of memory for each byte of a file: 2.8 measured of 200 forests of 50 KB

# engine -> the module and the function that load it; whether that function is given the model's document as well.
_ENGINES = {
    "forest": ("bareboat.runtime.forest", "load_forest", False),
    "pipeline": ("bareboat.runtime.pipeline", "load_pipeline", False),
    "onnx": ("bareboat.runtime.onnx", "load_onnx", True),
    "framework": ("bareboat.runtime.framework", "load_framework", True),
}


class LoadedModel:
    """One version of a model, ready to answer.

    Args:
        name, version: what requests call it.
        signature: the rows that it takes.
        answers: makes answers of what the predictor gives.
        predictor: `answer(row) -> (outputs, index of the label or -1)` and `answer_many(rows)`; a forest, a pipeline,
            or another engine.
        document: the model document, docs/artifact.md.
        size_bytes: the memory that it takes.
    """

    __slots__ = ("answers", "document", "name", "predictor", "signature", "size_bytes", "version")

    def __init__(
        self,
        name: str,
        version: str,
        signature: Signature,
        answers: Answers,
        predictor: Any,
        document: Mapping[str, Any] | None = None,
        size_bytes: int = 0,
    ) -> None:
        self.name = name
        self.version = version
        self.signature = signature
        self.answers = answers
        self.predictor = predictor
        self.document: Mapping[str, Any] = document or {}
        self.size_bytes = size_bytes


class Models:
    """The models of a function.

    Args:
        folder: where documents and files lie.
        versions: name -> the versions that there are, the default first.
        default: the name that is meant when a request names none; "" when there is no such model.
        max_rows: how many rows one request may have.
        limit_bytes: how much memory loaded models may take; the least recently used are let go first, and the one in
            use never. 0 for any amount.
    """

    __slots__ = ("_loaded", "default", "folder", "limit_bytes", "max_rows", "size_bytes", "versions")

    def __init__(
        self,
        folder: str,
        versions: Mapping[str, list[str]],
        *,
        default: str = "",
        max_rows: int = 10_000,
        limit_bytes: int = 0,
    ) -> None:
        self.folder = folder
        self.versions = versions
        self.default = default
        self.max_rows = max_rows
        self.limit_bytes = limit_bytes
        self.size_bytes = 0
        self._loaded: dict[str, LoadedModel] = {}  # the least recently used first

    def get(self, name: str, version: str = "") -> LoadedModel:
        """Return a model that is there, loading it if it is not loaded.

        Args:
            version: "" for the default one.
        Raises:
            KeyError: there is no such model or version.
            ArtifactError, ModelError: its document or its file is damaged, or does not fit the other.
        """
        versions = self.versions[name]
        if not version:
            version = versions[0]
        elif version not in versions:
            raise KeyError(version)
        key = f"{name}-{version}"
        model = self._loaded.pop(key, None)
        if model is None:
            model = load_model(self.folder, name, version, self.max_rows)
            self.size_bytes += model.size_bytes
        self._loaded[key] = model
        if 0 < self.limit_bytes < self.size_bytes:
            self._shrink()
        return model

    def add(self, model: LoadedModel) -> None:
        """Keep a model that is loaded already."""
        self.size_bytes += model.size_bytes
        self._loaded[f"{model.name}-{model.version}"] = model

    def _shrink(self) -> None:
        """Let go of models but for the one that was asked for last."""
        while self.size_bytes > self.limit_bytes and len(self._loaded) > 1:
            oldest = self._loaded.pop(next(iter(self._loaded)))
            self.size_bytes -= oldest.size_bytes


def only(model: LoadedModel) -> Models:
    """Return the models of a function that has this one."""
    models = Models("", {model.name: [model.version]}, default=model.name)
    models.add(model)
    return models


def load_model(folder: str, name: str, version: str, max_rows: int) -> LoadedModel:
    """Load one version of a model.

    Raises:
        ArtifactError: its document cannot be read, or does not fit the file.
        ModelError: the file is damaged.
        RemoteError: the file is fetched from a store, which refuses or cannot be reached.
    """
    path = os.path.join(folder, f"{name}-{version}.json")
    document = read_json(path)
    if not isinstance(document, dict) or document.get("engine") not in _ENGINES:
        raise ArtifactError(
            "the document of a model has an engine that this version of bareboat does not know",
            expected=f"one of {', '.join(_ENGINES)}",
            fix="bareboat package, with the version that is in the artifact",
            where=path,
        )
    module, function, takes_document = _ENGINES[document["engine"]]
    load = getattr(__import__(module, fromlist=(function,)), function)
    file = os.path.join(folder, document["file"])
    if "fetch" in document and not os.path.exists(file):  # a proof lays it there
        from bareboat.runtime.remote import fetched

        file = fetched(document["fetch"], document["file"])
    predictor = load(file, document) if takes_document else load(file)
    if len(document["inputs"]) != predictor.n_features:
        raise ArtifactError(
            f"the document of a model has {len(document['inputs'])} inputs for a model of {predictor.n_features}",
            expected="one for each feature of the model",
            fix="bareboat package",
            where=path,
        )
    answers = Answers(kind=document["kind"], n_classes=predictor.n_classes, labels=document["labels"])
    signature = signature_of(document, max_rows)
    return LoadedModel(name, version, signature, answers, predictor, document, _size(predictor, file))


def read_json(path: str) -> Any:
    """Read a JSON file of the artifact.

    Raises:
        ArtifactError: it is not there, or no JSON.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"the artifact's {os.path.basename(path)} cannot be read: {error}",
            expected="a file that `bareboat package` wrote",
            fix="bareboat package",
            where=path,
        ) from error


def _size(predictor: Any, file: str) -> int:
    """Return the memory that a predictor takes, as it says itself, or else as files of that size do."""
    said: int = getattr(predictor, "size_bytes", 0)
    try:
        return said or _RESIDENT * os.stat(file).st_size
    except OSError:  # it is loaded nevertheless
        return 0
