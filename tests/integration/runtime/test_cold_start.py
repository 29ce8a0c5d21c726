"""The handler that ships, under AWS's own runtime client: what a cold start imports, and how one fails."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bareboat.packaging.interpreters import find_python

TEMPLATES = Path(__file__).parents[3] / "src" / "bareboat" / "templates"
IRIS = TEMPLATES / "lightgbm-iris"
CONFIG = (IRIS / "serverless.yml").read_text()
EVENT = json.loads((IRIS / "event.json").read_text())
ANSWER = '{"proba": [0.11376620900197651, 0.17004835386299028, 0.7161854371350332], "label": "virginica"}'
SPY = "import sys\n\ndef modules(*_):\n    return sorted(sys.modules)\n"

Make = Callable[..., Any]


def test_a_cold_start_imports_only_this_beyond_what_the_runtime_client_has(project: Make, tmp_path: Path) -> None:
    bare = project(TEMPLATES / "aws-python3", function="hello", handler__py=SPY.replace("def modules", "def hello"))
    free = set(json.loads(bare.invoke({}).payload))
    (tmp_path / "project").rename(tmp_path / "bare")

    spied = project(
        IRIS, spy__py=SPY, serverless__yml=CONFIG.replace("    samples:", "    after: spy.modules\n    samples:")
    )
    imported = set(json.loads(json.loads(spied.invoke(EVENT).payload)["body"]))

    ours = {name for name in imported if name.partition(".")[0] == "bareboat"}
    assert ours == {
        "bareboat",
        "bareboat.errors",
        "bareboat.runtime",
        "bareboat.runtime.answers",
        "bareboat.runtime.document",
        "bareboat.runtime.events",
        "bareboat.runtime.faults",
        "bareboat.runtime.forest",
        "bareboat.runtime.function",
        "bareboat.runtime.handler",
        "bareboat.runtime.kernel",
        "bareboat.runtime.models",
        "bareboat.runtime.signature",
    }
    assert imported - ours - free - {"spy"} <= {"_ctypes", "_struct", "ctypes", "ctypes._endian", "mmap", "struct"}


def test_a_request_that_is_refused_says_so_and_the_next_is_answered(project: Make) -> None:
    iris = project(IRIS)

    refused = iris.invoke({"body": '{"sepal lenght": 6}'})

    assert refused.error == ""
    assert json.loads(refused.payload)["statusCode"] == 400
    line = json.loads(next(line for line in refused.log.splitlines() if line.startswith("{")))
    assert line["requestId"] == refused.request_id
    assert (line["status"], line["errors"]) == (400, 5)


def test_a_direct_invocation_that_does_not_fit_fails_with_the_fields(project: Make) -> None:
    failed = project(IRIS).invoke({"sepal lenght": 6})

    error = json.loads(failed.payload)
    assert failed.error == "Unhandled"
    assert error["errorType"] == "InputError"
    assert "sepal lenght: an unknown feature" in error["errorMessage"]
    assert "expected  perhaps sepal length" in error["errorMessage"]


def test_text_that_is_no_unicode_can_be_sent_back(project: Make) -> None:
    failed = project(IRIS).invoke(b'{"\\ud800": 1}')

    assert json.loads(failed.payload)["errorType"] == "InputError"


def test_an_exception_in_a_wrapper_is_a_500_and_the_trace_is_in_the_log(project: Make) -> None:
    config = CONFIG.replace("    samples:", "    before: wrap.fail\n    samples:")
    wrapped = project(IRIS, wrap__py="def fail(payload):\n    return 1 / 0\n", serverless__yml=config)

    answer = wrapped.invoke(EVENT)

    assert json.loads(answer.payload) == {"statusCode": 500, "body": '{"message": "Internal Server Error"}'}
    line = json.loads(next(line for line in answer.log.splitlines() if line.startswith("{")))
    assert line["requestId"] == answer.request_id
    assert line["stackTrace"][-1] == "ZeroDivisionError: division by zero"


def shipped(folder: Path, suffix: str) -> Path:
    (path,) = (folder / ".bareboat" / "models").glob(f"predict-*.{suffix}")
    return path


def cut_forest(folder: Path) -> None:
    path = shipped(folder, "forest")
    path.write_bytes(path.read_bytes()[:-100])


def empty_forest(folder: Path) -> None:
    shipped(folder, "forest").write_bytes(b"")


def other_forest(folder: Path) -> None:
    shipped(folder, "forest").write_bytes(b"\x7fELF" * 1000)


def drop_forest(folder: Path) -> None:
    shipped(folder, "forest").unlink()


def drop_document(folder: Path) -> None:
    shipped(folder, "json").unlink()


def drop_kernel(folder: Path) -> None:
    for path in (folder / "bareboat" / "runtime" / "native").iterdir():
        path.unlink()


def drop_config(folder: Path) -> None:
    (folder / ".bareboat" / "function.json").unlink()


def change_config(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / ".bareboat" / "function.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def change_document(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = shipped(folder, "json")
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


@pytest.mark.parametrize(
    ("damage", "error", "says"),
    [
        (cut_forest, "ModelError", "forest"),
        (empty_forest, "ModelError", "0 bytes"),
        (other_forest, "ModelError", "not a .forest file"),
        (drop_forest, "ModelError", "No such file"),
        (drop_kernel, "ArtifactError", "no kernel for this machine"),
        (drop_config, "ArtifactError", "function.json cannot be read"),
        (change_config(format=1), "ArtifactError", "format"),
        (drop_document, "ArtifactError", ".json cannot be read"),
        (change_document(engine="steam"), "ArtifactError", "an engine that this version"),
        (change_document(labels=["a"]), "ArtifactError", "1 labels for a model of 3 classes"),
        (change_document(inputs=[]), "ArtifactError", "0 inputs for a model of 4"),
        (change_config(before="nowhere.f"), "Runtime.ImportModuleError", "nowhere"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_damaged_artifact_fails_its_cold_start_and_says_how(
    project: Make, tmp_path: Path, damage: Callable[[Path], None], error: str, says: str
) -> None:
    iris = project(IRIS)
    folder = iris.unpacked(tmp_path / "unpacked")
    damage(folder)

    failed = iris.invoke(EVENT, folder=folder)

    document = json.loads(failed.payload)
    assert failed.error == "Unhandled"
    assert document["errorType"] == error
    assert says in document["errorMessage"]


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_the_artifact_answers_on_every_python_of_lambda(project: Make, tmp_path: Path, version: str) -> None:
    interpreter = find_python(version)
    if interpreter is None:
        pytest.skip(f"no Python {version} here")
    folder = project(IRIS).unpacked(tmp_path / "unpacked")
    code = f"from bareboat.runtime.handler import handle; print(handle({EVENT!r}, None)['body'])"

    done = subprocess.run(
        [str(interpreter.path), "-I", "-W", "error", "-c", f"import sys; sys.path.insert(0, '.'); {code}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.splitlines()[-1] == ANSWER
    assert done.stderr == ""
