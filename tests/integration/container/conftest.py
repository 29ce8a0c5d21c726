"""Real parts for images: a registry on loopback, a root file system of Debian's packages, a home of its own."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import random
import re
import signal
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from bareboat.container.documents import CONFIG, INDEX, LAYER, MANIFEST, Descriptor, Index, Platform, new_manifest
from bareboat.container.layout import Layout

PATIENCE_S = 20.0
BASE_PACKAGES = "base-files,busybox-static,ca-certificates,dash,libstdc++6,python3-pip"


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
def running() -> Any:
    """Start a registry of one's own: `with running(program, folder, more=...) as registry`."""
    return running_registry


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
    made = place / "base-with-pip.tar"  # another name for other packages
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            part = place / f"{os.getpid()}.tar"
            lists = _apt_sources()
            words = [mmdebstrap, "--quiet", "--variant=extract", f"--include={BASE_PACKAGES}", _codename(), part]
            subprocess.run(
                [*words, "-"] if lists else words,  # without lists from where mmdebstrap gets Debian by itself
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
    (folder / "run").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
    monkeypatch.setenv("BAREBOAT_DATA_DIR", str(folder / "data"))
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_CONFIG_HOME", "BAREBOAT_ENGINE", "BAREBOAT_ENGINE_ARGS"):
        monkeypatch.delenv(name, raising=False)
    return folder


@dataclass(frozen=True)
class Made:
    """An image of random layers in a layout of its own."""

    layout: Layout
    image: Descriptor
    layers: tuple[Descriptor, ...]
    config: Descriptor


def make_image(
    folder: Path, sizes: Sequence[int] = (1_000,), *, architecture: str = "amd64", base: str = "", seed: int = 0
) -> Made:
    """Make an image with layers of so many random bytes.

    Args:
        base: the annotation that says what it was made from.
    """
    layout = Layout.create(folder)
    layers, digests = [], []
    for number, size in enumerate(sizes):
        payload = random.Random(f"{seed} {number} {size}").randbytes(size)
        page = io.BytesIO()
        with tarfile.open(fileobj=page, mode="w") as tar:
            info = tarfile.TarInfo(f"file-{number}")
            info.size = size
            tar.addfile(info, io.BytesIO(payload))
        layers.append(layout.add_blob(page.getvalue(), LAYER))
        digests.append("sha256:" + hashlib.sha256(page.getvalue()).hexdigest())
    says = {
        "architecture": architecture,
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": digests},
    }
    config = layout.add_document(says, CONFIG)
    annotations = {"org.opencontainers.image.base.name": base} if base else {}
    image = layout.add_document(new_manifest(config, layers, annotations), MANIFEST)
    return Made(layout, image, tuple(layers), config)


def make_index(folder: Path, architectures: Sequence[str] = ("amd64", "arm64"), size: int = 500) -> Made:
    """Make an image for several machines."""
    made = [make_image(folder, (size,), architecture=one, seed=seed) for seed, one in enumerate(architectures)]
    images = tuple(
        msgspec.structs.replace(one.image, platform=Platform(name, "linux"))
        for one, name in zip(made, architectures, strict=True)
    )
    index = made[0].layout.add_document(Index(2, images, INDEX), INDEX)
    return Made(made[0].layout, index, made[0].layers, made[0].config)


@pytest.fixture
def image(tmp_path: Path) -> Callable[..., Made]:
    """Make an image of random layers: `image(sizes=(1_000, 5_000_000))`."""
    return lambda *args, **settings: make_image(tmp_path / "layout", *args, **settings)


@pytest.fixture
def index(tmp_path: Path) -> Callable[..., Made]:
    """Make an image for several machines."""
    return lambda *args, **settings: make_index(tmp_path / "layout", *args, **settings)


@pytest.fixture(scope="session")
def cutting_proxy(load_file: Callable[[Path], ModuleType]) -> Any:
    """The proxy that cuts connections: `with cutting_proxy(host, up=(1_000,)) as proxy`."""
    return load_file(Path(__file__).with_name("cutting.py")).CuttingProxy


@pytest.fixture(scope="session")
def small_registry(load_file: Callable[[Path], ModuleType]) -> Any:
    """The registry that misbehaves when asked to: `with small_registry(login="a:b") as state`."""
    return load_file(Path(__file__).with_name("small_registry.py")).SmallRegistry
