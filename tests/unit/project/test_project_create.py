from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from bareboat.artifact import check_models
from bareboat.errors import ConfigurationError, ModelError
from bareboat.project import create_project, create_project_for_model, find_template, templates
from bareboat.project.create import service_name
from bareboat.service import load_service

NAMES = ("aws-python3", "keyword", "lightgbm-handler", "lightgbm-iris")


def test_the_four_templates_describe_themselves():
    assert tuple(template.name for template in templates()) == NAMES
    assert all(template.description.endswith(".") for template in templates())


def test_an_unknown_template_names_the_nearest():
    with pytest.raises(ConfigurationError) as caught:
        find_template("lightgbm-irs")

    assert caught.value.problems[0].fix == "bareboat create --template lightgbm-iris"
    assert "keyword" in caught.value.problems[0].expected


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_copied_whole_with_the_services_name(tmp_path, name):
    template = find_template(name)

    project = create_project(template, tmp_path / "new", name="my-service")

    written = {path.relative_to(project.folder).as_posix() for path in project.folder.rglob("*") if path.is_file()}
    assert written == set(project.files)
    assert {"serverless.yml", "README.md", ".gitignore"} <= written
    assert not [path for path in written if "__pycache__" in path or ".bareboat/" in path]
    config = yaml.safe_load((project.folder / "serverless.yml").read_text())
    assert config == {**yaml.safe_load((template.folder / "serverless.yml").read_text()), "service": "my-service"}
    for path in written - {"serverless.yml"}:
        assert (project.folder / path).read_bytes() == (template.folder / path).read_bytes()


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("iris", "iris"),
        ("My Model_2", "my-model-2"),
        ("2nd", "service-2nd"),
        ("___", "service"),
        ("für", "f-r"),
        ("m", "service-m"),
    ],
)
def test_the_services_name_comes_from_the_folder(folder, name):
    assert service_name(None, Path("/x") / folder) == name


@pytest.mark.parametrize("name", ["", "m", "2nd", "my_service", "für", "a b", "a\n", "-a"])
def test_a_name_that_aws_would_not_take_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(ConfigurationError, match="is no name for a service"):
        create_project(find_template("aws-python3"), tmp_path / "new", name=name)

    assert not (tmp_path / "new").exists()


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path):
    (tmp_path / "handler.py").write_text("mine")

    with pytest.raises(ConfigurationError, match=r"already has handler\.py") as caught:
        create_project(find_template("aws-python3"), tmp_path)

    assert caught.value.problems[0].fix
    assert [path.name for path in tmp_path.iterdir()] == ["handler.py"]
    assert (tmp_path / "handler.py").read_text() == "mine"


def test_a_dangling_link_counts_as_a_file(tmp_path):
    (tmp_path / "serverless.yml").symlink_to(tmp_path / "nowhere")

    with pytest.raises(ConfigurationError, match=r"already has serverless\.yml"):
        create_project(find_template("aws-python3"), tmp_path)

    assert not (tmp_path / "nowhere").exists()


def test_files_that_are_not_in_the_way_stay(tmp_path):
    (tmp_path / "data.csv").write_text("a,b")

    create_project(find_template("aws-python3"), tmp_path)

    assert (tmp_path / "data.csv").read_text() == "a,b"
    assert (tmp_path / "serverless.yml").exists()


def test_a_readme_and_a_gitignore_of_ones_own_stay(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / ".gitignore").write_text("mine")

    project = create_project(find_template("aws-python3"), tmp_path)

    assert project.files == ("handler.py", "serverless.yml")
    assert (tmp_path / "README.md").read_text() == (tmp_path / ".gitignore").read_text() == "mine"


def test_a_file_in_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "new").write_text("")

    with pytest.raises(ConfigurationError, match="is a file"):
        create_project(find_template("aws-python3"), tmp_path / "new")


def test_what_was_made_is_taken_away_when_a_file_cannot_be_written(tmp_path):
    long = "x" * 300  # longer than a file's name may be
    template = find_template("aws-python3")

    class Broken(type(template)):
        def files(self, service_name):
            return {"a/b.txt": b"1", "c.txt": b"2", f"d/{long}": b"3"}

    broken = Broken(template.name, template.folder, "")

    with pytest.raises(Exception, match="cannot be written"):
        create_project(broken, tmp_path / "deep" / "new")

    assert list(tmp_path.iterdir()) == []


# --- around a model file

IRIS = find_template("lightgbm-iris").folder / "lgb.model"


def test_a_project_round_a_model_names_its_features(tmp_path):
    (tmp_path / "churn.txt").write_bytes(IRIS.read_bytes())

    project = create_project_for_model(tmp_path / "churn.txt", tmp_path / "churn")

    config = yaml.safe_load((project.folder / "serverless.yml").read_text())
    assert config["service"] == "churn"
    function = config["functions"]["predict"]
    assert function["model"] == "churn.txt"
    assert function["features"] == [
        f"{part}_{side}_(cm)" for part in ("sepal", "petal") for side in ("length", "width")
    ]
    assert (project.folder / "churn.txt").read_bytes() == IRIS.read_bytes()
    row = json.loads(json.loads((project.folder / "event.json").read_text())["body"])
    assert list(row) == function["features"]
    assert json.loads(project.sample) == row
    assert row["petal_width_(cm)"] in {0.8, 1.65, 1.75, 1.55, 1.45, 1.7}


def test_features_that_the_model_has_seen_missing_may_be_null(tmp_path):
    splits = re.compile(r"(split_feature=2 2\n.*?decision_type=)2 2", re.DOTALL)
    text = splits.sub(r"\g<1>8 8", IRIS.read_text())  # LightGBM's missing type NaN, for petal length alone
    (tmp_path / "gaps.txt").write_text(text)

    project = create_project_for_model(tmp_path / "gaps.txt", tmp_path / "gaps")

    features = yaml.safe_load((project.folder / "serverless.yml").read_text())["functions"]["predict"]["features"]
    assert features[2] == {"name": "petal_length_(cm)", "nullable": True}
    assert features[3] == "petal_width_(cm)"


def test_the_event_of_a_model_with_a_feature_called_body_is_the_row_itself(tmp_path):
    (tmp_path / "odd.txt").write_bytes(IRIS.read_bytes().replace(b"sepal_length_(cm)", b"body"))

    project = create_project_for_model(tmp_path / "odd.txt", tmp_path / "odd")

    event = json.loads((project.folder / "event.json").read_text())
    assert event == json.loads(project.sample)
    assert "body" in event


def test_a_model_that_lies_in_the_folder_stays_where_it_is(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m 1.txt").write_bytes(IRIS.read_bytes())

    project = create_project_for_model(tmp_path / "models" / "m 1.txt", tmp_path, name="mine")

    config = yaml.safe_load((tmp_path / "serverless.yml").read_text())
    assert config["functions"]["predict"]["model"] == "models/m 1.txt"
    assert "models/m 1.txt" not in project.files


NASTY = [
    "yes",
    "1e5",
    "a: b",
    "#x",
    "- x",
    "für",
    "{a}",
    "null",
    "'q'",
    '"d"',
    "~",
    "a b",
    "ok_1",
    "=",
    "%x",
    "*a",
    "&b",
]


def test_feature_names_of_any_kind_read_back_from_the_yaml(tmp_path):
    names = NASTY[:4]
    text = IRIS.read_text().replace(
        "feature_names=sepal_length_(cm) sepal_width_(cm) petal_length_(cm) petal_width_(cm)",
        "feature_names=" + " ".join(name.replace(" ", "_") for name in names),
    )
    (tmp_path / "m.txt").write_text(text)

    create_project_for_model(tmp_path / "m.txt", tmp_path / "new")

    config = yaml.safe_load((tmp_path / "new" / "serverless.yml").read_text())
    assert config["functions"]["predict"]["features"] == [name.replace(" ", "_") for name in names]


@pytest.mark.parametrize("name", NASTY)
def test_a_scalar_reads_back(name):
    from bareboat.project.signature_text import scalar

    assert yaml.safe_load(f"- {scalar(name)}\n") == [name]


@pytest.mark.parametrize("given", ["churn", "churn/MLmodel"])
def test_the_folder_of_an_mlflow_model_is_copied_whole(tmp_path, given):
    saved = tmp_path / "churn"
    (saved / "code" / "__pycache__").mkdir(parents=True)
    (saved / "code" / "own.py").write_text("")
    (saved / "code" / "__pycache__" / "own.pyc").write_bytes(b"")
    (saved / "MLmodel").write_text("flavors: {lightgbm: {data: model.lgb}}")
    (saved / "model.lgb").write_bytes((find_template("lightgbm-iris").folder / "lgb.model").read_bytes())

    project = create_project_for_model(tmp_path / given, tmp_path / "new")

    assert {"churn/MLmodel", "churn/model.lgb", "churn/code/own.py"} < set(project.files)
    assert not [name for name in project.files if "__pycache__" in name]
    function = load_service(project.folder / "serverless.yml").functions["predict"]
    assert function.model == project.folder / "churn"
    assert check_models(load_service(project.folder / "serverless.yml")) == ()


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"tree\nversion=v4\n"], ids=["empty", "binary", "cut off"])
def test_a_model_that_cannot_be_read_leaves_no_folder(tmp_path, content):
    (tmp_path / "m.txt").write_bytes(content)

    with pytest.raises(ModelError):
        create_project_for_model(tmp_path / "m.txt", tmp_path / "new")

    assert not (tmp_path / "new").exists()


def test_a_model_that_is_missing_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"missing\.txt"):
        create_project_for_model(tmp_path / "missing.txt", tmp_path / "new")


@pytest.fixture
def with_own_module(tmp_path, monkeypatch):
    """A pickle of a class that stands in the package `steps` beside it."""
    home = tmp_path / "here"
    (home / "steps").mkdir(parents=True)
    (home / "steps" / "__init__.py").write_text("")
    (home / "steps" / "model.py").write_text(
        "class Model:\n    n_features_in_ = 1\n\n    def predict(self, rows):\n        return [1.0 for _ in rows]\n"
    )
    (home / "custom.pkl").write_bytes(b"\x80\x02csteps.model\nModel\n)\x81.")
    return home / "custom.pkl"


def test_the_users_own_modules_are_copied_with_the_model(with_own_module, tmp_path):
    project = create_project_for_model(with_own_module, tmp_path / "new")

    assert {"custom.pkl", "steps/__init__.py", "steps/model.py"} <= set(project.files)
    assert (tmp_path / "new/steps/model.py").read_text() == (with_own_module.parent / "steps/model.py").read_text()
    assert "`steps/model.py`" in (tmp_path / "new/README.md").read_text()
    check_models(load_service(tmp_path / "new" / "serverless.yml"))


def test_modules_that_lie_there_already_stay(with_own_module):
    project = create_project_for_model(with_own_module, with_own_module.parent)

    assert not [name for name in project.files if name.startswith("steps")]


def test_another_module_of_the_name_is_not_overwritten(with_own_module, tmp_path):
    (tmp_path / "new" / "steps").mkdir(parents=True)
    (tmp_path / "new" / "steps" / "model.py").write_text("mine = 1\n")

    with pytest.raises(ConfigurationError, match=r"already has steps/model\.py"):
        create_project_for_model(with_own_module, tmp_path / "new")

    assert not (tmp_path / "new" / "serverless.yml").exists()
