"""A real HTTP client, from Python's own library, that asks one question many times."""

from __future__ import annotations

import http.client
import statistics
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlsplit

from bareboat.errors import LocalError


@dataclass(frozen=True, slots=True)
class Measured:
    """One question, asked again and again over one connection.

    Args:
        first_ms: the first answer, which had to wait for a process.
        warm_ms: the median of those that followed.
    """

    status: int
    body: str
    first_ms: float
    warm_ms: float
    requests: int


def measure(url: str, body: str, *, requests: int) -> Measured:
    """POST a JSON body once, then `requests` times more.

    Raises:
        LocalError: there is no answer, the first is not 200, or a later one differs from the first.
    """
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        first, first_ms = _ask(connection, parts.path, body)
        if first[0] != 200:
            raise LocalError(f"the answer was {first[0]} {first[1]}", expected="200 and a prediction", where=url)
        warm = []
        for _ in range(requests):
            answer, took_ms = _ask(connection, parts.path, body)
            if answer != first:
                raise LocalError(f"the same request was answered differently: {answer[0]} {answer[1]}", where=url)
            warm.append(took_ms)
    except (OSError, http.client.HTTPException) as error:
        raise LocalError(f"{url} gave no answer: {error}") from error
    finally:
        connection.close()
    return Measured(first[0], first[1], first_ms, statistics.median(warm), requests)


def _ask(connection: http.client.HTTPConnection, path: str, body: str) -> tuple[tuple[int, str], float]:
    started = perf_counter()
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read().decode("utf-8", "replace")
    return (response.status, text), (perf_counter() - started) * 1000
