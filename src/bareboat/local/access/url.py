"""Who may call a function URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.local.access.guard import failure
from bareboat.local.access.settings import Settings, secrets_of
from bareboat.local.verdict import OPEN, Allowed, Verdict

if TYPE_CHECKING:
    from bareboat.local.access.iam_guard import IamGuard
    from bareboat.local.gateway.call import Call
    from bareboat.service.model import Function, Service


class UrlAccess:
    """The access control of one function URL: anyone, or who signs (AWS_IAM).

    Args:
        settings: the service's own unless a test says otherwise.
    """

    def __init__(self, service: Service, function: Function, settings: Settings | None = None) -> None:
        settings = settings or Settings(secrets_of(service))
        self._guard: IamGuard | None = None
        if function.url is None or function.url.auth != "NONE":
            from bareboat.local.access.iam_guard import IamGuard

            region = service.provider.region
            self._guard = IamGuard(settings.credentials(), door="url", region=region, name="AWS_IAM", now=settings.now)

    def check(self, call: Call, route: object = None) -> Verdict:  # noqa: ARG002 - as a gateway asks it
        """Return what becomes of a request."""
        if self._guard is None:
            return OPEN
        try:
            verdict = self._guard.check(call, None, ())
        except Exception as error:  # noqa: BLE001 - what goes wrong here must never let a request in
            return failure(f"{type(error).__name__}: {error}")
        return Allowed({"iam": verdict.context}, {}, verdict.authorizer) if isinstance(verdict, Allowed) else verdict
