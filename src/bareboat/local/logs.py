"""What a function writes -> the log of one invocation, with Lambda's START, END and REPORT lines.

stdout, stderr and the runtime client's log records come through one pipe, so that their order is kept. Records are
framed as on Lambda (`_LAMBDA_TELEMETRY_LOG_FD`): type (4 bytes, 0xA55A00xx), length (4), microseconds (8), message,
all big-endian. The first byte of a frame is no byte that text in UTF-8 can start with.
"""

from __future__ import annotations

MAX_BYTES = 1_000_000  # kept of one invocation's output
MAX_FRAME = 8_000_000
MAGIC = b"\xa5\x5a\x00"
HEADER = 16


class LogBuffer:
    """Collects what comes through the pipe until it is taken."""

    def __init__(self) -> None:
        self._raw = b""
        self._parts: list[bytes] = []
        self._kept = 0
        self._dropped = 0
        self._at_line_start = True

    def feed(self, data: bytes) -> None:
        """Take bytes as they came."""
        data = self._raw + data if self._raw else data
        self._raw = b""
        while data:
            start = data.find(MAGIC)
            if start < 0:
                partial = 2 if data.endswith(MAGIC[:2]) else 1 if data.endswith(MAGIC[:1]) else 0
                self._text(data[: len(data) - partial])
                self._raw = data[len(data) - partial :]
                return
            self._text(data[:start])
            data = data[start:]
            if len(data) < HEADER:
                self._raw = data
                return
            length = int.from_bytes(data[4:8], "big")
            if length > MAX_FRAME:  # no frame of the client: binary output that looks like one
                self._text(data[:3])
                data = data[3:]
                continue
            if len(data) < HEADER + length:
                self._raw = data
                return
            self._record(data[HEADER : HEADER + length])
            data = data[HEADER + length :]

    def take(self) -> str:
        """Return what came since the last time, ending in a line break unless empty."""
        if self._raw:
            self._text(self._raw)
            self._raw = b""
        if not self._at_line_start and not self._dropped:
            self._keep(b"\n")
        if self._dropped:
            self._parts.append(b"... %d more bytes were written and not kept\n" % self._dropped)
        text = b"".join(self._parts).decode("utf-8", "replace")
        self._parts = []
        self._kept = self._dropped = 0
        self._at_line_start = True
        return text

    def _text(self, data: bytes) -> None:
        if data:
            self._at_line_start = data.endswith(b"\n")
            self._keep(data)

    def _record(self, message: bytes) -> None:
        self._text(message if self._at_line_start else b"\n" + message)
        if not self._at_line_start:
            self._text(b"\n")

    def _keep(self, data: bytes) -> None:
        room = max(MAX_BYTES - self._kept, 0)
        if len(data) > room:
            self._dropped += len(data) - room
            data = data[:room]
            if data and not data.endswith(b"\n"):
                data += b"\n"
        if data:
            self._parts.append(data)
            self._kept += len(data)


def start_line(request_id: str) -> str:
    """Return the line that opens an invocation's log."""
    return f"START RequestId: {request_id} Version: $LATEST\n"


def end_line(request_id: str) -> str:
    """Return the line before the report."""
    return f"END RequestId: {request_id}\n"


def report_line(
    request_id: str,
    *,
    duration_ms: float,
    billed_ms: int,
    memory_mb: int,
    max_memory_mb: int,
    init_ms: float | None,
    status: str = "",
) -> str:
    """Return the REPORT line.

    Args:
        init_ms: of a cold start, else None.
        status: "" for an answer, else what stands behind `Status: `, such as `timeout`.
    """
    fields = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {duration_ms:.2f} ms",
        f"Billed Duration: {billed_ms} ms",
        f"Memory Size: {memory_mb} MB",
        f"Max Memory Used: {max_memory_mb} MB",
    ]
    if init_ms is not None:
        fields.append(f"Init Duration: {init_ms:.2f} ms")
    if status:
        fields.append(f"Status: {status}")
    return "\t".join(fields) + "\t\n"
