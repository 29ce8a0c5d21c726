"""The HTTP API (API Gateway v2) in front of the local Lambda.

`routes` finds the route, `call` is a request as the gateway sees it, `event_v2` and `event_v1` make the event,
`response` reads the function's answer, by way of `returned`, which every kind of API shares; `cors` is what other
origins may, `gateway` puts them together. A further kind of API (REST) is a gateway of its own beside this one, with
the same `Call`; a further event format is one file and one line in `gateway.FORMATS`.
"""

from bareboat.local.gateway.call import Api
from bareboat.local.gateway.gateway import HttpApiGateway
from bareboat.local.gateway.routes import Route, RouteTable

__all__ = ["Api", "HttpApiGateway", "Route", "RouteTable"]
