"""Many rows -> blocks of them, over threads that run the kernel without the interpreter's lock."""

import ctypes
import os
from itertools import count
from operator import index

from bareboat.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    Call = Callable[[int, int, int], None]
    """(first row, rows, address of scratch, a multiple of 64)."""

_THREAD_WORK = 500_000
"""Rows times trees that are worth a thread: about a millisecond of the kernel, ten times what a thread costs."""
_LEAST_BLOCK, _LARGEST_BLOCK = 256, 8192
"""Rows of one call of the kernel, which works in blocks of 256; a thread takes such a part at a time."""


def over_rows(call: "Call", n_rows: int, n_threads: int, scratch_size: int) -> None:
    """Call for parts of the rows of a matrix that is scored: some eight for each thread, each of whole blocks."""
    block = min(_LARGEST_BLOCK, max(_LEAST_BLOCK, n_rows // (8 * n_threads) & -_LEAST_BLOCK))
    over_blocks(call, n_rows, block, n_threads, scratch_size)


def over_blocks(call: "Call", n_rows: int, block: int, n_threads: int, scratch_size: int) -> None:
    """Call for every block of rows, each thread taking the next one that is left; of no rows, once.

    The first error that a call raises is raised here, once all threads are done.
    """
    blocks = count(0, block)  # next() of it is atomic
    errors: "list[BaseException]" = []

    def work() -> None:
        try:
            memory = ctypes.create_string_buffer(scratch_size + 64)
            scratch = ctypes.addressof(memory) + 63 & ~63
            while (first := next(blocks)) < n_rows or first == 0:
                call(first, min(block, n_rows - first), scratch)
        except BaseException as error:  # noqa: BLE001 - told in the caller's thread
            errors.append(error)

    n_others = min(n_threads, -(-n_rows // block)) - 1
    others = _started(work, n_others) if n_others > 0 else []
    work()
    for thread in others:
        thread.join()
    if errors:
        raise errors[0]


def _started(work: "Callable[[], None]", n: int) -> "list[threading.Thread]":
    import threading

    threads = [threading.Thread(target=work) for _ in range(n)]
    for thread in threads:
        thread.start()
    return threads


def thread_count(asked: "int | None", work: int) -> int:
    """Return how many threads to use.

    Args:
        asked: a number, -1 for all cores of this process, or None: 1 for small batches, more for larger ones.
        work: rows times trees.
    Raises:
        InputError: a number that is neither -1 nor at least 1.
    """
    if asked is None:
        return max(1, min(_cores(), work // _THREAD_WORK))
    try:
        n = index(asked)
    except TypeError:
        n = 0
    if n == -1:
        return _cores()
    if n < 1:
        raise InputError(f"n_threads is {asked!r}", expected="at least 1, -1 for all cores, or None to choose")
    return n


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
