"""Who may call a route, and how often: authorizers, API keys, usage plans, throttling.

`HttpApiAccess` and `RestAccess` are asked once a request and answer with a Verdict. Whatever goes wrong on the way to
one is a refusal.
"""

from bareboat.local.access.http_api import HttpApiAccess
from bareboat.local.access.rest import RestAccess
from bareboat.local.access.verdict import Allowed, Refused, Verdict

__all__ = ["Allowed", "HttpApiAccess", "Refused", "RestAccess", "Verdict"]
