"""S3: buckets and their policies."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from aws_cloud.bucket_policies import delete_policy, put_policy
from aws_cloud.kinds.base import Failed, Kind, Made, Place, chosen
from aws_cloud.moto import REGION

_SLOW_S = 1.0


class Bucket(Kind):
    type = "AWS::S3::Bucket"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        name = properties.get("BucketName") or place.name(63, lower=True)
        client = place.client("s3")
        with suppress(ClientError):
            client.head_bucket(Bucket=name)
            raise Failed(f"{name} already exists", "AlreadyExists")
        more = {} if place.region == REGION else {"CreateBucketConfiguration": {"LocationConstraint": place.region}}
        client.create_bucket(Bucket=name, **more)
        self._set(place, name, properties, {})
        attributes = {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{place.region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website-{place.region}.amazonaws.com",
        }
        return Made(name, attributes)

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        self._set(place, made.physical_id, properties, old)
        return made

    def _set(self, place: Place, name: str, properties: dict[str, Any], old: dict[str, Any]) -> None:
        client = place.client("s3")
        if rules := (properties.get("BucketEncryption") or {}).get("ServerSideEncryptionConfiguration"):
            rules = [
                {
                    **chosen(one, "BucketKeyEnabled"),
                    "ApplyServerSideEncryptionByDefault": one.get("ServerSideEncryptionByDefault", {}),
                }
                for one in rules
            ]
            client.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
        versioning = properties.get("VersioningConfiguration")
        if versioning:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning["Status"]})
        elif old.get("VersioningConfiguration"):
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
        if block := properties.get("PublicAccessBlockConfiguration"):
            client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
        if ownership := properties.get("OwnershipControls"):
            client.put_bucket_ownership_controls(Bucket=name, OwnershipControls=ownership)
        if properties.get("Tags") or old.get("Tags"):
            client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": properties.get("Tags") or []})
        if rules := (properties.get("LifecycleConfiguration") or {}).get("Rules"):
            client.put_bucket_lifecycle_configuration(
                Bucket=name, LifecycleConfiguration={"Rules": [_lifecycle(one) for one in rules]}
            )
        if properties.get("NotificationConfiguration") or old.get("NotificationConfiguration"):
            client.put_bucket_notification_configuration(
                Bucket=name, NotificationConfiguration=_notifications(properties.get("NotificationConfiguration") or {})
            )

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        """Delete a bucket; AWS comes to it seconds after a deletion began, so that it may be emptied meanwhile."""
        ended = time.monotonic() + _SLOW_S
        while True:
            try:
                place.client("s3").delete_bucket(Bucket=made.physical_id)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "BucketNotEmpty" and time.monotonic() < ended:
                    time.sleep(0.02)
                    continue
                if code != "NoSuchBucket":
                    raise
            return


def _lifecycle(rule: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        made["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    if "NoncurrentVersionExpirationInDays" in rule:
        made["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(rule["NoncurrentVersionExpirationInDays"])}
    if nested := rule.get("NoncurrentVersionExpiration"):
        made["NoncurrentVersionExpiration"] = {key: int(value) for key, value in nested.items()}
    if nested := rule.get("AbortIncompleteMultipartUpload"):
        made["AbortIncompleteMultipartUpload"] = {key: int(value) for key, value in nested.items()}
    return made


def _notifications(given: dict[str, Any]) -> dict[str, Any]:
    entries = []
    for one in given.get("LambdaConfigurations") or ():
        entry: dict[str, Any] = {"LambdaFunctionArn": one["Function"], "Events": [one["Event"]]}
        if rules := ((one.get("Filter") or {}).get("S3Key") or {}).get("Rules"):
            entry["Filter"] = {"Key": {"FilterRules": rules}}
        entries.append(entry)
    return {"LambdaFunctionConfigurations": entries} if entries else {}


class BucketPolicy(Kind):
    type = "AWS::S3::BucketPolicy"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        put_policy(place.moto, place.kept, properties["Bucket"], properties["PolicyDocument"])
        return Made(properties["Bucket"])

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        return self.create(place, properties)

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        delete_policy(place.moto, place.kept, properties["Bucket"])


KINDS = (Bucket, BucketPolicy)
