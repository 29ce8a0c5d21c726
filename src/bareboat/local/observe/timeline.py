"""observed.sqlite -> requests and the invocations that no request made, in one list by time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from bareboat.local.observe.file import BY_REQUEST, reading


class Happened(msgspec.Struct, frozen=True):
    """A request, or an invocation without one.

    Args:
        id: `r` and the request's id, or `i` and the invocation's.
        method, path, status: "", "" and 0 of an invocation.
        latency_ms: from the request to its answer; of an invocation its init and its duration.
        source: who asked, of an invocation; "" of a request.
        answer: of an invocation that failed, where it was kept: its error document.
    """

    id: str
    at: float
    method: str
    path: str
    status: int
    latency_ms: float
    function: str
    cold: bool
    error: str
    refused: str
    api: str
    route: str
    source: str
    answer: bytes | None = None


_REQUESTS = """
select 'r' || r.id, r.at as at, r.method, r.path || case r.query when '' then '' else '?' || r.query end, r.status,
  r.latency_ms, r.function, r.cold, r.error, r.refused, r.api, r.route, '', null
from requests r where (:function = '' or r.function = :function) and (:before is null or r.at < :before)
  and (:low = 0 or (r.status >= :low and r.status < :high)) and (:failed = 0 or r.status >= 500 or r.error <> '')
  and (:cold = 0 or r.cold)
  and (:text = '' or instr(lower(r.method || ' ' || r.path || '?' || r.query || ' ' || r.error || ' ' || r.refused),
    :text) or exists (select 1 from request_bodies b where b.id = r.id
      and (instr(lower(cast(b.request_body as text)), :text) or instr(lower(cast(b.response_body as text)), :text)))
    or exists (select 1 from invocations i join invocation_bodies b on b.id = i.id
      where i.id = r.invocation and i.request_id = r.invocation_id and instr(lower(cast(b.log as text)), :text)))
"""
_ALONE = f"""
select 'i' || i.id, i.at as at, '', '', 0, i.duration_ms + coalesce(i.init_ms, 0), i.function, i.init_ms is not null,
  i.error, '', '', '', i.source,
  case i.error when '' then null else (select b.payload from invocation_bodies b where b.id = i.id) end
from invocations i where i.source not in {BY_REQUEST} and (:function = '' or i.function = :function)
  and (:before is null or i.at < :before) and :low = 0 and (:failed = 0 or i.error <> '')
  and (:cold = 0 or i.init_ms is not null)
  and (:text = '' or instr(lower(i.function || ' ' || i.source || ' ' || i.error), :text) or exists (
    select 1 from invocation_bodies b where b.id = i.id and (instr(lower(cast(b.log as text)), :text)
      or instr(lower(cast(b.event as text)), :text) or instr(lower(cast(b.payload as text)), :text))))
"""
# Each part stops at the limit by itself, along its index.
_BOTH = f"""
select * from (select * from ({_REQUESTS}) order by at desc limit :limit)
union all select * from (select * from ({_ALONE}) order by at desc limit :limit) order by at desc limit :limit
"""


def happened(
    path: Path,
    *,
    function: str = "",
    text: str = "",
    status: int = 0,
    failed: bool = False,
    cold: bool = False,
    before: float | None = None,
    limit: int = 100,
) -> list[Happened]:
    """Return what happened, the newest first.

    Args:
        text: that the path, an error, a body or a line of the log holds; case does not count.
        status: 2 for 2xx, 4 for 4xx, 5 for 5xx; 0 for any.
        failed: only errors of functions and of the gateway.
        cold: only those that waited for a new process.
        before: seconds since 1970; only earlier ones.
        limit: at most so many.
    """
    asked: dict[str, Any] = {
        "function": function,
        "text": text.lower(),
        "low": status * 100,
        "high": status * 100 + 100,
        "failed": failed,
        "cold": cold,
        "before": before,
        "limit": limit,
    }
    with reading(path) as connection:
        if connection is None:
            return []
        found = connection.execute(_BOTH, asked).fetchall()
    made = []
    for row in found:
        fields = dict(zip(Happened.__struct_fields__, row, strict=True))
        made.append(Happened(**{**fields, "cold": bool(fields["cold"])}))
    return made
