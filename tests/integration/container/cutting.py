"""A TCP proxy on loopback that cuts connections in the middle."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType


class CuttingProxy:
    """Passes bytes on to a server, and cuts a connection once so and so many have gone one way.

    Args:
        target: HOST:PORT of the server.
        up, down: after how many bytes of one connection to the server, or from it, that connection is cut; each
            number cuts one connection.
        before: cut before a request reaches the server: (b"PATCH ", 3) before the third one that begins so.
    """

    def __init__(
        self,
        target: str,
        *,
        up: tuple[int, ...] = (),
        down: tuple[int, ...] = (),
        before: tuple[bytes, int] | None = None,
    ) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._limits = {"up": list(up), "down": list(down)}
        self._before = before
        self._seen = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.cuts = 0
        self.passed = {"up": 0, "down": 0}

    def __enter__(self) -> CuttingProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            self._close(one)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._open |= {client, server}
            for source, sink, way in ((client, server, "up"), (server, client, "down")):
                threading.Thread(target=self._pass_on, args=(source, sink, way), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                with self._lock:
                    data, cut = self._until_the_cut(data, passed, way)
                sink.sendall(data)
                passed += len(data)
                self.passed[way] += len(data)
                if cut:
                    break
        self._close(source)
        self._close(sink)

    def _until_the_cut(self, data: bytes, passed: int, way: str) -> tuple[bytes, bool]:
        if way == "up" and self._before is not None and data.startswith(self._before[0]):
            self._seen += 1
            if self._seen == self._before[1]:
                self.cuts += 1
                return b"", True
        limits = self._limits[way]
        if not limits or passed + len(data) < limits[0]:
            return data, False
        self.cuts += 1
        return data[: limits.pop(0) - passed], True

    def _close(self, one: socket.socket) -> None:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
        self._open.discard(one)
