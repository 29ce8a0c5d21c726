"""The REST API (API Gateway v1) in front of the local Lambda: what `http` events make.

`methods` are the routes, `call` is a request with its stage, `event` makes the proxy event and `template_event` that of
functions behind Serverless's own request template, `response` reads the answer. `validation` is what a request must
hold, `preflight` what OPTIONS answers, `answers` what the gateway says itself; `gateway` puts them together. What
both kinds of API share is in `local.gateway`.
"""

from bareboat.local.rest.gateway import RestApiGateway
from bareboat.local.rest.methods import Method, rest_methods

__all__ = ["Method", "RestApiGateway", "rest_methods"]
