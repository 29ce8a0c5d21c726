"""`provider.apiGateway.binaryMediaTypes` -> which bodies are bytes."""

from __future__ import annotations

from collections.abc import Iterable


class BinaryTypes:
    """The binary media types of one API: whole ones, `image/*`, or `*/*` for all.

    Source:
        Checked against AWS (docs/local-rest-api.md): only the first type of Accept counts, its parameters do not; a
        star is understood on the right; a star on the left of a whole subtype is not.
    """

    def __init__(self, types: Iterable[str]) -> None:
        names = {name.partition(";")[0].strip().lower() for name in types}
        self._all = "*/*" in names
        self._none = not names
        self._whole = frozenset(name for name in names if not name.startswith("*/") and not name.endswith("/*"))
        self._kinds = frozenset(
            name[:-2] for name in names if name.endswith("/*") and not name.startswith("*") and name.count("/") == 1
        )

    def has(self, content_type: str) -> bool:
        """Return whether a body of this type is binary; also whether a client that accepts it gets bytes."""
        if self._none:
            return False
        if self._all:
            return True
        name = content_type.partition(",")[0].partition(";")[0].strip().lower()
        return name in self._whole or (name.partition("/")[0] in self._kinds and name.count("/") == 1)
