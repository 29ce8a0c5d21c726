"""What Lambda's image has beside Python, installed for this machine: boto3, for functions that do not ship it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bareboat.errors import BareboatError
from bareboat.packaging.cache import cache_folder, scratch_folder, tidy
from bareboat.packaging.interpreters import Interpreter

log = logging.getLogger(__name__)

_silent: set[str] = set()  # digests of Python files that do not speak of boto3


def boto3_folder(interpreter: Interpreter) -> Path | None:
    """Return the folder that holds boto3 for this interpreter, installed if need be; None, with a warning, if not."""
    try:
        return installed_for(interpreter, "boto3", ["boto3"])
    except BareboatError as error:
        log.warning(
            "boto3, which Lambda's image has, cannot be installed for Python %s here: %s. "
            "A function that imports it will fail.",
            interpreter.version,
            error.problems[0].found,
        )
        return None


def mentions_boto3(folder: Path, digests: Mapping[str, str] | None = None) -> bool:
    """Return whether any Python file under `folder` speaks of boto3 or botocore. Remembered beside the folder.

    bareboat's own runtime does not count: it uses boto3 only where the manifest has `permissions`.

    Args:
        digests: path -> sha256, of all files in it if that is known; none of the same content is read twice.
    """
    answer = folder.with_name(folder.name + ".boto3")
    try:
        found = answer.read_bytes() == b"yes"
    except OSError:
        pass
    else:
        if not found and digests:
            _silent.update(digest for name, digest in digests.items() if name.endswith(".py"))
        return found
    found = False
    names = digests or {path.relative_to(folder).as_posix(): "" for path in folder.rglob("*.py") if path.is_file()}
    for name, digest in names.items():
        if not name.endswith(".py") or name.startswith("bareboat/") or digest in _silent:
            continue
        if _mentions_boto3(folder / name):
            found = True
            break
        if digest:
            _silent.add(digest)
    try:
        answer.write_bytes(b"yes" if found else b"no")
    except OSError as error:
        log.info("cannot remember whether %s needs boto3: %s", folder, error)
    return found


def _mentions_boto3(path: Path) -> bool:
    text = path.read_bytes()
    return b"boto3" in text or b"botocore" in text


def installed_for(interpreter: Interpreter, name: str, requirements: Sequence[str]) -> Path:
    """Return the folder that holds packages for an interpreter, installed into the cache once.

    Args:
        name: of the folder; one for each set of requirements.
    Raises:
        PackagingError: they cannot be installed.
    """
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
