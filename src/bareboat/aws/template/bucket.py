"""The deployment bucket: the stack's own, or one that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bareboat.aws.bucket import bucket_name_of, settings_of
from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json

ABANDONED_DAYS = 7
"""After how many days the parts of an upload that nobody went on with are gone."""
DELETED_DAYS = 30
"""For how many days what was pruned can still be had back from the bucket's versions."""


def bucket_ref(draft: Draft) -> Any:
    """Return the deployment bucket's name, or a Ref to it."""
    return draft.shipment.bucket or bucket_name_of(draft.service) or {"Ref": naming.BUCKET}


def add_bucket(draft: Draft) -> None:
    """Add the bucket, encrypted, versioned, not public, and its policy, unless there is one already."""
    options = settings_of(draft.service)
    bucket = bucket_ref(draft)
    draft.output(naming.BUCKET_OUTPUT, bucket)
    if isinstance(bucket, str):
        return
    properties: Json = {"BucketEncryption": {"ServerSideEncryptionConfiguration": [_encryption(options)]}}
    versioned = options.get("versioning") is not False
    if versioned:
        properties["VersioningConfiguration"] = {"Status": "Enabled"}
    properties["LifecycleConfiguration"] = {"Rules": _rules(versioned=versioned)}
    if options.get("blockPublicAccess") is not False:
        blocks = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        properties["PublicAccessBlockConfiguration"] = dict.fromkeys(blocks, True)
    if tags := options.get("tags"):
        properties["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    draft.add(naming.BUCKET, "AWS::S3::Bucket", properties)
    if options.get("skipPolicySetup") is not True:
        draft.add(naming.BUCKET_POLICY, "AWS::S3::BucketPolicy", {"Bucket": bucket, "PolicyDocument": _policy()})


def _encryption(options: Mapping[str, Any]) -> Json:
    if options.get("serverSideEncryption") != "aws:kms":
        return {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    rule: Json = {"SSEAlgorithm": "aws:kms"}
    if key := options.get("sseKMSKeyId"):
        rule["KMSMasterKeyID"] = key
    return {"ServerSideEncryptionByDefault": rule, "BucketKeyEnabled": True}


def _rules(*, versioned: bool) -> list[Json]:
    """Let nothing lie for ever that nobody sees."""
    abandoned = {
        "Id": "abandoned-uploads",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": ABANDONED_DAYS},
    }
    deleted = {
        "Id": "deleted-objects",
        "Status": "Enabled",
        "NoncurrentVersionExpiration": {"NoncurrentDays": DELETED_DAYS},
    }
    return [abandoned, deleted] if versioned else [abandoned]


def _policy() -> Json:
    """Refuse what does not come over TLS."""
    arn = ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", {"Ref": naming.BUCKET}]
    statement = {
        "Action": "s3:*",
        "Effect": "Deny",
        "Principal": "*",
        "Resource": [{"Fn::Join": ["", [*arn, "/*"]]}, {"Fn::Join": ["", arn]}],
        "Condition": {"Bool": {"aws:SecureTransport": False}},
    }
    return {"Statement": [statement]}
