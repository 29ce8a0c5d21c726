"""The store between processes: two that write, one that follows, a disk that is full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bareboat.local.invocation import Invocation
from bareboat.local.observe import Store, query

WRITER = """\
import sys
from pathlib import Path
from bareboat.local.invocation import Invocation
from bareboat.local.observe import Store

name, path, count, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
if len(sys.argv) > 5:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[5]), int(sys.argv[5])))
store = Store(path, on_note=print)
for number in range(count):
    store.invocation(
        Invocation(f"{name}-{number}", name, b"x" * size, "", 1.0, 1, 128, 20, None, f"{name} {number}\\n", at=1.0))
    if number % 50 == 0:
        store.flush()
store.flush()
store.close()
print("dropped", *store.dropped)
"""


def write(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_write_into_one_file(tmp_path):
    path = tmp_path / ".bareboat" / "observed.sqlite"

    writers = [write(name, path, 1500, 200) for name in ("one", "two")]

    for writer in writers:
        assert writer.communicate(timeout=60) == ("dropped 0 0\n", "")
    kept = query.invocations(path, limit=10_000)
    assert len(kept) == len({row.id for row in kept}) == 3000
    for name in ("one", "two"):
        assert [row.request_id for row in kept if row.function == name] == [f"{name}-{n}" for n in range(1500)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the size of files as Linux does")
def test_a_disk_that_is_full_is_said_once_and_nothing_else_happens(tmp_path):
    path = tmp_path / ".bareboat" / "observed.sqlite"

    out, err = write("one", path, 300, 20_000, 1_000_000).communicate(timeout=60)

    said = out.splitlines()
    assert err == ""
    assert len(said) == 2, out
    assert "what happens is not being kept in" in said[0]
    dropped = int(said[1].split()[2])
    assert 100 < dropped < 300
    assert 1 <= len(query.invocations(path, limit=10_000)) <= 300 - dropped


def test_following_goes_on_over_restarts_and_a_file_that_is_removed(tmp_path):
    (tmp_path / "serverless.yml").write_text(
        "service: s\nprovider: {name: aws, runtime: python3.13}\nfunctions: {f: {handler: app.f}}\n"
    )
    (tmp_path / "app.py").write_text("")
    path = tmp_path / ".bareboat" / "observed.sqlite"
    follower = subprocess.Popen(
        [sys.executable, "-m", "bareboat", "logs", "--local", "--follow", "--grep", "said"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("BAREBOAT_")},
    )  # fmt: skip
    guard = threading.Timer(60, follower.kill)
    guard.start()
    try:
        for number in range(4):
            if number == 3:
                for file in path.parent.glob("observed.sqlite*"):
                    file.unlink()
            _say(path, number)
            assert follower.stdout is not None
            assert follower.stdout.readline().endswith(f"f  said {number}\n")
        follower.send_signal(signal.SIGINT)
        assert follower.wait(30) == 130
    finally:
        guard.cancel()
        follower.kill()
        follower.communicate()


def _say(path: Path, number: int) -> None:
    store = Store(path)
    store.invocation(Invocation(f"id-{number}", "f", b"", "", 1.0, 1, 128, 20, None, f"said {number}\n", at=1.0))
    store.close()
