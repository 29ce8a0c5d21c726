"""bareboat's own side of the benchmarks: projects, archives made by its command line, versions."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import harness
import peers
import seed

BAREBOAT = [sys.executable, "-m", "bareboat"]


@dataclass
class Built:
    """An archive of bareboat: where it is, the handler string Lambda gets, the Python it is for."""

    path: Path
    handler: str
    python: str


def project(kind: str, *, name: str = "") -> Path:
    """Write the seed project for bareboat: `handler` (the very files of the peers) or `model` (no code)."""
    place = peers.folder() / "projects" / (name or f"bareboat-{kind}")
    if kind == "model":
        return seed.write_project(place, {"serverless.yml": seed.MODEL_SERVICE})
    return seed.write_project(
        place, {"serverless.yml": seed.SERVICE, "handler.py": seed.HANDLER, "requirements.txt": seed.requirements()}
    )


def package(place: Path, *, cache: Path | None = None) -> Path:
    """Run `bareboat package`; return the one archive it made.

    Args:
        place: the project.
        cache: bareboat's own cache folder, instead of the user's. Downloads stay where uv keeps them.

    Raises:
        harness.RowError: the command failed, or made none.
    """
    command = [*BAREBOAT, "package", "--json"]
    src = str(harness.REPOSITORY / "src")  # for environments that bareboat is not installed into
    env = harness.environment(PYTHONPATH=src, **({"BAREBOAT_CACHE_DIR": str(cache)} if cache else {}))
    done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise harness.RowError(f"bareboat package: exit {done.returncode}: {done.stderr[-400:]}")
    archives = [Path(entry["artifact"]) for entry in json.loads(done.stdout)]
    if len(archives) != 1:
        raise harness.RowError(f"bareboat package made {len(archives)} archives instead of one")
    return place / archives[0]


def bareboat_artifact(kind: str, *, name: str = "") -> Built:
    """Package the project of this kind for the host's Lambda, from the files as they are now."""
    path = package(project(kind, name=name))
    handler = "handler.predict" if kind == "handler" else "bareboat.runtime.handler.handle"
    return Built(path, handler, "3.12")


def body_of(answer: bytes) -> str:
    """Take the body out of a Lambda answer; an answer of another shape comes back whole, to be shown."""
    try:
        found = json.loads(answer)
        if found["statusCode"] == 200:
            return str(found["body"])
    except (ValueError, KeyError, TypeError):
        pass
    return answer.decode(errors="replace")


def versions(*names: str) -> dict[str, str]:
    """Tell the versions of this run: bareboat's checkout and Python, then the peers asked for."""
    pins = dict(pin.rpartition("==")[::2] for pins in [*peers.VENVS.values(), *peers.TREES.values()] for pin in pins)
    pins |= dict(pin.rpartition("@")[::2] for pins in peers.NODE.values() for pin in pins)
    pins |= dict(pin.rpartition("@")[::2] for pin in peers.NODE["osls"])
    found = {"bareboat": harness.bareboat_version(), "Python": sys.version.split()[0]}
    for name in names:
        try:
            found[name] = pins[name]
        except KeyError:
            found[name] = importlib.metadata.version(name)
    return found
