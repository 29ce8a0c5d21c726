"""Folders -> the paths that change in them, as the system tells."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

log = logging.getLogger(__name__)

STEP_MS = 20  # how often it asks the system
DEBOUNCE_MS = 200


class Watcher:
    """Watches folders, each without those below it, in a thread of its own.

    Args:
        on_change: told of paths, in that thread; of None once, when it has begun.
    """

    def __init__(self, folders: Iterable[str], on_change: Callable[[set[str] | None], None]) -> None:
        self.folders = frozenset(folders)
        self._on_change = on_change
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bareboat-watcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, soon."""
        self._stop.set()

    def _run(self) -> None:
        from watchfiles import watch

        try:
            there = [folder for folder in self.folders if Path(folder).is_dir()]
            changes = watch(
                *there,
                watch_filter=None,
                debounce=DEBOUNCE_MS,
                step=STEP_MS,
                stop_event=self._stop,
                rust_timeout=100,
                yield_on_timeout=True,
                raise_interrupt=False,
                recursive=False,
            )
            begun = False
            for batch in changes:
                if self._stop.is_set():
                    return
                if not begun:
                    begun = True
                    self._on_change(None)
                if batch:
                    self._on_change({path for _, path in batch})
        except Exception:
            log.warning("changes of files are not told by the system; each request looks for them", exc_info=True)
