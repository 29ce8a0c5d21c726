"""Who may call a route, and how often: authorizers, API keys, usage plans, throttling.

`HttpApiAccess`, `RestAccess` and `UrlAccess` are asked once a request and answer with a Verdict. Whatever goes wrong on
the way to one is a refusal.
"""

from bareboat.local.access.http_api import HttpApiAccess
from bareboat.local.access.rest import RestAccess
from bareboat.local.access.settings import Settings
from bareboat.local.access.url import UrlAccess
from bareboat.local.verdict import Allowed, Refused, Verdict

__all__ = ["Allowed", "HttpApiAccess", "Refused", "RestAccess", "Settings", "UrlAccess", "Verdict"]
