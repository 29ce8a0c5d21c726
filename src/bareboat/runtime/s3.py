"""An object of S3, asked from an offset on with boto3: of Lambda's image at a cold start, of the `aws` extra before."""

from __future__ import annotations

import os

from bareboat.errors import RemoteError
from bareboat.runtime.download import TIMEOUT_S, Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# code of S3 -> what was found, what mends it
_REFUSALS = {
    "NoSuchKey": ("the bucket has no such key", "bareboat model list shows what there is"),
    "NoSuchVersion": ("the object has no such version", "bareboat model list shows the versions that there are"),
    "NoSuchBucket": ("there is no such bucket", "check its name, and the account and endpoint that are asked"),
    "MethodNotAllowed": ("that version is a mark of deletion", "bareboat model list shows the versions that there are"),
    "AccessDenied": (
        "S3 denies access",
        "allow s3:GetObject and s3:GetObjectVersion; and s3:ListBucket, without which a missing key looks the same",
    ),
    "InvalidAccessKeyId": ("S3 does not know the access key", "check AWS_ACCESS_KEY_ID or AWS_PROFILE"),
    "SignatureDoesNotMatch": ("the secret key is wrong", "check AWS_SECRET_ACCESS_KEY, and the clock"),
    "ExpiredToken": ("the session has expired", "log in again: aws sso login, or new AWS_SESSION_TOKEN"),
    "RequestTimeTooSkewed": ("the clock of this machine is wrong", "set the clock"),
    "InvalidObjectState": ("the object is archived (Glacier)", "restore it to a class that can be read"),
}
_SAME = {"404": "NoSuchKey", "NotFound": "NoSuchKey", "403": "AccessDenied", "Forbidden": "AccessDenied",
         "405": "MethodNotAllowed", "InvalidToken": "ExpiredToken", "TokenRefreshRequired": "ExpiredToken"}  # fmt: skip
_REGION = ("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")


class Missing(RemoteError):  # noqa: N818 - it is told as a RemoteError
    """The bucket has no such key."""


def new_client(session: Any, region: str, *, attempts: int = 1) -> Any:
    """Return a client of S3. An endpoint of one's own (AWS_ENDPOINT_URL_S3, MinIO and the like) gets paths, since few
    have a host name for each bucket.

    Args:
        attempts: how often a request is sent; `download.save` tries again by itself.
    """
    from botocore.config import Config

    own = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    config = Config(
        connect_timeout=5,
        read_timeout=TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": attempts},
        s3={"addressing_style": "path"} if own else None,
    )
    return session.create_client("s3", region_name=region, config=config)


class Object:
    """An object of S3, or one version of it.

    Args:
        version_id: "" for the newest.
    Attributes:
        found_version: the version that answered, "" of a bucket without versions.
    """

    __slots__ = ("_arguments", "_client", "_tag", "found_version", "source")

    def __init__(self, client: Any, source: str, version_id: str = "") -> None:
        bucket, _, key = source[5:].partition("/")
        self.source = source
        self.found_version = ""
        self._client = client
        self._tag = ""
        self._arguments = {"Bucket": bucket, "Key": key}
        if version_id:
            self._arguments["VersionId"] = version_id

    def __call__(self, offset: int) -> Answer:
        """Ask for the bytes from an offset on.

        Raises:
            RemoteError: S3 refuses, or there are no credentials.
            Exception: of botocore, for what another try may mend.
        """
        more = {"Range": f"bytes={offset}-", "IfMatch": self._tag} if offset and self._tag else {}
        try:
            said = self._client.get_object(**self._arguments, **more)
        except Exception as error:
            if code_of(error) in ("PreconditionFailed", "InvalidRange", "412", "416"):
                self._tag = ""  # it changed meanwhile: from the beginning
                raise ConnectionError("the object has changed meanwhile") from error
            raise translated(error, self.source) from error
        self._tag = said.get("ETag", "")
        self.found_version = said.get("VersionId") or ""
        start, size_bytes = 0, said["ContentLength"]
        if more and said.get("ContentRange"):
            span, _, whole = said["ContentRange"].removeprefix("bytes ").partition("/")
            start, size_bytes = int(span.partition("-")[0]), int(whole)
        return Answer(said["Body"].read, said["Body"].close, start=start, size_bytes=size_bytes)


def code_of(error: BaseException) -> str:
    """Return S3's code of an error, such as NoSuchKey; "" of any other."""
    said = getattr(error, "response", None)
    return str(said.get("Error", {}).get("Code", "")) if isinstance(said, dict) else ""


def translated(error: Exception, source: str) -> Exception:
    """Return a RemoteError for what another try does not mend, and the error itself for what one may."""
    name, code = type(error).__name__, code_of(error)
    if name in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError"):
        return RemoteError(
            f"there are no AWS credentials: {_short(error)}",
            expected="credentials of the usual kinds",
            fix="set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or aws configure, aws sso login",
            where=source,
        )
    if name in ("ProfileNotFound", "UnauthorizedSSOTokenError", "SSOTokenLoadError", "InvalidConfigError",
                "ParamValidationError", "InvalidRegionError", "UnknownEndpointError"):  # fmt: skip
        return RemoteError(f"boto3 refuses: {_short(error)}", fix="check AWS_PROFILE, AWS_REGION", where=source)
    if not code:
        return error
    response: dict[str, Any] = error.response  # type: ignore[attr-defined]
    about = response.get("ResponseMetadata", {})
    request = about.get("RequestId") or about.get("HTTPHeaders", {}).get("x-amz-request-id") or ""
    tail = f" (request {request})" if request else ""
    if code in _REGION:
        region = about.get("HTTPHeaders", {}).get("x-amz-bucket-region") or response["Error"].get("Region") or ""
        return RemoteError(
            f"the bucket is in another region{': ' + region if region else ''}{tail}",
            fix=f"set AWS_REGION={region or 'REGION'}",
            where=source,
        )
    code = _SAME.get(code, code)
    refusal = _REFUSALS.get(code)
    if refusal is not None:
        return (Missing if code == "NoSuchKey" else RemoteError)(f"{refusal[0]}{tail}", fix=refusal[1], where=source)
    if int(about.get("HTTPStatusCode") or 500) >= 500 or code in ("SlowDown", "RequestTimeout", "Throttling"):
        return error
    return RemoteError(f"S3 answers {code}: {_short(error)}{tail}", where=source)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
