"""Interpreters are found by running them: a name on PATH proves nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bareboat.packaging.interpreters import Interpreter, find_python, nearest_python, running_python

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")
SAYS = "#!/bin/sh\necho '{implementation} {release} {flags} True'\n"


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on PATH, no pyenv and no cache."""
    for name in ("PYENV_ROOT", "UV_PYTHON_INSTALL_DIR", "BAREBOAT_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return tmp_path


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


# 3.19 is a version that no machine has yet.
def test_a_shim_that_fails_is_passed_over(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(bare / "bin" / "python3.19", "#!/bin/sh\necho 'pyenv: python3.19: command not found' >&2\nexit 127\n")
    assert find_python("3.19") is None

    good = script(bare / "more" / "python3.19", SAYS.format(implementation="CPython", release="3.19.2", flags=""))
    monkeypatch.setenv("PATH", f"{bare / 'bin'}:{bare / 'more'}")
    assert find_python("3.19") == Interpreter(good, "3.19", "3.19.2")


@pytest.mark.parametrize(
    ("implementation", "release", "flags"),
    [("PyPy", "3.19.1", ""), ("CPython", "3.19.1", "t"), ("CPython", "3.18.1", "")],
)
def test_another_implementation_a_free_threaded_build_and_another_version_do_not_count(
    bare: Path, implementation: str, release: str, flags: str
) -> None:
    script(bare / "bin" / "python3.19", SAYS.format(implementation=implementation, release=release, flags=flags))

    assert find_python("3.19") is None


def test_pyenvs_and_uvs_versions_are_found_off_path(bare: Path) -> None:
    for place, release in (
        ("PYENV_ROOT/versions/3.19.1", "3.19.1"),
        ("UV_PYTHON_INSTALL_DIR/cpython-3.18.4-linux-x86_64-gnu", "3.18.4"),
    ):
        minor = release.rpartition(".")[0]
        text = SAYS.format(implementation="CPython", release=release, flags="")
        path = script(bare / place / "bin" / f"python{minor}", text)

        assert find_python(minor) == Interpreter(path, minor, release)


def test_an_interpreter_is_asked_once_and_again_when_it_changes(bare: Path) -> None:
    asked = bare / "asked"
    text = SAYS.format(implementation="CPython", release="3.19.2", flags="") + f"echo x >> {asked}\n"
    path = script(bare / "bin" / "python3.19", text)

    for _ in range(3):
        assert find_python("3.19") is not None
    assert asked.read_text() == "x\n"
    script(path, "#!/bin/sh\nexit 1\n")
    assert find_python("3.19") is None


def test_the_nearest_version_is_taken_and_of_two_the_newer(bare: Path) -> None:
    running = running_python()
    assert running is not None
    number = int(running.version.split(".")[1])
    for minor in (number + 4, number + 6):
        release = f"3.{minor}.0"
        script(bare / "bin" / f"python3.{minor}", SAYS.format(implementation="CPython", release=release, flags=""))

    assert nearest_python(f"3.{number + 5}").version == f"3.{number + 6}"
    assert nearest_python(running.version) == running
