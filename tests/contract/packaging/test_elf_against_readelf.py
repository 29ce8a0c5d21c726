"""ELF headers as binutils' readelf prints them are the oracle of our own reading."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from bareboat.packaging.elf import Elf, is_elf, read_elf

NATIVE = Path(__file__).parents[3] / "src" / "bareboat" / "runtime" / "native"


def native_files() -> list[Path]:
    """Libraries of numpy, scipy, scikit-learn and lightgbm as installed here, and our kernels for two CPUs."""
    found = sorted(NATIVE.glob("kernel-linux-*.so"))
    for package in ("numpy", "lightgbm", "scipy", "sklearn"):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            home = Path(spec.submodule_search_locations[0])
            found += sorted(home.rglob("*.so"))[::9]
            found += sorted((home.parent / f"{'scikit_learn' if package == 'sklearn' else package}.libs").glob("*.so*"))
    return [path for path in found if is_elf(path.read_bytes()[:4])]


@pytest.fixture(scope="module")
def readelf() -> str:
    program = shutil.which("readelf")
    if program is None:
        pytest.skip("binutils' readelf is not installed")
    return program


def by_readelf(program: str, path: Path) -> Elf:
    command = [program, "-h", "-d", "-V", "-W", str(path)]
    text = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env={"LC_ALL": "C"}).stdout
    machine = {"Advanced Micro Devices X86-64": "x86_64", "AArch64": "aarch64"}
    found = re.search(r"Machine:\s+(.+)", text)
    soname = re.search(r"Library soname: \[(.+)\]", text)
    versions: dict[str, tuple[str, ...]] = {}
    needs = text.partition("Version needs section")[2]
    for block in re.split(r"Version: 1\s+File: ", needs)[1:]:
        library, rest = block.split(None, 1)
        versions[library] = tuple(sorted(re.findall(r"Name: (\S+)", rest)))
    return Elf(
        machine=machine[found[1].strip()] if found else "",
        needed=tuple(re.findall(r"\(NEEDED\)\s+Shared library: \[(.+)\]", text)),
        versions=versions,
        search=tuple(
            part
            for entry in re.findall(r"\((?:RUNPATH|RPATH)\)\s+Library r\w+: \[(.+)\]", text)
            for part in entry.split(":")
        ),
        soname=soname[1] if soname else "",
        inherits="(RUNPATH)" not in text,
    )


def test_headers_are_read_as_readelf_reads_them(readelf: str) -> None:
    files = native_files()
    assert len(files) > 10

    for path in files:
        assert read_elf(path.read_bytes()) == by_readelf(readelf, path), path


def test_every_cut_of_a_library_is_an_error_or_read_never_a_crash() -> None:
    data = next(path.read_bytes() for path in native_files() if path.stat().st_size < 400_000)

    for cut in range(4, len(data), max(1, len(data) // 150)):
        with suppress(ValueError):
            read_elf(data[:cut])
