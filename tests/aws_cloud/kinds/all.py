"""Every kind of resource that is really made."""

from __future__ import annotations

from aws_cloud.kinds import (
    data,
    functions,
    http_apis,
    iam,
    logs,
    messaging,
    rest_apis,
    s3,
    schedules,
    usage_plans,
    watching,
)
from aws_cloud.kinds.base import Kind

_PARTS = (s3, iam, logs, functions, http_apis, rest_apis, usage_plans, messaging, schedules, watching, data)
KINDS: dict[str, Kind] = {one.type: one() for part in _PARTS for one in part.KINDS}
