"""bareboat's own side of the benchmarks: projects, archives made by its command line, versions."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import harness
import peers
import seed

BAREBOAT = [sys.executable, "-m", "bareboat"]


@dataclass
class Built:
    """An archive of bareboat: where it is, the handler string Lambda gets, the Python it is for, its layers."""

    path: Path
    handler: str
    python: str
    layers: tuple[Path, ...] = ()


def project(kind: str, *, name: str = "") -> Path:
    """Write the seed project for bareboat, with a sample event.

    Args:
        kind: `handler` (the very files of the peers), `layers` (its packages in a layer), or `model` (no code).
    """
    place = peers.folder() / "projects" / (name or f"bareboat-{kind}")
    event = {"event.json": seed.event().decode()}
    if kind == "model":
        return seed.write_project(place, {"serverless.yml": seed.MODEL_SERVICE, **event})
    service = seed.SERVICE.replace("handler.predict\n", "handler.predict\n    samples: event.json\n")
    if kind == "layers":
        layer = "custom: {pythonRequirements: {layer: true}}\n"
        service = (
            service.replace("    samples", "    layers: [{Ref: PythonRequirementsLambdaLayer}]\n    samples") + layer
        )
    files = {"serverless.yml": service, "handler.py": seed.HANDLER, "requirements.txt": seed.requirements()}
    return seed.write_project(place, {**files, **event})


def package_command(slim: str = "") -> list[str]:
    """Return the command that packages the project in the working directory."""
    return [*BAREBOAT, "package", "--json", *(["--slim", slim] if slim else [])]


def package_env(cache: Path | None = None) -> dict[str, str]:
    """Set what the command runs in.

    Args:
        cache: bareboat's own cache folder, instead of the user's. Downloads stay where uv keeps them.
    """
    src = str(harness.REPOSITORY / "src")  # for environments that bareboat is not installed into
    return harness.environment(PYTHONPATH=src, **({"BAREBOAT_CACHE_DIR": str(cache)} if cache else {}))


def package(place: Path) -> Path:
    """Run `bareboat package`; return the one archive it made; raises as `packaged` does."""
    return packaged(place)[0]


def packaged(place: Path, *, slim: str = "", cache: Path | None = None) -> tuple[Path, ...]:
    """Run `bareboat package`; return the archive that it made, then its layers.

    Raises:
        harness.RowError: the command failed, or made more than one archive.
    """
    done = subprocess.run(
        package_command(slim), cwd=place, env=package_env(cache), capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise harness.RowError(f"bareboat package: exit {done.returncode}: {done.stderr[-400:]}")
    return made_of(place, json.loads(done.stdout))


def made_of(place: Path, document: list[dict[str, Any]]) -> tuple[Path, ...]:
    """Return the archive and the layers that `package --json` tells of.

    Raises:
        harness.RowError: there is no archive, or more than one.
    """
    archives = [place / entry["artifact"] for entry in document if "layer" not in entry]
    if len(archives) != 1:
        raise harness.RowError(f"bareboat package made {len(archives)} archives instead of one")
    return (*archives, *(place / entry["artifact"] for entry in document if "layer" in entry))


def bareboat_artifact(kind: str, *, slim: str = "", name: str = "") -> Built:
    """Package the project of this kind for the host's Lambda, from the files as they are now."""
    path, *layers = packaged(project(kind, name=name), slim=slim)
    handler = "bareboat.runtime.handler.handle" if kind == "model" else "handler.predict"
    return Built(path, handler, "3.12", tuple(layers))


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
