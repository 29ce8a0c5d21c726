"""The levels of slimming, from serverless.yml and the command line to the archive and its report."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bareboat.artifact import Artifact, build
from bareboat.artifact.report import package_rows
from bareboat.cli.root import bareboat

from .conftest import Project

# A wheel with all that slimming knows, so that no package index is asked for more than idna.
HANDLER = "import kit, json\n\n\ndef predict(event, context):\n    return kit.answer(event)\n"
FILES = {
    "kit/__init__.py": '"""About the kit."""\nfrom kit.used import answer  # the one\n',
    "kit/used.py": (
        'def answer(event):\n    """Answer."""\n    if event.get("far"):\n        from kit import far\n\n'
        "        return far.answer(event)\n    return 1\n"
    ),
    "kit/far.py": "def answer(event):\n    return 2\n",
    "kit/far.pyi": "",
    "kit/data.json": "{}",
    "kit/tests/test_kit.py": "",
    "kit-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: kit\nVersion: 1\n",
    "kit-1.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


def wheel() -> bytes:
    from io import BytesIO

    data = BytesIO()
    record = "".join(f"{path},,\n" for path in FILES) + "kit-1.dist-info/RECORD,,\n"
    with zipfile.ZipFile(data, "w") as archive:
        for path, text in {**FILES, "kit-1.dist-info/RECORD": record}.items():
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), text)
    return data.getvalue()


@pytest.fixture
def kit(project: Project, python: str) -> Callable[..., Artifact]:
    def make(level: Any, more: str = "", event: str = "{}") -> Artifact:
        service = project(
            "handler: handler.predict\n    samples: [event.json]",
            more="package: {patterns: ['!*.json', '!wheels/**']}\n" + more,
            requirements__txt="./wheels/kit-1-py3-none-any.whl\n",
            **{"wheels/kit-1-py3-none-any.whl": wheel(), "handler.py": HANDLER, "event.json": event},
        )
        return build(replace(service, slim=level))["predict"]

    return make


def shipped(artifact: Artifact) -> set[str]:
    with zipfile.ZipFile(artifact.path) as archive:
        names = archive.namelist()
    return {name for name in names if name.startswith("kit") and not name.endswith(".pyc")}


def text(artifact: Artifact, path: str) -> str:
    with zipfile.ZipFile(artifact.path) as archive:
        return archive.read(path).decode()


def test_none_ships_what_the_wheel_installs(kit: Callable[..., Artifact]) -> None:
    artifact = kit("none")

    assert shipped(artifact) >= set(FILES) | {"kit-1.dist-info/RECORD"}
    assert not [row for row in package_rows(artifact.manifest) if row.left_out]


def test_safe_keeps_whatever_could_be_used(kit: Callable[..., Artifact]) -> None:
    artifact = kit("safe")

    assert shipped(artifact) == {
        "kit/__init__.py", "kit/used.py", "kit/far.py", "kit/data.json", "kit-1.dist-info/METADATA",
        "kit-1.dist-info/top_level.txt",
    }  # fmt: skip
    assert text(artifact, "kit/__init__.py") == FILES["kit/__init__.py"]


def test_max_keeps_what_the_samples_use(kit: Callable[..., Artifact]) -> None:
    artifact = kit("max")

    assert not {"kit/far.py", "kit/data.json"} & shipped(artifact)
    assert text(artifact, "kit/__init__.py") == "\nfrom kit.used import answer\n"
    assert any("of kit only what the samples used ships" in note.text for note in artifact.notes)
    (row,) = [row for row in package_rows(artifact.manifest) if row.name == "kit"]
    assert {left.reason for left in row.left_out} >= {"not used by the samples", "comments and docstrings", "tests"}


def test_max_keeps_what_a_pattern_names_and_what_another_sample_needs(kit: Callable[..., Artifact]) -> None:
    plugin = (
        "plugins: [serverless-python-requirements]\ncustom: {pythonRequirements: {slimPatterns: ['!kit/*.json']}}\n"
    )

    assert "kit/data.json" in shipped(kit("max", plugin))
    assert "kit/far.py" in shipped(kit("max", event='{"far": true}'))


def test_the_command_takes_a_level_and_draws_a_map(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = project(requirements__txt="idna==3.10\n", event__json="{}")
    monkeypatch.chdir(service.folder)

    done = CliRunner().invoke(
        bareboat, ["package", "--slim", "none", "--treemap", str(tmp_path / "map.html"), "--json"]
    )

    assert done.exit_code == 0, done.output
    (document,) = json.loads(done.stdout)
    assert document["slim"] == "none"
    (row,) = [row for row in document["packages"] if row["name"] == "idna"]
    assert row["installed_bytes"] > 100_000
    assert row["removed"] == []
    assert "next: bareboat invoke local --slim none --path event.json\n" in done.stderr
    assert "bareboat serve --slim none\n" in done.stderr
    assert "idna-3.10.dist-info" in (tmp_path / "map.html").read_text()
