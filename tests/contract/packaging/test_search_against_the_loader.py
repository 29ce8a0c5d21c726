"""The host's own dynamic loader is the oracle of what counts as found."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bareboat.packaging.elf import Elf, read_elf
from bareboat.packaging.lambda_image import PROVIDED
from bareboat.packaging.loader import Loaded, load

RPATH, RUNPATH = "-Wl,--disable-new-dtags", "-Wl,--enable-new-dtags"
# What is built: (file, what it needs, link options); what is loaded is the last.
CASES = {
    "beside it, by RUNPATH": [("p/libx.so", "", []), ("p/a.so", "p/libx.so", [RUNPATH, "-Wl,-rpath,$ORIGIN"])],
    "in lib": [("lib/libx.so", "", []), ("p/a.so", "lib/libx.so", [])],
    "beside it, by nothing": [("p/libx.so", "", []), ("p/a.so", "p/libx.so", [])],
    "handed down by RPATH": [
        ("l/liby.so", "", []),
        ("l/libx.so", "l/liby.so", []),
        ("p/a.so", "l/libx.so", [RPATH, "-Wl,-rpath,$ORIGIN/../l"]),
    ],
    "not handed down by RUNPATH": [
        ("l/liby.so", "", []),
        ("l/libx.so", "l/liby.so", []),
        ("p/a.so", "l/libx.so", [RUNPATH, "-Wl,-rpath,$ORIGIN/../l"]),
    ],
    "RUNPATH of the library hides what would be handed down": [
        ("l/liby.so", "", []),
        ("l/libx.so", "l/liby.so", [RUNPATH, "-Wl,-rpath,$ORIGIN/none"]),
        ("p/a.so", "l/libx.so", [RPATH, "-Wl,-rpath,$ORIGIN/../l"]),
    ],
    "another name than its own": [
        ("p/libx-1.so", "", ["-Wl,-soname,libx.so.1"]),
        ("p/a.so", "p/libx-1.so", [RUNPATH, "-Wl,-rpath,$ORIGIN"]),
    ],
}


@pytest.fixture(scope="module")
def compiler() -> str:
    program = shutil.which("cc")
    if program is None or platform.system() != "Linux":
        pytest.skip("needs a C compiler on Linux")
    return program


def make(compiler: str, tree: Path, parts: list[tuple[str, str, list[str]]]) -> dict[str, Elf]:
    for name, needs, options in parts:
        path = tree / name
        path.parent.mkdir(exist_ok=True, parents=True)
        soname = [] if any("-soname" in option for option in options) else [f"-Wl,-soname,{path.name}"]
        # -z separate-code and the like do not matter here; an undefined symbol does not either
        command = [
            compiler,
            "-shared",
            "-nostdlib",
            "-Wl,--no-as-needed",
            "-Wl,--allow-shlib-undefined",
            "-x",
            "c",
            "-",
        ]
        command += ["-o", str(path), *soname, *options]
        if needs:
            command += ["-x", "none", str(tree / needs)]
        subprocess.run(command, input=f"int {path.stem.replace('-', '_')};", text=True, check=True, timeout=60)
    found = {name: read_elf((tree / name).read_bytes()) for name, _, _ in parts}
    return {name: elf for name, elf in found.items() if elf is not None}


def really_loads(tree: Path, name: str, *first: str) -> bool:
    program = "import ctypes, sys; [ctypes.CDLL(path) for path in sys.argv[1:]]"
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{tree}:{tree}/lib"}
    paths = [str(tree / one) for one in (*first, name)]
    done = subprocess.run(
        [sys.executable, "-c", program, *paths],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0 or "cannot open shared object file" in done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("case", CASES)
def test_what_is_found_loads_and_what_is_not_found_does_not(case: str, compiler: str, tmp_path: Path) -> None:
    elves = make(compiler, tmp_path, CASES[case])

    found = loaded(elves)

    assert (not found.stranded and not found.missing) is really_loads(tmp_path, CASES[case][-1][0])


def loaded(elves: dict[str, Elf]) -> Loaded:
    return load(elves, (), PROVIDED, platform.machine())


def test_a_library_that_is_loaded_by_its_path_first_is_there(compiler: str, tmp_path: Path) -> None:
    elves = make(compiler, tmp_path, CASES["beside it, by nothing"])

    assert loaded(elves).stranded == {("p/a.so", "libx.so"): "p/libx.so"}
    assert not really_loads(tmp_path, "p/a.so")
    assert really_loads(tmp_path, "p/a.so", "p/libx.so")


def test_what_another_file_maps_first_is_there(compiler: str, tmp_path: Path) -> None:
    parts = [*CASES["beside it, by RUNPATH"], ("q/b.so", "p/libx.so", [])]
    elves = make(compiler, tmp_path, parts)

    assert loaded(elves).ordered == {("q/b.so", "libx.so"): "p/libx.so"}
    assert really_loads(tmp_path, "q/b.so", "p/a.so")
    assert not really_loads(tmp_path, "q/b.so")
