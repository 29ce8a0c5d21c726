"""The resource policy of a REST API: who may call it, whatever its authorizers say.

Source:
    API Gateway developer guide, "How API Gateway resource policies affect authorization workflow": without an
    authorizer an Allow is demanded; a Deny comes before a Lambda authorizer, which may allow in the policy's place;
    who signs or has a token of a user pool is authenticated first, and the latter needs an Allow, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from bareboat.local.access.identity import header
from bareboat.local.addresses import api_id
from bareboat.local.verdict import Allowed, Refused, Verdict
from bareboat.service.api import Authorizer, IamAuthorizer, JwtAuthorizer
from bareboat.service.policy import Decision, PolicyError, parse_policy
from bareboat.service.resource_policy import ACCOUNT, condition_values

if TYPE_CHECKING:
    from bareboat.local.gateway.call import Call
    from bareboat.service.model import Service


class ResourcePolicy:
    """Lets in whom the policy lets in; nobody where it cannot be read."""

    def __init__(self, service: Service) -> None:
        api, region = service.provider.rest_api, service.provider.region
        self._base = f"arn:aws:execute-api:{region}:{ACCOUNT}:{api_id(service)}"
        self._stage = service.provider.stage
        self._error = ""
        try:
            self._policy = parse_policy({"Statement": list(api.policy)}, base=self._base)
        except PolicyError as error:
            self._error = str(error)

    def first(self, call: Call, authorizer: Authorizer | None) -> Refused | None:
        """Return the refusal that comes before the authorizer, None where there is none."""
        if self._error or isinstance(authorizer, IamAuthorizer | JwtAuthorizer):
            return self._refused(call, "none") if self._error else None
        decision = self._decide(call)
        if decision == "deny" or (decision == "none" and authorizer is None):
            return self._refused(call, decision)
        return None

    def last(self, call: Call, authorizer: Authorizer | None, verdict: Allowed) -> Verdict:
        """Return the verdict on whom the authorizer has let in."""
        if not isinstance(authorizer, IamAuthorizer | JwtAuthorizer):
            return verdict
        decision = self._decide(call)
        if decision == "deny" or (decision == "none" and isinstance(authorizer, JwtAuthorizer)):
            return self._refused(call, decision, verdict)
        return verdict

    def _decide(self, call: Call) -> Decision:
        values = condition_values(call.request.peer[0], header(call, "user-agent"), header(call, "referer"))
        return self._policy.decide(self._arn(call), values)

    def _arn(self, call: Call) -> str:
        return f"{self._base}/{self._stage}/{call.request.method}{unquote(call.path.rstrip('/')) or '/'}"

    def _refused(self, call: Call, decision: Decision, verdict: Allowed | None = None) -> Refused:
        identity = {} if verdict is None else verdict.identity
        user = identity.get("userArn") or "anonymous"
        shown = self._arn(call).replace(ACCOUNT, "*" * 8 + ACCOUNT[-4:], 1)
        told = f"User: {user} is not authorized to perform: execute-api:Invoke on resource: {shown}"
        peer = call.request.peer[0]
        reason = (
            f"the resource policy denies {peer}" if decision == "deny" else f"the resource policy does not allow {peer}"
        )
        if self._error:
            reason = f"the resource policy cannot be judged: {self._error}"
        return Refused(
            "ACCESS_DENIED",
            403,
            told + (" with an explicit deny" if decision == "deny" else ""),
            reason=reason,
            authorizer="" if verdict is None else verdict.authorizer,
        )
