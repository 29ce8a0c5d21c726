"""image.yml on nothing: what is in the image, what is refused, and what is left of a build that did not end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bareboat.container.build import Built, build_image
from bareboat.container.dockerfile import write_dockerfile
from bareboat.container.recipe import load_recipe
from bareboat.container.store import Store
from bareboat.errors import BareboatError, ConfigurationError

Build = Callable[[str], Built]
AGAIN = """import sys
from pathlib import Path
from bareboat.container.build import build_image
from bareboat.container.recipe import load_recipe
from bareboat.container.store import Store
{before}
build_image(load_recipe(Path(sys.argv[1])), Store.open(Path(sys.argv[2])))
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "cache"))
    return Store.open(tmp_path / "data")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "Project"  # capitals, which no image name may have
    folder.mkdir()
    (folder / "main.py").write_text("print(1)\n")
    return folder


@pytest.fixture
def built(project: Path, store: Store) -> Build:
    def build(text: str) -> Built:
        (project / "image.yml").write_text(f"requirements: []\n{text}")
        return build_image(load_recipe(project), store)

    return build


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("base: ./nope.tar\n", "2:7", "there is no .*/nope.tar"),
        ("base: ../nope.tar.gz\n", "2:7", "there is no .*/nope.tar.gz"),
        ("base: scratch\nfiles: ['../*.py']\n", "3:8", "leads out of the folder"),
        ("base: scratch\nfiles: [main.py, mian.py]\n", "3:18", "there is no file mian.py"),
        ("base: scratch\nfiles: [sub]\n", "3:9", "there is no file sub: it is a folder"),
        ("base: scratch\ngpu: true\n", "3:6", "scratch has no CUDA"),
        ("base: scratch\ngpu: {driver: new}\n", "3:15", "gpu.driver is 'new'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(built: Build, project: Path, text: str, line: str, found: str) -> None:
    (project / "sub").mkdir()

    with pytest.raises(BareboatError, match=found) as raised:
        built(text)

    assert raised.value.problems[0].where == f"{project / 'image.yml'}:{line}"
    assert "serverless.yml" not in str(raised.value)
    assert "package" not in raised.value.problems[0].fix


def test_a_link_that_leads_out_is_left_out_with_files(built: Build, project: Path) -> None:
    (project / "link.txt").symlink_to("/etc/passwd")

    with pytest.raises(BareboatError, match=r"leave it out with files: \['!link.txt'"):
        built("base: scratch\n")


def test_a_glob_that_matches_nothing_is_told(built: Build, project: Path) -> None:
    image = built("base: scratch\nfiles: ['*.py', 'data/**', '!data/x']\n")

    (note,) = image.notes
    assert (note.text, note.where) == ("data/** matches no file", f"{project / 'image.yml'}:3:17")


def test_a_dockerfile_goes_over_our_own_alone(project: Path, store: Store) -> None:
    (project / "image.yml").write_text("base: scratch\nrequirements: []\n")
    recipe = load_recipe(project)

    for _ in range(2):
        write_dockerfile(recipe, store, project / "Dockerfile")
    for name in ("main.py", "image.yml"):
        before = (project / name).read_text()
        with pytest.raises(ConfigurationError, match="bareboat did not write it"):
            write_dockerfile(recipe, store, project / name)
        assert (project / name).read_text() == before


def test_a_dockerfile_cannot_say_a_line_break(project: Path, store: Store) -> None:
    (project / "image.yml").write_text('base: scratch\nrequirements: []\nenv: {N: "a\\nb"}\n')

    with pytest.raises(ConfigurationError, match=r"env\.N has a line break"):
        write_dockerfile(load_recipe(project), store, project / "Dockerfile")


def test_a_build_that_was_killed_leaves_nothing_that_the_next_one_keeps(
    project: Path, store: Store, built: Build, tmp_path: Path
) -> None:
    (project / "image.yml").write_text("base: scratch\nrequirements: []\nname: killed\n")
    before = (
        "import os, signal\nfrom bareboat.container.layout import NewBlob\n"
        "NewBlob.finish = lambda self: os.kill(os.getpid(), signal.SIGKILL)"
    )

    done = again(before, project, tmp_path)
    left = blobs(store)
    names = [one.name for one in store.images()]
    built("base: scratch\nname: whole\n")

    assert done.returncode == -signal.SIGKILL
    assert [name[:5] for name in left] == [".tmp-"]
    assert names == []
    assert not any(name.startswith(".") for name in blobs(store))
    assert [one.name for one in store.images()] == ["whole:latest"]


def test_a_full_disk_leaves_nothing(project: Path, store: Store, tmp_path: Path) -> None:
    (project / "large").write_bytes(os.urandom(200_000))
    (project / "image.yml").write_text("base: scratch\nrequirements: []\n")

    done = again("import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))", project, tmp_path)

    assert done.returncode == 1
    assert "room on the disk" in done.stderr
    assert blobs(store) == []
    assert store.images() == ()


def again(before: str, project: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Build in a process of its own, after some lines of Python."""
    command = [sys.executable, "-c", AGAIN.format(before=before), str(project), str(folder / "data")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def blobs(store: Store) -> list[str]:
    return sorted(path.name for path in (store.layout.path / "blobs").rglob("*") if path.is_file())
