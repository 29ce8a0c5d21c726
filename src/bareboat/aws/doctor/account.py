"""An AWS account -> what a deployment needs of it: who calls, what that may do, how much of everything is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from bareboat.aws.client import Aws, AwsError
from bareboat.aws.doctor.machine import Check

# What `deploy`, `info`, `rollback` and `remove` call, by service; docs/deploy.md lists them with their resources.
ACTIONS: tuple[str, ...] = (
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStackResource",
    "cloudformation:DescribeStacks",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:GetTemplate",
    "cloudformation:ListStackResources",
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteObjectVersion",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutObject",
    "lambda:AddPermission",
    "lambda:CreateFunction",
    "lambda:DeleteFunction",
    "lambda:GetFunction",
    "lambda:GetFunctionConfiguration",
    "lambda:InvokeFunction",
    "lambda:PublishVersion",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:GetRole",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "logs:CreateLogGroup",
    "logs:DeleteLogGroup",
    "logs:DescribeLogGroups",
    "logs:FilterLogEvents",
    "logs:PutRetentionPolicy",
    "apigateway:DELETE",
    "apigateway:GET",
    "apigateway:PATCH",
    "apigateway:POST",
    "cloudwatch:GetMetricData",
)
_MOST_SKEW_S = 240  # AWS refuses signatures that are five minutes off
_FEW_CONCURRENT = 100


def check_account(aws: Aws, *, now: datetime | None = None) -> list[Check]:
    """Ask an account what a deployment needs to know. Nothing is changed.

    Raises:
        AwsError: there are no credentials, or AWS does not answer.
    """
    identity = aws.identity
    checks = [
        Check("identity", "ok", f"account {identity.account}, {identity.arn.rpartition(':')[2]}"),
        Check("region", "ok", f"{aws.region}" + (f" at {aws.endpoint}" if aws.endpoint else "")),
    ]
    return [*checks, *_clock(aws, now or datetime.now(UTC)), *_permissions(aws), *_quotas(aws)]


def _clock(aws: Aws, now: datetime) -> Iterator[Check]:
    from email.utils import parsedate_to_datetime

    said = aws.call("sts", "get_caller_identity").get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        skew_s = abs((parsedate_to_datetime(said) - now).total_seconds())
    except (TypeError, ValueError):
        return
    fix = "" if skew_s < _MOST_SKEW_S else "set the clock of this machine: AWS refuses signatures of another time"
    yield Check("clock", "missing" if fix else "ok", f"{skew_s:.0f} s from AWS's", fix)


def principal_of(aws: Aws) -> str:
    """Return the ARN that policies hang on: of a session, that of its role; "" for the root user.

    Raises:
        AwsError: the role cannot be looked up.
    """
    arn = aws.identity.arn
    if ":assumed-role/" in arn:
        role = arn.split(":assumed-role/")[1].split("/")[0]
        return str(
            aws.call("iam", "get_role", RoleName=role)["Role"]["Arn"]
        )  # a role's path is not in the session's ARN
    return "" if arn.endswith(":root") else arn


def _permissions(aws: Aws) -> Iterator[Check]:
    try:
        principal = principal_of(aws)
        if not principal:
            yield Check("permissions", "note", "the root user may do anything", "use a role or user for deployments")
            return
        denied = denied_actions(aws, principal, ACTIONS)
    except AwsError as error:
        text = f"they cannot be looked up ({error.code}): the probe tells"
        yield Check("permissions", "note", text, "iam:SimulatePrincipalPolicy, to know beforehand")
        return
    if denied:
        yield Check("permissions", "missing", f"not allowed: {', '.join(denied)}", "allow them (docs/deploy.md)")
    else:
        yield Check("permissions", "ok", f"all {len(ACTIONS)} actions of a deployment are allowed")


def denied_actions(aws: Aws, principal: str, actions: Sequence[str]) -> list[str]:
    """Return which actions a user or role may not do, as far as its own policies say; resource rules are not known.

    Raises:
        AwsError: it may not be asked.
    """
    said = aws.pages(
        "iam",
        "simulate_principal_policy",
        "EvaluationResults",
        PolicySourceArn=principal,
        ActionNames=[*actions],
    )
    return [str(one["EvalActionName"]) for one in said if one["EvalDecision"] != "allowed"]


def _quotas(aws: Aws) -> Iterator[Check]:
    try:
        said = aws.call("lambda", "get_account_settings")
        limit, usage = said.get("AccountLimit") or {}, said.get("AccountUsage") or {}
        concurrent = int(limit.get("ConcurrentExecutions") or 0)
        is_few = concurrent < _FEW_CONCURRENT
        text = f"{concurrent} at the same time, {limit.get('UnreservedConcurrentExecutions', concurrent)} of them free"
        fix = "ask AWS for more: Service Quotas, Lambda, Concurrent executions" if is_few else ""
        yield Check("concurrency", "note" if is_few else "ok", text, fix)
        used, most = (float(one.get(key) or 0) for one, key in ((usage, "TotalCodeSize"), (limit, "TotalCodeSize")))
        full = most > 0 and used > 0.9 * most
        text = f"{used / 1e9:.1f} of {most / 1e9:.1f} GB of code, {usage.get('FunctionCount', 0)} functions"
        yield Check("code storage", "note" if full else "ok", text, "bareboat prunes old versions" if full else "")
    except AwsError as error:
        yield Check("concurrency", "note", f"it cannot be looked up ({error.code})", "lambda:GetAccountSettings")
    try:
        limits = {
            one["Name"]: one["Value"] for one in aws.pages("cloudformation", "describe_account_limits", "AccountLimits")
        }
        if "StackLimit" in limits:
            yield Check("stacks", "ok", f"{limits['StackLimit']} at most")
    except AwsError:
        return
