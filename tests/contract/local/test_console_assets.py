"""The committed page is what its sources build, small, with the licences of what it holds."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MOST_BYTES = 150_000


@pytest.fixture
def static(repository: Path) -> Path:
    return repository / "src/bareboat/local/console/static"


def test_the_page_is_small_and_names_what_is_there(static: Path):
    files = {path.name: path.stat().st_size for path in static.iterdir()}
    named = set(re.findall(r'static/([^"]+)"', (static / "index.html").read_text(encoding="utf-8")))

    assert named | {"index.html", "notices.txt"} == set(files)
    assert sum(files.values()) < MOST_BYTES


def test_the_page_names_no_other_server(static: Path):
    script = "".join(path.read_text(encoding="utf-8") for path in static.glob("console-*"))

    assert set(re.findall(r"https?://[\w.]+", script)) <= {"http://www.w3.org"}  # of SVG's namespace


def test_nothing_of_the_page_is_loaded_before_its_first_request():
    program = """
import sys
from bareboat.local.console import Console
from bareboat.local.console.source import Shown
print(sorted(name for name in sys.modules if name.startswith("bareboat.local.console.") or name == "sqlite3"))
"""

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "['bareboat.local.console.console', 'bareboat.local.console.source']"


def test_the_licences_of_all_that_is_bundled_are_there(repository: Path, static: Path):
    import json

    wanted = json.loads((repository / "console/package.json").read_text(encoding="utf-8"))["dependencies"]
    notices = (static / "notices.txt").read_text(encoding="utf-8")

    for name, version in wanted.items():
        assert f"{name} {version} (" in notices
    assert notices.count("Permission is hereby granted") == len(wanted)


def test_the_committed_files_are_what_the_sources_build(repository: Path, static: Path, tmp_path: Path):
    if shutil.which("npm") is None:
        pytest.skip("Node is not here; the page is built with it")
    copy = tmp_path / "console"
    shutil.copytree(repository / "console", copy, ignore=shutil.ignore_patterns("node_modules"))
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    installed = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=120, check=False)
    if installed.returncode:
        pytest.skip(f"npm ci: {installed.stderr[-300:]}")

    subprocess.run(["node", "build.mjs", str(tmp_path / "built")], cwd=copy, check=True, timeout=60)

    built = {path.name: path.read_bytes() for path in (tmp_path / "built").iterdir()}
    assert built == {path.name: path.read_bytes() for path in static.iterdir()}
