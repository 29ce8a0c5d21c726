"""Whose signatures the local cloud takes: the credentials of this user, and the service's own local pair."""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.local.access.sigv4 import Credentials

if TYPE_CHECKING:
    from bareboat.local.access.secrets import LocalSecrets


class KnownCredentials:
    """The credentials that may sign requests, by their access key id.

    They are those of the environment (`AWS_ACCESS_KEY_ID` and its kin), of the profile in the shared credentials file,
    and the pair that `bareboat keys` shows. What only a call to AWS gives (SSO, roles) is not asked for.

    Args:
        secrets: where the local pair is; None where that lets nobody in.
        env: the environment; the process's own unless a test says otherwise.
    """

    def __init__(self, secrets: LocalSecrets | None, env: Mapping[str, str] | None = None) -> None:
        self._secrets = secrets
        env = os.environ if env is None else env
        self._known = {found.access_key: found for found in (_of_environment(env), _of_file(env)) if found is not None}

    def find(self, access_key: str) -> Credentials | None:
        """Return the credentials of an access key id; None where there are none.

        Raises:
            LocalError: the local pair cannot be read.
        """
        found = self._known.get(access_key)
        if found is None and self._secrets is not None:
            local = Credentials(*self._secrets.credentials())
            self._known[local.access_key] = local
            found = local if local.access_key == access_key else None
        return found


def _of_environment(env: Mapping[str, str]) -> Credentials | None:
    access, secret = env.get("AWS_ACCESS_KEY_ID", ""), env.get("AWS_SECRET_ACCESS_KEY", "")
    return Credentials(access, secret, env.get("AWS_SESSION_TOKEN", "")) if access and secret else None


def _of_file(env: Mapping[str, str]) -> Credentials | None:
    path = Path(
        env.get("AWS_SHARED_CREDENTIALS_FILE") or Path(env.get("HOME") or "~").expanduser() / ".aws/credentials"
    )
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
        section = parser[env.get("AWS_PROFILE") or "default"]
        access, secret = section.get("aws_access_key_id", ""), section.get("aws_secret_access_key", "")
        token = section.get("aws_session_token", "")
    except (OSError, configparser.Error, UnicodeDecodeError, KeyError):
        return None
    return Credentials(access, secret, token) if access and secret else None
