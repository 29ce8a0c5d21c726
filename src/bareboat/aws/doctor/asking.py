"""A question -> an answer, of the real AWS and of the local cloud; and whether the two say the same."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import urllib3

from bareboat.aws.doctor.questions import Question

_TIMEOUT_S = 45.0  # a gateway gives up after 30 s
_KEPT = re.compile(r"content-type|access-control-.*|www-authenticate|vary|allow|retry-after")
_NONE = "not answered"
# What differs between two places by its nature, in events.
_MASKED = re.compile(
    r"accountId|apiId|domainName|domainPrefix|requestId|time|timeEpoch|sourceIp|userAgent|host|via|"
    r"x-amzn-trace-id|x-forwarded-(port|proto)|x-amzn-tls-.*|accept-encoding|user-agent"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as far as two places can be compared.

    Args:
        status: 0 where nothing came.
        body: text; JSON with what is each place's own masked; its length where it is large.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A question with both answers."""

    question: Question
    live: Answer
    local: Answer

    @property
    def agrees(self) -> bool:
        """Whether bareboat's assumption holds."""
        return self.live == self.local

    @property
    def differs_in(self) -> str:
        """Name what differs: status, headers, body."""
        pairs = (
            ("status", self.live.status, self.local.status),
            ("headers", self.live.headers, self.local.headers),
            ("body", self.live.body, self.local.body),
        )
        return ", ".join(name for name, live, local in pairs if live != local)


class Place:
    """An address that answers questions.

    Args:
        bases: of each door: `https://id.execute-api.us-east-1.amazonaws.com`.
        via: the endpoint that stands for all of AWS; the address is then sent as the Host header alone.
    """

    def __init__(self, bases: Mapping[str, str], *, via: str = "") -> None:
        self._bases = bases
        self._via = via
        host = urlsplit(via or next(iter(bases.values()))).hostname or ""
        proxy = "" if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get("https", "")
        timeout = urllib3.Timeout(connect=10.0, read=_TIMEOUT_S)
        self._pool = (
            urllib3.ProxyManager(proxy, timeout=timeout, maxsize=16)
            if proxy
            else urllib3.PoolManager(timeout=timeout, maxsize=16)
        )

    def ask(self, question: Question) -> Answer:
        """Send a question, and return the answer that counts."""
        if question.times == 1:
            return self._once(question)
        with ThreadPoolExecutor(question.times) as pool:
            found = list(pool.map(self._once, [question] * question.times))
        return next((one for one in found if one.status != 200), found[0])

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()

    def _once(self, question: Question) -> Answer:
        base = self._bases[question.door].rstrip("/")
        headers = {"user-agent": "bareboat-doctor", "accept": "*/*", "accept-encoding": "identity"}
        headers |= dict(question.headers)
        if self._via:
            headers["host"] = urlsplit(base).netloc
            base = self._via.rstrip("/")
        try:
            response = self._pool.request(
                question.method,
                f"{base}{question.target}",
                headers=headers,
                body=question.body or None,
                redirect=False,
                retries=False,
            )
        except urllib3.exceptions.HTTPError as error:
            return Answer(0, {}, f"{_NONE}: {type(error).__name__}")
        kept = {name.lower(): value for name, value in response.headers.items() if _KEPT.fullmatch(name.lower())}
        return Answer(response.status, kept, _body(response.data, quiet=question.quiet))


def _body(data: bytes, *, quiet: bool) -> Any:
    if quiet and len(data) > 1_000:
        return f"{len(data)} bytes"
    text = data.decode("utf-8", "replace")
    try:
        said = json.loads(text)
    except ValueError:
        return text
    return masked(said) if isinstance(said, dict) and "requestContext" in said else text


def masked(event: Any) -> Any:
    """Return an event without what is each place's own: ids, times, addresses."""
    if isinstance(event, dict):
        return {
            name: "*" if _MASKED.fullmatch(name) and not isinstance(child, dict) else masked(child)
            for name, child in sorted(event.items())
        }
    return [masked(child) for child in event] if isinstance(event, list) else event


def compared(
    asked: tuple[Question, ...], live: Place, local: Place, on_step: Callable[[str], None] = lambda _: None
) -> tuple[Reply, ...]:
    """Ask both places all questions, one after the other, so that limits count for the one that is about them."""
    found = []
    for number, question in enumerate(asked, start=1):
        on_step(f"Asking {number} of {len(asked)}: {question.rule}")
        found.append(Reply(question, live.ask(question), local.ask(question)))
    return tuple(found)
