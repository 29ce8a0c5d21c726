"""Random bytes -> ids as Lambda makes them, without the import of uuid."""

from __future__ import annotations

import os
import time

STOCK = 4096
_stock = (b"", 0)  # random bytes, and where the first unused one is


def random_bytes(count: int) -> bytes:
    """Return a few bytes that nobody can guess. One call of the system serves many ids."""
    global _stock  # noqa: PLW0603 - filled once in a hundred ids
    stock, start = _stock
    end = start + count
    if end > len(stock):
        stock, start, end = os.urandom(STOCK), 0, count
    _stock = stock, end
    return stock[start:end]


def request_id() -> str:
    """Return a random UUID, version 4."""
    raw = bytearray(random_bytes(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def trace_id() -> str:
    """Return a trace header of X-Ray that is not sampled: `Root=1-...;Parent=...;Sampled=0`."""
    raw = random_bytes(20).hex()
    return f"Root=1-{int(time.time()):08x}-{raw[:24]};Parent={raw[24:]};Sampled=0"
