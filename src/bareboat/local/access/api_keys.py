"""The API keys of a REST API: which value is whose."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bareboat.local.addresses import digest_id
from bareboat.service.api import UsagePlan

if TYPE_CHECKING:
    from bareboat.local.access.secrets import LocalSecrets
    from bareboat.service.api import ApiKey


@dataclass(frozen=True, slots=True)
class KnownKey:
    """One API key with its value.

    Args:
        name: as in serverless.yml; a key without one is called by its place in the list, `key-1`.
        key_id: ten characters, as AWS's ids are.
        is_local: whether AWS will give it another value than the one that it has here.
        plan: its usage plan; None where it names one that there is not, so that no method takes it.
    """

    name: str
    key_id: str
    value: str = field(repr=False)
    enabled: bool
    is_local: bool
    plan: UsagePlan | None


def known_keys(keys: Sequence[ApiKey], plans: Sequence[UsagePlan], secrets: LocalSecrets) -> tuple[KnownKey, ...]:
    """Return the API keys, each with its value; one that has none yet gets one, the same each time.

    Raises:
        LocalError: the values cannot be read or kept.
    """
    if keys and not plans:
        plans = (UsagePlan("", keys[0].where),)  # Serverless makes one, without limits, as soon as there are keys
    by_name = {plan.name: plan for plan in plans}
    only = plans[0] if len(plans) == 1 else None
    known = []
    for place, key in enumerate(keys, 1):
        name = key.name or f"key-{place}"
        plan = by_name.get(key.plan) if key.plan else by_name.get("", only)
        key_id = digest_id(f"{key.plan}/{name}", 10)
        value = key.value if key.value is not None else secrets.api_key(name)
        known.append(KnownKey(name, key_id, value, key.enabled, key.value is None, plan))
    return tuple(known)


class KeyRing:
    """Finds keys by their value, in a time that says nothing of the values."""

    def __init__(self, keys: Sequence[KnownKey]) -> None:
        self._keys = [(key, key.value.encode()) for key in keys]

    def find(self, value: str) -> KnownKey | None:
        """Return the key of a value; None when there is none."""
        given = value.encode("utf-8", "surrogateescape")
        found = None
        for key, known in self._keys:
            if hmac.compare_digest(given, known):
                found = found or key
        return found
