"""Python files -> bytecode that the target's interpreter takes without looking back at the source.

An archive's dates are fixed, so bytecode that is checked by date is stale on arrival and costs a threefold cold start.
`unchecked-hash` (PEP 552) is never stale.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bareboat.errors import PackagingError
from bareboat.packaging.interpreters import Interpreter

# Runs in the target's interpreter, any from 3.8: a list of [source, destination, name in tracebacks] on stdin. A file
# that does not compile (templates, Python 2) is named on stdout and has no bytecode, as with compileall.
_CHILD = """
import json, py_compile, sys
sys.setrecursionlimit(4000)
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
failed = []
for source, destination, name in json.load(sys.stdin):
    try:
        py_compile.compile(source, destination, name, True, 0, mode)
    except (py_compile.PyCompileError, SyntaxError, ValueError, RecursionError, MemoryError, UnicodeError) as error:
        failed.append([source, type(error).__name__])
json.dump(failed, sys.stdout)
"""


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
    work = json.dumps([[str(job.source), str(job.destination), job.name] for job in jobs]).encode()
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
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise PackagingError(
            f"compiling bytecode failed: {' '.join(last) or f'exit status {done.returncode}'}",
            where=str(interpreter.path),
        )
    return frozenset(Path(source) for source, _ in json.loads(done.stdout))
