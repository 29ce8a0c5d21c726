"""The archive of a model function, built and looked into."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bareboat.artifact import build, open_artifact, unpack
from bareboat.artifact.shipping import runtime_files
from bareboat.errors import ArtifactError, ConfigurationError, ModelError
from bareboat.forest import read_ensemble, write_forest
from bareboat.packaging.interpreters import find_python, running_python
from bareboat.packaging.target import Target

from .conftest import IRIS_MODEL, Project

BUILD = (
    "import sys; from pathlib import Path;"
    "from bareboat.service import load_service; from bareboat.artifact import build;"
    "print(build(load_service(Path(sys.argv[1]), env={}))['predict'].digest)"
)


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_it_holds_the_forest_the_runtime_and_one_kernel(iris: Project, python: str) -> None:
    for architecture, kernel in (("x86_64", "kernel-linux-x86_64.so"), ("arm64", "kernel-linux-aarch64.so")):
        artifact = build(iris(architecture=architecture, folder=architecture))["predict"]

        shipped = {name for name in names(artifact.path) if not name.endswith(".pyc")}
        (version,) = artifact.manifest["signature"]["predict"]["models"]["predict"]
        assert shipped == {
            ".bareboat/function.json",
            ".bareboat/manifest.json",
            f".bareboat/models/predict-{version}.json",
            f".bareboat/models/predict-{version}.forest",
            f"bareboat/runtime/native/{kernel}",
            *runtime_files({"forest", "bareboat"}),
        }
        assert artifact.handlers == {"predict": "bareboat.runtime.handler.handle"}
        assert artifact.target == Target(python, architecture)  # type: ignore[arg-type]


def test_a_forest_file_ships_as_the_model_that_it_was_made_of(iris: Project, project: Project, tmp_path: Path) -> None:
    write_forest(read_ensemble(IRIS_MODEL), tmp_path / "iris.forest")
    said = "model: m.forest\n    labels: [setosa, versicolor, virginica]"
    service = project(said, folder="other", m__forest=(tmp_path / "iris.forest").read_bytes())

    folders = [unpack(build(each)["predict"]) / ".bareboat" / "models" for each in (iris(), service)]

    shipped = [(path.name, path.read_bytes()) for folder in folders for path in folder.glob("*.forest")]
    assert len(shipped) == 2
    assert shipped[0] == shipped[1]


def test_the_iris_model_takes_less_than_150_kilobytes(iris: Project, lambda_python: str) -> None:
    for architecture in ("x86_64", "arm64"):
        artifact = build(iris(architecture=architecture, folder=architecture, runtime=lambda_python))["predict"]

        assert artifact.size_bytes < 150_000
        assert any(name.endswith(".pyc") for name in names(artifact.path))


def test_function_json_is_what_the_runtime_reads(iris: Project) -> None:
    service = iris(
        more="\n    features: [{name: a, nullable: true}, b, c, d]\n    after: post.shape",
        post__py="def shape(x): return x",
    )

    folder = unpack(build(service)["predict"])

    said = json.loads((folder / ".bareboat" / "function.json").read_bytes())
    (version,) = said["models"]["predict"]
    assert (said["format"], said["function"], said["default"], said["several"]) == (2, "predict", "predict", False)
    assert (said["before"], said["after"]) == (None, "post.shape")
    document = json.loads((folder / ".bareboat" / "models" / f"predict-{version}.json").read_bytes())
    assert (document["engine"], document["kind"]) == ("forest", "proba")
    assert document["labels"] == ["setosa", "versicolor", "virginica"]
    assert document["inputs"][0]["name"] == "a"
    assert document["inputs"][0]["aliases"] == ["sepal_length_(cm)"]
    assert document["inputs"][0]["nullable"] is True
    forest = folder / ".bareboat" / "models" / document["file"]
    assert hashlib.sha256(forest.read_bytes()).hexdigest().startswith(version)
    assert (folder / "post.py").is_file()


def test_equal_models_are_stored_once_and_each_ships_with_its_own_document(project: Project) -> None:
    service = project("models: {a: {model: m.txt, labels: [x, y, z]}, b: m.txt}", m__txt=IRIS_MODEL.read_bytes())

    artifact = build(service)["predict"]

    shipped = [name.rpartition("/")[2] for name in names(artifact.path) if name.startswith(".bareboat/models/")]
    (version,) = artifact.manifest["signature"]["predict"]["models"]["a"]
    assert sorted(shipped) == [f"a-{version}.forest", f"a-{version}.json", f"b-{version}.json"]
    assert "bareboat/runtime/protocols/several.py" in names(artifact.path)
    assert "bareboat/runtime/protocols/mlflow.py" not in names(artifact.path)
    folder = unpack(artifact)
    documents = [json.loads((folder / ".bareboat" / "models" / f"{each}-{version}.json").read_bytes()) for each in "ab"]
    assert [each["labels"] for each in documents] == [["x", "y", "z"], None]
    assert documents[0]["file"] == documents[1]["file"]


def test_a_version_that_is_there_twice_is_refused(project: Project) -> None:
    data = IRIS_MODEL.read_bytes()
    service = project("models: {a: {model: m.txt, versions: [n.txt]}}", m__txt=data, n__txt=data)

    with pytest.raises(ConfigurationError, match=r"n\.txt holds the same model as another of its versions"):
        build(service)


def test_the_manifest_names_every_file_and_the_signature(iris: Project) -> None:
    artifact = build(iris())["predict"]

    manifest = open_artifact(artifact.path).manifest
    with zipfile.ZipFile(artifact.path) as archive:
        for name in archive.namelist():
            if name != ".bareboat/manifest.json":
                data = archive.read(name)
                assert manifest["files"][name] == {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    (about,) = manifest["signature"]["predict"]["models"]["predict"].values()
    assert about["labels"] == ["setosa", "versicolor", "virginica"]
    assert about["model"]["n_trees"] == 30
    assert manifest == artifact.manifest


def test_project_files_ship_only_where_patterns_add_them(iris: Project) -> None:
    service = iris(more="\n    package: {patterns: ['data/**', '!data/secret']}", **{"data/x": "1", "data/secret": "2"})

    shipped = names(build(service)["predict"].path)

    assert "data/x" in shipped
    assert not {"data/secret", "handler.py", "serverless.yml", "lgb.model"} & set(shipped)


def test_two_builds_in_two_folders_give_the_same_bytes(iris: Project) -> None:
    first = build(iris(folder="one"))["predict"]
    service = iris(folder="two")
    for number, path in enumerate(service.folder.iterdir()):
        os.utime(path, (1e9 + number, 1e9 + number))
        path.chmod(0o600)
    second = build(service)["predict"]

    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.digest == hashlib.sha256(first.path.read_bytes()).hexdigest()


def test_an_unchanged_build_is_taken_again_and_a_changed_one_is_not(iris: Project) -> None:
    service = iris()
    first = build(service)["predict"]

    again = build(service)["predict"]
    assert again.reused
    assert again.path == first.path
    assert (again.digest, again.manifest, again.handlers) == (first.digest, first.manifest, first.handlers)

    other = build(iris(more="\n    features: [a, b, c, d]"))["predict"]
    assert not other.reused
    assert other.digest != first.digest


def test_an_archive_that_was_touched_is_built_again(iris: Project) -> None:
    service = iris()
    first = build(service)["predict"]
    first.path.write_bytes(first.path.read_bytes()[:-10])

    again = build(service)["predict"]

    assert not again.reused
    assert open_artifact(again.path).digest == first.digest


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems take only Unicode")
def test_a_folder_whose_name_is_not_unicode_is_built_and_recognised(iris: Project) -> None:
    service = iris(folder=os.fsdecode(b"gr\xf6\xdfe"))

    first = build(service)["predict"]

    assert (first.reused, build(service)["predict"].reused) == (False, True)


def test_recognising_an_unchanged_build_imports_no_packer(iris: Project) -> None:
    service = iris()
    build(service)
    code = (
        f"{BUILD}; print([m for m in ('elftools', 'wcmatch', 'uv', 'zipfile', 'bareboat.forest') if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(service.path)], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.splitlines()[1] == "[]"


def test_two_builds_at_once_give_one_archive(iris: Project) -> None:
    service = iris()
    running = [
        subprocess.Popen([sys.executable, "-c", BUILD, str(service.path)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]

    digests = {process.communicate(timeout=60)[0] for process in running}

    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(digests) == 1
    assert len(list((service.folder / ".bareboat").glob("*.zip"))) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_build_that_was_killed_leaves_nothing_that_the_next_takes_for_whole(iris: Project) -> None:
    service = iris()
    die = (
        "import os, signal; import bareboat.packaging.archive as a;"
        "half = lambda path, members: (path.write_bytes(b'half'), os.kill(os.getpid(), signal.SIGKILL));"
        "a.write_archive = half; print(build"
    )
    code = BUILD.replace("print(build", die)
    killed = subprocess.run(
        [sys.executable, "-c", code, str(service.path)], capture_output=True, timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert list((service.folder / ".bareboat").glob(".tmp-*"))

    artifact = build(service)["predict"]

    assert not artifact.reused
    assert open_artifact(artifact.path).digest == artifact.digest
    assert not list((service.folder / ".bareboat").glob(".tmp-*"))


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_FSIZE stands in for a full disk")
def test_a_full_disk_is_an_error_and_leaves_no_archive(iris: Project) -> None:
    service = iris()
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));" + BUILD

    done = subprocess.run(
        [sys.executable, "-c", code, str(service.path)], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 1
    assert "PackagingError" in done.stderr
    assert "room on the disk" in done.stderr
    assert not list((service.folder / ".bareboat").glob("*.zip"))
    assert not list((service.folder / ".bareboat").glob(".tmp-*"))


def test_old_archives_are_forgotten(iris: Project) -> None:
    for number in range(5):
        service = iris(more=f"\n    features: [a{number}, b, c, d]")
        artifact = build(service)["predict"]

    archives = list((service.folder / ".bareboat").glob("*.zip"))
    assert len(archives) == 3
    assert artifact.path in archives


def test_the_output_folder_keeps_itself_out_of_git(iris: Project) -> None:
    service = iris()
    build(service)

    assert (service.folder / ".bareboat" / ".gitignore").read_text() == "*\n"


def test_a_model_that_cannot_be_read_is_refused_and_leaves_no_archive(iris: Project) -> None:
    for model in (b"", b"tree\nversion=v4\n", b"\x80\x04pickle"):
        service = iris(lgb__model=model)

        with pytest.raises(ModelError):
            build(service)
        assert not list((service.folder / ".bareboat").glob("*.zip"))


def test_a_module_that_a_pattern_leaves_out_is_missed_at_once(iris: Project) -> None:
    more = "\n    before: prepare.rows\n    package: {patterns: ['!*.py']}"
    service = iris(more=more, prepare__py="def rows(event): return event")

    with pytest.raises(ConfigurationError) as caught:
        build(service)
    assert "functions.predict.before is prepare.rows, and prepare.py does not ship" in str(caught.value)
    assert "add 'prepare.py' to package.patterns" in str(caught.value)


def test_a_target_without_a_kernel_is_refused(iris: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(
        "bareboat.artifact.shipping.kernel_file", lambda target, uses=None: ("k.so", tmp_path / "none.so")
    )

    with pytest.raises(ArtifactError, match="has no kernel for linux x86_64"):
        build(iris())


def test_python_takes_the_bytecode_without_looking_at_the_source(iris: Project, python: str) -> None:
    folder = unpack(build(iris())["predict"])
    running = running_python()
    assert running is not None
    source = folder / "bareboat" / "errors.py"
    source.write_text("raise SystemError('the source was read')\n")
    code = "import sys; sys.path.insert(0, '.'); import bareboat.errors as e; print(e.__file__)"

    done = subprocess.run(
        [str(running.path), "-S", "-B", "-c", code], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )

    compiled = (source.parent / "__pycache__" / f"errors.cpython-{python.replace('.', '')}.pyc").read_bytes()
    assert compiled[4:8] == b"\x01\0\0\0"  # PEP 552: hash-based, check_source not set
    assert b"/var/task/bareboat/errors.py" in compiled
    assert str(folder).encode() not in compiled
    assert done.stdout.strip().endswith("bareboat/errors.py")


def test_without_an_interpreter_of_the_target_the_archive_has_no_bytecode_and_says_so(iris: Project) -> None:
    missing = next((minor for minor in ("3.14", "3.13", "3.12", "3.10") if find_python(minor) is None), None)
    if missing is None:
        pytest.skip("every Python is installed here")

    artifact = build(iris(runtime=missing))["predict"]

    assert not any(name.endswith(".pyc") for name in names(artifact.path))
    assert any(f"uv python install {missing}" in note.text for note in artifact.notes)
    assert build(iris(runtime=missing))["predict"].notes == artifact.notes
