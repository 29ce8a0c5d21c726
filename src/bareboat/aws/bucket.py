"""The deployment bucket: which one it is, and whether code can be trusted to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bareboat.aws.client import Aws, AwsError
from bareboat.errors import RemoteError
from bareboat.service.model import Note, Service

OWN_BUCKET = "ServerlessDeploymentBucket"  # the logical id that Serverless gives it
KEEP = 5  # maxPreviousDeploymentArtifacts of Serverless
_GONE = ("404", "NoSuchBucket", "NotFound")
_REFUSED = ("403", "AccessDenied")
_MOVED = ("301", "PermanentRedirect", "AuthorizationHeaderMalformed", "400", "IllegalLocationConstraintException")


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the code of one stage of a service lies.

    Args:
        name: of the bucket.
        folder: `serverless/SERVICE/STAGE`, without a slash at its end.
        own: whether the stack makes it (`ServerlessDeploymentBucket`), so that it goes with the stack.
        owner: the account (12 digits) that it must belong to; "" asks for none.
        encryption: what uploads say of it beside the bucket's own rule: ServerSideEncryption, SSEKMSKeyId.
    """

    name: str
    folder: str
    own: bool = True
    owner: str = ""
    encryption: Mapping[str, str] = field(default_factory=dict)

    @property
    def owned(self) -> dict[str, str]:
        """The arguments that make S3 refuse a bucket that has fallen into other hands."""
        return {"Bucket": self.name, **({"ExpectedBucketOwner": self.owner} if self.owner else {})}


def folder_of(service: Service) -> str:
    """Return the folder in the bucket: `serverless/SERVICE/STAGE`; `provider.deploymentPrefix` changes its root."""
    root = service.provider.options.get("deploymentPrefix") or "serverless"
    return f"{str(root).strip('/')}/{service.name}/{service.provider.stage}"


def settings_of(service: Service) -> Mapping[str, Any]:
    """Return `provider.deploymentBucket` as a mapping, a bare name under `name`."""
    said = service.provider.options.get("deploymentBucket")
    if isinstance(said, Mapping):
        return said
    return {"name": said} if said else {}


def bucket_name_of(service: Service) -> str:
    """Return the name of a bucket that the stack does not make; "" where the stack has its own."""
    return str(settings_of(service).get("name") or "")


def is_bucket_alone(template: Mapping[str, Any] | None) -> bool:
    """Return whether a stack has its bucket and nothing else: its first deployment came no further."""
    resources = set((template or {}).get("Resources") or {})
    return OWN_BUCKET in resources and resources <= {OWN_BUCKET, f"{OWN_BUCKET}Policy"}


def find_bucket(aws: Aws, service: Service, stack: str = "") -> Bucket | None:
    """Return the deployment bucket of a service, without looking into it; None when the stack has none yet.

    Args:
        stack: the name or ARN of the stack; "" for the service's own. The ARN finds one that was deleted.
    Raises:
        AwsError: AWS refuses.
    """
    name = bucket_name_of(service)
    if name:
        owner = str(service.custom_bareboat.get("bucketOwner") or aws.identity.account)
        return Bucket(name, folder_of(service), own=False, owner=owner, encryption=_encryption(service))
    try:
        found = aws.call(
            "cloudformation",
            "describe_stack_resource",
            StackName=stack or service.provider.stack_name,
            LogicalResourceId=OWN_BUCKET,
        )["StackResourceDetail"]
    except AwsError as error:
        if error.code == "ValidationError":  # neither the stack nor the resource is there
            return None
        raise
    name = found.get("PhysicalResourceId") or ""
    if not name or found.get("ResourceStatus") == "DELETE_COMPLETE":
        return None
    return Bucket(name, folder_of(service), owner=aws.identity.account, encryption=_encryption(service))


def own_bucket(service: Service, name: str, account: str) -> Bucket:
    """Return the bucket that a stack made, by the name that the stack's output has."""
    return Bucket(name, folder_of(service), owner=account, encryption=_encryption(service))


def require_given_bucket(aws: Aws, service: Service) -> None:
    """Make sure of the bucket of `provider.deploymentBucket`, where there is one: before anything is built or asked.

    Raises:
        RemoteError, AwsError: as `require_bucket`.
    """
    if bucket_name_of(service):
        bucket = find_bucket(aws, service)
        assert bucket is not None
        require_bucket(aws, bucket)


def require_bucket(aws: Aws, bucket: Bucket) -> None:
    """Make sure that a bucket is there, in this region, and ours.

    Raises:
        RemoteError: it is gone, lies in another region, or belongs to another account.
        AwsError: S3 refuses for another reason.
    """
    try:
        said = aws.call("s3", "head_bucket", **bucket.owned)
    except AwsError as error:
        if error.code in _GONE:
            raise _gone(bucket) from error
        if error.code in _REFUSED:
            raise _refused(aws, bucket) from error
        if error.code in _MOVED:
            raise _elsewhere(aws, bucket, "") from error
        raise
    region = said.get("BucketRegion") or said["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region", "")
    if region and region != aws.region:
        raise _elsewhere(aws, bucket, region)


def bucket_notes(aws: Aws, bucket: Bucket) -> tuple[Note, ...]:
    """Say what a bucket lacks that somebody else made: versions, a policy that refuses plain http.

    Raises:
        AwsError: S3 does not answer. What the caller may not ask is left out.
    """
    notes = []
    versioning = _asked(aws, bucket, "get_bucket_versioning")
    if versioning is not None and versioning.get("Status") != "Enabled":
        notes.append(
            Note(
                "warning",
                "keeps no versions: what is overwritten or deleted there is lost; "
                f"aws s3api put-bucket-versioning --bucket {bucket.name} --versioning-configuration Status=Enabled",
                f"s3://{bucket.name}",
            )
        )
    policy = _asked(aws, bucket, "get_bucket_policy")
    if policy is not None and not refuses_plain_http(policy.get("Policy", "")):
        notes.append(
            Note(
                "warning",
                "has no policy that refuses requests without TLS (Deny with aws:SecureTransport false)",
                f"s3://{bucket.name}",
            )
        )
    return tuple(notes)


def refuses_plain_http(policy: str) -> bool:
    """Tell whether a bucket policy, as JSON text, denies requests without TLS."""
    import json

    try:
        statements = json.loads(policy or "{}").get("Statement", [])
    except ValueError:
        return False
    for one in statements if isinstance(statements, list) else [statements]:
        asked = one.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
        if one.get("Effect") == "Deny" and str(asked).lower() == "false":
            return True
    return False


def is_there(aws: Aws, name: str) -> bool:
    """Tell whether a bucket exists, ours or not.

    Raises:
        AwsError: S3 does not answer.
    """
    try:
        aws.call("s3", "head_bucket", Bucket=name)
    except AwsError as error:
        if error.code in _GONE:
            return False
        if error.code in (*_REFUSED, *_MOVED):
            return True
        raise
    return True


def make_again(aws: Aws, bucket: Bucket) -> None:
    """Make the stack's own bucket again that somebody deleted, as the template has it: versions, encryption, TLS.

    The stack names it by the same name, so that CloudFormation finds it again.

    Raises:
        AwsError: S3 refuses; the name may have been taken by another account meanwhile.
    """
    import json

    where: dict[str, Any] = (
        {} if aws.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
    )
    aws.call("s3", "create_bucket", Bucket=bucket.name, **where)
    aws.call("s3", "put_bucket_versioning", **bucket.owned, VersioningConfiguration={"Status": "Enabled"})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    aws.call("s3", "put_bucket_encryption", **bucket.owned, ServerSideEncryptionConfiguration={"Rules": [rule]})
    arn = f"arn:{aws.partition}:s3:::{bucket.name}"
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"{arn}/*", arn],
        "Condition": {"Bool": {"aws:SecureTransport": False}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    aws.call("s3", "put_bucket_policy", **bucket.owned, Policy=policy)


def keep_of(service: Service) -> int:
    """Return how many versions are kept beside the live one.

    `custom.bareboat.keep`, else `provider.deploymentBucket.maxPreviousDeploymentArtifacts`, else `number` of
    `custom.prune` (serverless-prune-plugin), else 5.
    """
    for said in (
        service.custom_bareboat.get("keep"),
        settings_of(service).get("maxPreviousDeploymentArtifacts"),
        (service.custom.get("prune") or {}).get("number") if isinstance(service.custom.get("prune"), Mapping) else None,
    ):
        if isinstance(said, int) and not isinstance(said, bool) and said >= 0:
            return said
    return KEEP


def _encryption(service: Service) -> dict[str, str]:
    said = settings_of(service)
    names = {"serverSideEncryption": "ServerSideEncryption", "sseKMSKeyId": "SSEKMSKeyId"}
    return {argument: str(said[key]) for key, argument in names.items() if said.get(key)}


def _asked(aws: Aws, bucket: Bucket, operation: str) -> Mapping[str, Any] | None:
    try:
        return aws.call("s3", operation, **bucket.owned)
    except AwsError as error:
        if error.code == "NoSuchBucketPolicy":
            return {}
        if error.code in _REFUSED:
            return None
        raise


def _gone(bucket: Bucket) -> RemoteError:
    if bucket.own:
        return RemoteError(
            f"the deployment bucket {bucket.name} is gone; the stack still names it",
            expected="the bucket that the stack made",
            fix="bareboat deploy makes it again",
        )
    return RemoteError(
        f"there is no bucket {bucket.name}",
        expected="the bucket of provider.deploymentBucket",
        fix=f"aws s3 mb s3://{bucket.name}, or take deploymentBucket out: the stack then makes its own",
    )


def _refused(aws: Aws, bucket: Bucket) -> RemoteError:
    try:
        aws.call("s3", "head_bucket", Bucket=bucket.name)
    except AwsError:
        return RemoteError(
            f"the bucket {bucket.name} cannot be read: it belongs to another account, or {aws.identity.arn} may not",
            expected=f"a bucket of account {bucket.owner}, and s3:ListBucket",
            fix="another bucket, or a policy that allows it",
        )
    return RemoteError(
        f"the bucket {bucket.name} belongs to another account than {bucket.owner}",
        expected="a bucket of this account: whoever owns it can change the code that runs here",
        fix="custom.bareboat.bucketOwner: ACCOUNT, if that is meant",
    )


def _elsewhere(aws: Aws, bucket: Bucket, region: str) -> RemoteError:
    return RemoteError(
        f"the bucket {bucket.name} lies in {region or 'another region'}",
        expected=f"one in {aws.region}: Lambda reads code from its own region only",
        fix=f"a bucket in {aws.region}" + (f", or --region {region}" if region else ""),
    )
