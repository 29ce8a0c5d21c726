"""A Python that has LocalStack -> AWS on 127.0.0.1, without Docker and without a licence.

uv venv --python 3.13 DIR
uv pip install --python DIR/bin/python -r tests/differential/localstack_aws/requirements.txt
python tests/differential/localstack_aws/server.py DIR/bin/python     # until Ctrl-C
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SITE = Path(__file__).parent / "site"
READY_S = 60
REGION = "us-east-1"


class LocalStack(NamedTuple):
    """LocalStack under way; `log` is the file of what it says."""

    endpoint: str
    log: Path

    def env(self, home: Path) -> dict[str, str]:
        """Return an environment in which LocalStack is AWS, and nothing of the user's is known."""
        dropped = ("AWS_", "BAREBOAT_", "PYTHON", "VIRTUAL_ENV")
        return {key: value for key, value in os.environ.items() if not key.startswith(dropped)} | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": str(home / "no-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(home / "no-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        }


@contextlib.contextmanager
def running(python: str, **settings: str) -> Iterator[LocalStack]:
    """Start LocalStack on a free port with folders of its own; stop it and take them away at the end.

    Args:
        settings: of LocalStack's own, such as CFN_NO_WAIT_ITERATIONS="1000".
    Raises:
        RuntimeError: it does not start; with the end of what it said.
    """
    with tempfile.TemporaryDirectory(prefix="bareboat-localstack-") as folder:
        home = Path(folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = home / "log"
        (home / "tmp").mkdir()
        with log.open("wb") as out:
            process = subprocess.Popen(
                [python, "-m", "localstack.runtime.main"], cwd=home, env=_env(home, port) | settings,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            _wait(process, f"http://127.0.0.1:{port}/_localstack/health", log)
            yield LocalStack(f"http://127.0.0.1:{port}", log)
        finally:
            _stop(process)


def _env(home: Path, port: int) -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "LD_LIBRARY_PATH") if key in os.environ}
    return kept | {
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "FILESYSTEM_ROOT": str(home / "root"),
        "PYTHONPATH": str(SITE),
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "GATEWAY_SERVER": "hypercorn",  # the default one listens on 0.0.0.0, whatever GATEWAY_LISTEN says
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _wait(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + READY_S
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError, urllib.error.URLError), opener.open(health, timeout=2):
            return
        time.sleep(0.1)
    raise RuntimeError(f"LocalStack does not start: {log.read_text(errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End it and its functions' processes: they are in sessions of their own, and end with their Runtime API."""
    children = _children(process.pid)
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    for pid in [process.pid, *children]:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    process.wait(5)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found


def main() -> None:
    with running(sys.argv[1]) as cloud:
        print(cloud.endpoint, cloud.log, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
