"""`load: cold-start` under AWS's own runtime client: fetched whole and verified, or an error that says why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact import Artifact, build, check_models, local_target, unpack
from bareboat.artifact.push import push_model
from bareboat.errors import ConfigurationError
from bareboat.local import Invocation, invoke_local
from bareboat.service.model import Service

from .conftest import IRIS_MODEL, Between, Bucket, Project

ROW = {"sepal_length_(cm)": 6, "sepal_width_(cm)": 3, "petal_length_(cm)": 5, "petal_width_(cm)": 2}
EVENT = {"body": json.dumps(ROW), "version": "2.0", "requestContext": {"http": {"method": "POST", "path": "/"}}}
DIRECT = json.dumps(ROW).encode()


@pytest.fixture(autouse=True)
def usual_cache(aws: None, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The cache of whoever runs the tests, where AWS's client and boto3 are installed once."""
    monkeypatch.delenv("BAREBOAT_CACHE_DIR")


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """What is /tmp to the function."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


def more(temporary: Path) -> str:
    return f"    environment: {{TMPDIR: '{temporary}'}}\n    timeout: 30\n"


def built(service: Service) -> Artifact:
    target, _ = local_target(service.functions["predict"])
    return build(service, target=target)["predict"]


def invoke(service: Service, event: bytes = DIRECT) -> Invocation:
    return invoke_local(service, "predict", built(service), event)


def kept(temporary: Path) -> list[Path]:
    return sorted(path for path in temporary.rglob("*") if path.is_file())


@pytest.fixture
def forest(bucket: Bucket) -> str:
    """The iris classifier as a .forest file in the bucket."""
    push_model(IRIS_MODEL, bucket.url("iris.forest"))
    return bucket.url("iris.forest")


def test_a_model_of_s3_is_fetched_verified_and_used_again(
    forest: str, bucket: Bucket, project: Project, between: Between, temporary: Path
) -> None:
    service = project(f"{{source: {forest}, load: cold-start}}", more=more(temporary))
    artifact = built(service)
    baked = invoke(project(forest, folder="baked"))
    between.requests.clear()

    first = invoke(service)
    (file,) = kept(temporary)
    asked = len(between.requests)
    again = invoke(service)
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    mended = invoke(service)

    assert first.payload == again.payload == mended.payload == baked.payload
    assert '"message": "model fetched"' in first.log
    assert f'"source": "{forest}?versionId=' in first.log
    assert '"message": "model fetched"' not in again.log
    assert '"message": "model fetched"' in mended.log
    assert (asked, len(between.requests)) == (1, 2)
    assert [path.name for path in kept(temporary)] == [file.name]
    with zipfile.ZipFile(artifact.path) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".forest")]
    (document,) = artifact.manifest["signature"]["predict"]["models"]["predict"].values()
    assert document["fetch"]["source"] == forest
    assert artifact.manifest["permissions"] == {
        "predict": [{"action": "s3:GetObjectVersion", "resource": f"arn:aws:s3:::{bucket.name}/iris.forest"}]
    }


def test_a_cold_start_that_fails_says_why_and_the_next_one_succeeds(
    forest: str, project: Project, between: Between, temporary: Path
) -> None:
    service = project(f"{{source: {forest}, load: cold-start}}", more=more(temporary))
    built(service)
    denied = (403, {}, b"<Error><Code>AccessDenied</Code></Error>")
    between.answers = [denied, denied]  # also when boto3 asks, which says why

    failed = invoke(service)
    error = json.loads(failed.payload)
    assert (failed.error, error["errorType"]) == ("Unhandled", "RemoteError")
    assert "S3 denies access" in error["errorMessage"]
    assert "allow s3:GetObject" in error["errorMessage"]
    assert kept(temporary) == []

    between.answers = [(503, {}, b"<Error><Code>SlowDown</Code></Error>")]
    between.cut_after = [1000, 500]
    answered = invoke(service)
    assert answered.error == ""
    assert answered.log.count("fetching the model again") == 3


def test_other_content_is_never_opened(web: Between, project: Project, temporary: Path, tmp_path: Path) -> None:
    web.at_rest["/iris.forest"] = compiled(tmp_path)
    service = project(f"{{source: '{web.url}/iris.forest', load: cold-start}}", more=more(temporary))
    baked = built(service)
    assert "permissions" not in baked.manifest
    web.at_rest["/iris.forest"] = web.at_rest["/iris.forest"][:-1] + b"!"

    error = json.loads(invoke(service).payload)

    assert error["errorType"] == "RemoteError"
    assert "the model in the store is not the one that was packaged" in error["errorMessage"]
    assert kept(temporary) == []


def compiled(tmp_path: Path) -> bytes:
    from bareboat.forest import read_ensemble, write_forest

    write_forest(read_ensemble(IRIS_MODEL), tmp_path / "iris.forest")
    return (tmp_path / "iris.forest").read_bytes()


def test_several_models_are_fetched_when_they_are_asked_for(
    web: Between, project: Project, temporary: Path, tmp_path: Path
) -> None:
    data = compiled(tmp_path)
    web.at_rest = {"/a": data, "/b": data}
    entry = "{{model: {{source: '{0}/{1}', load: cold-start}}}}"
    models = f"{{a: {entry.format(web.url, 'a')}, b: {entry.format(web.url, 'b')}}}"
    service = project(models, key="models", more=more(temporary))
    built(service)
    web.requests.clear()

    invoke(service, json.dumps({"model": "b", "row": ROW}).encode())
    assert [path for _, path, _ in web.requests] == ["/b"]

    shutil.rmtree(temporary)
    temporary.mkdir()
    web.at_rest = {}
    http = {**EVENT, "rawPath": "/models/a", "requestContext": {"http": {"method": "POST", "path": "/models/a"}}}
    answer = json.loads(invoke(service, json.dumps(http).encode()).payload)
    assert (answer["statusCode"], answer["body"]) == (503, '{"message": "Service Unavailable"}')


def test_what_must_be_compiled_first_is_refused_with_the_command_that_does_it(bucket: Bucket, project: Project) -> None:
    bucket.put("iris/lgb.model", IRIS_MODEL.read_bytes())
    service = project(f"{{source: {bucket.url('iris/lgb.model')}, load: cold-start}}")

    with pytest.raises(ConfigurationError) as refused:
        build(service)

    (problem,) = refused.value.problems
    assert "must be turned into a .forest file first" in problem.found
    assert problem.fix.startswith(f"bareboat model push lgb.model {bucket.url('iris/lgb.forest')}")
    assert problem.where == "serverless.yml:5:21"


def test_models_that_do_not_fit_into_tmp_are_refused(forest: str, project: Project, monkeypatch: Any) -> None:
    from dataclasses import replace

    service = project(f"{{source: {forest}, load: cold-start}}")
    small = replace(service, functions={"predict": replace(service.functions["predict"], ephemeral_storage_mb=0)})

    for does in (build, check_models):
        with pytest.raises(ConfigurationError, match="into /tmp, which has 0 MiB") as refused:
            does(small)
        assert refused.value.problems[0].fix == "functions.predict.ephemeralStorageSize: 65"


def test_a_model_of_a_framework_is_fetched_too(web: Between, project: Project, tmp_path: Path) -> None:
    """In this interpreter, which has scikit-learn: what ships is the same."""
    import pickle

    from sklearn.dummy import DummyRegressor

    web.at_rest["/m.pkl"] = pickle.dumps(DummyRegressor(strategy="constant", constant=7.0).fit([[0.0, 1.0]], [7.0]))
    service = project(f"{{source: '{web.url}/m.pkl', load: cold-start}}", more="    engine: framework\n")
    from bareboat.artifact.fetch import fetched
    from bareboat.artifact.models import model_files

    function = fetched(service).functions["predict"]
    files = model_files(function, folder=service.folder, python=f"{sys.version_info[0]}.{sys.version_info[1]}").files
    for name, data in files.items():
        assert isinstance(data, bytes)
        (tmp_path / "art" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "art" / name).write_bytes(data)
    code = (
        "from bareboat.runtime.function import load_function; import sys;"
        "print(load_function(sys.argv[1]).handle([1.0, 2.0], None))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "art")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )

    assert not [name for name in files if name.endswith(".pkl")]
    assert "{'prediction': 7.0}" in done.stdout


def test_only_a_model_that_is_fetched_imports_what_fetches(project: Project, forest: str, bucket: Bucket) -> None:
    baked = unpack(built(project(forest, folder="baked")))
    cold = unpack(built(project(f"{{source: {forest}, load: cold-start}}", folder="cold")))
    names = {"remote.py", "download.py", "s3.py", "signed.py"}

    assert not names & {path.name for path in (baked / "bareboat" / "runtime").iterdir()}
    assert names <= {path.name for path in (cold / "bareboat" / "runtime").iterdir()}
