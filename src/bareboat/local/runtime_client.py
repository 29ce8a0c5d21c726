"""AWS's runtime client, installed once for each Python version into the cache."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bareboat.artifact.image_packages import installed_for
from bareboat.errors import BareboatError, LocalError
from bareboat.packaging.interpreters import Interpreter

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
        return installed_for(interpreter, f"awslambdaric-{version}", [f"awslambdaric=={version}"])
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
