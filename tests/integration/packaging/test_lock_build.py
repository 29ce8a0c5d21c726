"""bareboat.lock in builds: written once, honoured from then on, the same zip everywhere."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact import build
from bareboat.artifact.lock_service import lock_service
from bareboat.artifact.locking import Locking, locked_resolution
from bareboat.errors import PackagingError
from bareboat.packaging.dependencies import dependency_packs
from bareboat.packaging.lock import LOCK, Lock, read_lock
from bareboat.packaging.requirements import RequirementRules, Requirements, given_requirements
from bareboat.packaging.resolve import resolve
from bareboat.packaging.slim import Slimming
from bareboat.packaging.target import Baseline, Target, host_target
from bareboat.service import load_service
from bareboat.service.model import Service
from bareboat.service.runtimes import LIVE


def service(folder: Path) -> Service:
    return load_service(folder / "serverless.yml", env={})


def versions(lock: Lock) -> dict[str, str]:
    return {pin.name: pin.version for one in lock.environments for pin in one.packages}


def without_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    def called(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("uv was run")

    monkeypatch.setattr("bareboat.packaging.uv.uv_path", called)


def another_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """uv keeps the pages of an index for some minutes: begin with none."""
    monkeypatch.setenv("UV_CACHE_DIR", f"{os.environ['UV_CACHE_DIR']}-another")


def test_what_was_locked_is_taken_without_uv_and_without_the_network(
    project: Path, index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add("deep", "1.0")
    index.add("plain", "1.0", requires=("deep",))
    (project / "requirements.txt").write_text("plain\n")

    first = build(service(project))["predict"]
    lock = (project / LOCK).read_text()
    index.add("plain", "2.0")
    index.close()
    without_uv(monkeypatch)
    unchanged = build(service(project), locking=Locking(write=False, locked=True))["predict"]
    for path in (project / ".bareboat").iterdir():
        if path.is_file():
            path.unlink()  # as in a fresh clone, with the caches of a pipeline
    again = build(service(project), locking=Locking(write=False, locked=True))["predict"]

    assert versions(read_lock(project / LOCK)) == {"plain": "1.0", "deep": "1.0"}
    assert unchanged.reused
    assert not again.reused
    assert again.digest == first.digest
    assert (project / LOCK).read_text() == lock
    assert str(project) not in lock


def test_the_lock_does_not_ship(project: Path, index: Any) -> None:
    index.add("plain", "1.0")
    (project / "requirements.txt").write_text("plain\n")

    build(service(project))
    artifact = build(service(project), locking=Locking(upgrade=True))["predict"]

    assert LOCK not in json.dumps(artifact.manifest["files"])


def test_changed_requirements_keep_what_still_fits(project: Path, index: Any) -> None:
    for name in ("one", "two", "three"):
        index.add(name, "1.0")
    (project / "requirements.txt").write_text("one\ntwo\n")
    lock_service(service(project))
    for name in ("one", "two", "three"):
        index.add(name, "2.0")

    (project / "requirements.txt").write_text("one\ntwo>1\nthree\n")
    with pytest.raises(PackagingError, match=r"does not answer to requirements.txt: \+ three, \+ two>1, - two"):
        lock_service(service(project), locking=Locking(write=False, locked=True))
    lock = lock_service(service(project))

    assert versions(lock) == {"one": "1.0", "two": "2.0", "three": "2.0"}


def test_versions_are_renewed_when_that_is_asked_for(
    project: Path, index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        index.add(name, "1.0")
    (project / "requirements.txt").write_text("one\ntwo\n")
    lock_service(service(project))
    for name in ("one", "two"):
        index.add(name, "2.0")

    another_day(monkeypatch)
    kept = lock_service(service(project))
    of_one = lock_service(service(project), locking=Locking(packages=frozenset({"two"})))
    of_all = lock_service(service(project), locking=Locking(upgrade=True))

    assert versions(kept) == {"one": "1.0", "two": "1.0"}
    assert versions(of_one) == {"one": "1.0", "two": "2.0"}
    assert versions(of_all) == {"one": "2.0", "two": "2.0"}


def test_a_file_that_changed_under_its_name_is_refused(
    project: Path, index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add("one", "1.0")
    index.add("two", "1.0")
    (project / "requirements.txt").write_text("one\n")
    lock_service(service(project))
    index.add("one", "1.0", code="MISCHIEF = 1\n")
    another_day(monkeypatch)

    (project / "requirements.txt").write_text("one\ntwo\n")
    with pytest.raises(PackagingError) as caught:
        lock_service(service(project))

    assert caught.value.problems[0].found.startswith("one-1.0-py3-none-any.whl has sha256 ")
    (project / "requirements.txt").write_text("one\n")
    with pytest.raises(PackagingError, match=rf"{LOCK}:\d+: the file of one 1.0 has changed"):
        build(service(project))


def test_locked_changes_nothing_and_says_what_is_missing(project: Path, index: Any) -> None:
    index.add("plain", "1.0")
    (project / "requirements.txt").write_text("plain\n")

    with pytest.raises(PackagingError, match=rf"{LOCK}: is not there(.|\n)*bareboat lock"):
        build(service(project), locking=Locking(write=False, locked=True))
    assert not (project / LOCK).exists()


def test_every_lambda_python_on_both_cpus_is_resolved_from_here(project: Path, index: Any) -> None:
    functions = ""
    for runtime in LIVE:
        for architecture, machine in (("x86_64", "x86_64"), ("arm64", "aarch64")):
            tag = runtime.replace("python", "cp").replace(".", "")
            glibc = "2_26" if runtime in {"python3.10", "python3.11"} else "2_34"
            index.add("native", "1.0", tag=f"{tag}-{tag}-manylinux_{glibc}_{machine}")
            functions += f"  f{tag}{machine}: {{handler: handler.predict, runtime: {runtime}, "
            functions += f"architecture: {architecture}}}\n"
    (project / "serverless.yml").write_text(
        f"service: boats\nprovider: {{name: aws, runtime: python3.13}}\nfunctions:\n{functions}"
    )
    (project / "requirements.txt").write_text("native\n")

    lock = lock_service(service(project))

    assert len(lock.environments) == 2 * len(LIVE)
    for one in lock.environments:
        tag = f"cp{one.python.replace('.', '')}"
        machine = "aarch64" if one.architecture == "arm64" else "x86_64"
        assert one.packages[0].wheel.startswith(f"native-1.0-{tag}-{tag}-manylinux_")
        assert one.packages[0].wheel.endswith(f"_{machine}.whl")


def test_this_machine_gets_the_locked_versions(project: Path, index: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here = host_target("3.13")
    other = "x86_64" if here.architecture == "arm64" else "arm64"
    machine = "x86_64" if other == "x86_64" else "aarch64"
    text = (project / "serverless.yml").read_text()
    (project / "serverless.yml").write_text(text.replace(here.architecture, other))
    python = service(project).functions["predict"].python
    tag = f"cp{python.replace('.', '')}"
    index.add("plain", "1.0")
    index.add("fast", "2.0", tag=f"{tag}-{tag}-manylinux_2_17_{machine}")
    index.add("fast", "1.0")
    (project / "requirements.txt").write_text("plain\nfast\n")
    lock = lock_service(service(project))
    index.add("plain", "2.0")
    another_day(monkeypatch)

    artifact = build(service(project), target=Target(python, here.architecture))["predict"]

    assert versions(lock) == {"plain": "1.0", "fast": "2.0"}
    sizes = {size["name"]: size["version"] for size in artifact.manifest["sizes"]}
    assert (sizes["plain"], sizes["fast"]) == ("1.0", "1.0")
    assert any("fast is 1.0 for " in note.text and "has 2.0" in note.text for note in artifact.notes)
    assert versions(read_lock(project / LOCK)) == versions(lock)


def test_what_was_packed_for_another_system_is_packed_anew(project: Path, index: Any) -> None:
    name = index.add("plain", "1.0")
    with zipfile.ZipFile(io.BytesIO(index.files[name])) as archive:
        files = {path: archive.read(path) for path in archive.namelist()}
    info = "plain-1.0.dist-info"
    files["plain/start.bat"] = b"echo\n"
    files[f"{info}/RECORD"] = files[f"{info}/RECORD"].replace(b"plain/", b"plain/start.bat,,\nplain/", 1)
    with zipfile.ZipFile(project / name, "w") as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    requirements = Requirements("requirements.txt", project, f"./{name}\n")

    def packed(target: Target) -> set[str]:
        (pack,) = dependency_packs(resolve(requirements, target), Slimming(), None)
        return {member.path for member in pack.members}

    assert "plain/start.bat" in packed(Target("3.13", "arm64", "macos"))
    assert "plain/start.bat" not in packed(Target("3.13", "arm64"))


def test_a_private_index_serves_its_user_whose_password_is_written_nowhere(
    project: Path, index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add("plain", "1.0")
    index.user = "ann:s3cret"
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    monkeypatch.setenv("BOATS_TOKEN", "s3cret")
    (project / "requirements.txt").write_text(f"-i {index.url.replace('//', '//ann:${BOATS_TOKEN}@')}\nplain\n")

    artifact = build(service(project))["predict"]

    assert versions(read_lock(project / LOCK)) == {"plain": "1.0"}
    kept = [path for root in (project, project.parent / "cache") for path in root.rglob("*") if path.is_file()]
    assert artifact.path in kept
    assert [path for path in kept if b"s3cret" in path.read_bytes()] == []


def test_models_of_the_project_are_locked_by_their_digest(project: Path, repository: Path) -> None:
    model = repository / "src" / "bareboat" / "templates" / "lightgbm-iris" / "lgb.model"
    (project / "lgb.model").write_bytes(model.read_bytes())
    text = (project / "serverless.yml").read_text()
    (project / "serverless.yml").write_text(text.replace("handler: handler.predict", "model: lgb.model"))
    lock_service(service(project))
    build(service(project), locking=Locking(write=False, locked=True))

    (project / "lgb.model").write_bytes(model.read_bytes() + b"\n")
    with pytest.raises(PackagingError, match=r"lgb\.model has sha256 (.|\n)* has sha256 (.|\n)*bareboat lock"):
        build(service(project), locking=Locking(write=False, locked=True))
    build(service(project))

    assert read_lock(project / LOCK).models[0].size_bytes == model.stat().st_size + 1


def test_another_machine_makes_the_same_bytes(project: Path, index: Any, tmp_path: Path) -> None:
    (project / "wheels").mkdir()
    index.add("plain", "1.0", code="def f():\n    return 'héllo'\n")
    index.add("mine", "1.0")
    (project / "wheels" / "mine-1.0-py3-none-any.whl").write_bytes(index.files.pop("mine-1.0-py3-none-any.whl"))
    (project / "requirements.txt").write_text("--find-links ./wheels\nplain\nmine\n")
    first = build(service(project))["predict"]
    elsewhere = tmp_path / "another place" / "ünder"
    elsewhere.mkdir(parents=True)
    for path in project.rglob("*"):
        if path.is_file() and ".bareboat" not in path.parts:
            copy = elsewhere / path.relative_to(project)
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(path.read_bytes())
    (tmp_path / "tmp").mkdir()
    environment = os.environ | {
        "BAREBOAT_CACHE_DIR": str(tmp_path / "other-cache"),
        "UV_CACHE_DIR": str(tmp_path / "other-uv"),
        "TMPDIR": str(tmp_path / "tmp"),
        "LC_ALL": "C",
        "TZ": "Asia/Kathmandu",
        "PYTHONHASHSEED": "7",
    }
    code = (
        "import os, sys; os.umask(0o077); sys.argv = ['bareboat', '--json', 'package', '--locked']\n"
        "from bareboat.cli import main; main()"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=elsewhere, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)[0]
    assert document["sha256"] == first.digest
    assert Path(document["artifact"]).read_bytes() == first.path.read_bytes()
    assert (elsewhere / LOCK).read_bytes() == (project / LOCK).read_bytes()


def test_a_wheel_of_ones_own_gives_the_same_bytes_in_another_folder_on_another_day(
    project: Path, index: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add("mine", "1.0")
    (project / "mine-1.0-py3-none-any.whl").write_bytes(index.files.pop("mine-1.0-py3-none-any.whl"))
    (project / "requirements.txt").write_text("./mine-1.0-py3-none-any.whl\n")
    elsewhere = tmp_path / "a folder with a longer name"
    shutil.copytree(project, elsewhere)
    os.utime(elsewhere / "mine-1.0-py3-none-any.whl", (1_000_000_000, 1_000_000_000.5))

    first = build(replace(service(project), slim="none"))["predict"]
    another_day(monkeypatch)
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "other-cache"))
    second = build(replace(service(elsewhere), slim="none"))["predict"]

    assert second.digest == first.digest
    with zipfile.ZipFile(first.path) as archive:
        assert not [name for name in archive.namelist() if name.endswith(("direct_url.json", "uv_cache.json"))]
        assert b"_url.json" not in archive.read("mine-1.0.dist-info/RECORD")


def test_two_builds_at_once_leave_one_whole_lock(project: Path, index: Any) -> None:
    index.add("plain", "1.0")
    (project / "requirements.txt").write_text("plain\n")

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: build(service(project))["predict"], range(2)))

    assert made[0].digest == made[1].digest
    assert sorted(one.reused for one in made) == [False, True]
    assert versions(read_lock(project / LOCK)) == {"plain": "1.0"}
    assert not list(project.glob(".tmp-*"))


IMAGE_BYTES = 10_000_000_000


def within(glibc: tuple[int, int]) -> Target:
    """This machine's Python in an image that is not Lambda's."""
    here = host_target(service_python())
    baseline = Baseline(f"base (glibc {glibc})", glibc, frozenset({"libc.so.6"}), (("GLIBC", glibc),))
    return Target(here.python, here.architecture, baseline=baseline)


def service_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def test_an_image_on_another_base_has_its_packages_in_the_lock(project: Path, index: Any) -> None:
    target = within((2, 41))
    tag = f"cp{target.python.replace('.', '')}"
    index.add("native", "1.0", tag="py3-none-any")
    index.add("native", "2.0", tag=f"{tag}-{tag}-manylinux_2_39_{target.machine}")
    (project / "requirements.txt").write_text("native\n")
    held = Locking(write=False, locked=True)

    with pytest.raises(PackagingError, match=r"is not there\n.*\n.*the same command without --locked"):
        build(service(project), target=target, limit_bytes=IMAGE_BYTES, locking=held)
    build(service(project), target=target, limit_bytes=IMAGE_BYTES, locking=Locking())
    index.add("native", "3.0", tag="py3-none-any")
    lock_service(service(project))
    for left in (project / ".bareboat").glob("*.json"):
        left.unlink()
    image = build(service(project), target=target, limit_bytes=IMAGE_BYTES, locking=held)["predict"]

    found = {one.name: one.packages[0].version for one in read_lock(project / LOCK).environments}
    assert found == {"project": "3.0", "project@glibc2.41": "2.0"}
    assert "native-2.0.dist-info/METADATA" in image.manifest["files"]


def test_a_base_with_another_glibc_is_asked_for_anew(project: Path, index: Any) -> None:
    new, old = within((2, 39)), within((2, 28))
    tag = f"cp{new.python.replace('.', '')}"
    index.add("native", "1.0", tag=f"{tag}-{tag}-manylinux_2_17_{new.machine}")
    index.add("native", "2.0", tag=f"{tag}-{tag}-manylinux_2_39_{new.machine}")
    asked = given_requirements(["native"], origins=[""], source="image.yml", folder=project, rules=RequirementRules())

    chosen = [
        locked_resolution(asked, target, name="image.image", declared=target, folder=project, locking=Locking())
        .resolution.pins[0]
        .version
        for target in (new, old)
    ]

    assert chosen == ["2.0", "1.0"]
