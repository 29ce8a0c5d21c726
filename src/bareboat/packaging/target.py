"""The machine that an artifact is made for."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Baseline:
    """What an image that is not Lambda's offers to native files.

    Args:
        name: as a person knows the image: `python:3.13-slim`.
        glibc: its version.
        libraries: the names of those that its loader finds.
        versions: the newest symbol versions of its C and C++ libraries, by family: ("GLIBCXX", (3, 4, 30)).
    """

    name: str
    glibc: tuple[int, int]
    libraries: frozenset[str]
    versions: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A Python version on a CPU and an operating system.

    Args:
        python: minor version, "3.13".
        architecture: in Lambda's words, "x86_64" or "arm64".
        system: "linux" for Lambda; "macos" and "windows" only for running on the host.
        image: the version whose Lambda image counts, where another Python stands in for it on this machine; "" is the
            same version.
        baseline: what the base image offers, where it is not Lambda's own.
        stands_in: the glibc of this machine, where what is made for it stands in for another CPU or Python: no wheel
            that loads here is refused then for the sake of an image that never sees it.
    """

    python: str
    architecture: Literal["x86_64", "arm64"]
    system: Literal["linux", "macos", "windows"] = "linux"
    image: str = ""
    baseline: Baseline | None = None
    stands_in: tuple[int, int] | None = None

    def __str__(self) -> str:
        stands_in = f" in place of python{self.image}" if self.image else ""
        within = f" in {self.baseline.name}" if self.baseline is not None else ""
        return f"python{self.python}{stands_in} on {self.system} {self.architecture}{within}"

    @property
    def machine(self) -> str:
        """The CPU in the words of wheels and file names: `x86_64` or `aarch64` (`arm64` on macOS)."""
        if self.architecture == "arm64" and self.system == "linux":
            return "aarch64"
        return self.architecture

    @property
    def glibc(self) -> tuple[int, int]:
        """The image's glibc. Lambda's: Amazon Linux 2 up to python3.11, Amazon Linux 2023 from python3.12."""
        if self.baseline is not None:
            return self.baseline.glibc
        image = self.image or self.python
        lambdas = (2, 34) if tuple(map(int, image.split("."))) >= (3, 12) else (2, 26)
        return max(lambdas, min(self.stands_in or lambdas, (2, 34)))


def host_target(python: str, *, image: str = "", architecture: str = "") -> Target:
    """Return the target that this machine can run, for a Python minor version such as "3.13".

    Args:
        image: the version that the function declares, when `python` stands in for it.
        architecture: the CPU that it declares; "" is this machine's.
    """
    machine = platform.machine().lower()
    here: Literal["x86_64", "arm64"] = "arm64" if machine in {"arm64", "aarch64"} else "x86_64"
    system: Literal["linux", "macos", "windows"] = (
        "macos" if sys.platform == "darwin" else "windows" if sys.platform == "win32" else "linux"
    )
    other = (architecture or here, image or python) != (here, python)
    return Target(
        python=python,
        architecture=here,
        system=system,
        image="" if image == python else image,
        stands_in=host_glibc() if other and system == "linux" else None,
    )


def host_glibc() -> tuple[int, int] | None:
    """Return this machine's glibc; None where it has none."""
    name, version = platform.libc_ver()
    numbers = version.split(".")[:2]
    return (int(numbers[0]), int(numbers[1])) if name == "glibc" and all(map(str.isdigit, numbers)) else None
