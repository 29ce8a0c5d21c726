"""A registry's blob -> its bytes, block by block, from where it broke off."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

from urllib3.exceptions import HTTPError

from bareboat.container.documents import Descriptor
from bareboat.container.registry import Registry
from bareboat.container.transport import BLOCK_BYTES, LATER, Lost, Response, backoff_s, plain_words
from bareboat.errors import RemoteError

log = logging.getLogger(__name__)

TRIES = 4  # in a row that bring less than this; each tries several times to begin
_WORTH_BYTES = 64 << 10
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


def blob_blocks(registry: Registry, repository: str, blob: Descriptor) -> Iterator[bytes]:
    """Yield a blob's bytes. Who takes them compares the digest (`Layout.add_blob` does).

    Raises:
        Missing: the registry does not have it.
        RemoteError: it refuses, or the connection breaks again and again.
    """
    at = failures = 0
    while True:
        begun_at = at
        try:
            response = registry.open_blob(repository, blob.digest, at=at)
            for block in _from_byte(response, at):
                at += len(block)
                yield block
            if at >= blob.size:  # too many bytes are for the taker to refuse
                return
            raise Lost("the connection ended in the middle")
        except Lost as lost:
            failures = 0 if at - begun_at >= _WORTH_BYTES else failures + 1
            if failures >= TRIES:
                raise RemoteError(
                    f"{registry.host} drops the connection again and again, pulling a layer of {repository}: {lost}",
                    fix=LATER,
                ) from lost
            wait_s = backoff_s(max(failures, 1))
            log.info("%s: %s at byte %d of %d; going on in %.1f s", repository, lost, at, blob.size, wait_s)
            registry.transport.sleep(wait_s)


def _from_byte(response: Response, at: int) -> Iterator[bytes]:
    """Yield the bytes of an answer from a byte of the blob on, wherever the answer itself begins."""
    if response.status == 416:
        raise Lost("the registry does not go on from there")
    skip = at
    if response.status == 206:
        said = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if said is None or int(said[1]) > at:
            raise Lost("the registry goes on at another byte")
        skip = at - int(said[1])
    try:
        for block in response.stream(BLOCK_BYTES, decode_content=False):
            kept = block[skip:] if skip else block
            skip = max(skip - len(block), 0)
            if kept:
                yield kept
    except (HTTPError, OSError) as error:
        raise Lost(plain_words(error)) from error
    finally:
        response.release_conn()
