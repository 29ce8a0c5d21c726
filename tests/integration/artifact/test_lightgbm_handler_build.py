"""The seed project's archive: LightGBM behind a handler, for both CPUs, where the system has no libgomp."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from bareboat.artifact import build, unpack
from bareboat.artifact.inspection import inspect_artifact
from bareboat.artifact.model import Artifact
from bareboat.local import invoke_local
from bareboat.packaging.elf import read_elf
from bareboat.packaging.interpreters import find_python
from bareboat.packaging.sizes import UNZIPPED_BYTES

from .conftest import IRIS_MODEL, Project

HANDLER = """
try:
    import unzip_requirements
except ImportError:
    pass
import json
import lightgbm as lgb

FEATURES = ["sepal length", "sepal width", "petal length", "petal width"]
LABELS = ["setosa", "versicolor", "virginica"]
booster = lgb.Booster(model_file="lgb.model")


def predict(event, context):
    body = json.loads(event["body"])
    proba = booster.predict([[body[name] for name in FEATURES]])[0].tolist()
    return {"statusCode": 200, "body": json.dumps({"proba": proba, "label": LABELS[proba.index(max(proba))]})}
"""
SEED = """\
package: {individually: false}
plugins: [serverless-python-requirements]
custom:
  pythonRequirements: {dockerizePip: non-linux, dockerExtraFiles: [/usr/lib64/libgomp.so.1], zip: true}
"""
EVENT = {"body": json.dumps({"sepal length": 6, "sepal width": 3, "petal length": 5, "petal width": 2})}
# From the issue: what lightgbm 4.x answers, to the last digit.
BODY = '{"proba": [0.11376620900197651, 0.17004835386299028, 0.7161854371350332], "label": "virginica"}'
PEER_BYTES = 69_000_000

pytestmark = pytest.mark.slow


def built(project: Project, architecture: str, python: str) -> Artifact:
    service = project(
        more=SEED, architecture=architecture, runtime=python, folder=architecture, handler__py=HANDLER,
        requirements__txt="lightgbm==4.7.0\n", **{"lgb.model": IRIS_MODEL.read_bytes()},
    )  # fmt: skip
    return build(service)["predict"]


@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", "x86_64"), ("arm64", "aarch64")])
def test_it_is_smaller_than_the_peers_and_brings_libgomp(
    project: Project, lambda_python: str, architecture: str, machine: str
) -> None:
    artifact = built(project, architecture, lambda_python)

    assert artifact.size_bytes <= PEER_BYTES
    assert artifact.unzipped_bytes <= UNZIPPED_BYTES
    with zipfile.ZipFile(artifact.path) as archive:
        names = archive.namelist()
        libraries = [read_elf(archive.read(name)) for name in ("lib/libgomp.so.1", "lightgbm/lib/lib_lightgbm.so")]
    assert [library.machine for library in libraries if library is not None] == [machine, machine]
    assert "lib/libgomp.so.1.NOTICE.txt" in names
    bytecode = f"lightgbm/__pycache__/basic.cpython-{lambda_python.replace('.', '')}.pyc"
    assert {"lightgbm/basic.py", bytecode} <= set(names)
    assert not [name for name in names if "/tests/" in name or name.endswith((".pyi", ".h"))]
    assert artifact.manifest["bundled"]


def test_the_check_of_artifacts_says_what_an_import_would(project: Project, lambda_python: str, tmp_path: Path) -> None:
    artifact = built(project, "x86_64", lambda_python)
    folder = tmp_path / "without"
    shutil.copytree(unpack(artifact), folder)
    shutil.rmtree(folder / "lib")

    whole, without = inspect_artifact(artifact.path), inspect_artifact(folder)

    # the import of both is tried below, where the system's libgomp is hidden
    assert whole.problems == []
    assert (whole.origin, whole.target.python) == ("its manifest", lambda_python)
    assert not [note for note in whole.notes if note.level == "warning"]
    found = [problem.found for problem in without.problems]
    assert found[0] == "libgomp.so.1 is missing; wanted by lightgbm/lib/lib_lightgbm.so"
    assert found[1].endswith("is not in the artifact, though its manifest names it")


HIDE = """
set -e
for found in /usr/lib*/libgomp.so.1* /lib*/libgomp.so.1* /usr/lib/*/libgomp.so.1* /usr/local/lib*/libgomp.so.1*; do
  if [ -f "$found" ]; then mount --bind "$1" "$(readlink -f "$found")"; fi
done
shift
exec "$@"
"""


def test_it_answers_where_the_system_has_no_libgomp(project: Project, lambda_python: str, tmp_path: Path) -> None:
    if platform.machine() != "x86_64" or platform.system() != "Linux" or shutil.which("unshare") is None:
        pytest.skip("needs Linux x86_64 and util-linux' unshare")
    nothing = tmp_path / "nothing"
    nothing.touch()
    hidden = ["unshare", "-m", "sh", "-c", HIDE, "sh", str(nothing)]
    if subprocess.run([*hidden, "true"], capture_output=True, timeout=30, check=False).returncode:
        pytest.skip("a mount namespace of one's own is not permitted here")
    folder = unpack(built(project, "x86_64", lambda_python))
    interpreter = find_python(lambda_python)
    assert interpreter is not None
    python = [*hidden, str(interpreter.path), "-S", "-B", "-c"]
    environment = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG"}}
    kept = {"cwd": folder, "capture_output": True, "text": True, "timeout": 120}

    without = subprocess.run([*python, "import lightgbm"], env=environment, check=False, **kept)  # type: ignore[call-overload]
    answer = subprocess.run(
        [*python, f"import handler; print(handler.predict({EVENT!r}, None)['body'])"],
        env={**environment, "LD_LIBRARY_PATH": f"{folder}:{folder}/lib"},  # as on Lambda
        check=True,
        **kept,  # type: ignore[call-overload]
    )

    assert "libgomp.so.1" in without.stderr
    assert answer.stdout.strip() == BODY


MAX = SEED.replace("zip: true}", "zip: true}\n  bareboat: {slim: max}")


def test_max_is_less_than_half_of_it_and_answers_the_same_under_awss_client(
    project: Project, lambda_python: str
) -> None:
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        pytest.skip("needs Linux x86_64")
    service = project(
        "handler: handler.predict\n    samples: [event.json]", more=MAX, runtime=lambda_python, handler__py=HANDLER,
        requirements__txt="lightgbm==4.7.0\n",
        **{"lgb.model": IRIS_MODEL.read_bytes(), "event.json": json.dumps(EVENT)},
    )  # fmt: skip

    artifact = build(service)["predict"]

    assert artifact.size_bytes < 25_000_000
    assert artifact.unzipped_bytes < 80_000_000
    assert artifact.manifest["proof"] == {
        "level": "max",
        "proved_on": "linux x86_64",
        "samples": {"predict": ["event.json"]},
        "kept": [],
    }
    invocation = invoke_local(service, "predict", artifact, json.dumps(EVENT).encode())
    assert json.loads(invocation.payload)["body"] == BODY
