"""AWS's runtime client, and the boto3 of Lambda's image, installed once for each Python version into the cache."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bareboat.errors import BareboatError, LocalError
from bareboat.packaging.cache import cache_folder, scratch_folder, tidy
from bareboat.packaging.interpreters import Interpreter

log = logging.getLogger(__name__)

LAUNCH = Path(__file__).with_name("launch.py")
OWN_CLIENT = Path(__file__).with_name("client.py")
AWSLAMBDARIC = "4.2.2"
OLDER = {"3.8": "2.2.1", "3.9": "4.0.4"}  # the last ones with a wheel for those versions
CHOICE = "BAREBOAT_RUNTIME_CLIENT"


def client_kind() -> str:
    """Return which runtime client is used: `aws` on Linux, else `own`; BAREBOAT_RUNTIME_CLIENT decides otherwise.

    Raises:
        LocalError: the variable holds something else.
    """
    said = os.environ.get(CHOICE, "")
    if said not in {"", "aws", "own"}:
        raise LocalError(f"{CHOICE} is {said!r}", expected="aws or own", fix=f"unset {CHOICE}")
    return said or ("aws" if sys.platform == "linux" else "own")


def runtime_client(interpreter: Interpreter) -> Path:
    """Return the folder that holds awslambdaric for this interpreter, installed if need be.

    Raises:
        LocalError: it cannot be installed.
    """
    version = OLDER.get(interpreter.version, AWSLAMBDARIC)
    try:
        return _installed(f"awslambdaric-{version}", [f"awslambdaric=={version}"], interpreter)
    except BareboatError as error:
        raise LocalError(
            f"AWS's runtime client for Python {interpreter.version} cannot be installed: {error.problems[0].found}",
            expected=f"awslambdaric {version}, fetched once and then kept in the cache",
            fix=f"{_remedy(error)}, or set {CHOICE}=own to run on bareboat's own client",
        ) from error


def _remedy(error: BareboatError) -> str:
    """Return what mends a cache that cannot be written; anything else is put down to the network."""
    fix = error.problems[0].fix
    return fix if "BAREBOAT_CACHE_DIR" in fix else "connect to a package index once"


def boto3_folder(interpreter: Interpreter) -> Path | None:
    """Return the folder that holds boto3 for this interpreter, installed if need be; None, with a warning, if not."""
    try:
        return _installed("boto3", ["boto3"], interpreter)
    except BareboatError as error:
        log.warning(
            "boto3, which Lambda's image has, cannot be installed for Python %s here: %s. "
            "A function that imports it will fail.",
            interpreter.version,
            error.problems[0].found,
        )
        return None


def mentions_boto3(folder: Path) -> bool:
    """Return whether any Python file under `folder` speaks of boto3 or botocore. Remembered beside the folder."""
    answer = folder.with_name(folder.name + ".boto3")
    try:
        return answer.read_bytes() == b"yes"
    except OSError:
        pass
    found = any(
        b"boto3" in text or b"botocore" in text
        for text in (path.read_bytes() for path in folder.rglob("*.py") if path.is_file())
    )
    try:
        answer.write_bytes(b"yes" if found else b"no")
    except OSError as error:
        log.info("cannot remember whether %s needs boto3: %s", folder, error)
    return found


def _installed(name: str, requirements: Sequence[str], interpreter: Interpreter) -> Path:
    folder = cache_folder("runtime-client")
    whole = folder / f"{name}-{interpreter.version}-{_abi_of_host()}"
    if whole.is_dir():
        return whole
    from bareboat.packaging.uv import run_uv

    tidy(folder)
    with scratch_folder(folder) as scratch:
        target = scratch / "site"
        run_uv(
            [
                "pip", "install", "--python", str(interpreter.path), "--target", str(target),
                "--only-binary", ":all:", "--compile-bytecode", *requirements,
            ],
            cwd=scratch,
            while_doing=f"installing {requirements[0]}",
        )  # fmt: skip
        try:
            target.rename(whole)
        except OSError:
            if not whole.is_dir():  # else another bareboat was quicker
                raise
    return whole


def _abi_of_host() -> str:
    return f"{sys.platform}-{os.uname().machine}" if hasattr(os, "uname") else sys.platform
