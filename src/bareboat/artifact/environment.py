"""The environment variables that a function sees: those of Lambda and its own, nothing else of the user's.

Source: recordings of Lambda's environment, January 2026 (LocalStack's snapshot test_introspection_invoke).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bareboat.artifact.opt import within
from bareboat.service.model import Function

# Handed on when the user has them, since AWS gives the role's: see docs/local-lambda.md.
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
ENDPOINTS = "AWS_ENDPOINT_URL"
WINDOWS = ("SYSTEMROOT", "SYSTEMDRIVE", "TEMP", "TMP")  # Python does not start without the first


def environment(  # noqa: PLR0913 - each is known elsewhere
    function: Function,
    *,
    handler: str,
    task_root: Path,
    runtime_dir: Path,
    python_path: Sequence[Path],
    python: Path,
    region: str,
    user: Mapping[str, str],
    opt: Path | None = None,
) -> dict[str, str]:
    """Return the variables that all processes of a function share.

    Each process has four more: AWS_LAMBDA_RUNTIME_API, AWS_LAMBDA_LOG_STREAM_NAME, _X_AMZN_TRACE_ID (set by the client
    for each event) and, until the client has read it, _LAMBDA_TELEMETRY_LOG_FD.

    Args:
        user: the environment of the tool, of which credentials and endpoints are handed on.
        opt: the folder of its layers, which Lambda has at /opt.
    """
    runtime = f"AWS_Lambda_python{function.python}"
    root = str(task_root)
    variables = {
        "AWS_DEFAULT_REGION": region,
        "AWS_EXECUTION_ENV": runtime,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": function.full_name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group(function),
        "AWS_REGION": region,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "LAMBDA_RUNTIME_DIR": str(runtime_dir),
        "LAMBDA_TASK_ROOT": root,
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": os.pathsep.join((root, str(task_root / "lib"), *([str(opt / "lib")] if opt else ()))),
        "PATH": os.pathsep.join((str(python.parent), *_system_path(), *([str(opt / "bin")] if opt else ()))),
        "PWD": root,
        "PYTHONPATH": os.pathsep.join(map(str, python_path)),
        "SHLVL": "0",
        "TZ": ":UTC",
        "_AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1",
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "_HANDLER": handler,
    }
    if sys.platform == "win32":
        variables["TZ"] = "UTC"  # the C library of Windows does not know the form with a colon
        variables |= {name: user[name] for name in WINDOWS if name in user}
    variables |= {name: user[name] for name in CREDENTIALS if user.get(name)}
    variables |= {name: value for name, value in user.items() if name.startswith(ENDPOINTS)}
    own = dict(function.environment)
    if opt is not None and "PYTHONPATH" in own:
        own["PYTHONPATH"] = within(opt, own["PYTHONPATH"])
    return variables | own


def log_group(function: Function) -> str:
    """Return the log group that Lambda writes to."""
    return f"/aws/lambda/{function.full_name}"


def log_stream() -> str:
    """Return a new log stream's name: `2026/01/12/[$LATEST]` and 32 hex digits."""
    return time.strftime("%Y/%m/%d/[$LATEST]", time.gmtime()) + os.urandom(16).hex()


def _system_path() -> tuple[str, ...]:
    if sys.platform == "win32":
        root = os.environ.get("SYSTEMROOT", r"C:\Windows")
        return (rf"{root}\System32", root)
    return ("/usr/local/bin", "/usr/bin", "/bin")
