"""The registry: models are loaded when first asked for, and let go when there are too many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bareboat.errors import ArtifactError
from bareboat.runtime import models as module
from bareboat.runtime.models import Models

DOCUMENT = {"engine": "forest", "file": "f", "kind": "value", "labels": None, "inputs": [], "bounds": "error"}


class Constant:
    """A predictor of 100 bytes."""

    n_features = 0
    n_classes = 0
    size_bytes = 100


def registry(folder: Path, monkeypatch: pytest.MonkeyPatch, limit_bytes: int = 0) -> tuple[Models, list[str]]:
    """Return the models a, b, c of two versions each, and what is loaded of them."""
    versions = {name: ["1", "2"] for name in "abc"}
    loaded: list[str] = []
    for name, known in versions.items():
        for version in known:
            (folder / f"{name}-{version}.json").write_text(json.dumps({**DOCUMENT, "file": f"{name}-{version}"}))

    def load(path: str) -> Constant:
        loaded.append(Path(path).name)
        return Constant()

    monkeypatch.setattr("bareboat.runtime.forest.load_forest", load)
    return Models(str(folder), versions, default="a", limit_bytes=limit_bytes), loaded


def test_a_model_is_loaded_when_it_is_first_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models, loaded = registry(tmp_path, monkeypatch)

    assert loaded == []
    first = models.get("b")
    assert (first.name, first.version) == ("b", "1")
    assert models.get("b") is first
    assert models.get("b", "2").version == "2"
    assert loaded == ["b-1", "b-2"]


def test_the_least_recently_used_models_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models, loaded = registry(tmp_path, monkeypatch, limit_bytes=250)

    for name in ("a", "b", "a", "c", "a", "b"):
        models.get(name)

    assert loaded == ["a-1", "b-1", "c-1", "b-1"]
    assert models.size_bytes == 200


def test_the_model_in_use_stays_however_large_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models, loaded = registry(tmp_path, monkeypatch, limit_bytes=50)

    for name in ("a", "a", "b", "a"):
        models.get(name)

    assert loaded == ["a-1", "b-1", "a-1"]
    assert models.size_bytes == 100


def test_what_is_not_there_is_a_key_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models, _ = registry(tmp_path, monkeypatch)

    for wanted in (("d",), ("a", "3")):
        with pytest.raises(KeyError):
            models.get(*wanted)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("", "a-1.json cannot be read"),
        ("[]", "engine"),
        (json.dumps({**DOCUMENT, "engine": "steam"}), "engine"),
        (json.dumps({**DOCUMENT, "inputs": [{"name": "x"}]}), "1 inputs for a model of 0"),
        (json.dumps({**DOCUMENT, "labels": ["x"]}), "1 labels for a model of 0 classes"),
    ],
)
def test_a_damaged_document_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: str, says: str) -> None:
    models, _ = registry(tmp_path, monkeypatch)
    (tmp_path / "a-1.json").write_text(document)

    with pytest.raises(ArtifactError, match=says):
        models.get("a")


def test_every_engine_names_a_module_of_the_runtime() -> None:
    assert all(home.startswith("bareboat.runtime.") for home, _, _ in module._ENGINES.values())
