"""What bounds a process between and during its events: memory, and being frozen."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bareboat.local.pool import Pool

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc, which Linux has")

CHILD = "x = [bytes(bytearray(10**6)) for _ in range(9000)]"
KILLED = "Runtime exited with error: signal: killed"


def document(invocation: Any) -> dict[str, str]:
    found: dict[str, str] = json.loads(invocation.payload)
    return found


@pytest.mark.parametrize(
    "leak",
    [
        "x = [bytearray(1_000_000) for _ in range(20_000)]",  # as fast as it can
        "x = []\n    while True:\n        x.append(bytearray(2_000_000)); time.sleep(0.01)",
        f"import subprocess\n    subprocess.run([sys.executable, '-c', {CHILD!r}])\n    time.sleep(5)",
        "if not os.fork():\n        x = [bytearray(1_000_000) for _ in range(9_000)]\n    time.sleep(9)",
    ],
    ids=["fast", "slow", "in a child", "in a fork"],
)
def test_a_handler_that_outgrows_its_memory_is_killed_in_lambdas_words(functions: Any, leak: str) -> None:
    pool = functions.pool(
        f"import os, sys, time\ndef handler(event, context):\n    if event == 1: return 1\n    {leak}\n",
        memory_mb=128,
        timeout_s=20,
    )

    began = time.monotonic()
    killed, after = functions.invoke(pool, b"0", b"1")

    assert time.monotonic() - began < 10
    assert document(killed) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {killed.request_id} Error: {KILLED}",
    }
    assert killed.error == "Unhandled"
    assert killed.max_memory_mb == 128
    assert f"RequestId: {killed.request_id} Error: {KILLED}\nRuntime.ExitError\n" in killed.log
    assert "\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t" in killed.log
    assert after.payload == b"1"


def test_a_leak_from_event_to_event_ends_in_a_new_process(functions: Any) -> None:
    pool = functions.pool(
        """
        import os, time
        kept = []
        def handler(event, context):
            kept.append(b"x" * 20_000_000)
            time.sleep(0.06)
            return os.getpid()
        """,
        memory_mb=128,
    )

    found = functions.invoke(pool, *[b"0"] * 9)

    assert len({one.payload for one in found if not one.error}) == 2
    # between two events it dies with nobody to tell
    assert [document(one)["errorType"] for one in found if one.error] in ([], ["Runtime.ExitError"])


def test_an_import_that_outgrows_the_memory_is_an_exit_error(functions: Any) -> None:
    pool = functions.pool(
        "x = [bytearray(1_000_000) for _ in range(20_000)]\ndef handler(event, context): return 1\n", memory_mb=128
    )

    (found,) = functions.invoke(pool, b"0")

    assert document(found)["errorMessage"].endswith(KILLED)


def test_more_than_the_kernel_gives_at_once_is_a_memory_error(functions: Any) -> None:
    pool = functions.pool("def handler(event, context): return len(bytearray(10 ** 11))\n", memory_mb=128)

    (found,) = functions.invoke(pool, b"0")

    assert document(found)["errorType"] == "MemoryError"


def test_a_file_that_is_mapped_does_not_count_and_what_is_within_bounds_is_answered(
    functions: Any, tmp_path: Path
) -> None:
    model = tmp_path / "model.bin"
    model.write_bytes(bytes(200_000_000))
    pool = functions.pool(
        f"""
        import mmap, time
        def handler(event, context):
            with open({str(model)!r}, "rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                total = sum(mapped[0::4096])
            kept = bytearray(60_000_000)
            time.sleep(0.15)
            return total
        """,
        memory_mb=128,
    )

    (found,) = functions.invoke(pool, b"0")

    assert found.payload == b"0"


THREAD = """
    import threading, time
    count = 0
    def work():
        global count
        while True:
            count += 1
            time.sleep(0.005)
    def handler(event, context):
        if event == "start":
            threading.Thread(target=work, daemon=True).start()
        return count
"""


@pytest.mark.parametrize("freeze", [True, False])
def test_a_thread_that_is_left_running_stands_still_between_events(functions: Any, freeze: bool) -> None:
    async def body(pool: Pool) -> tuple[int, int]:
        first = await pool.invoke(b'"start"')
        await asyncio.sleep(0.6)
        second = await pool.invoke(b'""')
        return int(first.payload), int(second.payload)

    first, second = functions.run(functions.pool(THREAD, settings={"freeze": freeze}), body)

    assert (second - first < 25) is freeze


def test_a_frozen_process_is_ended_with_its_pool_and_its_children_stand_still(functions: Any, tmp_path: Path) -> None:
    beats = tmp_path / "beats"
    child = f"import time\nwhile True:\n    open({str(beats)!r}, 'a').write('.'); time.sleep(0.01)"
    pool = functions.pool(
        f"""
        import subprocess, sys, time
        def handler(event, context):
            subprocess.Popen([sys.executable, "-c", {child!r}])
            time.sleep(0.3)
        """
    )

    async def body(pool: Pool) -> tuple[int, int]:
        await pool.invoke(b"0")
        await asyncio.sleep(0.1)
        first = beats.stat().st_size
        await asyncio.sleep(0.3)
        return first, beats.stat().st_size

    first, second = functions.run(pool, body)

    assert first == second > 0


def test_a_process_that_is_killed_while_frozen_is_replaced(functions: Any) -> None:
    pool = functions.pool("import os\ndef handler(event, context): return os.getpid()\n")

    async def body(pool: Pool) -> tuple[bytes, bytes]:
        first = await pool.invoke(b"0")
        await asyncio.sleep(0.1)
        os.kill(int(first.payload), signal.SIGKILL)
        return first.payload, (await pool.invoke(b"0")).payload

    first, second = functions.run(pool, body)

    assert first != second
