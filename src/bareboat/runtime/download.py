"""Bytes of a store -> a file that is whole, resumed where the connection broke. Imported only where one is fetched."""

from __future__ import annotations

import os
import time
from hashlib import sha256

from bareboat.errors import RemoteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

CHUNK = 1 << 20
ATTEMPTS = 5  # without a byte of progress
PAUSE_S = 0.2  # after the first of them; then twice as long each time
MOST_BYTES = 10_240 << 20  # the most that /tmp can be
TIMEOUT_S = 20.0


class Answer:
    """What a store answers from an offset on.

    Args:
        read: gives at most so many bytes, b"" at the end.
        close: lets go of the connection.
        start: where the bytes begin: the offset that was asked for, or 0 when the store begins anew.
        size_bytes: of the whole, -1 when that is not told.
        marked: whether the end can be told from a connection that broke.
    """

    __slots__ = ("close", "marked", "read", "size_bytes", "start")

    def __init__(
        self,
        read: Callable[[int], bytes],
        close: Callable[[], object],
        *,
        start: int,
        size_bytes: int,
        marked: bool = True,
    ) -> None:
        self.read = read
        self.close = close
        self.start = start
        self.size_bytes = size_bytes
        self.marked = marked


class Busy(ConnectionError):  # noqa: N818 - the same
    """The server asks to come again, after `wait_s` if it says so."""

    def __init__(self, text: str, wait_s: float) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class Saved:
    """What was written."""

    __slots__ = ("digest", "size_bytes")

    def __init__(self, digest: str, size_bytes: int) -> None:
        self.digest = digest
        self.size_bytes = size_bytes


class Refused(RemoteError):  # noqa: N818 - the same
    """The address answers that it does not give the content."""


class Differs(RemoteError):  # noqa: N818 - it is told as a RemoteError
    """The content is whole, and not what its digest says."""


def save(
    open_at: Callable[[int], Answer],
    path: str,
    *,
    source: str,
    digest: str = "",
    on_retry: Callable[[str], None] = lambda _: None,
    on_bytes: Callable[[int, int], None] = lambda _at, _size: None,
    longest_wait_s: float = 3.0,
) -> Saved:
    """Write what a store has to a new file, and compare its digest.

    A connection that breaks is taken up again where it broke, up to five times without progress, after pauses that
    double. What is left at `path` after an error is nothing that anybody may use.

    Args:
        open_at: asks for the bytes from an offset on; raises RemoteError for what another try does not mend.
        source: for messages.
        digest: sha256 in hex, "" to compare nothing.
        on_retry: told why it begins again.
        on_bytes: told how many bytes there are, and of how many (-1: not known).
        longest_wait_s: when a server says after how many seconds to come again: a cold start has ten in all.
    Raises:
        RemoteError: the store refuses, or does not answer.
        Differs: the digest is another one.
        OSError: the file cannot be written.
    """
    resumed = False
    with open(path, "wb", buffering=0) as file:
        state = _State(file)
        failures = 0
        while True:
            before = state.at
            try:
                answer = open_at(state.at)
                if not digest:
                    _check_end(answer, source)
                state.size_bytes = _copy(answer, state, on_bytes)
                if state.at < state.size_bytes:
                    raise ConnectionError(f"it ended after {state.at} of {state.size_bytes} bytes")
            except (RemoteError, _Unwritable) as error:
                raise getattr(error, "reason", error) from None
            except Exception as error:  # the errors of three libraries
                failures = 1 if state.at > before else failures + 1
                text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
                if failures >= ATTEMPTS:
                    raise RemoteError(
                        f"the connection broke {ATTEMPTS} times without a byte: {text}",
                        expected="a store that can be reached",
                        fix="check the network, HTTPS_PROXY and AWS_ENDPOINT_URL_S3, and try again",
                        where=source,
                    ) from error
                resumed = True
                on_retry(f"{text}; again from byte {state.at}")
                asked_s = min(getattr(error, "wait_s", 0.0), longest_wait_s)
                time.sleep(max(PAUSE_S * 2 ** (failures - 1), asked_s))
                continue
            found = state.hasher.hexdigest()
            if not digest or found == digest:
                return Saved(found, state.at)
            if not resumed:
                raise Differs(
                    f"the content has sha256 {found}, {state.at} bytes", expected=f"sha256 {digest}", where=source
                )
            resumed = False  # the pieces may be of two contents: once more as a whole
            on_retry("the pieces do not fit together; again from the beginning")
            state.restart()


class _State:
    """A file as far as it is written."""

    __slots__ = ("at", "file", "hasher", "size_bytes")

    def __init__(self, file: Any) -> None:
        self.file = file
        self.at = 0
        self.size_bytes = -1
        self.hasher = sha256()

    def restart(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.at = 0
        self.hasher = sha256()

    def write(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[self.file.write(view) :]
        except OSError as error:
            raise _Unwritable(error) from error
        self.hasher.update(data)
        self.at += len(data)


class _Unwritable(Exception):  # noqa: N818 - carries an OSError past those of the network
    def __init__(self, reason: OSError) -> None:
        self.reason = reason


def _check_end(answer: Answer, source: str) -> None:
    if answer.marked:
        return
    answer.close()
    raise RemoteError(
        "the server does not tell how long the content is, so half of it would look like the whole",
        expected="a Content-Length, or the digest of the content",
        fix=f"{source}#sha256=DIGEST",
        where=source,
    )


def _copy(answer: Answer, state: _State, on_bytes: Callable[[int, int], None]) -> int:
    try:
        if answer.start != state.at:
            state.restart()
        _limit(answer.size_bytes)
        while True:
            data = answer.read(CHUNK)
            if not data:
                return answer.size_bytes
            state.write(data)
            _limit(state.at)
            on_bytes(state.at, answer.size_bytes)
    finally:
        answer.close()


def _limit(size_bytes: int) -> None:
    if size_bytes > MOST_BYTES:
        raise RemoteError(f"the model has {size_bytes / 1e6:.0f} MB", expected="at most 10240 MiB, all that Lambda has")


class Address:
    """An https address, asked from an offset on."""

    __slots__ = ("_opener", "_validator", "source")

    follows = True  # redirects, to which all headers are sent

    def __init__(self, source: str) -> None:
        self.source = source
        self._opener: Any = None
        self._validator = ""

    def __call__(self, offset: int) -> Answer:
        """Ask for the bytes from an offset on.

        Raises:
            RemoteError: the server refuses.
            OSError: it cannot be reached, or is busy.
        """
        from urllib.error import HTTPError
        from urllib.request import Request

        if self._opener is None:
            self._opener = _opener(follow=self.follows)
        headers = {"Accept-Encoding": "identity", "User-Agent": "bareboat", **self.headers(offset)}
        try:
            response = self._opener.open(Request(self.source, headers=headers), timeout=TIMEOUT_S)  # noqa: S310 - checked
        except HTTPError as error:
            error.close()
            if error.code in (408, 416, 425, 429) or error.code >= 500:
                self._validator = ""
                wait_s = max(0, _number(error.headers.get("Retry-After")))
                raise Busy(f"it answers {error.code} {error.reason}", wait_s) from None
            raise _refused(error.code, error.reason, self.source) from None
        tag = response.headers.get("ETag") or ""
        self._validator = response.headers.get("Last-Modified") or "" if tag.startswith("W/") else tag
        start, size_bytes = 0, _number(response.headers.get("Content-Length"))
        if response.status == 206:
            said, _, whole = (response.headers.get("Content-Range") or "").removeprefix("bytes ").partition("/")
            start, size_bytes = _number(said.partition("-")[0]), _number(whole)
            if start != offset:
                response.close()
                self._validator = ""
                raise ConnectionError(f"it answers with the range {said}")
        marked = size_bytes >= 0 or bool(getattr(response, "chunked", False))
        return Answer(response.read, response.close, start=start, size_bytes=size_bytes, marked=marked)

    def headers(self, offset: int) -> dict[str, str]:
        """Return the headers that ask for the bytes from an offset on, as long as the content is the same."""
        return {"Range": f"bytes={offset}-", "If-Range": self._validator} if offset and self._validator else {}


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else -1


def _refused(status: int, reason: str, source: str) -> Refused:
    fix = "check the address"
    if status in (401, 403):
        fix = "let it be read without a password, or keep the model in S3"
    return Refused(f"it answers {status} {reason}", expected="the model", fix=fix, where=source)


def _opener(*, follow: bool) -> Any:
    from urllib.request import HTTPRedirectHandler, build_opener

    class Redirects(HTTPRedirectHandler):
        def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
            """Follow a redirect, but never from https to anything else, nor with what is only for this server."""
            if not follow:
                return None  # it is raised as an HTTPError
            if not newurl.startswith("https://") and req.full_url.startswith("https://"):
                raise RemoteError(
                    f"it leads on to {newurl[:200]}", expected="an https address", where=req.full_url
                ) from None
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    return build_opener(Redirects)


def part_of(path: str) -> str:
    """Return a name beside `path` that nobody else takes."""
    return f"{path}.{os.getpid()}-{time.time_ns():x}.part"
