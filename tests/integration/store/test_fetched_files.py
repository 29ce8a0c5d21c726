"""/tmp of a function, as a cold start finds it and leaves it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bareboat.errors import ArtifactError, RemoteError
from bareboat.runtime import remote
from bareboat.runtime.download import Refused, save
from bareboat.runtime.remote import fetched
from bareboat.runtime.signed import signed_address

from .conftest import Between, Bucket

DATA = b"model" * 1000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where models are kept; not there yet."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path / f"bareboat-models-{os.getuid()}"


def said(web: Between, data: bytes = DATA) -> dict[str, Any]:
    web.at_rest["/m"] = data
    return {
        "source": f"{web.url}/m",
        "version_id": "",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_bytes": len(data),
    }


def test_it_is_kept_under_its_digest_where_nobody_else_writes(web: Between, folder: Path) -> None:
    path = Path(fetched(said(web), "predict-1.forest"))

    assert path == folder / f"{hashlib.sha256(DATA).hexdigest()}.forest"
    assert path.read_bytes() == DATA
    assert folder.stat().st_mode & 0o777 == 0o700
    assert fetched(said(web), "predict-1.forest") == str(path)
    assert len(web.requests) == 1


def test_a_folder_of_somebody_else_is_not_trusted(web: Between, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    folder.symlink_to(tmp_path / "theirs")

    with pytest.raises(ArtifactError, match="somebody else's"):
        fetched(said(web), "m")

    folder.unlink()
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(ArtifactError, match="open to others"):
        fetched(said(web), "m")


def test_what_starts_that_were_killed_left_is_removed(web: Between, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "x.forest.999999999-1a.part").write_bytes(b"half")
    (folder / f"x.forest.{os.getppid()}-1a.part").write_bytes(b"of one that runs")

    fetched(said(web), "m")

    assert [path.name for path in folder.glob("*.part")] == [f"x.forest.{os.getppid()}-1a.part"]


def test_a_model_that_does_not_fit_is_not_begun(web: Between, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=1, f_frsize=1000))

    with pytest.raises(ArtifactError, match=r"the model has 0.0 MB, and 0.0 MB of /tmp are free") as refused:
        fetched(said(web), "m")

    assert refused.value.problems[0].fix == "a larger ephemeralStorageSize"
    assert web.requests == []


def test_a_truncated_body_leaves_nothing(web: Between, folder: Path) -> None:
    web.takes_ranges = False
    web.cut_after = [100] * 20

    with pytest.raises(RemoteError, match="the connection broke"):
        fetched(said(web), "m")

    assert list(folder.iterdir()) == []


def test_s3_is_asked_without_boto3_and_with_it_where_that_is_refused(
    bucket: Bucket, between: Between, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = bucket.put("a b/m", DATA)
    bucket.put("a b/m", b"newer")
    document = {
        "source": bucket.url("a b/m"),
        "version_id": version,
        "sha256": hashlib.sha256(DATA).hexdigest(),
        "size_bytes": len(DATA),
    }
    monkeypatch.setattr(remote, "_with_boto3", lambda *_: pytest.fail("boto3 is not needed"))
    path = Path(fetched(document, "m"))
    assert path.read_bytes() == DATA

    path.unlink()
    monkeypatch.undo()
    monkeypatch.setenv("TMPDIR", str(folder.parent))
    for name, value in {"AWS_ENDPOINT_URL": between.url, "AWS_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    between.requests.clear()
    between.answers = [(403, {}, b"<Error><Code>AuthorizationHeaderMalformed</Code></Error>")]
    assert Path(fetched(document, "m")).read_bytes() == DATA
    assert len(between.requests) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_are_never_sent_on(web: Between, status: int, tmp_path: Path) -> None:
    other = Between().start()
    other.at_rest["/m"] = DATA
    web.answers = [(status, {"Location": f"{other.url}/m"}, b"")]
    env = {
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL_S3": web.url,
    }
    address = signed_address("s3://bucket/m", "1", env)
    assert address is not None

    with pytest.raises(Refused, match=f"it answers {status}"):
        save(address, str(tmp_path / "f"), source="s3://bucket/m")

    other.close()
    assert (len(web.requests), other.requests) == (1, [])
