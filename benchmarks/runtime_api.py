"""A Lambda Runtime API for one process, to time AWS's own client on an unpacked artifact.

Written for the benchmarks alone: no threads, no event loop, nothing of bareboat. One connection is served at a time,
which is how the client speaks (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
import uuid
from pathlib import Path
from typing import Self

import harness
import peers

STOPPED = "the runtime process ended without an answer"


class Worker:
    """One runtime process: spawned, invoked one event at a time, stopped."""

    def __init__(
        self,
        task: Path,
        handler: str,
        *,
        python: str = "3.12",
        log: Path,
        timeout_s: float = 60,
        opt: Path | None = None,
    ) -> None:
        """Prepare; `opt` is the folder of unpacked layers."""
        self.task, self.handler, self.python, self.log, self.timeout_s = task, handler, python, log, timeout_s
        self.opt = opt
        self.process: subprocess.Popen[bytes] | None = None
        self.connection: socket.socket | None = None
        self.buffer = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)
            self.process.wait(10)
        if self.connection:
            self.connection.close()
        self.listener.close()

    def environment(self) -> dict[str, str]:
        """Set what Lambda sets. PYTHONDONTWRITEBYTECODE stands for its read-only /var/task."""
        task, opt = self.task, self.opt
        client = peers.install_tree(f"runtime-{self.python}")
        modules = f"{opt}/python/lib/python{self.python}/site-packages:{opt}/python:" if opt else ""
        return {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.listener.getsockname()[1]}",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{self.python}",
            "AWS_LAMBDA_FUNCTION_NAME": "predict",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/predict",
            "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "LAMBDA_TASK_ROOT": str(task),
            "LAMBDA_RUNTIME_DIR": str(client),
            "LD_LIBRARY_PATH": f"{task}:{task}/lib" + (f":{opt}/lib" if opt else ""),
            "PYTHONPATH": f"{modules}{client}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": self.handler,
        }

    def start(self, event: bytes) -> tuple[float, bytes]:
        """Spawn the client and invoke it once: (seconds from spawn to the whole answer, the answer).

        Raises:
            harness.RowError: the process ended, reported an error or took longer than the timeout.
        """
        command = [str(peers.interpreter(self.python)), "-m", "awslambdaric", self.handler]
        env = self.environment()
        with self.log.open("wb") as out:
            started = time.perf_counter()
            self.process = subprocess.Popen(
                command, cwd=self.task, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
            self._expect_next()
            answer, ended = self._exchange(event)[::2]
        return ended - started, answer

    def invoke(self, event: bytes) -> tuple[float, bytes]:
        """Invoke the waiting process: (seconds from the event's first byte out to the answer's last in, answer)."""
        answer, started, ended = self._exchange(event)
        return ended - started, answer

    def cpu_s(self) -> float:
        """Sum the CPU time that the threads of the process have had, in seconds (steadier than a clock under load)."""
        assert self.process
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def _exchange(self, event: bytes) -> tuple[bytes, float, float]:
        assert self.connection
        deadline_ms = int((time.time() + 6) * 1000)
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(event)}\r\nLambda-Runtime-Aws-Request-Id: {uuid.uuid4()}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {deadline_ms}\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:predict\r\n\r\n"
        )
        message = head.encode() + event
        started = time.perf_counter()
        self.connection.sendall(message)
        path, body = self._request()
        ended = time.perf_counter()
        if not path.endswith("/response"):
            raise harness.RowError(f"{path.rpartition('/')[2]} instead of a response: {body.decode()[:300]}")
        self.connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n")
        self._expect_next()
        return body, started, ended

    def _expect_next(self) -> None:
        path, body = self._request()
        if not path.endswith("/runtime/invocation/next"):
            raise harness.RowError(f"{path} instead of /next: {body.decode()[:300]}")

    def _request(self) -> tuple[str, bytes]:
        """Read one request: (path, body)."""
        while b"\r\n\r\n" not in self.buffer:
            self._receive()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        length = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), 0)
        while len(self.buffer) < length:
            self._receive()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return lines[0].split(" ")[1], body

    def _receive(self) -> None:
        """Take more bytes; accept a new connection when there is none or the client closed the last one."""
        while True:
            if self.connection is None:
                self.connection = self._accept()
            try:
                more = self.connection.recv(65536)
            except TimeoutError as error:
                raise harness.RowError(f"no answer in {self.timeout_s:g} s") from error
            if more:
                self.buffer += more
                return
            self.connection.close()
            self.connection = None

    def _accept(self) -> socket.socket:
        """Wait for the process to call; look now and then whether it still lives."""
        until = time.monotonic() + self.timeout_s
        self.listener.settimeout(0.5)
        while time.monotonic() < until:
            try:
                connection, _ = self.listener.accept()
            except TimeoutError:
                if self.process and self.process.poll() is not None:
                    tail = self.log.read_text(errors="replace")[-300:]
                    raise harness.RowError(f"{STOPPED} (exit {self.process.returncode}): {tail}") from None
                continue
            connection.settimeout(self.timeout_s)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        raise harness.RowError(f"no call to the Runtime API in {self.timeout_s:g} s")
