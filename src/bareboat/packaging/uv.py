"""uv, run as a child: requirements in, wheels for another machine out."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bareboat.errors import PackagingError

# What of a person's UV_ variables reaches uv: where packages come from and how to get there. The rest (UV_TARGET,
# UV_RESOLUTION, UV_PRERELEASE, UV_COMPILE_BYTECODE, ...) would change what is installed behind the project's back.
_KEPT = re.compile(
    r"UV_(CACHE_DIR|CONCURRENT_\w+|DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS|HTTP_\w+|INDEX\w*|INSECURE_HOST|"
    r"KEYRING_PROVIDER|NATIVE_TLS|NETRC|NO_CACHE|OFFLINE|PYTHON_INSTALL_DIR|REQUEST_TIMEOUT|SYSTEM_CERTS|GIT_LFS)$"
)

_PROGRESS = re.compile(
    r"(Resolved|Prepared|Installed|Uninstalled|Audited|Building|Built|Downloading|Downloaded|Updating|Updated|Using) "
)


def uv_path() -> str:
    """Return where the uv is that is installed with bareboat.

    Raises:
        PackagingError: there is none.
    """
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError) as error:
        raise PackagingError(
            "uv is missing from this installation of bareboat",
            expected="the package uv, which bareboat depends on",
            fix="pip install uv",
        ) from error


@dataclass(frozen=True, slots=True)
class Said:
    """What uv wrote: to stdout, and its warnings without their label."""

    text: str
    warnings: tuple[str, ...]


def run_uv(
    args: Sequence[str], *, cwd: Path | None = None, while_doing: str = "uv", timeout_s: float | None = 1800.0
) -> str:
    """Run uv and return what it wrote to stdout; as `ask_uv`."""
    return ask_uv(args, cwd=cwd, while_doing=while_doing, timeout_s=timeout_s).text


def ask_uv(
    args: Sequence[str],
    *,
    cwd: Path | None = None,
    while_doing: str = "uv",
    timeout_s: float | None = 1800.0,
    warnings: bool = False,
) -> Said:
    """Run uv.

    Args:
        args: such as ["pip", "compile", ...]; colour and progress are taken care of.
        cwd: relative paths in requirements start here, and uv looks for the project's own settings from here.
        while_doing: what the message says was under way when uv refused.
        warnings: whether uv shall write any.
    Raises:
        PackagingError: uv refused; the message holds uv's reason.
    """
    quiet = () if warnings else ("--quiet",)
    command = [uv_path(), *args, *quiet, "--no-progress", "--color", "never", "--no-python-downloads"]
    try:
        done = subprocess.run(
            command, cwd=cwd, env=_environment(), capture_output=True, text=True, timeout=timeout_s, check=False,
            encoding="utf-8", errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise PackagingError(f"{while_doing}: uv did not end within {timeout_s:.0f} s") from error
    except OSError as error:
        raise PackagingError(f"{while_doing}: uv does not start: {error}") from error
    if done.returncode:
        raise UvError(while_doing, done.stderr)
    lines = done.stderr.splitlines()
    return Said(done.stdout, tuple(x.removeprefix("warning: ") for x in lines if x.startswith("warning: ")))


class UvError(PackagingError):
    """uv refused.

    Args:
        reason: what uv wrote, without its labels.
        hints: the lines that uv called hints.
    """

    def __init__(self, while_doing: str, stderr: str) -> None:
        self.reason, self.hints = _read(stderr)
        super().__init__(f"{while_doing}: {self.reason}", fix=_cure(self.reason, self.hints))


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UV_") or _KEPT.match(name)}
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__"):
        kept.pop(name, None)
    return kept


def _read(stderr: str) -> tuple[str, list[str]]:
    """Split uv's report into one reason and its hints."""
    reasons: list[str] = []
    hints: list[str] = []
    into = reasons
    for raw in stderr.splitlines():
        drawn = raw.strip()
        line = drawn.lstrip("\u00d7\u2570\u2500\u25b6\u251c\u2502").strip()  # older releases draw a tree
        if not line or _PROGRESS.match(raw):
            continue
        if line.startswith("warning:"):
            into = []  # a warning and its causes
            continue
        if line != drawn:
            into = reasons
        for label in ("error:", "cause:", "Caused by:", "hint:"):
            if line.startswith(label):
                into = hints if label == "hint:" else reasons if label == "error:" or into is hints else into
                line = line.removeprefix(label).strip()
        into.append(line)
    reason = " ".join(reasons) or "uv ended without saying why"
    return reason.removeprefix("No solution found when resolving dependencies "), hints


def _cure(reason: str, hints: list[str]) -> str:
    low = " ".join([reason, *hints]).lower()
    if "hash mismatch" in low or "hash-checking" in low:
        return "compare the hashes in the requirements with the index's; a changed file must not be trusted"
    if any(sign in low for sign in ("failed to fetch", "dns error", "error sending request", "timed out", "connect")):
        return "check the network; UV_DEFAULT_INDEX names another package index, UV_OFFLINE=1 uses what is cached"
    if "401 unauthorized" in low or "403 forbidden" in low:
        return f"{hints[0] if hints else 'the index refused'}; its user and password go into ~/.netrc"
    if "not found in the package registry" in low:
        return "check the spelling; a private package needs its index, as --extra-index-url in the requirements"
    return hints[0] if hints else ""
