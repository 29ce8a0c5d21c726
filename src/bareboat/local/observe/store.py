"""What the local cloud did -> observed.sqlite, by a thread of its own."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.local.access_record import AccessRecord
from bareboat.local.invocation import Invocation
from bareboat.local.observe.batch import Bare, Batch, Item, Limits, write
from bareboat.local.observe.file import is_damage, open_to_write, set_aside
from bareboat.local.observe.mask import ALWAYS, Mask
from bareboat.local.reload_record import Reload

if TYPE_CHECKING:
    import sqlite3

log = logging.getLogger(__name__)

MAX_ROWS = 100_000
MAX_BYTES = 256_000_000
MAX_BODY_BYTES = 65_536
QUEUE_BYTES = 12_000_000  # of bodies that wait; beyond, they are dropped
QUEUE_ROWS = 50_000
BODIES_PER_S = 200  # beyond, rows are kept without theirs: nobody reads thousands a second, and each costs the server
BODIES_AT_ONCE = 2_000
BODIES_FOR_ERRORS = 500  # of these
GATHER_S = 0.05  # how long a batch gathers
MANY_ROWS, MANY_S = 50, 0.25  # where the last batch was so large, the next gathers longer: a transaction costs the same
BATCH_ROWS = 500  # in one transaction: another process that writes waits no longer than that
BATCH_BYTES = 4_000_000  # of bodies, which are in memory twice while they are written
RETRY_S = 5.0  # after a disk that is full, or a file that is locked
CLOSE_S = 5.0


class Store:
    """Keeps what happened. `invocation`, `request` and `reload` put it in a queue: they never wait and never raise.

    What a disk or a burst does not allow is dropped and counted; the counts are in `query.metrics`. The cloud goes on.

    Args:
        path: made when it is missing; what cannot be read is moved aside.
        max_rows: of invocations and of requests; the oldest go.
        max_bytes: of the file; the bodies of the oldest go first.
        max_body_bytes: of a body, an answer or a log; more is cut.
        mask: hides credentials; it may be replaced at any time.
        on_note: told, in the store's thread, what a person should know: once for each trouble.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_rows: int = MAX_ROWS,
        max_bytes: int = MAX_BYTES,
        max_body_bytes: int = MAX_BODY_BYTES,
        on_note: Callable[[str], None] | None = None,
        mask: Mask = ALWAYS,
    ) -> None:
        self.path = path
        self.mask = mask
        self._limits = Limits(max_rows, max_bytes, max_body_bytes)
        self._on_note = on_note
        self._queue: deque[Item] = deque()
        self._added = 0  # bytes of bodies that came; only the caller's thread counts
        self._taken = 0  # and those that the writer has taken; only it counts
        self._dropped_bodies = 0
        self._dropped_rows = 0
        self._counted = (0, 0)  # of both, what the file tells already
        self._untrimmed = self._untrimmed_bytes = 0  # written since it was last seen to that the limits hold
        self._bodies = float(BODIES_AT_ONCE)  # that may be kept now
        self._bodies_at = time.monotonic()
        self._is_awake = False
        self._work = threading.Event()
        self._ending = threading.Event()
        self._told: set[str] = set()
        self._retry_at = 0.0
        self._alone: dict[str, int] = {}  # invocations without their request: `write`'s
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] = (0, 0)
        self._thread = threading.Thread(target=self._run, name="bareboat-observed", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> tuple[int, int]:
        """How many bodies, and how many whole rows, were not kept."""
        return self._dropped_bodies, self._dropped_rows

    def invocation(self, invocation: Invocation) -> None:
        """Keep what became of an invocation."""
        self._put(invocation, _size(invocation))

    def request(self, record: AccessRecord) -> None:
        """Keep a request and its answer."""
        self._put(record, _size(record))

    def reload(self, reload: Reload) -> None:
        """Keep a reload."""
        self._put(reload, 0)

    def flush(self, timeout_s: float = CLOSE_S) -> bool:
        """Wait until all that came so far is written; return whether it is."""
        until = time.monotonic() + timeout_s
        while (self._queue or self._is_awake) and time.monotonic() < until:
            time.sleep(0.005)
        return not self._queue and not self._is_awake

    def close(self) -> None:
        """Write what waits, for five seconds at most, and close the file."""
        self._ending.set()
        self._work.set()
        self._thread.join(CLOSE_S)

    def _put(self, item: Invocation | AccessRecord | Reload, size: int) -> None:
        queue = self._queue
        if len(queue) >= QUEUE_ROWS:
            self._dropped_rows += 1
            return
        if size and self._added - self._taken + size > QUEUE_BYTES:
            self._dropped_bodies += 1
            queue.append(_bare(item))
        else:
            self._added += size
            queue.append(item)
        if not self._is_awake:
            self._is_awake = True
            self._work.set()

    # The writer's thread

    def _run(self) -> None:
        rows = 0
        while not (self._ending.is_set() and not self._queue):
            self._work.wait()
            self._work.clear()
            self._ending.wait(GATHER_S if rows < MANY_ROWS else MANY_S)
            rows = len(self._queue)
            while self._queue:
                self._write_some()
                if 0 < len(self._queue) < BATCH_ROWS:  # a few large batches cost the event loop less than many small
                    self._ending.wait(GATHER_S)
            self._is_awake = False
            if self._queue:  # it came while this thread still seemed awake
                self._is_awake = True
                self._work.set()
        self._disconnect()

    def _write_some(self) -> None:
        batch = Batch(mask=self.mask)
        queue, limit = self._queue, self._limits.body_bytes
        taken = 0
        self._let_bodies_in()
        while queue and len(batch) < BATCH_ROWS and taken < BATCH_BYTES:
            item = queue.popleft()
            size = _size(item)
            taken += size
            batch.add(self._bounded(item) if size else item, limit)
        self._untrimmed += len(batch)
        self._untrimmed_bytes += taken
        if time.monotonic() < self._retry_at or not self._written(batch):
            self._dropped_rows += len(batch)
        self._taken += taken

    def _let_bodies_in(self) -> None:
        now = time.monotonic()
        self._bodies = min(self._bodies + (now - self._bodies_at) * BODIES_PER_S, BODIES_AT_ONCE)
        self._bodies_at = now

    def _bounded(self, item: Item) -> Item:
        """Take the bodies off an item that came in a flood; the last ones to go are those of failures."""
        least = 1 if _has_failed(item) else BODIES_FOR_ERRORS
        if self._bodies < least:
            self._dropped_bodies += 1
            return Bare(item) if isinstance(item, Invocation | AccessRecord) else item
        self._bodies -= 1
        return item

    def _written(self, batch: Batch) -> bool:
        import sqlite3

        try:
            for attempt in (1, 2):
                try:
                    self._write(batch)
                    return True
                except sqlite3.DatabaseError as error:
                    if attempt == 2 or not is_damage(error):
                        raise
                    self._disconnect()
                    aside = set_aside(self.path)
                    self._tell(f"{self.path} is damaged: it was moved to {aside.name}, and a new one begun")
        except (sqlite3.Error, OSError) as error:
            self._retry_at = time.monotonic() + RETRY_S
            self._disconnect()
            self._tell(f"what happens is not being kept in {self.path}: {error}; serving goes on")
        except Exception:
            log.exception("what happened could not be kept")  # ours to mend; the next batch may be fine
        return False

    def _write(self, batch: Batch) -> None:
        if self._connection is not None and self._identity() != self._file:
            self._disconnect()  # somebody removed or replaced it
        if self._connection is None:
            self._connection, note = open_to_write(self.path)
            self._file = self._identity()
            if note:
                self._tell(note)
        dropped = self.dropped
        new = (dropped[0] - self._counted[0], dropped[1] - self._counted[1])
        trim = self._untrimmed >= self._limits.rows // 50 or self._untrimmed_bytes >= self._limits.bytes // 50
        write(self._connection, batch, new, self._limits, self._alone, trim=trim)
        if trim:
            self._untrimmed = self._untrimmed_bytes = 0
        self._counted = dropped

    def _identity(self) -> tuple[int, int]:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return (0, 0)
        return (found.st_dev, found.st_ino)

    def _disconnect(self) -> None:
        if self._connection is not None:
            import sqlite3

            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            log.warning(text) if self._on_note is None else self._on_note(text)


def _bare(item: Invocation | AccessRecord | Reload) -> Item:
    return item if isinstance(item, Reload) else Bare(item)


def _has_failed(item: Item) -> bool:
    return bool(item.error) if isinstance(item, Invocation | AccessRecord) else False


def _size(item: Item) -> int:
    """Return how many bytes of bodies an item holds, as they were counted when it came."""
    if isinstance(item, Invocation):
        return len(item.event) + len(item.payload) + len(item.log)
    if isinstance(item, AccessRecord):
        request, response = item.request, item.response
        return (0 if request is None else len(request.body)) + (0 if response is None else len(response.body))
    return 0
