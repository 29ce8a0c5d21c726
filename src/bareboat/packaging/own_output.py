"""What bareboat itself wrote into a project (-o, --treemap), known by what it is: it never ships again."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection

MARK = '<meta name="generator" content="bareboat">'  # of a page of HTML
_NAMED_BY_DIGEST = re.compile(r"-([0-9a-f]{12})\.zip$")
_LARGEST_END = 22 + 65_535  # PKZIP APPNOTE 6.3.10, 4.3.16: the last record of a zip, and its comment
_MANIFEST = b".bareboat/manifest.json"


def is_own_output(path: str) -> bool:
    """Tell whether a file is an archive, a layer, an image or a page that bareboat wrote, wherever it lies.

    Raises:
        OSError: it cannot be read.
    """
    name = path.lower()
    if not name.endswith((".zip", ".html", ".htm", ".tar")):
        return False
    if name.endswith(".zip"):
        return _is_archive(path)
    if name.endswith((".html", ".htm")):
        with open(path, "rb") as file:  # noqa: PTH123 - a Path for each file of a large project costs
            return MARK.encode() in file.read(256)
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read(11) == b"oci-layout\0"


def is_image_folder(names: Collection[str]) -> bool:
    """Tell by what lies in a folder whether it is an OCI image layout."""
    return "oci-layout" in names and "index.json" in names and "blobs" in names


def _is_archive(path: str) -> bool:
    with open(path, "rb") as file:  # noqa: PTH123
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LARGEST_END))
        tail = file.read()
        end = tail.rfind(b"PK\5\6")
        if end < 0:
            return False
        length, start = (int.from_bytes(tail[end + at : end + at + 4], "little") for at in (12, 16))
        file.seek(start)
        if _MANIFEST in file.read(length):
            return True
        named = _NAMED_BY_DIGEST.search(path)  # a layer has no manifest
        if named is None:
            return False
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(named[1])
