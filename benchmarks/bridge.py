"""A measure for local HTTP: one uvloop between clients and AWS's runtime client, with nothing of a gateway in it.

    python benchmarks/bridge.py PORT TASK HANDLER

Four processes serve an unpacked artifact. No routes, limits, timeouts, logs or checks: what this machine gives at most.
local_http.py starts it.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import harness
import peers
import seed
import uvloop

PROCESSES = 4
CLIENT = """\
import sys, awslambdaric.lambda_config as config, awslambdaric.__main__ as client
config.LambdaConfigProvider.SUPPORTED_THREADPOLLING_ENVS = frozenset()  # no thread for each event, as in bareboat
client.main([client.__file__, sys.argv[1]])
"""

idle: deque[Runtime] = deque()
waiting: deque[tuple[asyncio.Transport, bytes]] = deque()


class Peer(asyncio.Protocol):
    """A connection that cuts its bytes into requests by Content-Length."""

    transport: asyncio.Transport
    buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            body, self.buffer = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
            self.request(head, body)

    def request(self, head: bytes, body: bytes) -> None:
        raise NotImplementedError


class Runtime(Peer):
    """The connection of one runtime client."""

    client: asyncio.Transport

    def request(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"get"):
            if waiting:
                self.send(*waiting.popleft())
            else:
                idle.append(self)
            return
        self.transport.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        answer = json.loads(body)["body"].encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer)
        self.client.write(head + answer)

    def send(self, client: asyncio.Transport, event: bytes) -> None:
        """Hand one event to this client; its answer goes to the connection `client`."""
        self.client = client
        deadline_ms = int(time.time() * 1000) + 6000
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(event)}\r\n"
            f"Lambda-Runtime-Aws-Request-Id: {deadline_ms}\r\nLambda-Runtime-Deadline-Ms: {deadline_ms}\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:predict\r\n\r\n"
        )
        self.transport.write(head.encode() + event)


class Web(Peer):
    """The connection of one HTTP client."""

    def request(self, head: bytes, body: bytes) -> None:  # noqa: ARG002 - the body alone matters
        event = seed.event(body.decode())
        if idle:
            idle.popleft().send(self.transport, event)
        else:
            waiting.append((self.transport, event))


async def serve(port: int, task: Path, handler: str) -> None:
    """Serve until the process is interrupted."""
    loop = asyncio.get_running_loop()
    runtime = await loop.create_server(Runtime, "127.0.0.1", 0)
    address = f"127.0.0.1:{runtime.sockets[0].getsockname()[1]}"
    client = peers.install_tree("runtime-3.12")
    env = harness.environment(AWS_LAMBDA_RUNTIME_API=address, LAMBDA_TASK_ROOT=str(task), PYTHONPATH=str(client))
    env |= {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.12", "AWS_LAMBDA_FUNCTION_NAME": "predict", "_HANDLER": handler}
    command = [str(peers.interpreter("3.12")), "-c", CLIENT, handler]
    processes = [subprocess.Popen(command, cwd=task, env=env, stdout=subprocess.DEVNULL) for _ in range(PROCESSES)]
    try:
        async with await loop.create_server(Web, "127.0.0.1", port) as web:
            await web.serve_forever()
    finally:
        for process in processes:
            process.kill()
            process.wait()


if __name__ == "__main__":
    try:
        uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
    except KeyboardInterrupt:
        sys.exit(130)
