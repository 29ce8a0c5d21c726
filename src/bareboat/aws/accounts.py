"""`custom.bareboat.accounts`: the accounts that a service may be deployed to, all or stage by stage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bareboat.errors import ConfigurationError
from bareboat.service.model import Service

_ACCOUNT = re.compile(r"\d{12}\Z")
_KEY = "custom.bareboat.accounts"


def allowed_accounts(service: Service) -> tuple[str, ...] | None:
    """Return the accounts that the stage may go to; None where nothing is said of it.

    Raises:
        ConfigurationError: the key holds something else than accounts.
    """
    said = service.custom_bareboat.get("accounts")
    if isinstance(said, Mapping):
        said = said.get(service.provider.stage, said.get("default"))
    if said is None:
        return None
    listed = said if isinstance(said, list) else [said]
    return tuple(_account(one, service) for one in listed)


def _account(said: Any, service: Service) -> str:
    text = f"{said:012d}" if isinstance(said, int) and not isinstance(said, bool) else str(said)
    if not _ACCOUNT.match(text):
        raise ConfigurationError(
            f"{_KEY} has {said!r}",
            expected="accounts of 12 digits, in quotes: a list of them, or one for each stage",
            fix=f"{_KEY.rpartition('.')[2]}: ['123456789012']",
            where=str(service.path),
        )
    return text


def check_account(service: Service, account: str) -> None:
    """Refuse an account that serverless.yml does not list.

    Raises:
        ConfigurationError: it is not one of `custom.bareboat.accounts`.
    """
    allowed = allowed_accounts(service)
    if allowed is not None and account not in allowed:
        raise ConfigurationError(
            f"the credentials are of account {account}",
            expected=f"{' or '.join(allowed) or 'none'} for stage {service.provider.stage} ({_KEY})",
            fix="AWS_PROFILE=NAME of the right account, or add it to the list",
            where=str(service.path),
        )
