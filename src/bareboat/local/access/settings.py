"""What access control needs besides the service: its secrets, its clocks, and whom it trusts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.artifact.output import OUTPUT
from bareboat.local.access.secrets import LocalSecrets

if TYPE_CHECKING:
    from bareboat.local.access.credentials import KnownCredentials
    from bareboat.local.access.local_issuer import LocalIssuer
    from bareboat.local.access.throttle import Clock
    from bareboat.service.model import Service


@dataclass(frozen=True, slots=True)
class Settings:
    """The surroundings of access control.

    Args:
        secrets: of the service on this machine.
        trusts_local: whether tokens of `bareboat token` and signatures with the local pair of keys let anyone in.
        clock: seconds, for rates and for what is kept.
        now: seconds since 1970.
        fetch: gets key sets; None for the network.
        env: where the user's AWS credentials are; None for the environment of this process.
    """

    secrets: LocalSecrets
    trusts_local: bool = True
    clock: Clock = time.monotonic
    now: Clock = time.time
    fetch: Callable[[str], bytes] | None = None
    env: Mapping[str, str] | None = None

    @property
    def issuer(self) -> LocalIssuer | None:
        """Who signs local tokens, where they are trusted."""
        from bareboat.local.access.local_issuer import LocalIssuer  # imported late: few services ask for it

        return LocalIssuer(self.secrets) if self.trusts_local else None

    def credentials(self) -> KnownCredentials:
        """Return whose signatures are taken."""
        from bareboat.local.access.credentials import KnownCredentials  # as above

        return KnownCredentials(self.secrets if self.trusts_local else None, self.env)


def secrets_of(service: Service) -> LocalSecrets:
    """Return the secrets of a service, which lie in `.bareboat/` beside its serverless.yml."""
    return LocalSecrets(service.folder / OUTPUT)
