"""Builds the kernel: src/bareboat/forest/c -> src/bareboat/runtime/native/kernel-*, cross-compiled with ziglang.

As a hatchling hook it runs for wheels and editable installs; `python hatch_build.py` does the same by hand, and
`python hatch_build.py --all` builds the kernel of every system. A kernel holds the digest of what it was made from,
so one that is up to date is not built again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # by hand, without hatchling
    BuildHookInterface = object

ZIG_VERSION = "0.17.1"
SOURCES = Path("src/bareboat/forest/c")
NATIVE = Path("src/bareboat/runtime/native")
# Loops that gain from it are unrolled by word (simd.h); unrolling all takes 30 KB more and gains nothing.
FLAGS = (
    "-std=c11",
    "-O2",
    "-fno-unroll-loops",
    "-ffp-contract=off",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fvisibility=hidden",
)
# C without exceptions needs no unwind tables; what zig links into a DLL does.
NO_TABLES = ("-fno-asynchronous-unwind-tables", "-fno-unwind-tables")
LINK_FLAGS = ("-shared", "-g0", "-s", "-Wl,--build-id=none")

# File name -> what zig calls the machine. glibc 2.17 is what manylinux_2_17 and every Lambda image have.
KERNELS = {
    "kernel-linux-x86_64.so": "x86_64-linux-gnu.2.17",
    "kernel-linux-aarch64.so": "aarch64-linux-gnu.2.17",
    "kernel-macos-arm64.dylib": "aarch64-macos.11.0",
    "kernel-macos-x86_64.dylib": "x86_64-macos.11.0",
    "kernel-windows-x86_64.dll": "x86_64-windows-gnu",
}
DOOR = Path("src/bareboat/runtime/_door.abi3.so")  # for this machine's CPython; the package does without it
DOOR_SOURCE = SOURCES / "door/door.c"
DOOR_FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-fPIC")
TARGETS = ("kernel-linux-x86_64.so", "kernel-linux-aarch64.so")


class BuildError(RuntimeError):
    """What stands in the way of building the kernel."""


class KernelHook(BuildHookInterface):
    """Puts the kernels into the wheel and tags it for this platform."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        names = build(root, wanted())
        door = build_door(root)
        if version == "editable":
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag()}"
        made = [NATIVE / name for name in names] + ([DOOR] if door else [])
        build_data["artifacts"] = [f"/{path.as_posix()}" for path in made]


def wanted() -> tuple[str, ...]:
    """Return the kernels of Lambda's two CPUs and of this machine."""
    host = host_kernel()
    return TARGETS if host is None or host in TARGETS else (*TARGETS, host)


def host_kernel() -> str | None:
    """Return this machine's kernel, or None when there is none for it."""
    system = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    machine = platform.machine().lower().replace("amd64", "x86_64")
    return next((name for name in KERNELS if name.startswith(f"kernel-{system}-{machine}.")), None)


def platform_tag() -> str:
    """Return the wheel's platform: what its kernels for this machine need."""
    machine = platform.machine().lower()
    if sys.platform == "linux" and machine in {"x86_64", "aarch64"} and platform.libc_ver()[0] == "glibc":
        return f"manylinux_2_17_{machine}"
    if sys.platform == "darwin":
        return f"macosx_11_0_{machine}"
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def build(root: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """Build those kernels that are not up to date, and return all names."""
    sources = sorted((root / SOURCES).glob("*.[ch]"))
    if not sources:
        raise BuildError(f"no C sources in {root / SOURCES}: build from a checkout or the sdist")
    (root / NATIVE).mkdir(parents=True, exist_ok=True)
    for name in names:
        target, stamp = root / NATIVE / name, source_digest(sources, name)
        if not (target.is_file() and stamp.encode() in target.read_bytes()):
            compile_kernel(sources, KERNELS[name], stamp, target)
    return names


def build_door(root: Path) -> bool:
    """Build the extension for this machine's CPython, unless it is up to date, and return whether there is one."""
    source, target = root / DOOR_SOURCE, root / DOOR
    machine, folders = KERNELS.get(host_kernel() or ""), include_folders()
    reason = why_no_door(machine, folders)
    if reason:
        print(f"{DOOR}  not built: {reason}; one row goes through ctypes", file=sys.stderr)
        return False
    assert machine is not None
    command = (*DOOR_FLAGS, *LINK_FLAGS, *(("-Wl,-undefined,dynamic_lookup",) if "macos" in machine else ()))
    digest = hashlib.sha256(repr((ZIG_VERSION, machine, command)).encode() + source.read_bytes()).hexdigest()
    stamp = f"bareboat-door-{digest[:32]}"
    if not (target.is_file() and stamp.encode() in target.read_bytes()):
        flags = [*command, *(f"-I{folder}" for folder in folders)]
        run_zig([source], machine, flags, stamp, target)
    return True


def include_folders() -> tuple[str, ...]:
    """Return where this interpreter's headers lie."""
    return tuple(dict.fromkeys(sysconfig.get_path(name) for name in ("include", "platinclude")))


def why_no_door(machine: str | None, folders: tuple[str, ...]) -> str:
    """Return what stands in the way of an extension for this interpreter, or nothing."""
    if machine is None or "windows" in machine:
        return f"not for {sys.platform}"
    if sys.implementation.name != "cpython":
        return f"not for {sys.implementation.name}"
    if not any((Path(folder) / "Python.h").is_file() for folder in folders):
        return f"no Python.h in {folders[0]}"
    return ""


def source_digest(sources: list[Path], name: str) -> str:
    """Return the digest of all that decides a kernel's bytes."""
    digest = hashlib.sha256(repr((ZIG_VERSION, KERNELS[name], kernel_flags(KERNELS[name]))).encode())
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return f"bareboat-kernel-{digest.hexdigest()[:32]}"


def kernel_flags(machine: str) -> list[str]:
    """Return how a machine's kernel is compiled."""
    return [*FLAGS, *(() if "windows" in machine else NO_TABLES), *LINK_FLAGS]


def compile_kernel(sources: list[Path], machine: str, stamp: str, target: Path) -> None:
    """Compile one kernel."""
    libraries = () if "windows" in machine else ("-lm",)
    run_zig(
        [source for source in sources if source.suffix == ".c"],
        machine,
        kernel_flags(machine),
        stamp,
        target,
        libraries,
    )


def run_zig(
    sources: list[Path], machine: str, flags: list[str], stamp: str, target: Path, libraries: tuple[str, ...] = ()
) -> None:
    """Compile sources of one folder beside the target's place, then move it there whole."""
    check_zig()
    with tempfile.TemporaryDirectory(prefix="bareboat-zig-") as folder:
        made = Path(folder) / target.name
        command = [sys.executable, "-m", "ziglang", "cc", "-target", machine, *flags, f'-DBAREBOAT_STAMP="{stamp}"']
        command += [*(source.name for source in sources), "-o", str(made), *libraries]
        environment = os.environ | {"ZIG_LOCAL_CACHE_DIR": str(Path(folder) / "cache")}
        run = subprocess.run(
            command, cwd=sources[0].parent, env=environment, capture_output=True, text=True, check=False
        )
        if run.returncode:
            raise BuildError(f"zig cannot compile {target.name} for {machine}:\n{run.stderr.strip()}")
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        beside.write_bytes(made.read_bytes())
        beside.chmod(0o755)
        beside.replace(target)


def check_zig() -> None:
    """Say what to install when the cross-compiler is missing."""
    if importlib.util.find_spec("ziglang") is None:
        raise BuildError(
            "The kernel is compiled with zig, which is not installed for this Python.\n"
            f"  expected  the package ziglang {ZIG_VERSION}\n"
            f"  fix       {sys.executable} -m pip install ziglang=={ZIG_VERSION}"
        )


def main() -> int:
    root = Path(__file__).resolve().parent
    names = tuple(KERNELS) if "--all" in sys.argv[1:] else wanted()
    try:
        for name in build(root, names):
            print(f"{NATIVE / name}  {(root / NATIVE / name).stat().st_size} bytes")
        if build_door(root):
            print(f"{DOOR}  {(root / DOOR).stat().st_size} bytes")
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
