"""Why uv could not install what is locked -> what a person is told, with the line of bareboat.lock."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence

from bareboat.errors import PackagingError, Problem
from bareboat.packaging.cache import cache_folder
from bareboat.packaging.lock import LOCK
from bareboat.packaging.pins import Pin
from bareboat.packaging.resolve import Resolution
from bareboat.packaging.uv import UvError


def not_installed(error: UvError, resolution: Resolution, pins: Sequence[Pin]) -> PackagingError:
    """Return uv's refusal in words of the lock: a file that changed, that is gone, that is not shown, or broke off."""
    if "No space left on device" in error.reason or "Disk quota exceeded" in error.reason:
        return _full_disk()
    said = re.search(r"`([A-Za-z0-9][\w.-]*?)(?:==([^`]+)| @ [^`]+)?`", error.reason)
    pin = next((pin for pin in pins if said is not None and pin.name == said[1]), None)
    if pin is None:
        return error
    name = f"{pin.name} {pin.version}".strip()
    anew = f"bareboat lock --upgrade-package {pin.name}"
    hashes = re.search(r"Expected: (?:sha256:)?(\S+) Computed: (?:sha256:)?(\S+)", error.reason)
    status = re.search(r"HTTP status \w+ error \((\d+ [^)]*)\)", error.reason)
    if hashes is not None:
        problem = Problem(
            f"the file of {name} has changed: its sha256 is {hashes[2]}",
            expected=f"{hashes[1]}, as it is locked",
            fix=f"do not trust it, unless you know why; then: {anew}",
        )
    elif status is not None and status[1][:3] in {"404", "410"}:
        problem = Problem(
            f"the file of {name} is no longer where it was: {status[1]}",
            expected="the file that is locked",
            fix=f"{anew}, which takes it from where it is now",
        )
    elif status is not None and status[1][:3] in {"401", "403", "407"}:
        problem = Problem(
            f"the package index refuses the file of {name}: {status[1]}",
            expected="a user and a password, or a token, that it knows",
            fix="put them into ~/.netrc, or into the index's address in the requirements, from a variable; a proxy may "
            "refuse as well",
        )
    elif "Network connectivity is disabled" in error.reason:
        problem = Problem(
            f"the file of {name} is not cached, and UV_OFFLINE forbids the network",
            expected="a file that was fetched before",
            fix="unset UV_OFFLINE",
        )
    elif re.search("Failed to (download|fetch|extract)", error.reason):
        problem = Problem(
            f"the file of {name} did not come whole: {status[1] if status else _cause(error.reason)}",
            expected="a package index that serves the whole file",
            fix="try again, or check the network and the proxy; nothing of it was kept",
        )
    else:
        return error
    problem.where = _line(pin, resolution)
    return PackagingError(problem.found, problems=(problem,))


def place_of(pin: Pin, resolution: Resolution) -> str:
    """Return where a pin is asked for: a line of the requirements, else of bareboat.lock."""
    asked = resolution.asked.place_of(pin.name) if resolution.asked is not None else ""
    return asked if ":" in asked else _line(pin, resolution) or asked


def _full_disk() -> PackagingError:
    folder = cache_folder("packs")
    free = shutil.disk_usage(folder if folder.exists() else folder.parent).free
    return PackagingError(
        f"packages cannot be installed: the disk is full ({free / 1e6:.0f} MB free)",
        expected="room for the packages as their wheels have them, and once more as they ship",
        fix="make room there, or name a folder with more in BAREBOAT_CACHE_DIR",
        where=str(folder),
    )


def _cause(reason: str) -> str:
    causes = r"end of file before message length reached|connection \w+ by peer|connection refused|timed out|dns error"
    found = re.findall(causes, reason, re.IGNORECASE)
    return str(found[-1]) if found else reason.partition("` ")[2]


def _line(pin: Pin, resolution: Resolution) -> str:
    """Return the line of bareboat.lock that names a pin's file, if it does."""
    path = resolution.folder / LOCK
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    found = (number for number, line in enumerate(lines, 1) if pin.sha256 and pin.sha256 in line)
    return next((f"{path}:{number}" for number in found), "")
