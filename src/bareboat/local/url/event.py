"""A call -> the event of a function URL: payload format 2.0, with the path as it was sent."""

from __future__ import annotations

from typing import Any

from bareboat.local.gateway import event_v2
from bareboat.local.gateway.call import Call
from bareboat.local.gateway.routes import Route


def build_event(call: Call, route: Route) -> dict[str, Any]:
    """Return the event of one request.

    Source:
        Captures of all three kinds of front side by side (docs/fidelity.md): only an HTTP API decodes the path.
    """
    event = event_v2.build_event(call, route, {})
    event["rawPath"] = event["requestContext"]["http"]["path"] = call.path
    if call.access is not None and call.access.context is not None:
        account = call.access.context.get("iam", {}).get("accountId")
        event["requestContext"]["accountId"] = account or call.api.account_id
    return event
