"""The git commit that a folder is at."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple


class Commit(NamedTuple):
    """A commit: its hash, "" outside of git, and whether files that it holds were changed since."""

    id: str = ""
    dirty: bool = False


def commit_of(folder: Path) -> Commit:
    """Return the commit of a folder; an empty one where there is no git, or no commit yet."""
    found = _git(folder, "rev-parse", "HEAD")
    return (
        Commit(found, bool(_git(folder, "status", "--porcelain", "--untracked-files=no", "."))) if found else Commit()
    )


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
