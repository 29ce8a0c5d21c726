"""A blob -> a registry: not at all where it is there, else in one piece, and from where it broke off.

A registry keeps what it got of an upload and says how far that goes (distribution-spec, "Pushing a blob in chunks").
Some forget all of a piece that broke off, so that after the first break pieces are small.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, Literal
from urllib.parse import urljoin, urlsplit

from bareboat.container.documents import Descriptor
from bareboat.container.reference import is_loopback
from bareboat.container.registry import Registry, Right
from bareboat.container.transport import (
    BLOCK_BYTES,
    LATER,
    PASSING,
    Lost,
    Response,
    backoff_s,
    read_text,
    retry_after_s,
)
from bareboat.errors import RemoteError

log = logging.getLogger(__name__)

WHOLE_BYTES = 4 << 20  # a smaller blob goes by one PUT, as the configuration does
CHUNK_BYTES = 16 << 20
LEAST_CHUNK_BYTES = 1 << 20
TRIES = 6  # in a row without a byte that stays
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")

How = Literal["there", "mounted", "sent"]


def push_blob(
    registry: Registry,
    repository: str,
    blob: Descriptor,
    open_blob: Callable[[], BinaryIO],
    *,
    mount_from: str = "",
    chunk_bytes: int | None = None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> How:
    """Bring a blob into a repository.

    Args:
        open_blob: opens the blob; it must be what its descriptor says.
        mount_from: another repository of this registry that may have the blob, to be had without sending.
        chunk_bytes: the size of pieces; None sends it in one as long as that works.
        on_bytes: told how far the upload has come, in bytes; less than before after a break.
    Returns:
        Whether it was there, was mounted from `mount_from`, or was sent.
    Raises:
        RemoteError: the registry refuses, or the connection breaks again and again.
    """
    if registry.has_blob(repository, blob):
        return "there"
    upload = _Upload(registry, repository, blob, open_blob, chunk_bytes, on_bytes)
    if mount_from and mount_from != repository and upload.mount(mount_from):
        return "mounted"
    upload.send()
    return "sent"


class _Upload:
    """One upload session after the other, until the blob is there."""

    def __init__(
        self,
        registry: Registry,
        repository: str,
        blob: Descriptor,
        open_blob: Callable[[], BinaryIO],
        chunk_bytes: int | None,
        on_bytes: Callable[[int], None],
    ) -> None:
        self._registry = registry
        self._repository = repository
        self._blob = blob
        self._open = open_blob
        self._chunk = chunk_bytes
        self._on_bytes = on_bytes
        self._location = ""
        self._at = 0  # bytes that the registry has
        self._doing = f"pushing a layer to {registry.host}/{repository}"

    def mount(self, other: str) -> bool:
        """Ask for the blob of another repository; where the registry would rather have it sent, that has begun."""
        try:
            response = self._registry.request(
                "POST",
                f"/v2/{self._repository}/blobs/uploads/?mount={self._blob.digest}&from={other}",
                right=Right(self._repository, push=True, mount_from=other),
                headers={"Content-Length": "0"},
                accept=(201, 202),
                doing=self._doing,
            )
        except RemoteError as error:  # it may not be ours to read
            log.info("%s: nothing is mounted: %s", self._repository, error)
            return False
        if response.status == 202:
            self._take_location(response)
        self._drain(response)
        return response.status == 201

    def send(self) -> None:
        """Send until the blob is there.

        Raises:
            RemoteError: the registry refuses, or no byte gets through any more.
        """
        failures = 0
        while True:
            begun_at = self._at
            try:
                if not self._location:
                    self._begin()
                self._send_rest()
                return
            except Lost as lost:
                failures = 0 if self._at - begun_at >= LEAST_CHUNK_BYTES else failures + 1
                if failures >= TRIES:
                    raise RemoteError(
                        f"{self._registry.host} drops the connection again and again, {self._doing}: {lost}",
                        fix=LATER,
                    ) from lost
                wait_s = lost.wait_s or backoff_s(max(failures, 1))
                log.info("%s: %s; going on in %.1f s", self._doing, lost, wait_s)
                self._registry.transport.sleep(wait_s)
                if self._settle():
                    return

    def _begin(self) -> None:
        response = self._request("POST", f"/v2/{self._repository}/blobs/uploads/", accept=(202,), again=True)
        self._take_location(response)
        self._drain(response)
        self._at = 0
        self._on_bytes(0)
        least = response.headers.get("OCI-Chunk-Min-Length", "")
        if self._chunk is not None and least.isdigit():
            self._chunk = max(self._chunk, int(least))

    def _send_rest(self) -> None:
        if self._at == 0 and self._blob.size <= min(WHOLE_BYTES, self._chunk or WHOLE_BYTES):
            self._finish(0, self._blob.size)
            return
        while self._at < self._blob.size:
            end = self._blob.size if self._chunk is None else min(self._at + self._chunk, self._blob.size)
            self._patch(end)
        self._finish(self._at, self._at)

    def _patch(self, end: int) -> None:
        start = self._at
        headers = {"Content-Type": "application/octet-stream"}
        if self._chunk is not None or start:
            headers["Content-Range"] = f"{start}-{end - 1}"
        response = self._request("PATCH", self._location, start, end, headers, accept=(202, 413, 416))
        self._drain(response)
        if response.status == 413:
            self._smaller(end - start)
            return
        if response.status == 416:
            raise Lost("the registry is at another byte")
        self._take_location(response)
        self._at = min(_received(response, default=end), end)
        self._on_bytes(self._at)

    def _smaller(self, was: int) -> None:
        """Make smaller pieces: a proxy in front of the registry takes none as large."""
        new = CHUNK_BYTES if self._chunk is None and was > CHUNK_BYTES else was // 2
        if new < LEAST_CHUNK_BYTES:
            raise RemoteError(
                f"{self._registry.host} takes no pieces of {was:,} bytes, {self._doing}",
                expected=f"pieces of {LEAST_CHUNK_BYTES:,} bytes",
                fix="raise the limit of the proxy in front of it (nginx: client_max_body_size 0)",
            )
        self._chunk = new
        raise Lost(f"the registry takes no pieces of {was:,} bytes")

    def _finish(self, start: int, end: int) -> None:
        """End the upload, with the last bytes or all of them."""
        join = "&" if "?" in self._location else "?"
        url = f"{self._location}{join}digest={self._blob.digest.replace(':', '%3A')}"
        response = self._request("PUT", url, start, end, {"Content-Type": "application/octet-stream"}, accept=(201,))
        self._drain(response)
        self._at = self._blob.size
        self._on_bytes(self._at)

    def _settle(self) -> bool:
        """After a break: find out how far the registry has come. True when it has all of it."""
        if self._at == self._blob.size or self._blob.size <= WHOLE_BYTES:
            try:
                if self._registry.has_blob(self._repository, self._blob):  # only the answer was lost
                    self._on_bytes(self._blob.size)
                    return True
            except Lost:
                pass
        if self._chunk is None:
            self._chunk = CHUNK_BYTES
        if not self._location:
            return False
        try:
            response = self._request("GET", self._location, accept=(204, 202, 200), again=True)
        except Lost:
            return False  # the next try will tell
        except RemoteError as error:
            log.info("%s: the upload begins anew: %s", self._doing, error)
            self._location = ""
            return False
        self._take_location(response)
        self._drain(response)
        self._at = min(_received(response, default=0), self._blob.size)
        log.info("%s: going on at byte %d", self._doing, self._at)
        self._on_bytes(self._at)
        return False

    def _request(
        self,
        method: str,
        path: str,
        start: int = 0,
        end: int = 0,
        headers: dict[str, str] | None = None,
        *,
        accept: tuple[int, ...],
        again: bool = False,
    ) -> Response:
        length = {} if method == "GET" else {"Content-Length": str(end - start)}
        response = self._registry.request(
            method,
            path,
            right=Right(self._repository, push=True),
            headers={**(headers or {}), **length},
            body=(lambda: self._blocks(start, end)) if end > start else None,
            accept=(*accept, *PASSING),
            doing=self._doing,
            again=again,
        )
        if response.status in PASSING:
            wait_s = retry_after_s(response)
            status = response.status
            self._drain(response)
            raise Lost(f"the registry answers {status}", wait_s=wait_s)
        return response

    def _blocks(self, start: int, end: int) -> Iterator[bytes]:
        with self._open() as file:
            file.seek(start)
            while start < end:
                block = file.read(min(BLOCK_BYTES, end - start))
                if not block:
                    raise RemoteError(
                        f"{self._blob.digest} became shorter while it was sent", fix="pull or build the image again"
                    )
                yield block
                start += len(block)
                self._on_bytes(start)

    def _take_location(self, response: Response) -> None:
        said = response.headers.get("Location", "")
        if said:
            base = self._registry.base
            self._location = urljoin(f"{base}/v2/", said)
            if self._location.startswith(
                f"http{base.removeprefix('https')}/"
            ):  # a proxy that says no X-Forwarded-Proto
                self._location = base + self._location.removeprefix(f"http{base.removeprefix('https')}")
            to = urlsplit(self._location)
            if to.scheme != "https" and not (self._registry.transport.insecure or is_loopback(to.netloc)):
                raise RemoteError(
                    f"{self._registry.host} wants the layers by plain HTTP, at {to.netloc}",
                    expected="HTTPS all the way",
                    fix="--insecure, if you trust the network in between",
                )
        elif not self._location:
            raise RemoteError(f"{self._registry.host} does not say where to, {self._doing}", expected="Location")

    def _drain(self, response: Response) -> None:
        try:
            read_text(response, 1 << 16)
        except Lost:
            log.info("%s: the connection ended after the answer", self._doing)


def _received(response: Response, *, default: int) -> int:
    """Return how many bytes a registry says that it has; `0-0` is none, as one byte is never asked for."""
    said = _RANGE.fullmatch(response.headers.get("Range", ""))
    if said is None:
        return default
    last = int(said[1])
    return last + 1 if last else 0
