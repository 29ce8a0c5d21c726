"""The other end of a connection on this machine -> whose it is."""

from __future__ import annotations

import os
import sys
from ipaddress import IPv4Address
from pathlib import Path

_SOCKETS = Path("/proc/net/tcp")
_UID = 7  # the column, proc_net_tcp(5)


def is_another_users(peer: tuple[str, int], own: tuple[str, int]) -> bool:
    """Return whether another user of this machine opened a connection; False where the system does not tell."""
    if sys.platform != "linux":
        return False
    ends = f" {_end(*peer)} {_end(*own)} ".encode()
    try:
        sockets = _SOCKETS.read_bytes()
    except OSError:
        return False
    at = sockets.find(ends)
    if at < 0:
        return False
    line = sockets[sockets.rfind(b"\n", 0, at) + 1 : sockets.find(b"\n", at)].split()
    return int(line[_UID]) != os.geteuid()


def _end(host: str, port: int) -> str:
    return f"{int.from_bytes(IPv4Address(host).packed, sys.byteorder):08X}:{port:04X}"
