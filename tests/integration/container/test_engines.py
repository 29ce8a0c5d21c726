"""Images in a real engine: podman with runc, as far as this machine lets it run, and docker without a daemon."""

from __future__ import annotations

import json
import os
import platform
import select
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bareboat.container.documents import CONFIG, LAYER, MANIFEST, Descriptor, new_manifest
from bareboat.container.push import push
from bareboat.container.store import Store

# What a machine without limits of its own to raise and without cgroups v2 needs; runc since crun refuses cgroups v1.
ENGINE_ARGS = "--network=host --ulimit=nofile=1000:1000 --ulimit=nproc=1000:1000"
PATIENCE_S = 30.0
BAREBOAT = (sys.executable, "-m", "bareboat", "image")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, base_tar: Path) -> Path:
    """A store that has deb:1, Debian with Python, and box:1, its busybox alone."""
    folder = tmp_path_factory.mktemp("data")
    box = folder / "box.tar"
    with tarfile.open(base_tar) as whole, tarfile.open(box, "w") as tar:
        program = whole.getmember("./bin/busybox")
        tar.addfile(program, whole.extractfile(program))
        for name in ("sh", "cat", "echo", "sleep", "true"):
            link = tarfile.TarInfo(f"./bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    with Store.open(folder).adding() as layout:
        for name, tar_file, command in (
            ("deb:1", base_tar, ["python3", "-c", "print('by itself')"]),
            ("box:1", box, ["echo", "by itself"]),
        ):
            with tar_file.open("rb") as file:
                layer = layout.add_blob(file, LAYER)
            says = {
                "architecture": _architecture(),
                "os": "linux",
                "config": {"Env": ["PATH=/usr/bin:/bin", "FROM_IMAGE=yes"], "Cmd": command},
                "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
            }
            config = layout.add_document(says, CONFIG)
            layout.tag(name, layout.add_document(new_manifest(config, [layer]), MANIFEST))
    return folder


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


@pytest.fixture(scope="module")
def short_folder() -> Iterator[Path]:
    """A folder for an engine's state, which has sockets in it: podman takes no path of more than 50 characters."""
    with tempfile.TemporaryDirectory(prefix="bb-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def podman(system_command: Callable[[str], str], short_folder: Path) -> Iterator[str]:
    """podman as a command with flags: a storage of its own, runc, no systemd."""
    program, runc = system_command("podman"), system_command("runc")
    folder = short_folder
    for driver in ("overlay", "vfs"):  # overlay copies nothing, where the file system below takes it
        storage = f"--root {folder / driver} --runroot {folder / 'run'} --tmpdir {folder / 'tmp'}"
        command = f"{program} {storage} --storage-driver {driver} --cgroup-manager cgroupfs --runtime {runc}"
        if subprocess.run([*command.split(), "info"], capture_output=True, check=False).returncode == 0:
            break
    yield command
    subprocess.run([*command.split(), "rm", "--all", "--force", "--time=0"], capture_output=True, check=False)


@pytest.fixture
def bareboat(
    data: Path, podman: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    monkeypatch.setenv("BAREBOAT_DATA_DIR", str(data))
    monkeypatch.setenv("BAREBOAT_ENGINE", podman)
    monkeypatch.setenv("BAREBOAT_ENGINE_ARGS", ENGINE_ARGS)

    def call(*words: str, text: str = "", **settings: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*BAREBOAT, *words], input=text, capture_output=True, text=True, check=False, timeout=120, **settings
        )  # type: ignore[call-overload, no-any-return]

    return call


def test_an_image_runs_with_its_own_command_and_leaves_nothing(bareboat, podman: str) -> None:
    ran = bareboat("run", "deb:1")  # Python of Debian's packages

    assert (ran.returncode, ran.stdout) == (0, "by itself\n"), ran.stderr
    assert subprocess.check_output([*podman.split(), "ps", "-aq"]) == b""


def test_command_mounts_variables_stdin_and_exit_code_are_passed_on(bareboat, tmp_path: Path) -> None:
    (tmp_path / "given.txt").write_text("from here")
    program = "cat /data/given.txt; echo; echo $A; cat; exit 7"

    words = ("run", "-i", "-v", "./:/data:ro", "-e", "A=b c", "box:1", "--", "sh", "-c", program)
    ran = bareboat(*words, text="piped", cwd=tmp_path)

    assert (ran.returncode, ran.stdout) == (7, "from here\nb c\npiped"), ran.stderr


def test_signals_reach_the_program(bareboat) -> None:
    program = "trap 'exit 42' TERM; trap 'echo heard' USR1; echo up; while :; do sleep 0.05; done"

    child = subprocess.Popen([*BAREBOAT, "run", "box:1", "sh", "-c", program], stdout=subprocess.PIPE, bufsize=0)
    assert child.stdout is not None
    with child:
        said = child.stdout.readline()
        until = time.monotonic() + PATIENCE_S  # podman passes signals on some time after the program's start
        while not select.select([child.stdout], [], [], 0.1)[0] and time.monotonic() < until:
            child.send_signal(signal.SIGUSR1)  # which podman by itself does not end on
        said += child.stdout.readline()
        child.send_signal(signal.SIGTERM)
        code = child.wait(PATIENCE_S)

    assert (said, code) == (b"up\nheard\n", 42)


def test_a_container_in_the_background_is_told_and_entered(bareboat, podman: str) -> None:
    name = f"bareboat-{os.getpid()}-{time.monotonic_ns()}"

    started = bareboat("run", "--json", "-d", "--name", name, "box:1", "sleep", "60")
    inside = bareboat("exec", "-e", "X=1", name, "--", "sh", "-c", "echo $X $FROM_IMAGE; exit 5")
    again = bareboat("run", "-d", "--name", name, "box:1")
    subprocess.run([*podman.split(), "rm", "--force", "--time=0", name], check=True, capture_output=True)
    gone = bareboat("exec", name, "true")

    told = json.loads(started.stdout)
    assert (told["name"], told["engine"], len(told["container"])) == (name, "podman", 64)
    assert f"bareboat image exec {name} -- sh" in started.stderr
    assert (inside.returncode, inside.stdout) == (5, "1 yes\n"), inside.stderr
    assert again.returncode == 1
    assert "another --name, or remove the container that has it" in again.stderr
    assert gone.returncode == 125
    assert "no such container" in gone.stderr


def test_nothing_is_left_of_a_container_that_does_not_start(bareboat, podman: str) -> None:
    name = f"bareboat-{os.getpid()}-{time.monotonic_ns()}"

    refused = bareboat("run", "-d", "--name", name, "--engine-arg=--user=nobody-here", "box:1", "sleep", "60")
    there = subprocess.check_output([*podman.split(), "ps", "--all", "--quiet", "--filter", f"name={name}"])

    assert refused.returncode == 1
    assert "nobody-here" in refused.stderr
    assert there == b""


def test_an_image_is_loaded_once_and_again_when_it_changed(bareboat, data: Path, podman: str) -> None:
    store = Store.open(data)
    bareboat("run", "box:1", "true")
    seen = _loads(podman)
    second = bareboat(
        "run", "-v", "/nowhere-at-all:/x", "box:1", "true"
    )  # podman refuses, after the load it did not do
    store.tag("moved:1", _other(store))

    changed = bareboat("run", "moved:1")
    store.tag("moved:1", store.get("box:1"))
    back = bareboat("run", "moved:1")

    assert second.returncode == 125
    assert len(_loads(podman)) == len(seen) + 1
    assert (changed.stdout, back.stdout) == ("changed\n", "by itself\n")


def _loads(podman: str) -> list[str]:
    words = [*podman.split(), "images", "--quiet", "--no-trunc"]
    return sorted(set(subprocess.check_output(words, text=True).split()))


def _other(store: Store) -> Descriptor:
    """Store the image with another command."""
    with store.adding() as layout:
        manifest = layout.manifest(store.get("box:1"))
        says = layout.config(manifest)
        says["config"]["Cmd"] = ["echo", "changed"]
        return layout.add_document(new_manifest(layout.add_document(says, CONFIG), manifest.layers), MANIFEST)


def test_podman_pulls_and_runs_what_was_pushed(registry, data: Path, podman: str) -> None:
    store = Store.open(data)
    push(store.layout, store.get("box:1"), f"{registry.host}/run/by-podman:1")

    words = [*podman.split(), "run", "--rm", "--tls-verify=false", *ENGINE_ARGS.split()]
    ran = subprocess.run(
        [*words, f"{registry.host}/run/by-podman:1", "echo", "42"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stdout) == (0, "42\n"), ran.stderr


def test_buildah_builds_on_what_was_pushed_and_we_pull_its_image(
    registry, data: Path, bareboat, system_command: Callable[[str], str], tmp_path: Path, short_folder: Path
) -> None:
    buildah = system_command("buildah")
    store = Store.open(data)
    push(store.layout, store.get("box:1"), f"{registry.host}/base/box:1")
    (tmp_path / "Dockerfile").write_text(f"FROM {registry.host}/base/box:1\nRUN echo built > /made\nCMD cat /made\n")
    storage = ["--root", str(short_folder / "b"), "--runroot", str(short_folder / "c"), "--storage-driver", "vfs"]
    name = f"{registry.host}/of/buildah:1"

    for words in (
        ["bud", "--isolation", "chroot", "--tls-verify=false", "-t", name, str(tmp_path)],
        ["push", "--tls-verify=false", name],
    ):
        done = subprocess.run([buildah, *storage, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    pulled = bareboat("pull", name, "--json")
    ran = bareboat("run", name)

    assert json.loads(pulled.stdout)["platforms"] == [f"linux/{_architecture()}"]
    assert (ran.returncode, ran.stdout) == (0, "built\n"), ran.stderr


def test_what_was_built_here_runs_here_and_from_the_registry(registry, bareboat, podman: str, tmp_path: Path) -> None:
    (tmp_path / "main.sh").write_text('echo "$FROM_IMAGE $@"\n')
    (tmp_path / "image.yml").write_text(
        "name: built:1\nbase: box:1\nrequirements: []\nfiles: [main.sh]\nentrypoint: [sh, main.sh]\n"
    )

    built = bareboat("build", cwd=tmp_path)
    here = bareboat("run", "built:1", "--", "a", "b")
    pushed = bareboat("push", "built:1", f"{registry.host}/built/here:1")
    words = [*podman.split(), "run", "--rm", "--tls-verify=false", *ENGINE_ARGS.split(), pushed.stdout.strip(), "c"]
    there = subprocess.run(words, capture_output=True, text=True, check=False)

    assert built.returncode == 0, built.stderr
    assert (here.returncode, here.stdout) == (0, "yes a b\n"), here.stderr
    assert (there.returncode, there.stdout) == (0, "yes c\n"), there.stderr


def test_gpus_without_a_specification_are_told_before_anything_is_loaded(bareboat) -> None:
    if any(Path(folder).exists() for folder in ("/etc/cdi", "/var/run/cdi")):
        pytest.skip("this machine has CDI specifications")

    ran = bareboat("run", "--gpus", "all", "box:1")

    assert ran.returncode == 1
    assert "podman knows no GPU of this machine" in ran.stderr
    assert "nvidia-ctk cdi generate" in ran.stderr


def test_docker_without_a_daemon_says_so_in_its_own_words_with_our_fix(bareboat, tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    said = "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?"
    docker.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    docker.chmod(0o755)

    ran = bareboat("run", "--engine", str(docker), "box:1")

    assert ran.returncode == 1
    assert "docker refuses: Cannot connect to the Docker daemon" in ran.stderr
    assert "systemctl start docker" in ran.stderr


def test_without_an_engine_what_to_install_is_told(bareboat, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BAREBOAT_ENGINE")

    ran = bareboat("run", "box:1")

    assert ran.returncode == 1
    assert "no container engine is on this machine" in ran.stderr
    assert "apt install podman" in ran.stderr
