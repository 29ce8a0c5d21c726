"""Where sample events say they come from: account, region, time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

ACCOUNT = "123456789012"  # AWS's own example account


@dataclass(frozen=True, slots=True)
class Origin:
    """What all events of one moment have in common.

    Args:
        at: seconds since 1970.
    """

    region: str = "us-east-1"
    account: str = ACCOUNT
    at: float = field(default_factory=time.time)

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """Return an ARN: `arn:aws:sqs:us-east-1:123456789012:orders`."""
        where = f"{self.region}:{self.account}" if regional else ":"
        return f"arn:aws:{service}:{where}:{resource}"

    @property
    def seconds(self) -> str:
        """The time as EventBridge writes it: `2026-01-02T03:04:05Z`."""
        return datetime.fromtimestamp(int(self.at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def millis(self) -> str:
        """The time as S3 and SNS write it: `2026-01-02T03:04:05.678Z`."""
        moment = datetime.fromtimestamp(self.at, UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"

    @property
    def epoch_ms(self) -> int:
        """Milliseconds since 1970."""
        return int(self.at * 1000)
