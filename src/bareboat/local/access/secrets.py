"""What a service has of its own to try access control with: API keys, a pair of AWS credentials, a key for tokens.

All of it lies in `.bareboat/` beside serverless.yml, which is in no repository and no artifact, for its owner alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import string
from pathlib import Path
from typing import Any

from bareboat.artifact.output import prepare_output
from bareboat.errors import LocalError
from bareboat.packaging.cache import write_whole

FILE = "local-access.json"
TOKEN_KEY = "local-token-key.pem"  # noqa: S105 - a file's name
KEY_LENGTH = 40  # as long as the values that AWS makes
_LETTERS = string.ascii_letters + string.digits


class LocalSecrets:
    """The secrets of one service on this machine; each is made when it is asked for the first time.

    Args:
        folder: the service's `.bareboat`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def api_key(self, name: str) -> str:
        """Return the value of an API key that serverless.yml gives none.

        Raises:
            BareboatError: the file cannot be read or written, or others may read it.
        """
        return str(self._kept("apiKeys", name, lambda: _random(KEY_LENGTH)))

    def credentials(self) -> tuple[str, str]:
        """Return an access key id and a secret access key that nothing but the local cloud takes.

        Raises:
            LocalError: as above.
        """
        pair = self._kept("credentials", "pair", lambda: ["AKIA" + _random(16).upper(), _random(40)])
        return str(pair[0]), str(pair[1])

    def token_key(self) -> bytes | None:
        """Return the private key of local tokens, PEM; None when there is none yet.

        Raises:
            LocalError: others may read it.
        """
        return read_private(self.folder / TOKEN_KEY)

    def token_key_state(self) -> tuple[int, ...] | None:
        """Return what changes with the file of the key or its mode; None when there is none."""
        try:
            status = (self.folder / TOKEN_KEY).stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_mode

    def keep_token_key(self, pem: bytes) -> bytes:
        """Keep a private key unless there is one by now; return the one that is kept.

        Raises:
            BareboatError: it cannot be written.
        """
        path = self.folder / TOKEN_KEY
        if not path.exists():
            write_private(path, pem, replace=False)
        return read_private(path) or pem

    def _kept(self, section: str, name: str, make: Any) -> Any:
        path = self.folder / FILE
        found = _parsed(path)
        value = found.get(section, {}).get(name)
        if value is None:
            with _locked(self.folder):
                found = _parsed(path)  # another process may have been first
                value = found.setdefault(section, {}).setdefault(name, make())
                write_private(path, json.dumps(found, indent=2).encode() + b"\n")
        return value


def read_private(path: Path) -> bytes | None:
    """Return a file that is for its owner alone; None when there is none.

    Raises:
        LocalError: others may read or write it, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LocalError(f"{path.name} cannot be read: {error.strerror}", where=str(path)) from error
    if os.name == "posix" and mode & 0o077:
        raise LocalError(
            f"others than you may read {path.name}, which lets in whoever has it",
            expected="a file for its owner alone (mode 600)",
            fix=f"rm {path}  # the next run makes another",
            where=str(path),
        )
    return data


def write_private(path: Path, data: bytes, *, replace: bool = True) -> None:
    """Write a file for its owner alone, whole or not at all.

    Args:
        replace: whether one that is there gives way.
    Raises:
        PackagingError: it cannot be written.
    """
    prepare_output(path.parent)
    write_whole(path, data, mode=0o600, replace=replace)


@contextlib.contextmanager
def _locked(folder: Path) -> Any:
    """Keep other processes out while a file is changed."""
    prepare_output(folder)
    try:
        import fcntl
    except ImportError:  # Windows: two first runs at once are left to chance
        yield
        return
    with os.fdopen(os.open(folder / f"{FILE}.lock", os.O_RDWR | os.O_CREAT, 0o600), "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _parsed(path: Path) -> dict[str, Any]:
    data = read_private(path)
    if data is None:
        return {}
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(section, dict) for section in found.values()):
        raise LocalError(
            f"{path.name} is damaged", expected="JSON as bareboat writes it", fix=f"rm {path}", where=str(path)
        )
    return found


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
