"""A name of one's own for an API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from bareboat.service.model import Place


@dataclass(frozen=True, slots=True)
class CustomDomain:
    """One name for one API of the service.

    Args:
        name: `api.example.com`.
        api: of which kind the API is.
        edge: whether requests come in through CloudFront (REST APIs alone).
        base_path: what stands before the API's own paths, without slashes; "" for nothing.
        stage: of the API.
        certificate: the ARN, or what CloudFormation makes of it.
        policy: which TLS is spoken.
        trust_store: `s3://bucket/key` of the certificates that clients must have; "" for none.
        record, record_v6: whether Route 53 leads the name to the API, by IPv4 and by IPv6.
        zone_id: of the zone in Route 53; None to find the zone by its name.
    """

    name: str
    where: Place
    api: Literal["rest", "http"]
    edge: bool
    base_path: str
    stage: str
    certificate: Any
    policy: str
    trust_store: str = ""
    trust_store_version: str = ""
    record: bool = True
    record_v6: bool = True
    zone_id: Any = None

    @property
    def zone_name(self) -> str:
        """The zone that the name is in, where no id is given: all but its first part."""
        return self.name.removeprefix("*.").partition(".")[2] + "."
