"""Where a call's template comes from: TemplateBody, TemplateURL, or the stack's own."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from aws_cloud.formation.stack import Stack
from aws_cloud.formation.target import needs, s3_place
from aws_cloud.formation.template import MAX_BODY_BYTES, MAX_URL_BYTES, Template, parse
from aws_cloud.formation.world import World
from aws_cloud.messages import Refused


def read_template(world: World, given: dict[str, Any], region: str, stack: Stack | None) -> Template:
    """Return the template of a call.

    Raises:
        Refused: it is too large, cannot be read or is none.
    """
    if given.get("UsePreviousTemplate") and stack is not None and stack.template is not None:
        return stack.template
    body = given.get("TemplateBody")
    if body is None:
        if not given.get("TemplateURL"):
            raise Refused("ValidationError", "Either Template URL or Template Body must be specified.")
        body = _fetched(world, given["TemplateURL"], region)
    elif len(body.encode()) > MAX_BODY_BYTES:
        raise Refused(
            "ValidationError",
            f"1 validation error detected: Value '{body}' at 'templateBody' failed to satisfy constraint: Member must "
            f"have length less than or equal to {MAX_BODY_BYTES}",
        )
    template = parse(body)
    needs(template.resources)
    return template


def _fetched(world: World, url: str, region: str) -> str:
    bucket, key = s3_place(url)
    try:
        data = world.moto.client("s3", region).get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        raise Refused("ValidationError", f"S3 error: {error.response['Error'].get('Message', '')}") from error
    if len(data) > MAX_URL_BYTES:
        raise Refused("ValidationError", f"Template may not exceed {MAX_URL_BYTES} bytes in size.")
    return str(data.decode())
