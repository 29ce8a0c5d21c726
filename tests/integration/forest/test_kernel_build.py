"""hatch_build.py: what it builds, when, for which machines, and the wheel that comes of it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from bareboat.forest import read_ensemble, write_forest

ROOT = Path(__file__).parents[3]
IRIS = ROOT / "src/bareboat/templates/lightgbm-iris/lgb.model"
KERNELS = ("kernel-linux-aarch64.so", "kernel-linux-x86_64.so")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what a build reads, without any kernel."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "native"))
    return folder


@pytest.fixture
def hook() -> ModuleType:
    pytest.importorskip("ziglang", reason="the kernel is compiled with ziglang")
    spec = importlib.util.spec_from_file_location("bareboat_hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hatchling(checkout: Path, target: str, made: Path) -> None:
    """Build as `python -m build --no-isolation` does."""
    pytest.importorskip("hatchling", reason="the wheel is built without isolation")
    pytest.importorskip("ziglang", reason="the kernel is compiled with ziglang")
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(made)]
    built = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=300, check=False)
    assert built.returncode == 0, built.stderr


def native(folder: Path) -> Path:
    return folder / "src/bareboat/runtime/native"


def test_the_same_sources_give_the_same_bytes_anywhere(hook: ModuleType, checkout: Path, tmp_path: Path) -> None:
    shutil.copytree(checkout, tmp_path / "elsewhere")

    for folder in (checkout, tmp_path / "elsewhere"):
        hook.build(folder, hook.TARGETS)

    for name in KERNELS:
        first, second = native(checkout) / name, native(tmp_path / "elsewhere") / name
        assert first.read_bytes() == second.read_bytes()
        assert str(tmp_path).encode() not in first.read_bytes()
        assert first.stat().st_size < 140_000
    assert not [path for path in checkout.rglob("*") if "zig" in path.name]


def test_an_unchanged_kernel_is_not_built_again_and_a_changed_one_is(hook: ModuleType, checkout: Path) -> None:
    hook.build(checkout, hook.TARGETS[:1])
    kernel = native(checkout) / hook.TARGETS[0]
    os.utime(kernel, (1, 1))

    hook.build(checkout, hook.TARGETS[:1])
    assert kernel.stat().st_mtime == 1

    with (checkout / hook.SOURCES / "score.c").open("a") as source:
        source.write("/* changed */\n")
    hook.build(checkout, hook.TARGETS[:1])
    assert kernel.stat().st_mtime > 1


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_needs_libc_and_libm_of_glibc_2_17_alone(name: str) -> None:
    with (ROOT / "src/bareboat/runtime/native" / name).open("rb") as file:
        elf = ELFFile(file)
        needed, versions = set(), set()
        for section in elf.iter_sections():
            if isinstance(section, DynamicSection):
                needed |= {tag.needed for tag in section.iter_tags("DT_NEEDED")}
            if isinstance(section, GNUVerNeedSection):
                versions |= {each.name for _, entries in section.iter_versions() for each in entries}
        exported = {
            symbol.name
            for symbol in elf.get_section_by_name(".dynsym").iter_symbols()
            if symbol.entry.st_shndx != "SHN_UNDEF" and symbol.name
        }

    assert elf.get_machine_arch() == {"kernel-linux-aarch64.so": "AArch64"}.get(name, "x64")
    assert needed == {"libc.so.6", "libm.so.6"}
    assert all(tuple(map(int, version[6:].split("."))) <= (2, 17) for version in versions)
    headers = [ROOT / "src/bareboat" / name for name in ("forest/c/kernel.h", "pipeline/c/pipeline.h")]
    assert exported == {name for each in headers for name in re.findall(r"(bareboat_\w+)\(", each.read_text())}


def test_the_fused_multiply_add_is_not_in_the_kernel_for_arm64(system_command: Callable[[str], str]) -> None:
    """A fused sum of a linear leaf would differ from x86_64 in its last bit."""
    objdump = shutil.which("aarch64-linux-gnu-objdump") or shutil.which("llvm-objdump")
    if objdump is None:
        pytest.skip("no disassembler for arm64 here; the scores of linear leaves are compared under qemu")
    kernel = ROOT / "src/bareboat/runtime/native/kernel-linux-aarch64.so"
    listing = subprocess.run([objdump, "-d", str(kernel)], capture_output=True, text=True, check=True).stdout

    assert not re.search(r"\bf(n?)m(add|sub)\b|\bfml[as]\b", listing)


def test_a_wheel_holds_both_kernels_is_tagged_and_serves_without_a_compiler(checkout: Path, tmp_path: Path) -> None:
    hatchling(checkout, "wheel", tmp_path)
    (wheel,) = tmp_path.glob("*.whl")

    names = zipfile.ZipFile(wheel).namelist()
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    write_forest(read_ensemble(IRIS), tmp_path / "iris.forest")
    # No PATH, no site-packages of ours: what is in the wheel must do.
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "import bareboat; assert bareboat.__file__.startswith(sys.path[0])\n"
        "from bareboat.runtime import load_forest\n"
        f"print(load_forest({str(tmp_path / 'iris.forest')!r}).predict([6, 3, 5, 2]))\n"
    )
    child = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], env={}, capture_output=True, text=True, timeout=60, check=False
    )

    for name in KERNELS:
        assert f"bareboat/runtime/native/{name}" in names
    assert not [name for name in names if name.endswith((".c", ".h"))]
    if sys.platform == "linux":
        assert wheel.name.endswith(f"-py3-none-manylinux_2_17_{os.uname().machine}.whl")
    assert child.stdout == "[0.11376620900197651, 0.17004835386299028, 0.7161854371350332]\n", child.stderr


def test_a_wheel_from_the_sdist_is_the_wheel_from_the_checkout(checkout: Path, tmp_path: Path) -> None:
    hatchling(checkout, "sdist", tmp_path / "first")
    hatchling(checkout, "wheel", tmp_path / "first")
    (sdist,) = (tmp_path / "first").glob("*.tar.gz")
    shutil.unpack_archive(sdist, tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()

    hatchling(unpacked, "wheel", tmp_path / "second")

    (first,), (second,) = ((tmp_path / each).glob("*.whl") for each in ("first", "second"))
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def test_a_missing_compiler_is_named_with_the_line_that_installs_it(checkout: Path) -> None:
    script = "import runpy, sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]; "
    script += "runpy.run_path('hatch_build.py', run_name='__main__')"

    child = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert child.returncode == 1
    assert "pip install ziglang==" in child.stderr
    assert "Traceback" not in child.stderr


def test_a_kernel_of_a_system_without_one_is_still_built_for_lambda(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook.platform, "machine", lambda: "riscv64")

    assert hook.host_kernel() is None
    assert hook.wanted() == hook.TARGETS
