"""What CloudFormation takes: a template's size and the number of its parts, checked before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bareboat.errors import ConfigurationError

TEMPLATE_BYTES = 1_000_000  # quota "Template body size in an S3 object"
COUNTS = {"Resources": 500, "Outputs": 200, "Parameters": 200, "Mappings": 200}
_FIXES = {
    "Resources": "part the service: functions that are deployed on their own go into a serverless.yml of their own",
    "Outputs": "provider: {versionFunctions: false} spares an output for each function; or part the service",
}


def template_text(template: Mapping[str, Any]) -> str:
    """Return a template as the text that is sent: JSON without spaces.

    Raises:
        ConfigurationError: it is larger than CloudFormation takes.
    """
    for part, most in COUNTS.items():
        there = len(template.get(part) or {})
        if there > most:
            raise ConfigurationError(
                f"the template has {there} {part.lower()}",
                expected=f"at most {most}, CloudFormation's limit",
                fix=_FIXES.get(part, "part the service"),
            )
    text = json.dumps(template, separators=(",", ":"), ensure_ascii=False)
    size = len(text.encode())
    if size > TEMPLATE_BYTES:
        raise ConfigurationError(
            f"the template has {size:,} bytes",
            expected=f"at most {TEMPLATE_BYTES:,}, CloudFormation's limit",
            fix=_FIXES["Resources"],
        )
    return text
