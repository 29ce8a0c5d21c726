"""`bareboat model push`, `list`, `pin`, and the other model commands on s3://, as one types them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bareboat.cli.root import bareboat

from .conftest import IRIS_MODEL, Bucket, Project

MODEL = IRIS_MODEL.read_bytes()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every command is typed in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def run(*words: str) -> Result:
    return CliRunner().invoke(bareboat, list(words), prog_name="bareboat")


def document(*words: str) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_push_compiles_and_writes_a_version_once(bucket: Bucket) -> None:
    target = bucket.url("iris/")

    first = document("model", "push", str(IRIS_MODEL), target, "-m", "größer", "--metadata", "run=7")
    again = document("model", "push", str(IRIS_MODEL), target)

    assert first["source"] == bucket.url("iris/lgb.forest")
    assert (first["compiled"], first["skipped"], again["skipped"]) == ("forest", False, True)
    assert again["version_id"] == first["version_id"] != ""
    stored = bucket.client.get_object(Bucket=bucket.name, Key="iris/lgb.forest")
    body = stored["Body"].read()
    assert body.startswith(b"BBFOREST")
    assert hashlib.sha256(body).hexdigest() == first["sha256"] == stored["Metadata"]["sha256"]
    assert stored["Metadata"]["run"] == "7"
    (listed,) = document("model", "list", bucket.url("iris/lgb.forest"))
    assert (listed["message"], listed["sha256"], listed["newest"]) == ("größer", first["sha256"], True)


def test_push_as_is_writes_the_bytes(bucket: Bucket) -> None:
    document("model", "push", str(IRIS_MODEL), bucket.url("m"), "--as-is")

    assert bucket.client.get_object(Bucket=bucket.name, Key="m")["Body"].read() == MODEL


def test_push_of_what_does_not_compile_says_why_and_writes_it(bucket: Bucket, here: Path) -> None:
    import joblib
    from sklearn.neighbors import KNeighborsRegressor

    joblib.dump(KNeighborsRegressor(1).fit([[0.0]], [1.0]), here / "knn.joblib")

    result = run("model", "push", "knn.joblib", bucket.url("knn.joblib"))

    assert result.exit_code == 0
    assert (
        "knn.joblib is written as it is, since it cannot be compiled: sklearn.neighbors.KNeighborsRegressor"
        in result.stderr
    )
    assert "is opened in a child process" in result.stderr


def test_push_of_an_mlflow_folder_writes_its_files(bucket: Bucket, here: Path) -> None:
    (here / "iris").mkdir()
    (here / "iris" / "MLmodel").write_text("flavors:\n  lightgbm: {data: model.lgb}\n")
    (here / "iris" / "model.lgb").write_bytes(MODEL)

    refused = run("model", "push", "iris", bucket.url("iris"))
    pushed = document("model", "push", "iris", bucket.url("iris/"))

    assert "fix       " + bucket.url("iris/") in refused.stderr
    assert [each["source"] for each in pushed] == [bucket.url("iris/MLmodel"), bucket.url("iris/model.lgb")]


def test_push_refuses_a_bucket_that_keeps_no_versions(plain_bucket: Bucket) -> None:
    refused = run("model", "push", str(IRIS_MODEL), plain_bucket.url("m"))
    forced = run("model", "push", str(IRIS_MODEL), plain_bucket.url("m"), "--unversioned")

    assert refused.exit_code == 1
    assert f"{plain_bucket.name} keeps no versions" in refused.stderr
    assert f"aws s3api put-bucket-versioning --bucket {plain_bucket.name}" in refused.stderr
    assert forced.exit_code == 0


def test_push_of_what_is_no_model_is_refused(bucket: Bucket, here: Path) -> None:
    (here / "notes.txt").write_text("no model at all")

    assert run("model", "push", "notes.txt", bucket.url("m")).exit_code == 1
    assert run("model", "push", "notes.txt", "https://example.org/m").exit_code == 2
    assert run("model", "list", bucket.url("m")).stderr.endswith(f"there is nothing at {bucket.url('m')}\n")


def test_list_shows_versions_and_what_is_pinned(bucket: Bucket, project: Project) -> None:
    old = bucket.put("iris/m", MODEL)
    service = project(bucket.url("iris/m"))
    config = ("-c", str(service.folder))
    assert run("model", "pin", "predict", *config).exit_code == 0
    new = bucket.put("iris/m", b"new")
    bucket.put("iris/more", b"1")
    bucket.client.delete_object(Bucket=bucket.name, Key="iris/more")

    listed = document("model", "list", bucket.url("iris/m"), *config)
    below = run("model", "list", bucket.url("iris/"), *config)

    assert [(row["version_id"], row["newest"], row["pinned"]) for row in listed] == [
        (new, True, False),
        (old, False, True),
    ]
    assert listed[1]["sha256"] == hashlib.sha256(MODEL).hexdigest()
    header, *rows = below.stdout.splitlines()
    assert header.split() == ["source", "version_id", "modified", "size_kb", "sha256", "state", "message"]
    assert len(rows) == 4
    assert any("newest, deleted" in row for row in rows)
    assert len(document("model", "list", bucket.url("iris/"), "-n", "2", *config)) == 2
    whole = [document("model", "list", f"s3://{bucket.name}{end}", *config) for end in ("", "/")]
    assert [len(rows) for rows in whole] == [4, 4]


def test_pin_sets_a_version_and_tells_the_one_before(bucket: Bucket, project: Project) -> None:
    old = bucket.put("m", b"old")
    service = project(bucket.url("m"))
    config = ("-c", str(service.folder))
    assert document("model", "pin", "predict", *config)["before"] is None
    new = bucket.put("m", b"new")

    moved = run("model", "pin", bucket.url("m"), *config)
    back = document("model", "pin", "predict", old, *config)

    assert moved.stdout == f"{bucket.url('m')}: version {new}, before {old}\n"
    assert (back["version_id"], back["before"]["version_id"], back["changed"]) == (old, new, True)
    assert f'version-id = "{old}"' in (service.folder / "bareboat.lock").read_text()
    assert document("model", "pin", "predict", old, *config)["changed"] is False


def test_pin_refuses_what_it_cannot_set(bucket: Bucket, project: Project) -> None:
    old = bucket.put("m", b"old")
    service = project(f"{bucket.url('m')}?versionId={old}")
    config = ("-c", str(service.folder))

    declared = run("model", "pin", "predict", *config)
    unknown = run("model", "pin", "other", *config)

    assert (declared.exit_code, unknown.exit_code) == (2, 2)
    assert "serverless.yml:5:12: predict is pinned by serverless.yml itself" in declared.stderr
    assert f"expected  one of predict ({bucket.url('m')})" in unknown.stderr


def test_the_model_commands_read_s3(bucket: Bucket, here: Path) -> None:
    bucket.put("lgb.model", MODEL)

    assert document("model", "info", bucket.url("lgb.model"))["source"] == "lightgbm v4"
    assert run("model", "import", bucket.url("lgb.model")).exit_code == 0
    assert (here / "lgb.forest").is_file()
    assert run("model", "info", bucket.url("none")).exit_code == 3
