"""Paths below /_bareboat/ -> the page's files, and the JSON that it asks for."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from bareboat.errors import BareboatError, InputError
from bareboat.local.console.assets import load_assets
from bareboat.local.console.console import BASE, SECURITY, told
from bareboat.local.console.describe import Described
from bareboat.local.console.seen import Seen, number
from bareboat.local.console.send import Sender
from bareboat.local.console.source import Cloud, Observed
from bareboat.local.messages import Request, Response
from bareboat.local.observe.place import observed_path

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder(enc_hook=str).encode
Asked = Mapping[str, str]
_WINDOW_S = 15 * 60
_LONGEST_S = 30 * 86_400
_MOST_WINDOWS = 8
_PATIENCE_S = 0.2  # how long what is new of reloads and processes waits for new counts


class Pages:
    """Answers the browser.

    Args:
        cloud: what is shown.
        observed: what was kept; None is what the service's store holds.
    """

    def __init__(self, cloud: Cloud, observed: Observed | None) -> None:
        self._cloud = cloud
        if observed is None:
            observed = Seen(observed_path(cloud.service.folder))
        self._observed = observed
        self._assets = load_assets()
        self._counts: dict[int, Mapping[str, Any]] = {}
        self._counting: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._described = Described(cloud)
        self._sender = Sender(cloud, observed)
        self._reads: dict[str, Callable[[Asked], Awaitable[Any]]] = {
            "openapi.json": self._openapi,
            "api/service": self._service,
            "api/live": self._live,
            "api/history": self._history,
            "api/detail": self._detail,
            "api/metrics": self._metrics,
        }
        self._changes: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "api/send": self._sender.send,
            "api/invoke": self._sender.invoke,
            "api/credential": self._credential,
            "api/explain": self._explain,
        }

    def answer(self, request: Request) -> Response | Awaitable[Response]:
        """Answer one request."""
        path, _, query = request.target.partition("?")
        if path in ("/", BASE[:-1]):
            return Response(302, (("Location", BASE), *SECURITY))
        name = path[len(BASE) :] if path.startswith(BASE) else None
        if name is None:
            return told(404, f"the console is at {BASE}")
        if name in self._changes:
            if request.method != "POST":
                return told(405, "this is asked for with POST")
            return self._change(self._changes[name], request.body)
        if request.method not in ("GET", "HEAD"):
            return told(405, "this is read with GET")
        if name in self._reads:
            return self._read(self._reads[name], dict(parse_qsl(query)), request.header("if-none-match"))
        asset = self._assets.get(name)
        if asset is None:
            return told(404, f"there is no {path[:200]}")
        about = (("Content-Type", asset.kind), ("ETag", asset.etag), ("Cache-Control", asset.keeping), *SECURITY)
        if request.header("if-none-match") == asset.etag:
            return Response(304, about)
        return Response(200, about, asset.body)

    async def _read(self, read: Callable[[Asked], Awaitable[Any]], asked: Asked, known: str) -> Response:
        found = await _told_of_errors(read(asked))
        if isinstance(found, Response):
            return found
        body = _encode(found)
        etag = f'"{hashlib.blake2b(body, digest_size=10).hexdigest()}"'
        about = (("Content-Type", "application/json"), ("ETag", etag), ("Cache-Control", "no-cache"), *SECURITY)
        return Response(304, about) if known == etag else Response(200, about, body)

    async def _change(self, change: Callable[[dict[str, Any]], Awaitable[Any]], body: bytes) -> Response:
        try:
            asked = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return _json(400, {"error": {"found": f"the body is no JSON object: {error}"}})
        found = await _told_of_errors(change(asked))
        return found if isinstance(found, Response) else _json(200, found)

    async def _openapi(self, _: Asked) -> Any:
        from bareboat.artifact.openapi import openapi

        urls = {"rest" if one.kind == "http" else one.kind: one.url for one in self._cloud.addresses}
        return await asyncio.to_thread(openapi, self._cloud.service, urls=urls)

    async def _service(self, _: Asked) -> Any:
        return await self._described.service()

    async def _live(self, asked: Asked) -> Any:
        window = min(_LONGEST_S, max(0, round(number(asked, "seconds", _WINDOW_S))))
        mark = await asyncio.to_thread(self._observed.mark)
        counts = await self._counted(window)
        reloaded = self._cloud.reloaded
        return {
            "fleets": {name: fleet._asdict() for name, fleet in self._cloud.fleets().items()},
            "generation": self._cloud.generation,
            "reload": None if reloaded is None else msgspec.to_builtins(reloaded),
            "mark": mark,
            "has_clock": self._cloud.has_clock,
            "counts": counts,
        }

    async def _counted(self, window: int) -> Mapping[str, Any]:
        """Return the counts of a window; those of before where a large store takes long over new ones."""
        running = self._counting.get(window)
        if running is None:
            running = self._counting[window] = asyncio.ensure_future(asyncio.to_thread(self._observed.counts, window))
        known = self._counts.get(window)
        await asyncio.wait({running}, timeout=None if known is None else _PATIENCE_S)
        if not running.done():
            assert known is not None
            return known
        self._counting.pop(window, None)
        if len(self._counts) > _MOST_WINDOWS:
            self._counts.clear()
        counts = self._counts[window] = running.result()
        return counts

    async def _history(self, asked: Asked) -> Any:
        return await asyncio.to_thread(self._observed.history, asked)

    async def _detail(self, asked: Asked) -> Any:
        found = await asyncio.to_thread(self._observed.detail, asked.get("id", ""))
        return _json(404, {"error": {"found": "nothing is kept of it any more"}}) if found is None else found

    async def _metrics(self, asked: Asked) -> Any:
        return await asyncio.to_thread(self._observed.series, asked)

    async def _credential(self, asked: dict[str, Any]) -> Any:
        from bareboat.local.console.credentials import credential

        return await asyncio.to_thread(credential, self._cloud.service, str(asked.get("route", "")))

    async def _explain(self, asked: dict[str, Any]) -> Any:
        from bareboat.local.console.explain import explain

        artifacts = self._cloud.artifacts
        return await asyncio.to_thread(
            explain, self._cloud.service, artifacts, str(asked.get("function", "")), asked.get("document")
        )


async def _told_of_errors(work: Awaitable[Any]) -> Any:
    """Return what came of it, or the response that tells what stands in the way."""
    try:
        return await work
    except BareboatError as error:
        return _json(400 if isinstance(error, InputError) else 409, {"error": error.problems[0].to_dict()})
    except Exception as error:
        log.exception("the console cannot answer")
        return _json(500, {"error": {"found": f"the console failed: {type(error).__name__}: {error}"}})


def _json(status: int, document: Any) -> Response:
    return Response(
        status, (("Content-Type", "application/json"), ("Cache-Control", "no-store"), *SECURITY), _encode(document)
    )
