"""Models of S3 and https: what is pinned is what is taken, whole and verified, or nothing is."""

from __future__ import annotations

import builtins
import hashlib
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact import build, check_models
from bareboat.artifact.fetch import fetched
from bareboat.artifact.pinning import pin_model
from bareboat.errors import BareboatError, ModelError, PackagingError, RemoteError
from bareboat.packaging.lock import read_lock
from bareboat.packaging.target import Target, host_target
from bareboat.service.model import RemoteModel, Service

from .conftest import IRIS_MODEL, Between, Bucket, Project

MODEL = IRIS_MODEL.read_bytes()
OLDER = MODEL.replace(b"shrinkage=", b"shrinkage=", 1) + b"\n"
LARGE = bytes(range(256)) * 20_000


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def remote(service: Service, **said: Any) -> RemoteModel:
    model = fetched(service, **said).functions["predict"].model
    assert isinstance(model, RemoteModel)
    return model


def content(service: Service, **said: Any) -> bytes:
    file = remote(service, **said).file
    assert file is not None
    return file.read_bytes()


def refusal(service: Service, **said: Any) -> BareboatError:
    with pytest.raises(BareboatError) as refused:
        fetched(service, **said)
    return refused.value


def lock_of(service: Service) -> dict[str, tuple[str, str]]:
    return {each.source: (each.version_id, each.sha256) for each in read_lock(service.folder / "bareboat.lock").models}


def forget_cache(tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "cache")


def nothing_is_kept(tmp_path: Path) -> bool:
    return not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_the_first_build_pins_and_later_ones_take_that_version(
    bucket: Bucket, project: Project, tmp_path: Path
) -> None:
    first = bucket.put("lgb.model", OLDER)
    service = project(bucket.url("lgb.model"))
    artifact = build(service)["predict"]

    bucket.put("lgb.model", MODEL)
    forget_cache(tmp_path)
    again = build(service)["predict"]

    assert lock_of(service) == {bucket.url("lgb.model"): (first, digest(OLDER))}
    assert again.digest == artifact.digest
    assert content(service) == OLDER


def test_upgrade_takes_the_newest(bucket: Bucket, project: Project) -> None:
    bucket.put("m", b"old")
    service = project(bucket.url("m"))
    fetched(service)
    newest = bucket.put("m", b"new")

    assert content(service, upgrade=True) == b"new"
    assert lock_of(service) == {bucket.url("m"): (newest, digest(b"new"))}


def test_pin_takes_the_newest_or_an_older_one(bucket: Bucket, project: Project) -> None:
    old = bucket.put("m", b"old")
    service = project(bucket.url("m"))
    fetched(service)
    new = bucket.put("m", b"new")

    before, after = pin_model(service, "predict")
    assert before is not None
    assert (before.version_id, after.version_id, after.sha256) == (old, new, digest(b"new"))
    assert content(service) == b"new"
    assert pin_model(service, bucket.url("m"), old)[1].sha256 == digest(b"old")
    assert content(service) == b"old"


def test_a_version_that_serverless_yml_names_is_taken(bucket: Bucket, project: Project) -> None:
    old = bucket.put("m", b"old")
    bucket.put("m", b"new")

    for said in (f"{bucket.url('m')}?versionId={old}", f"{{source: {bucket.url('m')}, versionId: {old}}}"):
        service = project(said)
        assert content(service) == b"old"
        assert lock_of(service) == {f"{bucket.url('m')}?versionId={old}": (old, digest(b"old"))}


def test_what_is_pinned_and_kept_needs_no_network(
    bucket: Bucket, project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bucket.put("m", b"kept")
    service = project(bucket.url("m"))
    fetched(service)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "botocore.session", None)  # not even boto3

    assert content(service) == b"kept"


def test_without_network_and_cache_it_says_so(
    bucket: Bucket, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = project(bucket.url("m"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    problem = refusal(service).problems[0]

    assert isinstance(refusal(service), RemoteError)
    assert "the connection broke 5 times without a byte: EndpointConnectionError" in problem.found
    assert problem.where == "serverless.yml:5:12"


def test_without_boto3_it_names_the_install_line(
    bucket: Bucket, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)

    problem = refusal(project(bucket.url("m"))).problems[0]

    assert "need boto3" in problem.found
    assert problem.fix == "pip install 'bareboat[aws]'"


def test_a_bucket_without_versions_is_pinned_by_digest_and_warned_of(
    plain_bucket: Bucket, project: Project, tmp_path: Path
) -> None:
    plain_bucket.put("lgb.model", MODEL)
    service = project(plain_bucket.url("lgb.model"))

    notes = [note.text for note in build(service)["predict"].notes]
    assert any(f"put-bucket-versioning --bucket {plain_bucket.name}" in note for note in notes)
    assert lock_of(service) == {plain_bucket.url("lgb.model"): ("", digest(MODEL))}

    plain_bucket.put("lgb.model", b"overwritten")
    assert content(service) == MODEL  # it is kept
    forget_cache(tmp_path)
    problem = refusal(service).problems[0]
    assert "is not what bareboat.lock pins" in problem.found
    assert digest(b"overwritten") in problem.found
    assert problem.expected == f"sha256 {digest(MODEL)}"
    assert problem.fix == f"if the new content is wanted: bareboat model pin {plain_bucket.url('lgb.model')}"
    assert problem.where == "serverless.yml:5:12"
    assert nothing_is_kept(tmp_path)


def test_a_broken_connection_is_taken_up_where_it_broke(bucket: Bucket, project: Project, between: Between) -> None:
    bucket.put("large", LARGE)
    between.cut_after = [1_000_000, 700_000]

    assert content(project(bucket.url("large"))) == LARGE
    assert [asked for method, _, asked in between.requests if method == "GET"] == [
        "",
        "bytes=1000000-",
        "bytes=1700000-",
    ]


def test_a_body_that_never_comes_is_given_up_and_nothing_is_kept(
    bucket: Bucket, project: Project, between: Between, tmp_path: Path
) -> None:
    bucket.put("large", LARGE)
    between.cut_after = [0] * 20

    problem = refusal(project(bucket.url("large"))).problems[0]

    assert "the connection broke 5 times without a byte" in problem.found
    assert nothing_is_kept(tmp_path)


def test_a_busy_store_is_asked_again(bucket: Bucket, project: Project, between: Between) -> None:
    bucket.put("m", b"after all")
    between.answers = [(503, {}, b"<Error><Code>SlowDown</Code></Error>")] * 4

    assert content(project(bucket.url("m"))) == b"after all"


@pytest.mark.parametrize(
    ("status", "headers", "body", "found", "fix"),
    [
        (403, {}, "<Error><Code>AccessDenied</Code></Error>", "S3 denies access", "allow s3:GetObject"),
        (403, {}, "<Error><Code>InvalidAccessKeyId</Code></Error>", "does not know the access key", "AWS_PROFILE"),
        (400, {}, "<Error><Code>ExpiredToken</Code></Error>", "session has expired", "aws sso login"),
        (
            400,
            {"x-amz-bucket-region": "eu-west-1"},
            "<Error><Code>IllegalLocationConstraintException</Code></Error>",
            "in another region: eu-west-1",
            "set AWS_REGION=eu-west-1",
        ),
    ],
)
def test_what_s3_refuses_is_told_with_the_fix(
    bucket: Bucket, project: Project, between: Between, status: int, headers: dict[str, str], body: str, found: str,
    fix: str,
) -> None:  # fmt: skip
    between.answers = [(status, dict(headers), body.encode())] * 3

    problem = refusal(project(bucket.url("m"))).problems[0]

    assert found in problem.found
    assert fix in problem.fix
    assert problem.where == "serverless.yml:5:12"


def test_a_missing_key_version_and_bucket_are_told_apart(bucket: Bucket, project: Project) -> None:
    bucket.put("m", b"1")
    bucket.put("deleted", b"1")
    bucket.client.delete_object(Bucket=bucket.name, Key="deleted")

    assert "no such key" in str(refusal(project(bucket.url("none"))))
    assert "no such key" in str(refusal(project(bucket.url("deleted"))))
    assert "no such version" in str(refusal(project(f"{bucket.url('m')}?versionId={'0' * 32}")))
    assert "no such bucket" in str(refusal(project("s3://nobody-has-this/m")))


def test_no_credentials_names_the_ways_to_give_them(
    bucket: Bucket, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    problem = refusal(project(bucket.url("m"))).problems[0]

    assert "there are no AWS credentials" in problem.found
    assert "AWS_PROFILE" in problem.fix


def test_a_digest_that_serverless_yml_declares_must_be_met(bucket: Bucket, project: Project, tmp_path: Path) -> None:
    bucket.put("m", b"content")

    assert content(project(f"{{source: {bucket.url('m')}, sha256: {digest(b'content')}}}")) == b"content"
    refused = refusal(project(f"{{source: {bucket.url('m')}, sha256: {digest(b'other')}}}", folder="other"))
    assert "is not what sha256 in serverless.yml says" in str(refused)


def test_locked_refuses_what_is_not_pinned(bucket: Bucket, project: Project) -> None:
    bucket.put("m", b"1")
    service = project(bucket.url("m"))

    assert f"bareboat.lock has no pin for {bucket.url('m')}" in str(refusal(service, locked=True))
    fetched(service)
    assert content(service, locked=True) == b"1"


def test_check_reads_a_model_and_pins_nothing(bucket: Bucket, project: Project) -> None:
    bucket.put("lgb.model", MODEL)
    service = project(bucket.url("lgb.model"))

    check_models(service)

    assert not (service.folder / "bareboat.lock").exists()


def test_a_model_that_cannot_be_read_is_told_by_its_source(bucket: Bucket, project: Project, tmp_path: Path) -> None:
    version = bucket.put("lgb.model", MODEL[: len(MODEL) // 2])
    service = project(bucket.url("lgb.model"))

    for does in (build, check_models):
        with pytest.raises(ModelError) as refused:
            does(service)
        assert refused.value.problems[0].where.startswith(f"{bucket.url('lgb.model')}?versionId={version}")
        assert str(tmp_path) not in str(refused.value)


def test_every_model_that_cannot_be_had_is_told_at_once(bucket: Bucket, project: Project) -> None:
    service = project(f"{{a: {bucket.url('a')}, b: {bucket.url('b')}}}", key="models")

    first = len("    models: {a: ") + 1
    second = first + len(f"{bucket.url('a')}, b: ")
    places = [problem.where for problem in refusal(service).problems]
    assert places == [f"serverless.yml:5:{first}", f"serverless.yml:5:{second}"]


def test_a_damaged_copy_is_fetched_again(bucket: Bucket, project: Project) -> None:
    bucket.put("m", b"whole")
    service = project(bucket.url("m"))
    file = remote(service).file
    assert file is not None
    file.write_bytes(b"other")

    assert content(service) == b"whole"


def test_two_builds_at_once_share_what_they_fetch(bucket: Bucket, project: Project) -> None:
    bucket.put("large", LARGE)
    services = [project(bucket.url("large"), folder=name) for name in ("one", "two", "three")]
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda each=each: found.append(content(each))) for each in services]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [LARGE] * 3


def test_pins_of_two_builds_at_once_both_stay(bucket: Bucket, project: Project) -> None:
    bucket.put("a", b"1")
    bucket.put("b", b"2")
    one, two = project(bucket.url("a")), project(bucket.url("b"))
    threads = [threading.Thread(target=fetched, args=(each,)) for each in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(lock_of(one)) == {bucket.url("a"), bucket.url("b")}


MLMODEL = "flavors:\n  lightgbm: {data: model.lgb, lgb_version: 4.6.0}\n"


def test_an_mlflow_folder_is_pinned_object_by_object(bucket: Bucket, project: Project, tmp_path: Path) -> None:
    bucket.put("iris/MLmodel", MLMODEL.encode())
    version = bucket.put("iris/model.lgb", MODEL)
    bucket.put("iris/code/own.py", b"x = 1\n")
    service = project(bucket.url("iris/"))
    artifact = build(service)["predict"]

    bucket.put("iris/model.lgb", b"new and broken")
    bucket.put("iris/later.txt", b"came later")
    forget_cache(tmp_path)

    assert build(service)["predict"].digest == artifact.digest
    assert lock_of(service)[bucket.url("iris/model.lgb")] == (version, digest(MODEL))
    file = remote(service).file
    assert file is not None
    assert {path.relative_to(file).as_posix() for path in file.rglob("*") if path.is_file()} == {
        ".verified",
        "MLmodel",
        "code/own.py",
        "model.lgb",
    }
    assert content_after_pin(service, bucket) == b"new and broken"


def content_after_pin(service: Service, bucket: Bucket) -> bytes:
    pin_model(service, "predict")
    file = remote(service).file
    assert file is not None
    assert (file / "later.txt").is_file()
    return (file / "model.lgb").read_bytes()


def test_a_folder_without_its_slash_or_its_mlmodel_says_so(bucket: Bucket, project: Project) -> None:
    bucket.put("iris/MLmodel", MLMODEL.encode())
    bucket.put("other/x", b"1")

    assert f"write {bucket.url('iris/')}" in str(refusal(project(bucket.url("iris"))))
    assert "there is no MLmodel below it" in str(refusal(project(bucket.url("other/"))))
    assert "there is nothing below it" in str(refusal(project(bucket.url("none/"))))


def test_an_object_that_leads_out_of_the_folder_is_refused(bucket: Bucket, project: Project, between: Between) -> None:
    listing = (
        '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        "<Contents><Key>iris/MLmodel</Key><Size>1</Size></Contents>"
        "<Contents><Key>iris/../../evil</Key><Size>1</Size></Contents></ListBucketResult>"
    )
    between.answers = [(200, {"Content-Type": "application/xml"}, listing.encode())]

    assert "'../../evil'" in str(refusal(project(bucket.url("iris/"))))


# --- https


def test_an_address_is_pinned_by_its_digest(secure_web: Between, project: Project, tmp_path: Path) -> None:
    secure_web.at_rest["/m.bin"] = LARGE
    secure_web.cut_after = [900_000]
    service = project(f"{secure_web.url}/m.bin")

    assert content(service) == LARGE
    assert [asked for _, _, asked in secure_web.requests] == ["", "bytes=900000-"]
    assert lock_of(service) == {f"{secure_web.url}/m.bin": ("", digest(LARGE))}

    secure_web.at_rest["/m.bin"] = b"something else"
    assert content(service) == LARGE
    forget_cache(tmp_path)
    assert "is not what bareboat.lock pins" in str(refusal(service))
    assert pin_model(service, "predict")[1].sha256 == digest(b"something else")


def test_a_digest_behind_an_address_spares_the_first_trust(web: Between, project: Project) -> None:
    web.at_rest["/m"] = b"content"

    assert content(project(f"'{web.url}/m#sha256={digest(b'content')}'")) == b"content"
    assert "sha256 in serverless.yml" in str(refusal(project(f"'{web.url}/m#sha256={'0' * 64}'", folder="other")))


def test_a_server_that_begins_anew_is_followed(web: Between, project: Project) -> None:
    web.at_rest["/m"] = LARGE
    web.takes_ranges = False
    web.cut_after = [800_000, 900_000]

    assert content(project(f"{web.url}/m")) == LARGE


def test_a_body_whose_length_nobody_tells_is_pinned_by_its_digest_only(web: Between, project: Project) -> None:
    web.at_rest["/m"] = b"content"
    web.tells_length = False

    assert f"{web.url}/m#sha256=" in str(refusal(project(f"{web.url}/m")))
    assert content(project(f"'{web.url}/m#sha256={digest(b'content')}'", folder="other")) == b"content"
    web.cut_after = [3]
    cut = project(f"'{web.url}/m#sha256={digest(b'contents')}'", folder="cut")
    assert "sha256 in serverless.yml" in str(refusal(cut))


def test_this_machine_pins_nothing_and_takes_what_it_took(bucket: Bucket, project: Project, tmp_path: Path) -> None:
    first = bucket.put("lgb.model", MODEL)
    service = project(bucket.url("lgb.model"))
    here = Target(service.functions["predict"].python, host_target("3.13").architecture)
    once = build(service, target=here)["predict"]
    bucket.put("lgb.model", OLDER)

    assert build(service, target=here)["predict"].digest == once.digest
    assert lock_of(service) == {}
    assert not (service.folder / "bareboat.lock").exists()

    fetched(service)
    assert lock_of(service)[bucket.url("lgb.model")][0] != first  # the newest, as a first pin is


def test_a_busy_server_is_asked_again_when_it_says(
    web: Between, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("bareboat.runtime.download.time.sleep", waited.append)
    web.at_rest["/m"] = b"content"
    web.answers = [(503, {"Retry-After": said}, b"") for said in ("7", "100", "soon")]

    assert content(project(f"{web.url}/m")) == b"content"
    assert waited[:2] == [7, 60]
    assert waited[2] < 7


def test_an_authority_that_nobody_knows_is_refused(
    secure_web: Between, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure_web.at_rest["/m"] = b"1"
    monkeypatch.delenv("SSL_CERT_FILE")

    assert "CERTIFICATE_VERIFY_FAILED" in str(refusal(project(f"{secure_web.url}/m")))


def test_a_redirect_never_leaves_https(secure_web: Between, web: Between, project: Project) -> None:
    web.at_rest["/m"] = secure_web.at_rest["/end"] = b"1"
    secure_web.answers = [(302, {"Location": "/end"}, b"")]
    assert content(project(f"{secure_web.url}/m")) == b"1"

    secure_web.answers = [(302, {"Location": f"{web.url}/m"}, b"")]
    assert f"it leads on to {web.url}/m" in str(refusal(project(f"{secure_web.url}/other", folder="other")))


@pytest.mark.parametrize(("status", "says"), [(404, "it answers 404"), (403, "it answers 403")])
def test_an_address_that_refuses_is_not_asked_twice(web: Between, project: Project, status: int, says: str) -> None:
    web.answers = [(status, {}, b"")]

    assert says in str(refusal(project(f"{web.url}/m")))
    assert len(web.requests) == 1


def test_a_full_disk_leaves_nothing(
    web: Between, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.at_rest["/m"] = b"content"
    real = builtins.open

    def full(path: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
        return real("/dev/full" if mode == "wb" else path, mode, *rest, **more)

    monkeypatch.setattr("builtins.open", full)
    refused = refusal(project(f"{web.url}/m"))

    assert isinstance(refused, PackagingError)
    assert "No space left on device" in str(refused)
    assert nothing_is_kept(tmp_path)
