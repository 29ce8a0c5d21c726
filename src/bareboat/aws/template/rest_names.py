"""`ApiGatewayDeployment${sls:instanceId}` of `resources`, the deployment that Serverless makes -> its name here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bareboat.aws.template.draft import Json

_NAME = re.compile(r"\bApiGatewayDeployment(?:[0-9A-Za-z]+\b|\$\{sls:instanceId\})")  # keys are not resolved


def with_deployment(resources: Mapping[str, Any], logical_id: str) -> Json:
    """Return `resources` of serverless.yml in which the deployment has its name, also where it is referred to.

    Args:
        logical_id: of the deployment.
    """
    own = {
        name for name, each in (resources.get("Resources") or {}).items() if isinstance(each, dict) and "Type" in each
    }
    found: Json = _renamed(dict(resources), own, logical_id)
    return found


def _renamed(value: Any, own: set[str], logical_id: str) -> Any:
    if isinstance(value, dict):
        return {_text(key, own, logical_id): _renamed(each, own, logical_id) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, own, logical_id) for each in value]
    return _text(value, own, logical_id)


def _text(value: Any, own: set[str], logical_id: str) -> Any:
    if not isinstance(value, str):
        return value
    return _NAME.sub(lambda name: name[0] if name[0] in own else logical_id, value)
