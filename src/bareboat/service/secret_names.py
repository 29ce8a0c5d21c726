"""What is called as secrets are: a password, a token, a key."""

from __future__ import annotations

import re

_NAMES = re.compile(r"password|passwd|secret|token|credential|private_?key|api_?key|connection_?string", re.IGNORECASE)


def has_secret_name(name: str) -> bool:
    """Return whether something is called as secrets are: DB_PASSWORD, apiKey."""
    return bool(_NAMES.search(name))
