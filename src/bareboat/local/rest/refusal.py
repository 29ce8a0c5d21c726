"""What a REST API answers itself, on its way from where it is found out to where the answer is made."""

from __future__ import annotations

from bareboat.local.invocation import Invocation


class Refusal(Exception):  # noqa: N818 - what the gateway answers, not what went wrong with it
    """The gateway answers in the function's place.

    Args:
        kind: of the gateway response (`answers.KINDS`).
        text: what the client reads; "" for AWS's own words, None for a null.
        status: 0 for the kind's own.
        why: the reason, for the access record; never told to the client.
        before: whether the request did not reach the function.
        details: what the schema said of the body.
        invocation: what the function came to, when it was called.
    """

    def __init__(
        self,
        kind: str,
        text: str | None = "",
        *,
        status: int = 0,
        why: str = "",
        before: bool = False,
        details: str = "",
        invocation: Invocation | None = None,
    ) -> None:
        super().__init__(why or kind)
        self.kind = kind
        self.text = text
        self.status = status
        self.why = why
        self.before = before
        self.details = details
        self.invocation = invocation
