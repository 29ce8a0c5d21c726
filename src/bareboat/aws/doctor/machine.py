"""This machine -> what bareboat needs of it and whether it is there."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from bareboat import __version__
from bareboat.aws.client import INSTALL
from bareboat.errors import BareboatError
from bareboat.packaging.cache import user_folder
from bareboat.packaging.interpreters import find_python
from bareboat.packaging.uv import ask_uv, uv_path
from bareboat.service.model import Service
from bareboat.service.runtimes import LIVE, RETIRED

State = Literal["ok", "note", "missing"]
_OLDEST = (3, 11)
_FULL_MB, _LITTLE_MB = 300, 2_000
_PROXIES = ("HTTPS_PROXY", "https_proxy", "AWS_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Args:
        state: `note` for what works with less, `missing` for what stops a command.
        fix: what to do about it.
    """

    name: str
    state: State
    found: str
    fix: str = ""


def check_machine(service: Service | None = None) -> list[Check]:
    """Look at what bareboat needs of this machine. Nothing is installed and no network is used.

    Args:
        service: whose runtimes count; None for a folder without a serverless.yml.
    """
    return [*_python(), *_uv(), *_boto3(), *_kernels(), *_interpreters(service), *_disk(), *_environment()]


def _python() -> Iterator[Check]:
    said = f"bareboat {__version__} on Python {sys.version.split()[0]}, {sys.executable}"
    is_old = sys.version_info[:2] < _OLDEST
    yield Check("bareboat", "missing" if is_old else "ok", said, "Python 3.11 or newer" if is_old else "")


def _uv() -> Iterator[Check]:
    try:
        yield Check("uv", "ok", f"{ask_uv(['--version']).text.strip()}, {uv_path()}")
    except BareboatError as error:
        yield Check("uv", "missing", error.problems[0].found, error.problems[0].fix)


def _boto3() -> Iterator[Check]:
    try:
        yield Check("boto3", "ok", f"boto3 {version('boto3')}")
    except PackageNotFoundError:
        yield Check("boto3", "note", "not installed: commands that speak to AWS need it", INSTALL)


def _kernels() -> Iterator[Check]:
    import bareboat.runtime

    folder = Path(str(bareboat.runtime.__path__[0])) / "native"
    names = {path.name for path in folder.glob("*.so")}
    lacking = [cpu for cpu in ("x86_64", "aarch64") if f"kernel-linux-{cpu}.so" not in names]
    if lacking:
        found = f"no compiled kernels for Lambda on {' and '.join(lacking)}"
        yield Check("kernels", "missing", found, "install bareboat from a wheel")
    else:
        yield Check("kernels", "ok", "compiled for Lambda on x86_64 and arm64")


def _interpreters(service: Service | None) -> Iterator[Check]:
    """Say which interpreters are here; an artifact has bytecode, and runs locally, with that of its own version."""
    wanted = {one.python for one in service.functions.values()} if service is not None else set()
    for runtime in LIVE:
        minor = runtime.removeprefix("python")
        if wanted and minor not in wanted:
            continue
        found = find_python(minor)
        if found is not None:
            yield Check(runtime, "ok", f"Python {found.release}, {found.path}")
            continue
        used = minor in wanted
        text = "no interpreter: artifacts ship no bytecode, a threefold cold start, and nothing of it runs locally"
        yield Check(runtime, "note" if used else "ok", text if used else "no interpreter", f"uv python install {minor}")
    retired = sorted({one.runtime for one in service.functions.values()} & set(RETIRED)) if service is not None else ()
    for runtime in retired:
        fix = "runtime: python3.13, or bareboat deploy --runtime python3.13"
        yield Check(runtime, "note", "AWS has retired it: it is packaged as python3.13 and cannot be deployed", fix)


def _disk() -> Iterator[Check]:
    for name, folder, fix in (
        ("cache", user_folder("cache"), "make room, or set BAREBOAT_CACHE_DIR"),
        ("temporary files", Path(os.environ.get("TMPDIR") or "/tmp"), "make room, or set TMPDIR"),  # noqa: S108
    ):
        there = next((one for one in (folder, *folder.parents) if one.is_dir()), Path("/"))
        free_mb = shutil.disk_usage(there).free / 1e6
        is_writable = os.access(there, os.W_OK)
        state: State = "ok" if free_mb > _LITTLE_MB else "note"
        if free_mb < _FULL_MB or not is_writable:
            state = "missing"
        said = f"{free_mb / 1000:.1f} GB free at {folder}" + ("" if is_writable else ", which cannot be written to")
        yield Check(name, state, said, "" if state == "ok" else fix)


def _environment() -> Iterator[Check]:
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        yield Check("AWS_ENDPOINT_URL", "note", f"{endpoint} stands for all of AWS", "unset it for the real AWS")
    said = [name for name in _PROXIES if os.environ.get(name)]
    if said:
        yield Check("network", "ok", f"{', '.join(said)} set")
