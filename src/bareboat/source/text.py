"""A Python file's bytes -> its text as UTF-8 bytes, and back into the encoding that it declares."""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass

LINE_END = re.compile(rb"\r\n|\r|\n")  # as Python's own reader takes them; a form feed is none
_BOM = b"\xef\xbb\xbf"


class SourceError(ValueError):
    """A file that is left alone; the message says why."""


@dataclass(frozen=True, slots=True)
class Text:
    """A file's text.

    Args:
        data: as UTF-8, without a byte order mark; line ends as they were.
        encoding: what the file declares, as Python names it; "utf-8" when it declares none.
        bom: the byte order mark that the file began with, or nothing.
    """

    data: bytes
    encoding: str = "utf-8"
    bom: bytes = b""

    def encoded(self, data: bytes) -> bytes:
        """Return other UTF-8 bytes as this file's encoding has them."""
        if self.encoding != "utf-8":
            data = data.decode().encode(self.encoding)
        return self.bom + data


def read_text(data: bytes) -> Text:
    """Decode a file as Python does.

    Raises:
        SourceError: the declared encoding does not exist, or the bytes are not in it.
    Source:
        PEP 263.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        bom = _BOM if encoding == "utf-8-sig" else b""
        if encoding in {"utf-8", "utf-8-sig"}:
            text = Text(data[len(bom) :], "utf-8", bom)
            text.data.decode()
            return text
        return Text(data.decode(encoding).encode(), encoding)
    except SyntaxError as error:
        raise SourceError(str(error.msg)) from error
    except UnicodeError as error:
        raise SourceError(f"is not in the encoding that it declares: {error}") from error


def line_starts(data: bytes) -> list[int]:
    """Return where each line begins; the last one is the end of the data when that is a line end."""
    return [0, *(match.end() for match in LINE_END.finditer(data))]
