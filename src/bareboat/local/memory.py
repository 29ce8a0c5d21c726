"""A process and what it started -> the memory that they hold of their own, as far as /proc tells."""

from __future__ import annotations

import os
from collections.abc import Iterable

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def own_bytes(pid: int) -> int:
    """Return the resident memory of one process without what is mapped from files; 0 where that is not known.

    The pages of a library or of a model file can be dropped when memory is short, and are on Lambda.
    """
    try:
        file = os.open(f"/proc/{pid}/statm", os.O_RDONLY)
    except OSError:
        return 0
    try:
        fields = os.read(file, 256).split(None, 3)
    except OSError:
        return 0
    finally:
        os.close(file)
    return (int(fields[1]) - int(fields[2])) * PAGE if len(fields) == 4 else 0


def family(pid: int) -> list[int]:
    """Return a process and all that it and those started, as far as they have not lost their parents."""
    found = [pid]
    for one in found:  # grows on the way
        try:
            threads = os.listdir(f"/proc/{one}/task")  # noqa: PTH208 - several times a second
        except OSError:
            continue
        for thread in threads:
            try:
                with open(f"/proc/{one}/task/{thread}/children", "rb") as file:  # noqa: PTH123 - as above
                    found += map(int, file.read().split())
            except OSError:  # it has ended, or a kernel without CONFIG_PROC_CHILDREN
                continue
    return found


def shared_out_bytes(pids: Iterable[int]) -> int:
    """Return the memory of several processes, what they have in common since a fork counted once (PSS)."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", "rb") as file:  # noqa: PTH123 - while memory runs out
                text = file.read()
        except OSError:
            continue
        for name in (b"\nPss_Anon:", b"\nPss:"):  # the first since Linux 5.9
            _, found, rest = text.partition(name)
            if found:
                total += int(rest.split(maxsplit=1)[0]) * 1024
                break
    return total
