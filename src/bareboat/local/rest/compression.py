"""`provider.apiGateway.minimumCompressionSize` -> smaller responses for clients that take them, and bodies unpacked."""

from __future__ import annotations

import zlib

from bareboat.local.messages import Request, Response

GZIP = zlib.MAX_WBITS | 16
CODINGS = {"gzip": GZIP, "deflate": zlib.MAX_WBITS}


class TooLargeError(Exception):
    """A body is more than may be sent, once it is unpacked."""


class UnknownCodingError(Exception):
    """A body is in a coding that a REST API does not know, or is none of its coding."""


def compress(request: Request, response: Response, from_bytes: int) -> None:
    """Compress a response of this size and more with the first coding that the client names and the gateway has.

    Source:
        AWS's guide "Payload compression for REST APIs": gzip, deflate and identity; a response that has a
        Content-Encoding already is left alone.
    """
    if len(response.body) < from_bytes or not response.body:
        return
    accepted = request.header("accept-encoding")
    coding = next(
        (name for part in accepted.split(",") if (name := part.partition(";")[0].strip().lower()) in _KNOWN), ""
    )
    if coding not in CODINGS or any(name.lower() == "content-encoding" for name, _ in response.headers):
        return
    packer = zlib.compressobj(wbits=CODINGS[coding])
    response.body = packer.compress(response.body) + packer.flush()
    response.headers = [*response.headers, ("Content-Encoding", coding)]


def unpacked(request: Request, limit_bytes: int) -> bytes:
    """Return the body of a request, unpacked when it says that it is packed.

    Raises:
        TooLargeError: it is more than the limit.
        UnknownCodingError: the coding is none of gzip, deflate and identity, or the body is none of it.
    """
    coding = request.header("content-encoding").strip().lower()
    if coding in {"", "identity"} or not request.body:
        return request.body
    if coding not in CODINGS:
        raise UnknownCodingError(f"Content-Encoding is {coding:.40}, expected gzip, deflate or identity")
    unpacker = zlib.decompressobj(wbits=CODINGS[coding])
    try:
        body = unpacker.decompress(request.body, limit_bytes + 1)
    except zlib.error as error:
        raise UnknownCodingError(f"the body is no {coding}: {error}") from None
    if len(body) > limit_bytes:
        raise TooLargeError
    if not unpacker.eof:
        raise UnknownCodingError(f"the body is no whole {coding}")
    return body


_KNOWN = frozenset({*CODINGS, "identity"})
