"""Reasons of CloudFormation -> what to do. The reasons are AWS's own words, of its documentation and forum posts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bareboat.aws.causes import failure
from bareboat.aws.stack import Settled, StackEvent


def event(
    reason: str, type_: str = "AWS::Lambda::Function", *, name: str = "Thing", status: str = "CREATE_FAILED"
) -> StackEvent:
    return StackEvent(name, datetime(2026, 1, 1, tzinfo=UTC), name, "", type_, status, reason)


@pytest.mark.parametrize(
    ("reason", "type_", "fix"),
    [
        pytest.param(
            "API: iam:CreateRole User: arn:aws:iam::123456789012:user/ci is not authorized to perform: "
            "iam:CreateRole on resource: arn:aws:iam::123456789012:role/x",
            "AWS::IAM::Role",
            "allow iam:CreateRole to arn:aws:iam::123456789012:user/ci (docs/deploy.md)",
            id="permission",
        ),
        pytest.param(
            "A version for this Lambda function exists ( 3 ). Modify the function to create a new version. "
            "(HandlerErrorCode: AlreadyExists)",
            "AWS::Lambda::Version",
            "change the function, be it its description: Lambda publishes nothing twice that has not changed",
            id="version",
        ),
        pytest.param(
            "Resource of type 'AWS::Logs::LogGroup' with identifier '{\"/properties/LogGroupName\":\"/aws/lambda/x\"}' "
            "already exists.",
            "AWS::Logs::LogGroup",
            "delete it, with its logs: aws logs delete-log-group --log-group-name /aws/lambda/x",
            id="log-group",
        ),
        pytest.param(
            "/aws/lambda/x already exists in stack arn:aws:cloudformation:us-east-1:123456789012:stack/y/1",
            "AWS::Logs::LogGroup",
            "delete it, with its logs: aws logs delete-log-group --log-group-name /aws/lambda/x",
            id="older-log-group",
        ),
        pytest.param(
            "my-bucket already exists",
            "AWS::S3::Bucket",
            "another name: those of buckets are unique in all of AWS",
            id="bucket",
        ),
        pytest.param(
            'Resource handler returned message: "The runtime parameter of python3.7 is no longer supported for '
            'creating or updating AWS Lambda functions." (RequestToken: 1, HandlerErrorCode: InvalidRequest)',
            "AWS::Lambda::Function",
            "provider: {runtime: python3.13}, or --runtime python3.13",
            id="runtime",
        ),
        pytest.param(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            "below its minimum value of [10].",
            "AWS::Lambda::Function",
            "a smaller reservedConcurrency, or a higher limit: Service Quotas, Lambda",
            id="concurrency",
        ),
        pytest.param("Something that nobody has seen", "AWS::Lambda::Function", "", id="unknown"),
    ],
)
def test_the_fix_of_a_reason(reason: str, type_: str, fix: str) -> None:
    assert failure(event(reason, type_)).fix == fix


def test_tokens_that_only_support_reads_are_left_out() -> None:
    told = "No (Service: Lambda, Status Code: 400)"
    said = f'Resource handler returned message: "{told}" (RequestToken: 1-2, HandlerErrorCode: X)'

    assert failure(event(said)).found == "Thing (AWS::Lambda::Function): No"


def test_the_first_failure_is_the_cause_not_what_it_cancelled_nor_the_stack() -> None:
    stack = StackEvent(
        "0",
        datetime(2026, 1, 1, tzinfo=UTC),
        "s",
        "",
        "AWS::CloudFormation::Stack",
        "UPDATE_FAILED",
        "x",
        of_stack=True,
    )
    cancelled = event("Resource creation cancelled", name="Other")
    first, second = event("it broke", name="First"), event("it broke too", name="Second")

    settled = Settled(None, (stack, cancelled, first, second))

    assert settled.cause is first
