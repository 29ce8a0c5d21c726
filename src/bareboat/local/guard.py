"""A request to a door that is for this machine alone -> why it is refused, if a web page may be behind it.

Loopback keeps other machines out, not other people's pages: a browser on this machine sends what any page asks it to.
A page that resolves a name of its own to 127.0.0.1 (DNS rebinding) still sends that name as Host, and one that posts
across origins says so in Origin or Sec-Fetch-Site.
"""

from __future__ import annotations

from collections.abc import Collection

from bareboat.local.addresses import host_name, is_loopback_name
from bareboat.local.messages import Request

_FOREIGN_SITES = frozenset({"cross-site", "same-site"})


def foreign(request: Request, *, own_origins: Collection[str] = ()) -> str:
    """Return why a request is none of this machine's own programs; "" when it may go on.

    Args:
        own_origins: of the door's own page, such as `http://127.0.0.1:3100`; () for a door without pages.
    """
    host = origin = site = ""
    for name, value in request.headers:
        lower = name.lower()
        if lower == "host":
            host = value
        elif lower == "origin":
            origin = value
        elif lower == "sec-fetch-site":
            site = value.lower()
    if not is_loopback_name(host_name(host)):
        return f"the Host is {host!r:.80}, expected 127.0.0.1 or localhost"
    if origin and origin not in own_origins:
        return f"it comes from a web page of {origin!r:.80}"
    if site in _FOREIGN_SITES:
        return f"it comes from a web page of another site (Sec-Fetch-Site: {site})"
    return ""
