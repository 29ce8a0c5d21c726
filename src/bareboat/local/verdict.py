"""What access control says of a request: let in, with what events then hold, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Allowed:
    """The request may go on.

    Args:
        context: `requestContext.authorizer` of the event, as the API's format has it; None where there is none.
        identity: what the event's `requestContext.identity` holds more: apiKey, apiKeyId, and those of IAM.
        authorizer, api_key: their names, for the access record; "" where none was asked.
        usage_key: the API key that a REST authorizer says the caller has (`usageIdentifierKey`).
    """

    context: Mapping[str, Any] | None = None
    identity: Mapping[str, str] = field(default_factory=dict)
    authorizer: str = ""
    api_key: str = ""
    usage_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The request ends here.

    Args:
        kind: REST's name of the gateway response: "UNAUTHORIZED", "ACCESS_DENIED", "INVALID_API_KEY", "THROTTLED", ...
        status, message: what the client gets, unless the API's gateway responses say otherwise. A message that is
            None is null in JSON: what a REST API says where an authorizer failed.
        headers: besides the gateway's own, such as `WWW-Authenticate`; one of the same name takes its place.
        reason: why, for the access record and the log; never told to the client.
        authorizer, api_key: as in Allowed.
    """

    kind: str
    status: int
    message: str | None
    headers: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    authorizer: str = ""
    api_key: str = ""


Verdict = Allowed | Refused

OPEN = Allowed()
THROTTLED = Refused("THROTTLED", 429, "Too Many Requests", reason="throttled")
