"""Libraries that the Lambda image lacks and that may be passed on: taken from wheels on the package index.

The copy of the machine that builds is never used: it may need a newer glibc, and it differs from host to host. Each
wheel and each library is known by its sha256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bareboat.errors import PackagingError
from bareboat.packaging.cache import cache_folder, scratch_folder, write_whole
from bareboat.packaging.compile import python_args
from bareboat.packaging.target import Target
from bareboat.packaging.uv import run_uv

_GOMP_NOTICE = """\
{name} is the GNU Offloading and Multi Processing Runtime Library, part of GCC.
Copyright (C) Free Software Foundation, Inc.

It is free software under the GNU General Public License, version 3, with the GCC Runtime Library Exception,
version 3.1. The exception lets a program that uses the library be passed on under terms of its own.
Licences: https://www.gnu.org/licenses/gpl-3.0.html and https://www.gnu.org/licenses/gcc-exception-3.1.html
Source code: https://gcc.gnu.org (directory libgomp; symbol versions up to GOMP_5.0)

This copy was compiled by the manylinux project and comes unchanged out of the wheel {wheel},
where it is called {member}. Its sha256 is {sha256}.
"""


@dataclass(frozen=True, slots=True)
class Copy:
    """One library for one CPU, in a wheel.

    Args:
        requirement: name and version of the package that carries it.
        wheel_sha256, sha256: of the wheel, of the library.
        member: the library's path once the wheel is installed.
        python, platform: for which the wheel is taken; the library itself does not depend on them.
    """

    requirement: str
    wheel_sha256: str
    member: str
    sha256: str
    python: str
    platform: str


# pykdtree is a small package (wheels of about 0.5 MB) that carries libgomp for both CPUs; its copies need glibc 2.17.
COPIES = {
    ("libgomp.so.1", "x86_64"): Copy(
        "pykdtree==1.4.3",
        "44d2e1b6a3d02b5cf9646bf754931fdacb869cefd328242766e1dc0be909cca1",
        "pykdtree.libs/libgomp-870cb1d0.so.1.0.0",
        "4dae993cb6da9101fc2cfef827306dd03b892011d2e2789c8e44828ca9f2583c",
        "3.11",
        "x86_64-manylinux_2_17",
    ),
    ("libgomp.so.1", "aarch64"): Copy(
        "pykdtree==1.4.3",
        "bd3a4454b8f86ce22f7b92b4bc53e309817b0d3602afff8c9a17fde1bd6dd3f0",
        "pykdtree.libs/libgomp-947d5fa1.so.1.0.0",
        "dc3231f8fd4cadc46d8659c3b8dd811ae33174749e86807f16f61ead6ee59bfd",
        "3.11",
        "aarch64-manylinux_2_17",
    ),
}


def is_redistributable(library: str, target: Target) -> bool:
    """Whether a copy of `library` (such as "libgomp.so.1") for the target is known."""
    return (library, target.machine) in COPIES


def redistributable(target: Target) -> list[str]:
    """Return the libraries of which a copy for the target is known."""
    return sorted(library for library, machine in COPIES if machine == target.machine)


def fetch_library(library: str, target: Target, on_step: Callable[[str], None]) -> tuple[bytes, str]:
    """Return the library for the target and the notice that goes with it.

    Args:
        on_step: told when it has to be fetched.
    Raises:
        PackagingError: it cannot be fetched, or what came is not what was pinned.
    """
    copy = COPIES[library, target.machine]
    kept = cache_folder("libraries") / f"{copy.sha256}-{library}"
    data = _read(kept)
    if data is None or hashlib.sha256(data).hexdigest() != copy.sha256:
        on_step(f"Fetching {library}")
        data = _fetch(copy, library, target)
        write_whole(kept, data)
    notice = _GOMP_NOTICE.format(
        name=library, wheel=copy.requirement.replace("==", " "), member=copy.member, sha256=copy.sha256
    )
    return data, notice


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _fetch(copy: Copy, library: str, target: Target) -> bytes:
    with scratch_folder(cache_folder("work")) as scratch:
        wanted = scratch / "requirements.txt"
        wanted.write_text(f"{copy.requirement} --hash=sha256:{copy.wheel_sha256}\n", encoding="utf-8")
        run_uv(
            ["pip", "install", "-r", str(wanted), "--target", str(scratch / "tree"), "--no-deps", "--require-hashes",
             "--only-binary", ":all:", "--python-version", copy.python, "--python-platform", copy.platform,
             "--link-mode", "hardlink", *python_args(target)],
            while_doing=f"fetching {library} for {target.machine} out of {copy.requirement}",
        )  # fmt: skip
        data = (scratch / "tree" / copy.member).read_bytes()
    if hashlib.sha256(data).hexdigest() != copy.sha256:
        raise PackagingError(
            f"{library} out of {copy.requirement} is not the file that was pinned", expected=f"sha256 {copy.sha256}"
        )
    return data


def origin(library: str, target: Target) -> str:
    """Return what a library comes from, for the manifest."""
    copy = COPIES[library, target.machine]
    return f"{copy.requirement}, {copy.member}, sha256 {copy.sha256}"
