"""Real parts for images: a registry on loopback, a root file system of Debian's packages, a home of its own."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE_S = 20.0
BASE_PACKAGES = "base-files,busybox-static,ca-certificates,python3-minimal"


@dataclass(frozen=True)
class RealRegistry:
    """Debian's docker-registry.

    Args:
        host: `127.0.0.1:PORT`, as references have it.
        storage: the folder that it keeps blobs in.
        log: what it writes, every request with its status.
    """

    host: str
    storage: Path
    log: Path


@contextmanager
def running_registry(program: str, folder: Path, *, more: str = "") -> Iterator[RealRegistry]:
    """Start a registry on a free port of 127.0.0.1.

    Args:
        more: further lines of its configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "config.yml"
    configuration.write_text(
        "version: 0.1\nlog: {level: info}\n"
        f"storage:\n  filesystem: {{rootdirectory: {folder / 'storage'}}}\n  delete: {{enabled: true}}\n{more}"
        "http: {addr: '127.0.0.1:0', secret: for-these-tests}\n"
    )
    log = folder / "log"
    with log.open("wb") as file:
        server = subprocess.Popen([program, "serve", str(configuration)], stdout=file, stderr=file, cwd=folder)
    try:
        yield RealRegistry(f"127.0.0.1:{_port(log, server)}", folder / "storage", log)
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()


def _port(log: Path, server: subprocess.Popen[bytes]) -> int:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        said = re.search(r"listening on 127\.0\.0\.1:(\d+)", log.read_text())
        if said:
            return int(said[1])
        assert server.poll() is None, log.read_text()
        time.sleep(0.02)
    raise AssertionError(f"docker-registry does not say where it listens: {log.read_text()}")


@pytest.fixture(scope="session")
def registry(system_command: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry that anybody may write to."""
    with running_registry(system_command("docker-registry"), tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="session")
def base_tar(system_command: Callable[[str], str]) -> Path:
    """A root file system of Debian with Python and busybox, made of packages once for all processes and sessions.

    The packages come from where this machine's own apt gets them. They are unpacked and not configured, which takes
    seconds and is enough to run what is in them.
    """
    mmdebstrap = system_command("mmdebstrap")
    place = Path(tempfile.gettempdir()) / f"bareboat-tests-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    assert place.stat().st_uid == os.getuid()
    made = place / "base.tar"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            part = place / f"{os.getpid()}.tar"
            lists = [line for line in _apt_sources() if line]
            if not lists:
                pytest.skip("not on this machine: a mirror of Debian in apt's sources")
            subprocess.run(
                [mmdebstrap, "--quiet", "--variant=extract", f"--include={BASE_PACKAGES}", _codename(), part, "-"],
                input="\n".join(lists).encode(),
                check=True,
                capture_output=True,
            )
            part.replace(made)
    return made


def _codename() -> str:
    said = re.search(r'^VERSION_CODENAME="?(\w+)', Path("/etc/os-release").read_text(), re.MULTILINE)
    assert said is not None
    return said[1]


def _apt_sources() -> list[str]:
    """Return where apt gets Debian from, as lines of sources.list."""
    wanted = "$(REPO_URI) $(CODENAME) $(COMPONENT)"
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", wanted, "Created-By: Packages", "Origin: Debian"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return sorted({f"deb {line}" for line in listed.splitlines() if line.split()[1].startswith(_codename())})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home without any credentials, images or settings."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
    monkeypatch.setenv("BAREBOAT_DATA_DIR", str(folder / "data"))
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_CONFIG_HOME", "BAREBOAT_ENGINE", "BAREBOAT_ENGINE_ARGS"):
        monkeypatch.delenv(name, raising=False)
    return folder


def copy_of_a_real_registrys_blob(storage: Path, digest: str) -> Path:
    """Return where Docker's registry keeps a blob: docker/registry/v2/blobs/sha256/ab/abcd…/data."""
    kind, _, digits = digest.partition(":")
    return storage / "docker" / "registry" / "v2" / "blobs" / kind / digits[:2] / digits / "data"


def forget(folder: Path) -> None:
    """Remove a folder of an engine, mounts and all that is read-only included."""
    shutil.rmtree(folder, ignore_errors=True)
