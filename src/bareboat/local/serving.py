"""A running local cloud -> `.bareboat/serve.json`, by which other commands find it, and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

FILE = "serve.json"


class Serving(msgspec.Struct, frozen=True):
    """A local cloud that serves a project.

    Args:
        pid: of its process.
        started: when that process started, as the system counts; "" where it does not say.
        urls: of its doors: "httpApi", "rest", "lambda", "url:NAME", "console".
    """

    pid: int
    started: str
    service: str
    stage: str
    urls: dict[str, str]

    @property
    def is_alive(self) -> bool:
        """Whether its process is still there; a number that another process got since then does not count."""
        if self.started:
            return _started(self.pid) == self.started
        if os.name == "nt":
            return True  # no way to ask without a library: whoever connects finds out
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True


def read_serving(folder: Path) -> Serving | None:
    """Return the local cloud that serves the project in `folder`; None when there is none, or its file is stale."""
    try:
        serving = msgspec.json.decode((folder / ".bareboat" / FILE).read_bytes(), type=Serving)
    except (OSError, msgspec.MsgspecError):
        return None
    return serving if serving.is_alive else None


def write_serving(folder: Path, service: str, stage: str, urls: Mapping[str, str]) -> Serving | None:
    """Say that this process serves the project in `folder`. The newest of several is the one that is found.

    Returns:
        the local cloud that was found before, for `remove_serving`.
    Raises:
        PackagingError: `.bareboat` cannot be written.
    """
    from bareboat.artifact.output import OUTPUT, prepare_output
    from bareboat.packaging.cache import write_whole

    prepare_output(folder / OUTPUT)
    before = read_serving(folder)
    serving = Serving(os.getpid(), _started(os.getpid()), service, stage, dict(urls))
    write_whole(folder / OUTPUT / FILE, msgspec.json.format(msgspec.json.encode(serving), indent=2))
    return before


def remove_serving(folder: Path, before: Serving | None = None) -> None:
    """Take back what this process has said, unless another one has said it since then.

    Args:
        before: who is found again then, if it still serves.
    """
    path = folder / ".bareboat" / FILE
    with suppress(OSError, msgspec.MsgspecError):
        if msgspec.json.decode(path.read_bytes(), type=Serving).pid == os.getpid():
            if before is not None and before.pid != os.getpid() and before.is_alive:
                path.write_bytes(msgspec.json.encode(before))
            else:
                path.unlink()


def _started(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
