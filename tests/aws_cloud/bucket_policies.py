"""Policies of buckets: moto forgets their conditions, and would deny all where AWS denies what has no TLS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from aws_cloud.kept import Kept
from aws_cloud.messages import Answer, Refused, Request
from aws_cloud.moto import Moto


def put_policy(moto: Moto, kept: Kept, bucket: str, policy: dict[str, Any]) -> None:
    """Keep a policy; moto gets those of its statements that have no condition."""
    kept.policies[bucket] = json.dumps(policy)
    plain = [one for one in policy.get("Statement") or () if not one.get("Condition")]
    client = moto.client("s3")
    if plain:
        client.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**policy, "Statement": plain}))
    else:
        client.head_bucket(Bucket=bucket)


def delete_policy(moto: Moto, kept: Kept, bucket: str) -> None:
    """Take a policy away; none is no error."""
    kept.policies.pop(bucket, None)
    try:
        moto.client("s3").delete_bucket_policy(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise


class BucketPolicies:
    """The calls of policies."""

    def __init__(self, moto: Moto, kept: Kept) -> None:
        self._moto = moto
        self._kept = kept

    def __call__(self, request: Request, ask: Callable[[Request], Answer]) -> Answer | None:
        """Answer a call of a bucket's policy; None for any other."""
        if request.operation.service != "s3":
            return None
        bucket = request.path.strip("/").split("/")[0]
        name = request.operation.name
        if name == "PutBucketPolicy":
            try:
                put_policy(self._moto, self._kept, bucket, request.json)
            except ClientError as error:
                said = error.response["Error"]
                raise Refused("NoSuchBucket", said.get("Message", ""), 404) from error
            return Answer(204, {}, b"")
        if name == "GetBucketPolicy" and bucket in self._kept.policies:
            return Answer(200, {"Content-Type": "application/json"}, self._kept.policies[bucket].encode())
        if name in {"DeleteBucketPolicy", "DeleteBucket"}:
            answer = ask(request)
            if answer.status < 300:
                self._kept.policies.pop(bucket, None)
            return answer
        return None
