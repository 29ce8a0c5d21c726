"""The extension for one row: when it is built, for which interpreters, and that nothing else needs it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bareboat.artifact.shipping import runtime_files
from bareboat.forest import read_ensemble, write_forest

ROOT = Path(__file__).parents[3]
IRIS = ROOT / "src/bareboat/templates/lightgbm-iris/lgb.model"
SCRIPT = """
import sys
from bareboat.runtime.forest import load_forest
forest = load_forest(sys.argv[1])
print(forest.door, forest.predict([6.0, 3.0, 5.0, 2.0]), forest.predict(dict(zip(forest.feature_names, (6, 3, 5, 2)))))
"""


@pytest.fixture
def hook() -> ModuleType:
    pytest.importorskip("ziglang", reason="the extension is compiled with ziglang")
    spec = importlib.util.spec_from_file_location("bareboat_hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path, hook: ModuleType) -> Path:
    """What builds the extension, and nothing that was built."""
    source = tmp_path / hook.DOOR_SOURCE
    source.parent.mkdir(parents=True)
    shutil.copy(ROOT / hook.DOOR_SOURCE, source)
    (tmp_path / hook.DOOR).parent.mkdir(parents=True)
    return tmp_path


def test_it_is_built_once_and_again_when_its_source_changes(hook: ModuleType, checkout: Path) -> None:
    made = checkout / hook.DOOR
    assert hook.build_door(checkout)
    first = made.stat().st_mtime_ns

    assert hook.build_door(checkout)
    assert made.stat().st_mtime_ns == first

    with (checkout / hook.DOOR_SOURCE).open("a") as source:
        source.write("/* changed */\n")
    assert hook.build_door(checkout)
    assert made.stat().st_mtime_ns != first


def test_without_headers_the_build_says_so_and_goes_on(
    hook: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hook, "include_folders", lambda: (str(checkout),))

    assert not hook.build_door(checkout)

    assert f"not built: no Python.h in {checkout}; one row goes through ctypes" in capsys.readouterr().err


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
def test_one_file_serves_every_cpython(version: str, tmp_path: Path) -> None:
    python = next(
        map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python")), shutil.which(f"python{version}")
    )
    if python is None:
        pytest.skip(f"not on this machine: python{version}")
    write_forest(read_ensemble(IRIS), tmp_path / "iris.forest")

    run = subprocess.run(
        [
            python,
            "-I",
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r})\n{SCRIPT}",
            tmp_path / "iris.forest",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    published = [0.11376620900197651, 0.17004835386299028, 0.7161854371350332]
    assert run.stdout.strip() == f"extension {published} {published}", run.stderr


def test_it_is_no_part_of_an_artifact() -> None:
    assert not [path for path in runtime_files() if not path.endswith(".py")]


def test_without_it_rows_go_through_ctypes(tmp_path: Path) -> None:
    write_forest(read_ensemble(IRIS), tmp_path / "iris.forest")
    shutil.copytree(
        ROOT / "src/bareboat", tmp_path / "bareboat", ignore=shutil.ignore_patterns("_door*", "__pycache__")
    )

    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, "iris.forest"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert run.stdout.startswith("ctypes [0.11376620900197651, ")
