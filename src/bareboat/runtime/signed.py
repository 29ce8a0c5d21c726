"""A GET of S3, signed with the credentials that Lambda gives: a cold start need not import boto3, which takes 300 ms.

Source: "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API Reference.
"""

from __future__ import annotations

import hmac
import os
import time
from hashlib import sha256

from bareboat.runtime.download import Address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_EMPTY = sha256(b"").hexdigest()
_ELSEWHERE = ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")


def signed_address(source: str, version_id: str, env: Mapping[str, str] = os.environ) -> SignedAddress | None:
    """Return what asks S3 for an object; None where only boto3 knows the endpoint or finds credentials.

    Args:
        source: `s3://bucket/key`.
        version_id: "" for the newest.
    """
    from urllib.parse import quote

    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or ""
    key_id, secret = env.get("AWS_ACCESS_KEY_ID"), env.get("AWS_SECRET_ACCESS_KEY")
    if not key_id or not secret or not region or "iso" in region or any(env.get(name) for name in _ELSEWHERE):
        return None
    bucket, _, key = source[5:].partition("/")
    own = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL")
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    if own:
        base = f"{own.rstrip('/')}/{bucket}"
    elif "." in bucket:  # the certificate is for names of one part
        base = f"https://s3.{region}.{domain}/{bucket}"
    else:
        base = f"https://{bucket}.s3.{region}.{domain}"
    query = f"versionId={quote(version_id, safe='-_.~')}" if version_id else ""
    return SignedAddress(
        f"{base}/{quote(key, safe='/-_.~')}{'?' if query else ''}{query}",
        (key_id, secret, env.get("AWS_SESSION_TOKEN") or ""),
        region,
    )


class SignedAddress(Address):
    """An address of S3, each request of which is signed. A redirect is a refusal: credentials are for one server.

    Args:
        credentials: key id, secret and session token, the last perhaps "".
    """

    __slots__ = ("_credentials", "_region")

    follows = False

    def __init__(self, source: str, credentials: tuple[str, str, str], region: str) -> None:
        super().__init__(source)
        self._credentials = credentials
        self._region = region

    def headers(self, offset: int) -> dict[str, str]:
        """Return the headers of a request. A range needs no condition: the digest tells pieces of two contents."""
        more = {"Range": f"bytes={offset}-"} if offset else {}
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        return {**more, **signature(self.source, self._credentials, self._region, now)}


def signature(address: str, credentials: tuple[str, str, str], region: str, now: str) -> dict[str, str]:
    """Return the headers that sign a GET.

    Args:
        address: with its path and query encoded as they are sent.
        now: `20261122T081500Z`.
    """
    key_id, secret, token = credentials
    host, _, rest = address.partition("://")[2].partition("/")
    path, _, query = rest.partition("?")
    headers = {"host": host, "x-amz-content-sha256": _EMPTY, "x-amz-date": now}
    if token:
        headers["x-amz-security-token"] = token
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"GET\n/{path}\n{query}\n{lines}\n{names}\n{_EMPTY}"
    scope = f"{now[:8]}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), sha256).digest()
    digest = hmac.new(key, text.encode(), sha256).hexdigest()
    del headers["host"]
    return {
        **headers,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature={digest}",
    }
