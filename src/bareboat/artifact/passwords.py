"""Files that say what to install, as they ship -> a warning for each password that an address in them has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from bareboat.packaging.folder import Selection
from bareboat.service.model import Note

_FILES = (
    *("*requirements*.txt", "*requirements*.in", "*constraints*.txt", "requirements/*.txt", "pyproject.toml"),
    *("Pipfile", "Pipfile.lock", "poetry.lock", "pdm.lock", "uv.lock", "pylock*.toml", "uv.toml", "pip.conf"),
)
_USER = re.compile(r"https?://([^\s/@:\"']*)(?::([^\s/@\"']+))?@([^\s/\"']+)")
_TOKEN = 16  # characters: a user of that length and without a password is a token


def password_notes(selection: Selection) -> Iterator[Note]:
    """Yield a warning for each file that ships and whose addresses hold a password or a token.

    Serverless ships such files too, and `package.patterns` decides; a password in them can be read by whoever can
    read the function.
    """
    for found in selection.files:
        name = found.path.rpartition("/")[2]
        if not any(fnmatchcase(found.path, pattern) or fnmatchcase(name, pattern) for pattern in _FILES):
            continue
        line, host = _first(found.source)
        if line:
            text = (
                f"{found.path} ships with the password or token for {host} that it holds: leave it out with "
                f"package.patterns: ['!{found.path}'], or write a variable there (https://${{USER}}:${{TOKEN}}@{host})"
            )
            yield Note("warning", text, f"{found.source}:{line}")


def _first(path: Path) -> tuple[int, str]:
    """Return the first line that holds a password, and the host that it is for; (0, "") when none does."""
    text = path.read_bytes().decode("utf-8", "replace")
    for found in _USER.finditer(text):
        user, password, host = found.groups()
        secret = password if password is not None else user if len(user) >= _TOKEN else ""
        if secret and "$" not in secret:
            return text.count("\n", 0, found.start()) + 1, host
    return 0, ""
