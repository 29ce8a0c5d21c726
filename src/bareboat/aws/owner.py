"""Whose a stack is: two services can come to one name, such as `shop-pay` in `dev` and `shop` in `pay-dev`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bareboat.aws.bucket import Bucket, folder_of
from bareboat.aws.client import Aws
from bareboat.aws.settings import stack_settings
from bareboat.aws.stack import Stack
from bareboat.aws.versions import code_keys
from bareboat.errors import RemoteError
from bareboat.service.model import Service

# .../SERVICE/STAGE/code/DIGEST.zip of bareboat, .../SERVICE/STAGE/{ms}-{ISO}/FILE of Serverless
_PLACE = re.compile(r"(?:\A|/)([^/]+)/([^/]+)/(?:code/[0-9a-f]{64}\.zip|\d+-\d{4}-\d\d-\d\dT[\d:.]+Z/[^/]+)\Z")
_TAG = "STAGE"  # Serverless and bareboat give it to each stack


def other_owner(service: Service, template: Mapping[str, Any] | None, tags: Mapping[str, str] | None = None) -> str:
    """Return whose a stack is, by where its code lies, such as "stage dev of the service shop-pay"; "" for ours.

    One without code in a bucket, such as a first deployment that failed, is told by its tag STAGE. What says nothing of
    anybody is ours: any stack may be taken over that has no other owner.

    Args:
        tags: of the stack; None looks at the template alone.
    """
    ours = (service.name, service.provider.stage)
    found = [place.group(1, 2) for key in code_keys(template or {}) if (place := _PLACE.search(key))]
    if ours in found:
        return ""
    if found:
        name, stage = min(found)
        return f"stage {stage} of the service {name}"
    tagged = (tags or {}).get(_TAG, "")
    if tagged and tagged not in (service.provider.stage, stack_settings(service).tags.get(_TAG)):
        return f"stage {tagged} of a service"
    return ""


def services_of(template: Mapping[str, Any] | None) -> set[str]:
    """Return the services whose code a template names."""
    return {place.group(1) for key in code_keys(template or {}) if (place := _PLACE.search(key))}


def refuse_other_owner(
    aws: Aws, service: Service, stack: Stack, template: Mapping[str, Any] | None, bucket: Bucket | None
) -> None:
    """Refuse a stack that another service, or another stage, has deployed and that was not taken over.

    Raises:
        RemoteError: with whose it is, and how to go on.
        AwsError: S3 refuses.
    """
    owner = other_owner(service, template, stack.tags)
    if not owner or (bucket is not None and _is_taken_over(aws, service, bucket)):
        return
    raise RemoteError(
        f"the stack {stack.name} is {owner}, and this is stage {service.provider.stage} of {service.name}",
        expected=f"a stack of {service.name}, or none",
        fix=f"another service name, --stage, or provider.stackName; if {stack.name} shall become this service's: "
        "bareboat adopt, then bareboat deploy",
    )


def _is_taken_over(aws: Aws, service: Service, bucket: Bucket) -> bool:
    """Return whether this stage has records of its own in the bucket, such as that of `bareboat adopt`."""
    prefix = f"{folder_of(service)}/deployments/"
    return any(aws.pages("s3", "list_objects_v2", "Contents", **bucket.owned, Prefix=prefix))
