"""CONNECT: real https addresses, such as those of APIs, reached through the cloud as through a company's proxy."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

import trustme


class Authority:
    """An authority of certificates that only tests trust."""

    def __init__(self) -> None:
        self._authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def write(self, path: Path) -> Path:
        """Write what SSL_CERT_FILE shall name."""
        path.write_bytes(self._authority.cert_pem.bytes())
        return path

    def context(self, host: str) -> ssl.SSLContext:
        """Return what a server of a host speaks TLS with."""
        with self._lock:
            if host not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert(host, key_type=trustme.KeyType.ECDSA).configure_cert(context)
                self._contexts[host] = context
            return self._contexts[host]
