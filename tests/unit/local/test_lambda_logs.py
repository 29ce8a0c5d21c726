"""Frames and text through one pipe -> the log; the lines of the platform."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.local.logs import MAX_BYTES, LogBuffer, end_line, report_line, start_line

WARNING = 0xA55A0013


def frame(message: bytes, kind: int = WARNING) -> bytes:
    return kind.to_bytes(4, "big") + len(message).to_bytes(4, "big") + bytes(8) + message


def log_of(*pieces: bytes) -> str:
    buffer = LogBuffer()
    for piece in pieces:
        buffer.feed(piece)
    return buffer.take()


def test_text_and_frames_keep_their_order_and_each_record_its_line() -> None:
    assert log_of(b"one\n" + frame(b"two\n") + b"three" + frame(b"four") + b"five") == "one\ntwo\nthree\nfour\nfive\n"


@given(st.integers(min_value=1, max_value=40))
def test_frames_are_found_however_the_bytes_are_cut(size: int) -> None:
    whole = b"print\n" + frame("é\n".encode()) + frame(b"multi\nline") + b"\xa5 no frame\n"

    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]

    assert log_of(*pieces) == "print\né\nmulti\nline\n\ufffd no frame\n"


def test_bytes_that_look_like_a_frame_are_kept_as_text() -> None:
    cut_off = frame(b"never whole")[:-3]
    absurd = b"\xa5\x5a\x00\x13\xff\xff\xff\xff" + bytes(8)

    assert "never wh" in log_of(cut_off)
    assert log_of(absurd + b"after\n").endswith("after\n")


def test_nothing_written_is_an_empty_log_and_taking_empties() -> None:
    buffer = LogBuffer()
    buffer.feed(b"x")

    assert buffer.take() == "x\n"
    assert buffer.take() == ""


def test_output_beyond_the_limit_is_counted_and_not_kept() -> None:
    log = log_of(b"x" * (MAX_BYTES - 1), b"yyy", b"z" * 100)

    assert len(log) < MAX_BYTES + 100
    assert log.endswith("y\n... 102 more bytes were written and not kept\n")


def test_the_lines_of_the_platform() -> None:
    """Expected lines: LocalStack's recording test_invocation_type_event_error, 2023, numbers as recorded."""
    cold = report_line("i", duration_ms=3.01, billed_ms=4, memory_mb=128, max_memory_mb=36, init_ms=110.1)
    warm = report_line("i", duration_ms=2.9, billed_ms=3, memory_mb=128, max_memory_mb=36, init_ms=None)

    assert start_line("i") == "START RequestId: i Version: $LATEST\n"
    assert end_line("i") == "END RequestId: i\n"
    assert cold == (
        "REPORT RequestId: i\tDuration: 3.01 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 36 MB\tInit Duration: 110.10 ms\t\n"
    )
    assert warm == (
        "REPORT RequestId: i\tDuration: 2.90 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\t\n"
    )


@pytest.mark.parametrize("status", ["timeout", "error\tError Type: Runtime.ExitError"])
def test_a_status_stands_last(status: str) -> None:
    line = report_line("i", duration_ms=1, billed_ms=1, memory_mb=1, max_memory_mb=1, init_ms=None, status=status)

    assert line.endswith(f"\tStatus: {status}\t\n")
