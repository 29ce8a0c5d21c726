"""Python files -> bytecode that the target's interpreter takes without looking back at the source.

An archive's dates are fixed, so bytecode that is checked by date is stale on arrival and costs a threefold cold start.
`unchecked-hash` (PEP 552) is never stale.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bareboat.errors import PackagingError
from bareboat.packaging.cache import cannot_write
from bareboat.packaging.interpreters import Interpreter

# Runs in the target's interpreter, any from 3.8: source, destination and name in tracebacks of each file on stdin, the
# number of a file that does not compile (templates, Python 2) on stdout; it has no bytecode, as with compileall. It
# does what py_compile does, without its imports, which take as long as the interpreter's own start.
_CHILD = r"""
import sys, _imp, _frozen_importlib_external as external
sys.setrecursionlimit(4000)
texts = sys.stdin.buffer.read().decode("utf-8", "surrogateescape").split("\0")
for number in range(0, len(texts) - 1, 3):
    source, destination, name = texts[number : number + 3]
    loader = external.SourceFileLoader("<py_compile>", source)
    data = loader.get_data(source)
    try:
        code = loader.source_to_code(data, name, _optimize=0)
    except Exception:
        print(number // 3)
        continue
    digest = _imp.source_hash(external._RAW_MAGIC_NUMBER, data)
    try:
        with open(destination, "wb") as file:
            file.write(external._code_to_hash_pyc(code, digest, False))
    except OSError as error:
        print(error.errno, destination, file=sys.stderr)
        sys.exit(3)
"""
_CANNOT_WRITE = 3


@dataclass(frozen=True, slots=True)
class Job:
    """One file to compile.

    Args:
        source, destination: where it lies, where the bytecode goes (its folder is made).
        name: the path that tracebacks show, the same on every host.
    """

    source: Path
    destination: Path
    name: str


def bytecode_path(path: str, python: str) -> str:
    """Return where Python looks for the bytecode of `path`: `a/b.py` -> `a/__pycache__/b.cpython-313.pyc`."""
    folder, _, name = path.rpartition("/")
    stem = name.removesuffix(".py")
    cached = f"__pycache__/{stem}.cpython-{python.replace('.', '')}.pyc"
    return f"{folder}/{cached}" if folder else cached


def source_path(bytecode: str) -> str:
    """Return what a file of bytecode was made of: `a/__pycache__/b.cpython-313.pyc` -> `a/b.py`."""
    folder, _, name = bytecode.rpartition("/")
    parent = folder.removesuffix("__pycache__")
    return f"{parent}{name.split('.')[0]}.py"


def compile_files(interpreter: Interpreter, jobs: Sequence[Job]) -> frozenset[Path]:
    """Compile with optimisation level 0, in as many processes as there are processors.

    Each process takes a fixed share and a fixed hash seed, so the same sources give the same bytes.

    Returns:
        The sources that did not compile.
    Raises:
        PackagingError: the interpreter does not run, or the disk is full.
    """
    if not jobs:
        return frozenset()
    for folder in {job.destination.parent for job in jobs}:
        folder.mkdir(parents=True, exist_ok=True)
    workers = max(1, min(os.cpu_count() or 1, len(jobs) // 25))
    ordered = sorted(jobs, key=lambda job: job.name)
    shares = [ordered[share::workers] for share in range(workers)]
    with ThreadPoolExecutor(workers) as threads:
        failed = list(threads.map(lambda share: _compile(interpreter, share), shares))
    return frozenset().union(*failed)


def _compile(interpreter: Interpreter, jobs: Sequence[Job]) -> frozenset[Path]:
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP", "TMPDIR") if name in os.environ}
    work = b"".join(
        os.fsencode(text) + b"\0" for job in jobs for text in (str(job.source), str(job.destination), job.name)
    )
    try:
        done = subprocess.run(
            [str(interpreter.path), "-s", "-S", "-X", "utf8", "-W", "ignore", "-c", _CHILD],
            env={**kept, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=jobs[0].destination.parent,
            input=work,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise PackagingError(f"does not start: {error.strerror}", where=str(interpreter.path)) from error
    if done.returncode == _CANNOT_WRITE:
        number, _, path = os.fsdecode(done.stderr.strip()).partition(" ")
        raise cannot_write(Path(path), OSError(int(number), os.strerror(int(number))))
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise PackagingError(
            f"compiling bytecode failed: {' '.join(last) or f'exit status {done.returncode}'}",
            where=str(interpreter.path),
        )
    return frozenset(jobs[int(number)].source for number in done.stdout.split())
