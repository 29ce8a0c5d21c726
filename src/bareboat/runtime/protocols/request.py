"""A gateway's event -> the parts of a request that a protocol looks at."""

from __future__ import annotations

from bareboat.runtime.events import VERSION_HEADER, header, method_of, raw_body
from bareboat.runtime.faults import fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_MOST_BYTES = 64_000_000  # that a compressed body may become


class Request:
    """A request.

    Attributes:
        event: as the gateway sent it, payload 2.0 or 1.0.
        method: upper case; POST when the event has none.
        segments: of the path, with a stage or a base path before what the protocol knows.
        has_path: whether the event has one; the smallest event, `{"body": "..."}`, is for the model.
        content_type, parameters: the type in lower case, and what follows it: `charset` and the like.
    """

    __slots__ = ("content_type", "event", "has_path", "method", "parameters", "segments")

    def __init__(self, event: Mapping[str, Any]) -> None:
        self.event = event
        method = method_of(event)
        self.method = "POST" if method == "NONE" else method
        path = event.get("rawPath") or event.get("path")
        self.has_path = isinstance(path, str)
        self.segments = tuple(each for each in path.split("/") if each) if isinstance(path, str) else ()
        kind, *parameters = self.header("content-type").split(";")
        self.content_type = kind.strip().lower()
        self.parameters = {
            name.strip().lower(): value.strip().strip('"')
            for name, _, value in (each.partition("=") for each in parameters)
        }

    @property
    def version(self) -> str:
        """The model's version that the client asks for, "" for the default."""
        return self.header(VERSION_HEADER)

    def header(self, name: str) -> str:
        """Return a header by its name in lower case, "" when there is none."""
        return header(self.event, name)

    def data(self) -> bytes:
        """Return the body's bytes, uncompressed.

        Raises:
            InputError: it is not what the event or content-encoding says.
        """
        raw = raw_body(self.event)
        encoding = self.header("content-encoding").lower()
        if encoding in ("", "identity"):
            return raw
        if encoding not in ("gzip", "deflate"):
            raise fault("content-encoding", encoding, "gzip, deflate or none")
        import zlib

        unpacking = zlib.decompressobj(47)  # either format, by its first bytes
        try:
            unpacked = unpacking.decompress(raw, _MOST_BYTES)
        except zlib.error as error:
            raise fault(
                "body", f"bytes that are no {encoding} ({error})", f"{encoding}, as content-encoding says"
            ) from None
        if unpacking.unconsumed_tail:
            raise fault("body", "more than 64 MB when unpacked", "at most 64 MB")
        if not unpacking.eof:
            raise fault("body", f"{encoding} that is cut off", "the whole of it")
        return unpacked

    def text(self) -> str:
        """Return the body's text, without a byte order mark.

        Raises:
            InputError: it is empty, or no UTF-8.
        """
        charset = self.parameters.get("charset", "utf-8").lower()
        if charset not in ("utf-8", "utf8", "us-ascii"):
            raise fault("content-type", f"charset {charset}", "UTF-8")
        body = self.event.get("body")
        if isinstance(body, str) and not self.event.get("isBase64Encoded") and not self.header("content-encoding"):
            text = body.removeprefix("\ufeff")
        else:
            try:
                text = self.data().decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise fault("body", f"a byte that is not UTF-8 at position {error.start}", "text in UTF-8") from None
        if not text or text.isspace():
            raise fault("body", "nothing", "rows")
        return text
