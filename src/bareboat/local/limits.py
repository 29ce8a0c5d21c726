"""What bounds the clients of a server: sizes, times, and how much of what they send is held at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Limits:
    """What a server accepts. Times in seconds, sizes in bytes.

    Args:
        send_s: how long a client may leave its answer untouched.
        connections: open ones; more are turned away.
        held_bytes: of the bodies that are not answered yet, and of the answers that are not read yet, all clients'.
        held: how many of `held_bytes` there are now, in bodies.
    """

    header_bytes: int
    body_bytes: int
    idle_s: float
    receive_s: float
    send_s: float = 30.0
    connections: int = 1_000
    held_bytes: int = 268_435_456
    held: int = 0
