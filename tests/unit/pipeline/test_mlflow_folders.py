"""Folders of MLflow models. The MLmodel texts are those that MLflow 3.17 wrote (2026-11-22), shortened."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.errors import ModelError
from bareboat.pipeline.foreign.mlflow import is_mlflow_folder, read_mlflow_folder

SKLEARN = """\
flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.sklearn
    model_path: model.skops
    python_version: 3.11.7
  sklearn:
    code: null
    pickled_model: model.skops
    serialization_format: skops
    sklearn_version: 1.9.1
    skops_trusted_types: [numpy.dtype]
signature:
  inputs: '[{"type": "double", "name": "a", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
"""
PYFUNC = """\
flavors:
  python_function: {cloudpickle_version: 3.1.2, loader_module: mlflow.pyfunc.model, python_model: python_model.pkl}
"""


def folder(home: Path, text: str, **files: str) -> Path:
    (home / "MLmodel").write_text(text)
    for name, content in files.items():
        (home / name.replace("__", ".")).write_text(content)
    return home


def test_the_file_and_what_the_folder_says_of_it(tmp_path: Path) -> None:
    home = folder(tmp_path, SKLEARN, model__skops="x", requirements__txt="mlflow==3.17.2\nscikit_learn==1.9.1\n")

    found = read_mlflow_folder(home)

    assert is_mlflow_folder(home)
    assert (found.flavor, found.file, found.python) == ("sklearn", home.resolve() / "model.skops", "3.11.7")
    assert found.versions == {"mlflow": "3.17.2", "scikit-learn": "1.9.1"}
    assert found.inputs == ({"type": "double", "name": "a", "required": True},)
    assert found.trusted == ("numpy.dtype",)


def test_the_mlmodel_file_itself_stands_for_its_folder(tmp_path: Path) -> None:
    home = folder(tmp_path, SKLEARN, model__skops="x")

    assert read_mlflow_folder(home / "MLmodel").flavor == "sklearn"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (PYFUNC, "python_function alone"),
        ("flavors: {keras: {data: data}}", "the flavor keras"),
        ("flavors: [", "no YAML"),
        ("just text", "no MLmodel file"),
        ("flavors: {}", "without flavors"),
        (SKLEARN, "names the file model.skops, which is not there"),
        ("flavors: {onnx: {data: ../other.onnx}}", "a file outside of its folder"),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_reason(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(ModelError) as refused:
        read_mlflow_folder(folder(tmp_path, text))

    assert found in str(refused.value)
    assert str(tmp_path / "MLmodel") in str(refused.value)
