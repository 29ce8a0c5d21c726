"""Code and versions of functions, as Lambda has them: what moto does not check is checked here."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from botocore.exceptions import ClientError

from aws_cloud.kept import Kept
from aws_cloud.kinds.base import Failed
from aws_cloud.moto import Moto


def archive(moto: Moto, region: str, code: dict[str, Any]) -> bytes | None:
    """Return the zip that a `Code` names; None for an image.

    Raises:
        Failed: it is not in the bucket.
    """
    if "ZipFile" in code:
        return bytes(code["ZipFile"])
    if "S3Bucket" not in code:
        return None
    more = {"VersionId": code["S3ObjectVersion"]} if code.get("S3ObjectVersion") else {}
    try:
        body = moto.client("s3", region).get_object(Bucket=code["S3Bucket"], Key=code["S3Key"], **more)["Body"]
    except ClientError as error:
        said = error.response["Error"]
        raise Failed(
            f"Error occurred while GetObject. S3 Error Code: {said['Code']}. S3 Error Message: "
            f"{said.get('Message', '')}"
        ) from error
    return bytes(body.read())


def set_code(moto: Moto, kept: Kept, region: str, name: str, code: dict[str, Any]) -> None:
    """Keep the archive of a function."""
    data = archive(moto, region, code)
    if data is not None:
        kept.code[region, name, "$LATEST"] = data


def changed_code(
    moto: Moto, kept: Kept, region: str, name: str, code: dict[str, Any], architectures: list[str] | None
) -> None:
    """Give a function other code.

    Raises:
        Failed: it is not in the bucket.
    """
    archive(moto, region, code)
    more = {"Architectures": architectures} if architectures else {}
    moto.client("lambda", region).update_function_code(FunctionName=name, **code, **more)
    set_code(moto, kept, region, name, code)
    kept.touch(region, name)


def published(
    moto: Moto, kept: Kept, region: str, name: str, sha256: str | None, description: str | None
) -> tuple[str, str, bool]:
    """Publish a version; returns its ARN, its number, and whether it is new: without a change there is none.

    Raises:
        Failed: the code is not the one that is meant.
    """
    client = moto.client("lambda", region)
    now = kept.code.get((region, name, "$LATEST"))
    if sha256 and now is not None:
        found = base64.b64encode(hashlib.sha256(now).digest()).decode()
        if found != sha256:
            raise Failed(
                f"CodeSHA256 ({sha256}) is different from current CodeSHA256 in $LATEST ({found}). Please try again "
                "with the CodeSHA256 in $LATEST."
            )
    last = kept.published.get((region, name))
    if last is not None and last[1] == kept.revision(region, name):
        arn = client.get_function_configuration(FunctionName=name)["FunctionArn"]
        return f"{arn}:{last[0]}", last[0], False
    said = client.publish_version(FunctionName=name, **({"Description": description} if description else {}))
    kept.publish(region, name, said["Version"])
    return said["FunctionArn"], said["Version"], True
