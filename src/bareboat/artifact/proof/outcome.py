"""What a proof found, kept by the content that was proved, so that the same is not run again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bareboat.packaging.cache import cache_folder, tidy, write_whole

_FORMAT = 2
_KEPT_DAYS = 60


class Kept(msgspec.Struct, frozen=True):
    """A file that slimming would have taken away or changed, and without which a sample is answered otherwise.

    Args:
        path: normalised, as `bareboat.packaging.used` has it.
        reason: why it would have been: `tests`, `comments and docstrings`.
        function, sample: that need it; the sample is "" when the import does.
        said: what became of it without the file.
    """

    path: str
    package: str
    reason: str
    function: str
    sample: str
    said: str


class Said(msgspec.Struct, frozen=True):
    """A note, about a function or all of them ("")."""

    level: str
    text: str
    function: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What a proof found.

    Args:
        samples: for each function that was proved, the samples that it answered alike.
        kept: culprits.
        failed: for each function the samples that nothing was proved with, since they fail with whole packages too.
        used, listed: for level max, raw paths that the samples used, and folders that they listed.
    """

    samples: dict[str, tuple[str, ...]]
    kept: tuple[Kept, ...] = ()
    used: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    notes: tuple[Said, ...] = ()
    failed: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


def key_of(parts: Sequence[Any]) -> str:
    """Return the name under which an outcome is kept, from all that it depends on (JSON-like)."""
    return hashlib.sha256(json.dumps([_FORMAT, *parts], sort_keys=True).encode()).hexdigest()[:40]


def kept_outcome(key: str) -> Outcome | None:
    """Return the outcome of an earlier proof of the same content."""
    try:
        return msgspec.json.decode((cache_folder("proofs") / f"{key}.json").read_bytes(), type=Outcome)
    except (OSError, msgspec.MsgspecError):
        return None


def keep_outcome(key: str, outcome: Outcome) -> None:
    """Keep an outcome.

    Raises:
        PackagingError: the disk is full.
    """
    folder = cache_folder("proofs")
    write_whole(folder / f"{key}.json", msgspec.json.encode(outcome))
    tidy(folder)
    _forget(folder)


def _forget(folder: Path) -> None:
    limit = time.time() - _KEPT_DAYS * 86_400
    for path in folder.glob("*.json"):
        try:
            if path.stat().st_mtime < limit:
                path.unlink()
        except OSError:
            continue
