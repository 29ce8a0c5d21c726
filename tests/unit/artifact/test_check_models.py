from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.artifact import check_models
from bareboat.errors import ConfigurationError, ModelError
from bareboat.service import load_service

FUNCTION = "  {name}:\n    model: {model}\n    labels: {labels}\n"


def service(folder: Path, *functions: tuple[str, str, str]) -> Path:
    body = "".join(FUNCTION.format(name=name, model=model, labels=labels) for name, model, labels in functions)
    (folder / "serverless.yml").write_text(
        f"service: models\nprovider:\n  name: aws\n  runtime: python3.13\nfunctions:\n{body}", encoding="utf-8"
    )
    return folder / "serverless.yml"


@pytest.fixture
def project(tmp_path: Path, repository: Path) -> Path:
    model = repository / "src" / "bareboat" / "templates" / "lightgbm-iris" / "lgb.model"
    (tmp_path / "iris.model").write_bytes(model.read_bytes())
    (tmp_path / "empty.model").write_bytes(b"")
    (tmp_path / "cut.model").write_bytes(model.read_bytes()[:5000])
    return tmp_path


def test_models_that_fit_pass(project: Path) -> None:
    assert check_models(load_service(service(project, ("f", "iris.model", "[a, b, c]")))) == ()


def test_every_broken_model_is_told(project: Path) -> None:
    loaded = load_service(service(project, ("f", "empty.model", "[a]"), ("g", "cut.model", "[a]")))

    with pytest.raises(ModelError) as caught:
        check_models(loaded)

    assert ["empty.model" in str(problem) for problem in caught.value.problems] == [True, False]
    assert "cut.model" in str(caught.value.problems[1])


def test_labels_that_do_not_fit_are_a_fault_of_the_configuration(project: Path) -> None:
    loaded = load_service(service(project, ("f", "empty.model", "[a]"), ("g", "iris.model", "[a, b]")))

    with pytest.raises(ConfigurationError) as caught:
        check_models(loaded)

    assert len(caught.value.problems) == 2
