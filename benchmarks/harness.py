"""What the benchmarks share: processes, archives, medians, and the report they write."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

REPOSITORY = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"


class RowError(Exception):
    """A row could not be measured, or answered wrongly; the report shows why and gives it no figure."""


def arguments(what: str, *, rounds: int, quick: int) -> argparse.Namespace:
    """Read --rounds and --quick; `rounds` in the result is the number to run."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--rounds", type=int, help=f"rounds, each with every row (default {rounds})")
    parser.add_argument("--quick", action="store_true", help=f"{quick} round(s), to see whether it runs")
    parser.add_argument("--no-write", action="store_true", help="print the report, leave benchmarks/results alone")
    given = parser.parse_args()
    given.rounds = given.rounds or (quick if given.quick else rounds)
    return given


# --- processes ---------------------------------------------------------------------------------------------------


def environment(**extra: str) -> dict[str, str]:
    """Copy this environment without what would steer Python or uv, with `extra` on top."""
    dropped = ("PYTHON", "VIRTUAL_ENV", "UV_", "AWS_", "BAREBOAT_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return kept | extra


def free_port() -> int:
    """Ask the system for a port of 127.0.0.1 that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: Sequence[str], *, cwd: Path, env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a session of its own; stop that session, and only that, at the end."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and its descendants: first by SIGINT to it alone, then by SIGKILL to what is left of them."""
    before = family(process.pid)
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(8)
    left = _stats()
    for pid, stat in before.items():
        if pid in left and left[pid].started == stat.started:  # the same process, not a new one with its number
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait(8)


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes], *, seconds: float, log: Path) -> None:
    """Ask `ready` until it says yes.

    Raises:
        RowError: the process ended, or the time is over; the message has the end of the log.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            if ready():
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    tail = log.read_text(errors="replace")[-300:] if log.exists() else ""
    raise RowError(f"not ready after {seconds:g} s (exit {process.poll()}): {tail}")


class Stat(NamedTuple):
    """What /proc says of one process; ticks are its CPU time, ended children included."""

    parent: int
    started: int
    ticks: int


def _stats() -> dict[int, Stat]:
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            found[int(path.parent.name)] = Stat(int(fields[1]), int(fields[19]), sum(map(int, fields[11:15])))
    return found


def family(pid: int) -> dict[int, Stat]:
    """Find a process and all its descendants."""
    every = _stats()
    found = {pid: every[pid]} if pid in every else {}
    grown = True
    while grown:
        more = {child: stat for child, stat in every.items() if stat.parent in found and child not in found}
        found |= more
        grown = bool(more)
    return found


def settle(pid: int, *, seconds: float = 20) -> None:
    """Wait until a process and its descendants have gone quiet, so that they take no CPU from the next row."""
    until = time.monotonic() + seconds
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    before = sum(stat.ticks for stat in family(pid).values()) * tick_s
    while time.monotonic() < until:
        time.sleep(0.5)
        now = sum(stat.ticks for stat in family(pid).values()) * tick_s
        if abs(now - before) < 0.05:
            return
        before = now


class Watched(NamedTuple):
    """One run of a command: its output, how long it took, and the most memory that it and its children had at once."""

    stdout: str
    stderr: str
    returncode: int
    seconds: float
    peak_bytes: int


def watched(command: Sequence[str], *, cwd: Path, env: dict[str, str], timeout_s: float = 300) -> Watched:
    """Run a command and look 50 times a second at the memory of the whole family: PSS, so that shared pages count once.

    What lives shorter than that is missed; the looking costs some of the time.
    """
    started = time.perf_counter()
    peak = 0
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        while process.poll() is None:
            if time.perf_counter() - started > timeout_s:
                stop(process)
                raise RowError(f"{' '.join(command[:3])}: not done after {timeout_s:g} s")
            peak = max(peak, sum(map(pss_bytes, family(process.pid))))
            time.sleep(0.02)
        seconds = time.perf_counter() - started
        out.seek(0)
        err.seek(0)
        said = out.read().decode(errors="replace"), err.read().decode(errors="replace")
    return Watched(*said, process.returncode, seconds, peak)


def pss_bytes(pid: int) -> int:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024
    return 0


# --- archives ----------------------------------------------------------------------------------------------------


def unzip(archive: Path, place: Path) -> Path:
    """Unpack as Lambda does: modes and dates come from the archive (dates decide whether .pyc files count)."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            path = Path(opened.extract(info, place))
            if not info.is_dir():
                path.chmod((info.external_attr >> 16) & 0o777 or 0o644)
                seconds = datetime.datetime(*info.date_time, tzinfo=datetime.UTC).timestamp()
                os.utime(path, (seconds, seconds))
    return place


def tree_size(place: Path) -> tuple[int, int]:
    """Count the bytes and the files under a folder."""
    sizes = [path.stat().st_size for path in place.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(sizes), len(sizes)


def zip_size(archive: Path) -> tuple[int, int]:
    """Count the bytes and the files that a zip unpacks to."""
    with zipfile.ZipFile(archive) as opened:
        sizes = [info.file_size for info in opened.infolist() if not info.is_dir()]
    return sum(sizes), len(sizes)


def without_bytecode(archive: Path) -> tuple[int, int]:
    """Count the bytes of a zip, and of what is in it, as they would be without bytecode."""
    with zipfile.ZipFile(archive) as opened:
        infos = opened.infolist()
    compiled = [info for info in infos if info.filename.endswith(".pyc")]
    headers = sum(30 + 46 + 2 * len(info.filename.encode()) for info in compiled)  # APPNOTE 4.3.7 and 4.3.12
    zipped = archive.stat().st_size - headers - sum(info.compress_size for info in compiled)
    return zipped, sum(info.file_size for info in infos) - sum(info.file_size for info in compiled)


# --- figures -----------------------------------------------------------------------------------------------------


def percentile(values: Sequence[float], percent: float) -> float:
    """Take the value below which `percent` of the values lie (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * percent / 100))]


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """Order the rows of one round: each round starts with another row."""
    at = turn % len(names)
    return [*names[at:], *names[:at]]


def shuffled(names: Sequence[str], turn: int) -> list[str]:
    """Order the rows of one round, another way each round, so that no row always follows the same other one."""
    order = list(names)
    random.Random(turn).shuffle(order)
    return order


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Write a median with its least and greatest value."""
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({least:.{digits}f}-{most:.{digits}f})"


# --- the report --------------------------------------------------------------------------------------------------


@dataclass
class Report:
    """Rows and targets of one run, written as Markdown and JSON."""

    name: str
    title: str
    columns: list[str]
    versions: dict[str, str]
    rounds: int
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    targets: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    script: str = ""  # within benchmarks/, when it is not called as the report is
    started: str = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"))
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    def fail(self, row: str, error: Exception | str) -> None:
        """Give up a row: whatever it measured so far does not count."""
        self.failures.setdefault(row, " ".join(str(error).split())[:400])
        print(f"  {row}: {self.failures[row]}", file=sys.stderr, flush=True)

    def target(self, what: str, limit: str, measured: float | None, met: bool | None, shown: str = "") -> None:
        """Hold a figure against what it has to reach. None: it was not measured in this run."""
        text = shown or ("not measured" if measured is None else f"{measured:.3g}")
        self.targets.append({"what": what, "to_reach": limit, "measured": measured, "shown": text, "met": met})

    def markdown(self) -> str:
        """Write the report as Markdown."""
        command = f"python benchmarks/{self.script or self.name}.py --rounds {self.rounds}"
        lines = [f"# {self.title}", "", f"`{command}`, {self.started}.", ""]
        lines += [f"Machine: {machine()}; load average {self.load:.1f} at the start.", ""]
        lines += ["Versions: " + ", ".join(f"{key} {value}" for key, value in self.versions.items()) + ".", ""]
        lines += ["| row | " + " | ".join(self.columns) + " |", "|---|" + "---|" * len(self.columns)]
        for name, cells in self.rows.items():
            lines.append(f"| {name} | " + " | ".join(str(cells.get(column, "")) for column in self.columns) + " |")
        for name, reason in self.failures.items():
            lines.append(f"| {name} | not counted: {reason.replace('|', '/')} |" + " |" * (len(self.columns) - 1))
        if self.targets:
            lines += ["", "| to reach | limit | measured | met |", "|---|---|---|---|"]
            words = {True: "yes", False: "**no**", None: "-"}
            lines += [f"| {t['what']} | {t['to_reach']} | {t['shown']} | {words[t['met']]} |" for t in self.targets]
        lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines).rstrip() + "\n"

    def finish(self, *, write: bool) -> int:
        """Print the report, write it, and say by the exit status whether every row ran and every target is met."""
        text = without_paths(self.markdown())
        print(text)
        if write:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{self.name}.md").write_text(text)
            document = {
                "name": self.name, "started": self.started, "machine": machine(), "load_at_start": round(self.load, 2),
                "rounds": self.rounds, "versions": self.versions, "rows": self.rows, "not_counted": self.failures,
                "targets": self.targets, "notes": self.notes,
            }  # fmt: skip
            (RESULTS / f"{self.name}.json").write_text(without_paths(json.dumps(document, indent=1)) + "\n")
        return 1 if self.failures or any(target["met"] is False for target in self.targets) else 0


def without_paths(text: str) -> str:
    """Take this machine's own folders out of what servers and tools said."""
    for folder, short in ((REPOSITORY, "."), (tempfile.gettempdir(), "TMP"), (Path.home(), "~"), (sys.prefix, "VENV")):
        text = text.replace(str(folder), short)
    return text


def machine() -> str:
    """Describe the machine: processor, cores, memory, system."""
    with contextlib.suppress(OSError):
        info = Path("/proc/cpuinfo").read_text()
        model = next((line.partition(": ")[2] for line in info.splitlines() if line.startswith("model name")), "")
        memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
        gigabytes = int(memory.split()[1]) * 1024 / 1e9
        return f"{model}, {os.cpu_count()} cores, {gigabytes:.0f} GB, Linux {platform.release().partition('-')[0]}"
    return f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}"


def bareboat_version() -> str:
    """Name the checkout of bareboat by version and commit."""
    shown = subprocess.run(
        ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty", "--exclude", "*"],
        capture_output=True, text=True, timeout=30, check=False,
    ).stdout.strip()  # fmt: skip
    import bareboat

    return f"{bareboat.__version__} ({shown})" if shown else bareboat.__version__
