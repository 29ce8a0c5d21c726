"""Bytecode in an artifact -> whether Python will take it, and what it costs if not."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Mapping

from bareboat.artifact.contents import Contents, Entry
from bareboat.errors import ArtifactError
from bareboat.packaging.target import Target
from bareboat.service.model import Note

_HEAD = struct.Struct("<4sIII")
_COST = "Python compiles such modules again at every cold start, which takes up to three times as long"
_CURE = "bareboat package, or python -m compileall --invalidation-mode unchecked-hash"
_ZIPPED_STEP_S = 2  # a zip keeps every other second
_ZONE_S = 15 * 60


def bytecode_notes(contents: Contents, target: Target) -> list[Note]:
    """Tell of bytecode that Python would pass over, and of none at all."""
    sources = {entry.path: entry for entry in contents.entries if entry.path.endswith(".py")}
    states: Counter[str] = Counter()
    covered = 0
    for entry in contents.entries:
        if not entry.path.endswith(".pyc") or entry.link:
            continue
        state = _state(contents, entry, sources, target)
        states[state] += 1
        covered += state == ""
    notes = []
    total = sum(states.values())
    for state, count in sorted(states.items()):
        if state:
            text = f"{count} of {total} .pyc files are {state}: {_COST}. {_CURE} makes bytecode that stays valid"
            notes.append(Note("warning", text))
    if not total and len(sources) > 20:
        text = f"there is no bytecode for {len(sources)} Python files: {_COST}. {_CURE} makes it"
        notes.append(Note("warning", text))
    return notes


def _state(contents: Contents, entry: Entry, sources: Mapping[str, Entry], target: Target) -> str:
    folder, _, name = entry.path.rpartition("/")
    if not folder.endswith("__pycache__"):
        return ""
    stem, _, tag = name.removesuffix(".pyc").partition(".cpython-")
    if tag and tag.partition(".")[0] != target.python.replace(".", ""):
        return f"of another Python than {target.python}"
    source = sources.get(f"{folder.removesuffix('__pycache__')}{stem}.py")
    if source is None:
        return "without their source, and never looked at where they lie"
    try:
        _, flags, changed, size = _HEAD.unpack_from(contents.read(entry.path))
    except (ArtifactError, struct.error):
        return "damaged"
    if flags & 1:
        return ""
    if size != source.size_bytes & 0xFFFFFFFF:
        return "stale (their source has another size)"
    # a zip's clock says no zone: whole quarters of an hour may be one
    away = abs(changed - source.changed_s)
    if contents.zipped_bytes is None or (min(away % _ZONE_S, -away % _ZONE_S) <= _ZIPPED_STEP_S and away <= 14 * 3600):
        return "" if contents.zipped_bytes is not None or not away else "stale (their source has another date)"
    return "stale (the zip gives their source another date)"
