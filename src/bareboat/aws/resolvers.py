"""Variables of serverless.yml that need AWS -> their values."""

from __future__ import annotations

from collections.abc import Mapping

from bareboat.aws.client import Aws
from bareboat.service.sources import AwsResolver


def resolvers(aws: Aws) -> Mapping[str, AwsResolver]:
    """Return what `load_service` asks for `${aws:accountId}` and the like; AWS is asked only when one is used."""
    facts = {"accountId": lambda: aws.identity.account, "region": lambda: aws.region}

    def about(address: str, _parameters: tuple[str, ...]) -> str | None:
        return facts[address]() if address in facts else None

    return {"aws": about}
