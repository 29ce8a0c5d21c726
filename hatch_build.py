"""Builds the kernel from src/bareboat/{forest,pipeline}/c into src/bareboat/runtime/native, cross-compiled by ziglang.

As a hatchling hook it runs for wheels and editable installs; `python hatch_build.py` does the same by hand, and
`python hatch_build.py --all` builds the kernel of every system. A kernel holds the digest of what it was made from,
so one that is up to date is not built again. Beside each lies a smaller one that runs forests alone, for artifacts that
need no more.
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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # by hand, without hatchling
    BuildHookInterface = object

ZIG_VERSION = "0.17.1"
SOURCES = Path("src/bareboat/forest/c")
PIPELINE_SOURCES = Path("src/bareboat/pipeline/c")
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
SLIM = "forest-"  # before a kernel's name: without these
NOT_SLIM = ("pipeline", "functions", "elementwise", "shap")
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
        made = [NATIVE / f"{slim}{name}" for name in names for slim in ("", SLIM)] + ([DOOR] if door else [])
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
    sources = sorted(path for folder in (SOURCES, PIPELINE_SOURCES) for path in (root / folder).glob("*.[ch]"))
    if not sources:
        raise BuildError(f"no C sources in {root / SOURCES}: build from a checkout or the sdist")
    (root / NATIVE).mkdir(parents=True, exist_ok=True)
    for name in names:
        targets, stamp = [root / NATIVE / f"{slim}{name}" for slim in ("", SLIM)], source_digest(sources, name)
        if not all(target.is_file() and stamp.encode() in target.read_bytes() for target in targets):
            compile_kernel(sources, KERNELS[name], stamp, *targets)
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
        flags = [*command, *(f"-I{folder}" for folder in folders), f'-DBAREBOAT_STAMP="{stamp}"']
        with tempfile.TemporaryDirectory(prefix="bareboat-zig-") as name:
            run_zig(Path(name), machine, [*flags, str(source.resolve()), "-o", target.name], target.name)
            put(Path(name) / target.name, target)
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
    """Return how a machine's kernel is compiled and linked."""
    return [*compile_flags(machine), *LINK_FLAGS, *NOT_SLIM]


def compile_flags(machine: str) -> list[str]:
    """Return how a machine's kernel is compiled."""
    return [*FLAGS, *(() if "windows" in machine else NO_TABLES)]


def compile_kernel(sources: list[Path], machine: str, stamp: str, target: Path, slim: Path) -> None:
    """Compile one kernel, and link it twice."""
    libraries = () if "windows" in machine else ("-lm",)
    includes = [f"-I{folder}" for folder in dict.fromkeys(source.parent for source in sources)]
    compiled = [source for source in sources if source.suffix == ".c"]
    with tempfile.TemporaryDirectory(prefix="bareboat-zig-") as name, ThreadPoolExecutor(os.cpu_count()) as pool:
        folder = Path(name)
        flags = ["-c", *compile_flags(machine), *includes, f'-DBAREBOAT_STAMP="{stamp}"', "-fPIC"]
        objects = [f"{source.stem}.o" for source in compiled]
        for _ in pool.map(
            lambda source, made: run_zig(folder, machine, [*flags, str(source), "-o", made], target.name),
            compiled,
            objects,
        ):
            pass
        for made, parts in ((target, objects), (slim, [name for name in objects if not name.startswith(NOT_SLIM)])):
            run_zig(folder, machine, [*LINK_FLAGS, *parts, "-o", made.name, *libraries], made.name)
            put(folder / made.name, made)


def run_zig(folder: Path, machine: str, arguments: list[str], name: str) -> None:
    """Run the compiler in a folder of its own."""
    check_zig()
    command = [sys.executable, "-m", "ziglang", "cc", "-target", machine, *arguments]
    environment = os.environ | {"ZIG_LOCAL_CACHE_DIR": str(folder / "cache")}
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if run.returncode:
        raise BuildError(f"zig cannot compile {name} for {machine}:\n{run.stderr.strip()}")


def put(made: Path, target: Path) -> None:
    """Move what was made to its place, whole."""
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
            for made in (NATIVE / name, NATIVE / f"{SLIM}{name}"):
                print(f"{made}  {(root / made).stat().st_size} bytes")
        if build_door(root):
            print(f"{DOOR}  {(root / DOOR).stat().st_size} bytes")
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
