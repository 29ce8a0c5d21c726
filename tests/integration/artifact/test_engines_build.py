"""Artifacts of models that do not compile: built with the packages that they need, and invoked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from bareboat.artifact import Artifact, build, local_target, unpack
from bareboat.local import invoke_local
from bareboat.packaging.interpreters import find_python
from bareboat.service import load_service
from bareboat.service.model import Service

CONFIG = """\
service: sms
provider: {{name: aws, runtime: python{python}}}
functions:
  spam:
    model: spam.joblib
    engine: {engine}
    events: [{{httpApi: POST /predict}}]
"""
TEXTS = ["a free win", "hi mum", "win cash now", "see you at home"] * 3
EVENT = json.dumps({"body": json.dumps({"instances": [{"text": "win a free phone"}, {"text": "hi"}]})}).encode()


@pytest.fixture
def spam(tmp_path: Path) -> tuple[Any, Callable[[str], Service]]:
    """The pipeline, and its service for an engine."""
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, ["spam", "ham", "spam", "ham"] * 3)
    joblib.dump(model, tmp_path / "spam.joblib")

    def service(engine: str) -> Service:
        python = next((minor for minor in ("3.13", "3.12") if find_python(minor) is not None), "3.13")
        (tmp_path / "serverless.yml").write_text(CONFIG.format(python=python, engine=engine))
        return load_service(tmp_path / "serverless.yml")

    return model, service


def answered(service: Service) -> tuple[Artifact, list[dict[str, Any]]]:
    target, _ = local_target(service.functions["spam"])
    artifact = build(service, target=target)["spam"]
    invocation = invoke_local(service, "spam", artifact, EVENT, folder=unpack(artifact))
    assert invocation.error == "", invocation.payload
    answer = json.loads(invocation.payload)
    assert answer["statusCode"] == 200, answer
    return artifact, json.loads(answer["body"])["predictions"]


def test_the_framework_answers_as_the_pipeline_does(spam: tuple[Any, Callable[[str], Service]]) -> None:
    model, service = spam

    artifact, answers = answered(service("auto"))

    assert [each["proba"] for each in answers] == model.predict_proba(["win a free phone", "hi"]).tolist()
    assert [each["label"] for each in answers] == ["spam", "ham"]
    packages = artifact.manifest["versions"]["packages"]
    assert {"scikit-learn", "scipy", "numpy", "joblib"} <= set(packages)
    assert "pandas" not in packages
    assert any("TfidfVectorizer" in note.text for note in artifact.notes)


def test_onnx_runtime_answers_nearly_so_without_the_framework(spam: tuple[Any, Callable[[str], Service]]) -> None:
    model, service = spam

    artifact, answers = answered(service("onnx"))

    expected = model.predict_proba(["win a free phone", "hi"])
    assert [each["proba"] for each in answers] == [pytest.approx(list(row), abs=1e-6) for row in expected]
    assert set(artifact.manifest["versions"]["packages"]) == {"numpy", "onnxruntime"}
