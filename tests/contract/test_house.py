"""The promises that the source makes about itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_imports_point_down(repository: Path) -> None:
    lint = Path(sys.executable).with_name("lint-imports")

    result = subprocess.run([lint, "--no-cache"], cwd=repository, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout + result.stderr


def test_importing_bareboat_imports_nothing_else() -> None:
    program = "import sys; before = set(sys.modules); import bareboat; print(*sorted(set(sys.modules) - before))"

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert loaded == ["bareboat"]


def test_every_public_name_of_bareboat_exists() -> None:
    import bareboat

    assert all(getattr(bareboat, name) is not None for name in bareboat.__all__)
