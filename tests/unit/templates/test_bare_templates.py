"""What holds for each template, and the handlers that need no packages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import yaml

TEMPLATES = Path(__file__).parents[3] / "src" / "bareboat" / "templates"
NAMES = sorted(path.parent.name for path in TEMPLATES.glob("*/serverless.yml"))


def test_the_templates_are_those_that_the_documentation_names() -> None:
    assert NAMES == ["aws-python3", "keyword", "lightgbm-handler", "lightgbm-iris"]


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_a_project_of_its_own_name_for_python313_on_arm64(name: str) -> None:
    text = (TEMPLATES / name / "serverless.yml").read_text()
    config = yaml.safe_load(text)

    assert text.startswith("# ")  # the line that `bareboat create --list` shows
    assert f"\nservice: {name}\n" in text
    assert config["provider"]["runtime"] == "python3.13"
    assert config["provider"]["architecture"] == "arm64"
    assert {".gitignore", "README.md"} <= {path.name for path in (TEMPLATES / name).iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_a_template_names_only_files_and_functions_that_it_has(name: str) -> None:
    config = yaml.safe_load((TEMPLATES / name / "serverless.yml").read_text())

    for function in config["functions"].values():
        for file in (function.get("model"), *function.get("samples", [])):
            assert file is None or (TEMPLATES / name / file).is_file()
        if "handler" in function:
            module, _, attribute = function["handler"].rpartition(".")
            assert f"def {attribute}(event, context):" in (TEMPLATES / name / f"{module}.py").read_text()


def test_the_bare_handler_answers_with_its_event(load_template: Callable[[str, str], ModuleType]) -> None:
    hello = load_template("aws-python3", "handler").hello

    answer = hello({"name": "Ada"}, None)

    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["input"] == {"name": "Ada"}


@pytest.mark.parametrize("name", ["lightgbm-iris", "lightgbm-handler"])
def test_the_sample_event_is_the_request_of_the_readme(name: str) -> None:
    event = json.loads((TEMPLATES / name / "event.json").read_text())

    assert json.loads(event["body"]) == {"sepal length": 6, "sepal width": 3, "petal length": 5, "petal width": 2}
