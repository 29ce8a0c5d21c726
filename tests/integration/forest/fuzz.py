"""Fuzzes what reads files and rows from anywhere:

    python tests/integration/forest/fuzz.py --minutes 30

kernel: libFuzzer with the address and undefined-behaviour sanitizers gives any bytes to the kernel as a .forest file,
and rows of any layout to every path, which must agree to the bit; `emulated` is the same with AVX-512 in portable C.
models: altered model files and .forest files through the readers, in a process of bounded memory. rows: rows of any
type through the extension and ctypes, both under the address sanitizer. Each starts from fuzzing/corpus and, for longer
runs, from random forests as well. What is found is kept in --found; a minute is enough for a change, 30 for a release.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FUZZING = HERE / "fuzzing"
CORPUS = FUZZING / "corpus"
KERNEL = ROOT / "src/bareboat/forest/c"
SIMDE = Path("/usr/include/simde/x86/avx512.h")  # of the package libsimde-dev
COMMON = ("-g", "-O1", "-std=c11", "-ffp-contract=off", "-fno-omit-frame-pointer", f"-I{KERNEL}")
ADDRESSES = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
EMULATED = ("-w", "-DBAREBOAT_EMULATED", "-include", str(HERE / "emulated.h"))
SHARED = ("-shared", "-fPIC", "-shared-libsan")
LIMITS = ("-malloc_limit_mb=512", "-rss_limit_mb=3000", "-timeout=30", "-reload=0", "-print_final_stats=1")
TARGETS = ("kernel", "emulated", "models", "rows")


class BuildError(RuntimeError):
    """A compiler's complaint."""


def compile_c(compiler: Sequence[str], flags: Sequence[str], sources: Sequence[Path], made: Path) -> Path:
    """Compile sources side by side, and link them with the C library's libm."""

    def call(*arguments: str) -> None:
        run = subprocess.run(
            [*compiler, *flags, *arguments], capture_output=True, text=True, timeout=600, check=False, cwd=made.parent
        )
        if run.returncode:
            raise BuildError(run.stderr[-4000:])

    with tempfile.TemporaryDirectory(dir=made.parent) as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = [Path(folder) / f"{source.stem}.o" for source in sources]
        for _ in pool.map(lambda source, to: call("-c", str(source), "-o", str(to)), sources, objects):
            pass
        call(*map(str, objects), "-lm", "-o", str(made))
    return made


def with_kernel(name: str) -> list[Path]:
    """Return the kernel's sources and one of those here."""
    return [*sorted(KERNEL.glob("*.c")), FUZZING / name]


def build_target(clang: str, made: Path, *, is_emulated: bool = False) -> Path:
    """Build target.c and the kernel with libFuzzer."""
    flags = [*COMMON, *ADDRESSES, "-fsanitize=fuzzer", *(EMULATED if is_emulated else ())]
    return compile_c([clang], flags, with_kernel("target.c"), made)


def build_replay(compiler: Sequence[str], flags: Sequence[str], made: Path) -> Path:
    """Build target.c and the kernel without libFuzzer: it tries the files that it is given."""
    return compile_c(compiler, [*COMMON, "-DREPLAY", *flags], with_kernel("target.c"), made)


def build_threads(clang: str, made: Path) -> Path:
    """Build threads.c and the kernel with the thread sanitizer."""
    return compile_c([clang], [*COMMON, "-fsanitize=thread", "-pthread"], with_kernel("threads.c"), made)


def run_target(target: Path, seconds: float, found: Path, work: Path, seeds: Sequence[Path] = (), seed: int = 0) -> str:
    """Run libFuzzer; return what it says at the end, or raise AssertionError with the finding."""
    (work / "new").mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)
    folders = [str(work / "new"), str(CORPUS / "forests"), str(CORPUS / "inputs"), *map(str, seeds)]
    options = [*LIMITS, f"-max_total_time={int(seconds)}", f"-seed={seed}", f"-artifact_prefix={found}/"]
    options.append("-max_len=40000" if seeds else "-max_len=4096")
    run = subprocess.run(
        [str(target), *options, *folders], capture_output=True, timeout=seconds + 300, check=False, cwd=work
    )
    said = run.stderr.decode(errors="replace")
    assert run.returncode == 0, said[-6000:]
    return said[said.rindex("DONE") :]


def run_python(script: str, arguments: Sequence[str], seconds: float, more: dict[str, str] | None = None) -> str:
    """Run one of the Python fuzzers in a process of its own."""
    command = [sys.executable, str(FUZZING / script), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OPENBLAS_NUM_THREADS": "1"} | (more or {})
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds + 300, check=False, env=environment, errors="replace"
    )
    assert run.returncode == 0, run.stderr[-6000:]
    return run.stdout


def run_models(seconds: float, found: Path, seed: int = 0) -> str:
    """Alter model files; raise AssertionError with what is wrong."""
    return run_python("models.py", [str(CORPUS), str(found), str(seconds), str(seed)], seconds)


def run_rows(clang: str, seconds: float, work: Path, seed: int = 0) -> str:
    """Build kernel and extension with the address sanitizer, and hand them rows of any type."""
    flags = [*COMMON, *ADDRESSES, *SHARED]
    kernel = compile_c([clang], flags, sorted(KERNEL.glob("*.c")), work / "kernel.so")
    flags.append(f"-I{sysconfig.get_path('include')}")
    door = compile_c([clang], flags, [KERNEL / "door/door.c"], work / "_door.abi3.so")
    name = f"libclang_rt.asan-{os.uname().machine}.so"
    runtime = subprocess.run([clang, f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    # Python's own allocator would hide what is read past the end of a list.
    environment = {"LD_PRELOAD": runtime.stdout.strip(), "PYTHONMALLOC": "malloc", "ASAN_OPTIONS": "detect_leaks=0"}
    return run_python("rows.py", [str(kernel), str(door), str(seconds), str(seed)], seconds, environment)


def write_seeds(folder: Path, n: int) -> Path:
    """Write random forests of the contract tests: larger ones than a corpus should hold."""
    spec = importlib.util.spec_from_file_location("samples", HERE.parents[1] / "contract/forest/samples.py")
    assert spec is not None
    assert spec.loader is not None
    samples = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(samples)
    sizes = ({}, {"n_leaves": 256, "n_trees": 2}, {"n_leaves": 130, "n_cuts": 400, "n_features": 2})
    sizes += ({"n_leaves": 300, "n_trees": 1}, {"n_features": 40, "n_leaves": 20}, {"n_leaves": 9, "n_trees": 70})
    folder.mkdir()
    for seed in range(n):
        data = samples.forest_bytes(samples.random_forest(seed, **sizes[seed % len(sizes)]))
        if len(data) < 40000:
            (folder / f"{seed}.forest").write_bytes(data)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0, help="of all targets together")
    parser.add_argument("--only", choices=TARGETS, nargs="+", default=list(TARGETS))
    parser.add_argument("--found", type=Path, default=Path("fuzz-found"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, help="keep what libFuzzer adds here")
    given = parser.parse_args()
    clang, found = shutil.which("clang") or "clang", given.found.resolve()
    seconds = 60.0 * given.minutes / len(given.only)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        seeds = write_seeds(work / "seeds", 360)
        for name in given.only:
            if name == "models":
                said = run_models(seconds, found, given.seed)
            elif name == "rows":
                said = run_rows(clang, seconds, work, given.seed)
            else:
                target = build_target(clang, work / name, is_emulated=name == "emulated")
                kept = given.corpus.resolve() if given.corpus else work
                said = run_target(target, seconds, found, kept, [seeds], given.seed)
            print(f"{name}: nothing found in {seconds:.0f} s\n{said}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
