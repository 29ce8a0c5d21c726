"""Pieces of an answer -> `application/vnd.amazon.eventstream`, the framing of InvokeWithResponseStream.

A message is: its whole length and the length of its headers (4 bytes each, big-endian), the CRC-32 of those eight
bytes, the headers, the payload, the CRC-32 of all before. A header is: the length of its name (1 byte), the name, 7
(the type of a string), the length of the value (2 bytes), the value.

Source:
    AWS's "Amazon event stream encoding" in the documentation of Transcribe; botocore reads it back in the tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

CONTENT_TYPE = "application/vnd.amazon.eventstream"
MAX_CHUNK = 1_000_000  # bytes of one PayloadChunk


def chunks(payload: bytes) -> Iterable[bytes]:
    """Return a payload as messages `PayloadChunk`; none when it is empty."""
    for start in range(0, len(payload), MAX_CHUNK):
        yield message("PayloadChunk", "application/octet-stream", payload[start : start + MAX_CHUNK])


def message(event: str, content_type: str, payload: bytes) -> bytes:
    """Return one message of the type `event`."""
    headers = b"".join(
        _header(name, value)
        for name, value in ((":message-type", "event"), (":event-type", event), (":content-type", content_type))
    )
    lengths = (16 + len(headers) + len(payload)).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    data = lengths + crc32(lengths).to_bytes(4, "big") + headers + payload
    return data + crc32(data).to_bytes(4, "big")


def _header(name: str, value: str) -> bytes:
    return bytes([len(name)]) + name.encode() + b"\7" + len(value).to_bytes(2, "big") + value.encode()
