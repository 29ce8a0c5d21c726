"""Every kind of resource that is really made."""

from __future__ import annotations

from aws_cloud.kinds import functions, http_apis, iam, logs, s3
from aws_cloud.kinds.base import Kind

KINDS: dict[str, Kind] = {one.type: one() for part in (s3, iam, logs, functions, http_apis) for one in part.KINDS}
