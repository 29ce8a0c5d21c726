"""Packs of packages -> the same packs without comments and docstrings in their Python files, kept in the cache too.

The work is done by the target's interpreter, which reads its own syntax, so that it is the same on every host.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bareboat.errors import PackagingError
from bareboat.packaging.cache import cannot_write
from bareboat.packaging.interpreters import Interpreter
from bareboat.packaging.packs import Contents, Pack, PackReader, make_packs, with_members
from bareboat.packaging.slim import Removed

REASON = "comments and docstrings"
# These read docstrings when they are imported: numpy.ma edits those of numpy, lightgbm.dask takes its own apart.
_READS_DOCSTRINGS = {"numpy", "lightgbm"}
_OLDEST = (3, 10)  # what bareboat.source is written for

# Runs in the target's interpreter: [path, docstrings too] on stdin, one a line; the changed ones are written over.
_CHILD = """
import gc, json, sys
sys.path.append(sys.argv[1])
from bareboat.source.strip import strip_source
from bareboat.source.text import SourceError
gc.disable()
changed = []
for path, docstrings in json.load(sys.stdin):
    with open(path, "rb") as file:
        before = file.read()
    try:
        after = strip_source(before, docstrings=docstrings)
    except SourceError:
        continue
    if len(after) < len(before):
        with open(path, "wb") as file:
            file.write(after)
        changed.append(path)
json.dump(changed, sys.stdout)
"""


def strip_text(
    packs: Sequence[Pack], interpreter: Interpreter, scratch: Path, on_step: Callable[[str], None]
) -> tuple[Pack, ...]:
    """Write for each pack one without comments and docstrings.

    A file that this would change in any other way stays as it is, as do the docstrings of packages that read them.

    Args:
        scratch: an empty folder, where the new packs are written.
    Raises:
        PackagingError: the interpreter does not run, or the disk is full.
    """
    on_step(f"Taking comments and docstrings out of {', '.join(pack.name for pack in packs)}")
    folders = [scratch / str(number) for number in range(len(packs))]
    work: list[tuple[str, bool]] = []
    with PackReader() as reader:
        for folder, pack in zip(folders, packs, strict=True):
            for member in pack.members:
                if member.path.endswith(".py") and member.size and member.path not in pack.not_compiled:
                    path = folder / member.path
                    _write(path, reader.unpacked(pack, member))
                    work.append((str(path), pack.name not in _READS_DOCSTRINGS))
    changed = _changed(interpreter, work)
    contents = [
        Contents(pack.name, pack.version, {path: folder / path for path in _in(folder, changed)})
        for folder, pack in zip(folders, packs, strict=True)
    ]
    made = make_packs(contents, interpreter, scratch)
    return tuple(
        with_members(pack, new, _saved(pack, new), scratch / f"{number}.text")
        for number, (pack, new) in enumerate(zip(packs, made, strict=True))
    )


def _in(folder: Path, changed: set[str]) -> list[str]:
    return sorted(Path(path).relative_to(folder).as_posix() for path in changed if Path(path).is_relative_to(folder))


def _saved(pack: Pack, new: Pack) -> tuple[Removed, ...]:
    before = {member.path: member.size for member in pack.members}
    saved = {one.path: before[one.path] - one.size for one in new.members if one.path.endswith(".py")}
    return (Removed(REASON, saved),) if saved else ()


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise cannot_write(path, error) from error


def _changed(interpreter: Interpreter, work: Sequence[tuple[str, bool]]) -> set[str]:
    """Strip files in as many processes as there are processors; return the paths of those that changed."""
    if not work:
        return set()
    workers = max(1, min(os.cpu_count() or 1, len(work) // 25))
    ordered = sorted(work, key=lambda one: (-Path(one[0]).stat().st_size, one))
    with ThreadPoolExecutor(workers) as threads:
        shares = threads.map(lambda share: _strip(interpreter, share), [ordered[n::workers] for n in range(workers)])
        return set().union(*shares)


def _strip(interpreter: Interpreter, share: Sequence[tuple[str, bool]]) -> set[str]:
    old = tuple(map(int, interpreter.version.split("."))) < _OLDEST
    python = sys.executable if old else str(interpreter.path)
    home = str(Path(__file__).resolve().parents[2])
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP", "TMPDIR") if name in os.environ}
    done = subprocess.run(
        [python, "-s", "-S", "-X", "utf8", "-W", "ignore", "-c", _CHILD, home],
        env={**kept, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        input=json.dumps(share).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise PackagingError(
            f"taking comments out failed: {' '.join(last) or f'exit status {done.returncode}'}", where=python
        )
    return set(json.loads(done.stdout))
