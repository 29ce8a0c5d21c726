"""Opening, checking and unpacking archives, whole ones and others."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact import Artifact, check_runs_here, open_artifact, unpack
from bareboat.artifact.unpack import check_name
from bareboat.errors import ArtifactError
from bareboat.packaging.target import Target, host_target

FILES = {"handler.py": b"def predict(event, context):\n    return 1\n", "lib/run": b"#!/bin/sh\n"}


def write_zip(path: Path, contents: dict[str, bytes], **manifest: Any) -> Path:
    said = {
        "format": 1,
        "functions": {"predict": {"handler": "handler.predict", "kind": "handler"}},
        "target": {"python": "3.13", "architecture": "arm64", "system": "linux", "image": ""},
        "files": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in contents.items()
        },
        **manifest,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(".bareboat/manifest.json", json.dumps(said))
        for name, data in contents.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o100755 if name == "lib/run" else 0o100644) << 16
            archive.writestr(info, data)
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / ".bareboat"
    folder.mkdir()
    return folder


def test_a_whole_archive_is_opened(home: Path) -> None:
    path = write_zip(home / "a.zip", FILES)

    artifact = open_artifact(path)

    assert artifact.functions == ("predict",)
    assert artifact.handlers == {"predict": "handler.predict"}
    assert artifact.target == Target("3.13", "arm64")
    assert artifact.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert artifact.size_bytes == path.stat().st_size


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "is no zip"),
        (b"hello", "is no zip"),
        (b"PK\x05\x06" + b"\0" * 18, "a zip without"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_archive_is_refused(home: Path, data: bytes | None, found: str) -> None:
    if data is not None:
        (home / "a.zip").write_bytes(data)

    with pytest.raises(ArtifactError, match=found):
        open_artifact(home / "a.zip")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"format": 2}, "has format 2"),
        ({"target": "arm64"}, "lacks what a manifest has"),
        (
            {"target": {"python": "3.13", "architecture": "mips", "system": "linux", "image": ""}},
            "lacks what a manifest has",
        ),
        ({"functions": []}, "lacks what a manifest has"),
        ({"files": {}}, "does not name"),
        ({"files": {"gone": {"sha256": "", "size": 1}}}, "does not name"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(home: Path, said: dict[str, Any], found: str) -> None:
    path = write_zip(home / "a.zip", FILES, **said)

    with pytest.raises(ArtifactError, match=found):
        open_artifact(path)


def test_every_cut_of_an_archive_is_refused(home: Path) -> None:
    whole = write_zip(home / "a.zip", FILES).read_bytes()

    for cut in range(0, len(whole) - 1, 7):
        (home / "a.zip").write_bytes(whole[:cut])
        with pytest.raises(ArtifactError):
            open_artifact(home / "a.zip")


def test_every_changed_byte_of_the_data_is_noticed(home: Path) -> None:
    path = write_zip(home / "a.zip", {"data.bin": bytes(range(256))})
    whole = path.read_bytes()
    start = whole.index(b"data.bin") + len("data.bin")
    artifact = open_artifact(path)

    for position in range(start, start + 100, 9):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(ArtifactError):
            open_artifact(path)
        with pytest.raises(ArtifactError, match="has changed since it was built"):
            unpack(artifact)


def test_an_archive_is_unpacked_once_with_its_rights(home: Path) -> None:
    artifact = open_artifact(write_zip(home / "a.zip", FILES))

    folder = unpack(artifact)
    first = (folder / "handler.py").stat().st_mtime_ns

    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        *FILES,
        ".bareboat/manifest.json",
    }
    assert stat.S_IMODE((folder / "lib" / "run").stat().st_mode) == 0o755
    assert stat.S_IMODE((folder / "handler.py").stat().st_mode) == 0o644
    assert unpack(artifact) == folder
    assert (folder / "handler.py").stat().st_mtime_ns == first
    assert folder.parent == home / "unpacked"


def test_an_unpacked_folder_that_lost_a_file_is_made_again(home: Path) -> None:
    artifact = open_artifact(write_zip(home / "a.zip", FILES))
    folder = unpack(artifact)
    (folder / "handler.py").unlink()

    unpack(artifact)

    assert (folder / "handler.py").read_bytes() == FILES["handler.py"]


def test_what_a_function_wrote_into_an_unpacked_folder_does_not_stay(home: Path) -> None:
    artifact = open_artifact(write_zip(home / "a.zip", {**FILES, "\u00e4.txt": b"a"}))
    folder = unpack(artifact)
    (folder / "lib" / "cached.bin").write_bytes(b"x")
    (folder / "new").mkdir()
    (folder / "new" / "a.txt").write_bytes(b"x")
    (folder / "link").symlink_to("handler.py")

    unpack(artifact)

    kept = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert kept == {*FILES, "\u00e4.txt", ".bareboat/manifest.json"}


def test_an_archive_without_a_manifest_keeps_its_unpacked_files(home: Path) -> None:
    path = home / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("handler.py", b"")
    forged = _forged(path)

    unpack(forged)

    assert (unpack(forged) / "handler.py").is_file()


def test_an_archive_from_elsewhere_leaves_nothing_beside_itself(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "downloads"
    other.mkdir()

    folder = unpack(open_artifact(write_zip(other / "a.zip", FILES)))

    assert [path.name for path in other.iterdir()] == ["a.zip"]
    assert folder.is_relative_to(tmp_path / "cache")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "C:/evil", "a\\evil", "..", ""])
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(ArtifactError, match="leads out of it"):
        check_name(name, "a.zip")


@pytest.mark.parametrize("name", ["a", "a/b.py", "..a/b", "a/..b", ".bareboat/manifest.json", "a b/\u00e4.txt"])
def test_other_names_are_taken(name: str) -> None:
    check_name(name, "a.zip")


def test_a_zip_that_would_write_outside_writes_nothing(home: Path, tmp_path: Path) -> None:
    path = write_zip(home / "a.zip", {"ok.py": b"", "../../evil": b"x"})
    forged = _forged(path)

    with pytest.raises(ArtifactError, match="leads out of it"):
        open_artifact(path)
    with pytest.raises(ArtifactError, match="leads out of it"):
        unpack(forged)
    assert not list(tmp_path.rglob("evil"))
    assert not list((home / "unpacked").iterdir())


def test_a_link_in_an_archive_is_refused(home: Path) -> None:
    path = home / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")

    with pytest.raises(ArtifactError, match="has a link"):
        unpack(_forged(path))


def _forged(path: Path) -> Artifact:
    """An artifact whose archive was never checked, as `package.artifact` may be."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Artifact(path, digest, ("f",), Target("3.13", "arm64"), {"f": "h.f"}, path.stat().st_size, 0, {})


def test_an_artifact_for_another_machine_says_so(home: Path) -> None:
    here = host_target("3.13")
    other = "x86_64" if here.architecture == "arm64" else "arm64"
    target = {"python": "3.13", "architecture": other, "system": "linux", "image": ""}
    artifact = open_artifact(write_zip(home / "a.zip", FILES, target=target))

    with pytest.raises(ArtifactError, match=rf"was made for linux {other}(.|\n)*this machine"):
        check_runs_here(artifact)
