"""The guard of `aws_iam`: requests must be signed (Signature Version 4).

Whoever holds credentials that are known here may call everything; what policies the user has on AWS is not known.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal

from bareboat.local.access.guard import RouteLike
from bareboat.local.access.sigv4 import Credentials, SignatureError, verify
from bareboat.local.verdict import Allowed, Refused, Verdict

if TYPE_CHECKING:
    from bareboat.local.access.credentials import KnownCredentials
    from bareboat.local.access.throttle import Clock
    from bareboat.local.gateway.call import Call

ACCOUNT_ID = "123456789012"
Door = Literal["httpApi", "http", "url"]
URL_FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
KINDS = {
    "MissingAuthenticationTokenException": "MISSING_AUTHENTICATION_TOKEN",
    "UnrecognizedClientException": "ACCESS_DENIED",
}


class IamGuard:
    """Lets in who has signed the request.

    Args:
        door: "httpApi", "http" (REST) or "url" (a function URL): each has words of its own.
        now: seconds since 1970.
    """

    def __init__(
        self, known: KnownCredentials, *, door: Door, region: str, name: str = "aws_iam", now: Clock = time.time
    ) -> None:
        self._known = known
        self._door = door
        self._region = region
        self._name = name
        self._now = now

    def check(self, call: Call, route: RouteLike | None, scopes: tuple[str, ...]) -> Verdict:  # noqa: ARG002 - Guard
        """Return what becomes of a request."""
        service = "lambda" if self._door == "url" else "execute-api"
        try:
            who = verify(call.request, self._known.find, service=service, region=self._region, now=self._now())
        except SignatureError as error:
            return self._refused(error)
        account = ACCOUNT_ID if self._door == "url" else call.api.account_id  # a URL's own is "anonymous"
        return Allowed(context=_iam(who, account), identity=_identity(who, account), authorizer=self._name)

    def _refused(self, error: SignatureError) -> Refused:
        kind = KINDS.get(error.code, "INVALID_SIGNATURE")
        reason = str(error)
        if self._door == "httpApi":
            return Refused(kind, 403, "Forbidden", reason=reason, authorizer=self._name)
        if self._door == "url":
            headers = (("x-amzn-ErrorType", "AccessDeniedException"),)
            return Refused(kind, 403, URL_FORBIDDEN, headers, reason=reason, authorizer=self._name)
        headers = (("x-amzn-ErrorType", error.code),)
        return Refused(kind, 403, reason, headers, reason=reason, authorizer=self._name)


def _iam(who: Credentials, account: str) -> dict[str, Any]:
    """Return `requestContext.authorizer.iam` of format 2.0."""
    return {
        "accessKey": who.access_key,
        "accountId": account,
        "callerId": who.access_key,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": _arn(account),
        "userId": who.access_key,
    }


def _identity(who: Credentials, account: str) -> dict[str, str]:
    """Return what `requestContext.identity` of format 1.0 has of the caller."""
    return {
        "accessKey": who.access_key,
        "accountId": account,
        "caller": who.access_key,
        "user": who.access_key,
        "userArn": _arn(account),
    }


def _arn(account: str) -> str:
    return f"arn:aws:iam::{account}:user/local"
