"""What a person asks of a container -> the engine's command, which takes over this process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from bareboat.container.engine import Engine
from bareboat.errors import ConfigurationError, LocalError

_CDI_FOLDERS = ("/etc/cdi", "/var/run/cdi")
_DEVICES = re.compile(r"device=([\w.:-]+(?:,[\w.:-]+)*)")


@dataclass(frozen=True, slots=True)
class Run:
    """How to run an image.

    Args:
        command: what to run in it, in place of what the image says.
        ports: HOST:CONTAINER, as docker has them.
        mounts: SOURCE:TARGET[:ro], as docker has them; a source that begins with `.` or `~` is a path from here.
        variables: NAME=VALUE, or NAME to pass ours on.
        gpus: `all`, a number, or `device=0,1`; "" for none.
        detached: in the background.
        disposable: nothing is left of the container once it has ended.
        interactive, terminal: pass stdin on; make a terminal.
        more: options of the engine's own `run`.
    """

    command: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    gpus: str = ""
    name: str = ""
    detached: bool = False
    disposable: bool = True
    interactive: bool = False
    terminal: bool = False
    more: tuple[str, ...] = ()


def run_command(engine: Engine, image: str, run: Run) -> list[str]:
    """Return the command that runs an image.

    Args:
        image: by the engine's name for it.
    Raises:
        ConfigurationError: a mount's source is not there, or the GPUs are named in a way that nobody knows.
        LocalError: podman knows no GPU.
    """
    words = [*engine.command, "run"]
    words += ["--detach"] * run.detached + ["--rm"] * run.disposable
    words += ["--interactive"] * run.interactive + ["--tty"] * run.terminal
    words += [f"--name={run.name}"] * bool(run.name)
    words += [f"--publish={port}" for port in run.ports]
    words += [f"--volume={_mount(mount)}" for mount in run.mounts]
    words += [f"--env={variable}" for variable in run.variables]
    words += _gpu_options(engine, run.gpus) if run.gpus else []
    return [*words, *run.more, image, *run.command]


def run_detached(engine: Engine, words: Sequence[str]) -> str:
    """Run the command of `run_command` in the background; leave nothing of a container that does not start.

    Returns:
        The container's id.
    Raises:
        LocalError: the engine refuses, in its own words.
    """
    with TemporaryDirectory(prefix="bareboat-") as folder:
        place = Path(folder) / "id"  # the engine writes it once the container is made
        start = len(engine.command) + 1
        try:
            return engine.tell(*words[start - 1 : start], f"--cidfile={place}", *words[start:])
        except LocalError:
            made = place.read_text().strip() if place.is_file() else ""
            if made:
                engine.ask("rm", "--force", made)
            raise


def exec_command(
    engine: Engine,
    container: str,
    command: Sequence[str],
    *,
    variables: Sequence[str] = (),
    interactive: bool = False,
    terminal: bool = False,
) -> list[str]:
    """Return the command that runs another program in a container that runs."""
    words = [*engine.command, "exec"] + ["--interactive"] * interactive + ["--tty"] * terminal
    return [*words, *(f"--env={variable}" for variable in variables), container, *command]


def hand_over(command: Sequence[str]) -> NoReturn:
    """Become a command: the terminal, signals and the exit code are its own from here on.

    Raises:
        LocalError: it does not start.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform == "win32":
        raise SystemExit(subprocess.call(command))
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and a program would go on ignoring them
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvp(command[0], list(command))  # noqa: S606 - no shell
    except OSError as error:
        raise LocalError(f"{command[0]} does not start: {error.strerror}") from error


def has_nvidia_driver() -> bool:
    """Tell whether this machine shows a driver of NVIDIA's, its own or that of Windows below it."""
    return any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/dxg"))


def _mount(text: str) -> str:
    source, colon, rest = text.partition(":")
    if not colon or not source.startswith((".", "~")):
        return text
    place = Path(source).expanduser().absolute()
    if not place.exists():
        raise ConfigurationError(
            f"--volume {text}: {source} is not there", expected="a file or folder", fix=f"mkdir -p {source}"
        )
    return f"{os.path.normpath(place)}:{rest}"


def _gpu_options(engine: Engine, gpus: str) -> list[str]:
    devices = _DEVICES.fullmatch(gpus)
    if gpus != "all" and not gpus.isdigit() and devices is None:
        raise ConfigurationError(f"--gpus {gpus} is not known", expected="all, a number of GPUs, or device=0,1")
    if engine.kind != "podman":
        return [f"--gpus={gpus}" if devices is None else f'--gpus="{gpus}"']  # docker reads it as a line of CSV
    if engine.platform.os == "linux" and sys.platform == "linux" and not _has_cdi():
        raise LocalError(
            "podman knows no GPU of this machine",
            expected=f"a CDI specification of nvidia.com/gpu in {' or '.join(_CDI_FOLDERS)}",
            fix="sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml (of nvidia-container-toolkit)",
        )
    if devices is not None:
        wanted = devices[1].split(",")
    else:
        wanted = ["all"] if gpus == "all" else [str(number) for number in range(int(gpus))]
    return [f"--device=nvidia.com/gpu={one}" for one in wanted]


def _has_cdi() -> bool:
    for folder in _CDI_FOLDERS:
        for suffix in ("yaml", "yml", "json"):
            for file in Path(folder).glob(f"*.{suffix}"):
                try:
                    if "nvidia.com/gpu" in file.read_text(errors="replace"):
                        return True
                except OSError:
                    continue
    return False
