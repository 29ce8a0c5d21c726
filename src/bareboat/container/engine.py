"""docker or podman on this machine -> Engine: found, asked whether it answers, told what to do.

bareboat builds, pushes and pulls without one; it is needed to run.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bareboat.container.documents import Platform
from bareboat.errors import ConfigurationError, LocalError

KNOWN = ("docker", "podman")
_INSTALL = "install podman (apt install podman, dnf install podman) or docker (docs.docker.com/engine/install)"
_ASK = {  # what makes an engine tell the machine that its containers run on
    "docker": ("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"),
    "podman": ("info", "--format", "{{.Host.OS}}/{{.Host.Arch}}"),
}
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers.

    Args:
        kind: docker, or podman. What calls itself otherwise is taken for a docker (nerdctl).
        command: its name or path, and flags of its own that stand before every command.
        platform: the machine that its containers run on; not this one where the engine is remote or in a VM.
    """

    kind: str
    command: tuple[str, ...]
    platform: Platform

    def ask(self, *arguments: str) -> str | None:
        """Run one of its commands and return what it says; None when it refuses."""
        ended = _run((*self.command, *arguments))
        return ended.stdout.decode(errors="replace").strip() if ended.returncode == 0 else None

    def tell(self, *arguments: str) -> str:
        """Run one of its commands and return what it says.

        Raises:
            LocalError: it refuses, in its own words.
        """
        ended = _run((*self.command, *arguments))
        if ended.returncode:
            raise refused(self.command[0], ended.stderr)
        return ended.stdout.decode(errors="replace").strip()

    def image_name(self, name: str, digest: str) -> str:
        """Return the name to give an image here: podman finds names without a registry below localhost/."""
        if not name or "@" in name:
            name = f"localhost/bareboat:{digest.partition(':')[2][:12]}"
        first = name.partition("/")[0]
        is_plain = "/" not in name or not ("." in first or ":" in first or first == "localhost")
        return f"localhost/{name}" if self.kind == "podman" and is_plain else name


def find_engine(said: str | None = None) -> Engine:
    """Return the engine that was named, else the first of docker and podman that answers.

    Args:
        said: a name or path, and flags of its own: `podman --storage-driver vfs`; None also looks at BAREBOAT_ENGINE.
    Raises:
        LocalError: there is none, or the one that is named does not answer.
        ConfigurationError: the flags cannot be told apart.
    """
    said = said or os.environ.get("BAREBOAT_ENGINE") or None
    if said is not None:
        return _asked(_words(said))
    silent: LocalError | None = None
    for name in KNOWN:
        if shutil.which(name) is None:
            continue
        try:
            return _asked((name,))
        except LocalError as error:
            silent = silent or error
    raise silent or LocalError("no container engine is on this machine", expected="docker or podman", fix=_INSTALL)


def refused(program: str, stderr: bytes) -> LocalError:
    """Say what an engine said, and what helps where that is known."""
    said = stderr.decode(errors="replace").strip()
    lines = [line for line in said.splitlines() if line.strip()]
    words = "\n  ".join(lines[-5:]) or "it says nothing"
    fix = next((fix for sign, fix in _FIXES.items() if sign in said), "")
    return LocalError(f"{Path(program).name} refuses: {words.removeprefix('Error: ')}", fix=fix)


_FIXES = {
    "permission denied while trying to connect": "add yourself to the group docker (sudo usermod -aG docker $USER)",
    "Cannot connect to the Docker daemon": "start it (sudo systemctl start docker, or Docker Desktop), "
    "or take podman: --engine podman",
    "Cannot connect to Podman": "podman machine start",
    "setrlimit": "--engine-arg --ulimit=nofile=1000:1000",
    "is already in use": "another --name, or remove the container that has it",
    "could not select device driver": "install nvidia-container-toolkit and restart docker",
    "No such container": "the name of one that runs: docker ps, podman ps",
    "no such container": "the name of one that runs: docker ps, podman ps",
    "no container with name": "the name of one that runs: docker ps, podman ps",
}


def _words(said: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(said))
    except ValueError as error:
        raise ConfigurationError(f"the engine {said!r} is no command: {error}", expected="podman --flag ...") from error
    if not words:
        raise ConfigurationError("the engine is named by nothing", expected="docker or podman")
    return words


def _asked(command: Sequence[str]) -> Engine:
    if shutil.which(command[0]) is None:
        raise LocalError(f"there is no engine {command[0]}", expected="docker or podman on PATH", fix=_INSTALL)
    kind = "podman" if "podman" in Path(command[0]).name else "docker"
    ended = _run((*command, *_ASK[kind]))
    system, _, architecture = ended.stdout.decode(errors="replace").strip().partition("/")
    if ended.returncode or not architecture:
        raise refused(command[0], ended.stderr)
    return Engine(kind, tuple(command), Platform(architecture, system))


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired as error:
        raise LocalError(f"{command[0]} does not answer within {_PATIENCE_S:.0f} s", fix="restart it") from error
    except OSError as error:
        raise LocalError(f"{command[0]} does not start: {error.strerror}", fix=_INSTALL) from error
