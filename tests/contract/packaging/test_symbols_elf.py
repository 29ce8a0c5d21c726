"""Stripped native files against the real loader, `readelf` and binutils' `strip`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest

from bareboat.packaging.symbols import strip_files, strip_symbols

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the host's own libraries are no ELF files")

SOURCE = """
#include <string.h>
__thread int seen;
static const char text[] = "0123456789";
int table[20000] = {1};
int answer(int n) { seen += n; return seen + (int)strlen(text) + table[0]; }
"""


def needs(*tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"there is no {tool}")


def stripped(data: bytes) -> bytes | None:
    layout = strip_symbols(data)
    if layout is None:
        return None
    out = BytesIO()
    layout.write(BytesIO(data), out)
    assert len(out.getvalue()) == layout.size
    return out.getvalue()


def library(folder: Path, *flags: str) -> Path:
    (folder / "a.c").write_text(SOURCE)
    path = folder / "liba.so"
    command = ["cc", "-g3", "-O1", "-shared", "-fPIC", "-Wl,--build-id", *flags, "-o", str(path), "a.c"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return path


def loads(paths: list[Path], search: str = "", more: str = "") -> None:
    code = f"import ctypes, os, sys\nfor path in sys.argv[1:]:\n    found = ctypes.CDLL(path, mode=os.RTLD_NOW)\n{more}"
    environment = {**os.environ, "LD_LIBRARY_PATH": search}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, paths)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def complaints(paths: list[Path]) -> str:
    done = subprocess.run(["readelf", "-hlSdrsVnW", *map(str, paths)], capture_output=True, text=True, check=False)
    return "\n".join(line for line in done.stderr.splitlines() if "Gap in build notes" not in line)


@pytest.mark.parametrize(
    "flags",
    [(), ("-Wl,-z,max-page-size=65536",), ("-Wl,-z,separate-code",), ("-Wl,--compress-debug-sections=zlib",),
     ("-Wl,--hash-style=both", "-Wl,-z,now")],
)  # fmt: skip
def test_a_stripped_library_loads_and_is_about_as_small_as_strip_makes_it(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    needs("cc", "readelf", "strip")
    path = library(tmp_path, *flags)

    data = stripped(path.read_bytes())

    assert data is not None
    ours, theirs = tmp_path / "ours.so", tmp_path / "theirs.so"
    ours.write_bytes(data)
    subprocess.run(["strip", "-o", str(theirs), str(path)], check=True)
    assert len(data) <= theirs.stat().st_size + 4096
    assert complaints([ours]) == ""
    loads([ours], more="assert (found.answer(1), found.answer(2)) == (12, 14)\n")


def test_a_stripped_library_has_nothing_more_to_lose(tmp_path: Path) -> None:
    needs("cc")
    data = stripped(library(tmp_path).read_bytes())

    assert data is not None
    assert stripped(data) is None


def test_a_library_with_data_behind_its_end_is_left_alone(tmp_path: Path) -> None:
    needs("cc")
    data = library(tmp_path).read_bytes()

    assert stripped(data + b"payload") is None
    assert stripped(data[:-200]) is None
    assert stripped(data[:50]) is None
    assert stripped(b"\x7fELF") is None


@pytest.mark.parametrize("package", ["scipy", "xgboost", "PIL"])
def test_every_native_file_of_a_real_package_loads_after_stripping(package: str, tmp_path: Path) -> None:
    needs("readelf")
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    site = Path(spec.origin).parents[1]
    native = {path.relative_to(site).as_posix(): path for path in (site / package).rglob("*.so")}

    smaller, saved = strip_files(dict(native), tmp_path)

    assert smaller, "every release so far has symbols"
    assert all(native[path].stat().st_size - smaller[path].stat().st_size == gain for path, gain in saved.items())
    assert complaints(list(smaller.values())) == ""
    loads(list(smaller.values()), search=":".join(map(str, site.glob("*.libs"))))


def test_files_of_libs_folders_stay_as_they_are(tmp_path: Path) -> None:
    needs("cc")
    path = library(tmp_path)
    files: dict[str, Path | bytes] = {
        "a.libs/liba.so": path,
        "a/liba.so": path,
        "a/x.py": path,
        "a/made.so": b"\x7fELF",
    }

    smaller, saved = strip_files(files, tmp_path / "copies")

    assert list(smaller) == list(saved) == ["a/liba.so"]
