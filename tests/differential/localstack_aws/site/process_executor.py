"""LocalStack's Lambda without Docker: each execution environment is AWS's own runtime client in a process.

Loaded by LocalStack through this folder's entry point, with LAMBDA_RUNTIME_EXECUTOR=process. The interpreter is that of
LocalStack's environment, whatever runtime a function names, and it sees the packages of that environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

START_S = 20


class ProcessExecutor(RuntimeExecutor):
    """One environment: a Runtime API on a port of its own, and the process that asks it."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:  # noqa: A002 - LocalStack's name
        super().__init__(id, function_version)
        self.events: queue.Queue[dict[str, str]] = queue.Queue()
        self.said: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.lines: list[str] = []
        self.ready = threading.Event()
        self.server: ThreadingHTTPServer | None = None
        self.process: subprocess.Popen[str] | None = None
        self.env: dict[str, str] = {}
        self.init_s: float | None = None

    def start(self, env_vars: dict[str, str]) -> None:
        """Start both, and wait until the code is imported."""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _api(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        task = str(self.function_version.config.code.get_unzipped_code_location())
        self.env = {
            **{name: str(value) for name, value in env_vars.items()},
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_address[1]}",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.function_version.config.runtime}",
            "LAMBDA_TASK_ROOT": task,
            "LD_LIBRARY_PATH": f"{task}:{task}/lib",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "en_US.UTF-8",
        }
        self._spawn()

    def _spawn(self) -> None:
        """Start the process.

        Raises:
            StatusErrorException: the code is not imported in time, or not at all.
        """
        self.said, self.ready = queue.Queue(), threading.Event()
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", self.function_version.config.handler],
            cwd=self.env["LAMBDA_TASK_ROOT"], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._read, args=(self.process, self.said), daemon=True).start()
        while not self.ready.is_set():
            with contextlib.suppress(queue.Empty):
                kind, body = self.said.get(timeout=0.01)
                raise StatusErrorException("Environment startup failed", payload=body or self._exit_error(kind))
            if time.perf_counter() - began > START_S:
                raise StatusErrorException("Environment startup failed", payload=self._exit_error("timeout"))
        self.init_s = time.perf_counter() - began

    def _exit_error(self, text: str) -> bytes:
        said = "".join(self.lines)[-1000:] or text
        return json.dumps({"errorType": "Runtime.ExitError", "errorMessage": said}).encode()

    def _read(self, process: subprocess.Popen[str], said: queue.Queue[tuple[str, bytes]]) -> None:
        assert process.stdout
        for line in process.stdout:
            self.lines.append(line)
        said.put(("ended", b""))

    def _kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)

    def stop(self) -> None:
        """End both."""
        self._kill()
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Have one event answered, and return what was said and logged."""
        of, timeout_s = payload["invoke-id"], self.function_version.config.timeout
        del self.lines[:]
        began = time.perf_counter()
        self.events.put(payload)
        try:
            kind, body = self.said.get(timeout=timeout_s)
        except queue.Empty:
            text = f"RequestId: {of} Error: Task timed out after {timeout_s:.2f} seconds"
            kind, body = "timeout", json.dumps({"errorType": "Sandbox.Timedout", "errorMessage": text}).encode()
        took_ms = (time.perf_counter() - began) * 1000
        time.sleep(0.01)  # what was printed may still be in the pipe
        logs = self._log(of, took_ms)
        if kind in ("timeout", "ended"):
            body = body or self._exit_error(f"RequestId: {of} Error: Runtime exited without providing a reason")
            self._kill()
            self._spawn()
        return InvocationResult(of, body, is_error=kind != "response", logs=logs)

    def _log(self, of: str, took_ms: float) -> str:
        """Write the lines of Lambda's platform around what the function logged, as the real service does."""
        memory = self.function_version.config.memory_size
        init = f"\tInit Duration: {self.init_s * 1000:.2f} ms" if self.init_s is not None else ""
        self.init_s = None
        report = (
            f"REPORT RequestId: {of}\tDuration: {took_ms:.2f} ms\tBilled Duration: {int(took_ms) + 1} ms\t"
            f"Memory Size: {memory} MB\tMax Memory Used: {memory} MB{init}\t"
        )
        start = f"START RequestId: {of} Version: {self.function_version.id.qualifier}"
        return f"{start}\n{''.join(self.lines)}END RequestId: {of}\n{report}\n"

    def get_logs(self) -> str:
        """Return what is logged and not yet taken."""
        return "".join(self.lines)

    def get_address(self) -> str:
        """Say where the environment is."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Say where LocalStack is."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """Say where LocalStack's own Runtime API would be; nobody asks it."""
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack the code."""
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Leave the code to LocalStack, which shares it between versions."""


def _api(executor: ProcessExecutor) -> type[BaseHTTPRequestHandler]:
    """Make the Runtime API of one environment (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)."""

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body at once: else each answer waits 40 ms for the other side's ACK

        def do_GET(self) -> None:
            executor.ready.set()
            event = executor.events.get()
            deadline_ms = int((time.time() + executor.function_version.config.timeout) * 1000)
            self._answer(
                200,
                event["payload"].encode(),
                {
                    "Lambda-Runtime-Aws-Request-Id": event["invoke-id"],
                    "Lambda-Runtime-Invoked-Function-Arn": event["invoked-function-arn"],
                    "Lambda-Runtime-Trace-Id": event.get("trace-id", ""),
                    "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
                },
            )

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            executor.said.put((self.path.rpartition("/")[2], body))
            self._answer(202, b'{"status":"OK"}', {})

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {
                **headers,
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Api


class Plugin(RuntimeExecutorPlugin):
    """What LocalStack finds by LAMBDA_RUNTIME_EXECUTOR."""

    name = "process"

    def load(self, *_: Any, **__: Any) -> type[RuntimeExecutor]:
        """Return the class of the environments."""
        return ProcessExecutor
