"""bareboat's command line as processes of their own, forked off one that has everything imported: some 10 ms each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READ_S = 3.0  # how long a process waits for an answer of AWS, in place of a minute
_KEEPER = Path(__file__).parent / "keeper.py"


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended: its exit code (-9 where it was killed), and what it wrote."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Commands:
    """Runs `bareboat ...`, one process at a time or several."""

    def __init__(self) -> None:
        self._keeper = subprocess.Popen(
            [sys.executable, str(_KEEPER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lock = threading.Lock()
        self._told: dict[int, int] = {}
        self._changed = threading.Condition()
        self._started: list[int] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def start(
        self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], read_s: float | None = None
    ) -> Running:
        """Start a process.

        Args:
            read_s: how long it waits for an answer of AWS.
        """
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - closed when it has ended
        paths = [f"/proc/{os.getpid()}/fd/{file.fileno()}" for file in (out, err)]
        ask = {
            "arguments": list(arguments),
            "cwd": str(cwd),
            "env": dict(env),
            "out": paths[0],
            "err": paths[1],
            "read_s": read_s or READ_S,
        }
        assert self._keeper.stdin is not None
        with self._lock:
            known = len(self._started)
            self._keeper.stdin.write(json.dumps(ask) + "\n")
            self._keeper.stdin.flush()
            with self._changed:
                assert self._changed.wait_for(lambda: len(self._started) > known, 30), "no process was started"
                process = self._started[known]
        return Running(self, process, out, err)

    def run(self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout_s: float = 60) -> Ended:
        """Run a process to its end."""
        return self.start(arguments, cwd=cwd, env=env).ended(timeout_s)

    def wait(self, process: int, timeout_s: float) -> int:
        """Return the exit code of a process."""
        with self._changed:
            assert self._changed.wait_for(lambda: process in self._told, timeout_s), f"process {process} does not end"
            return self._told[process]

    def _read(self) -> None:
        assert self._keeper.stdout is not None
        for line in self._keeper.stdout:
            said = json.loads(line)
            with self._changed:
                if "code" in said:
                    self._told[said["process"]] = said["code"]
                else:
                    self._started.append(said["process"])
                self._changed.notify_all()

    def close(self) -> None:
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait(30)
        self._reader.join(10)
        assert self._keeper.stdout is not None
        self._keeper.stdout.close()


class Running:
    """A process under way."""

    def __init__(self, commands: Commands, process: int, out: Any, err: Any) -> None:
        self.process = process
        self._commands = commands
        self._files = (out, err)

    def ended(self, timeout_s: float = 60) -> Ended:
        """Wait for the end."""
        code = self._commands.wait(self.process, timeout_s)
        texts = []
        for file in self._files:
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
            file.close()
        return Ended(code, texts[0], texts[1])
