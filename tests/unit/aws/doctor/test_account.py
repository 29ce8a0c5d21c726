from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bareboat.aws.client import AwsError, Identity
from bareboat.aws.doctor.account import ACTIONS, check_account, principal_of
from bareboat.aws.doctor.machine import Check

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SETTINGS = {
    "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900, "TotalCodeSize": 80530636800},
    "AccountUsage": {"TotalCodeSize": 1_000_000, "FunctionCount": 3},
}


class FakeAws:
    """An account."""

    region, endpoint = "eu-west-1", ""

    def __init__(self, arn: str = "arn:aws:iam::123456789012:user/ada", **answers: Any) -> None:
        self.identity = Identity("123456789012", arn)
        dated = {"ResponseMetadata": {"HTTPHeaders": {"date": "Sun, 22 Nov 2026 12:00:03 GMT"}}}
        self.answers = {
            "get_caller_identity": dated,
            "get_account_settings": SETTINGS,
            "simulate_principal_policy": [],
            "describe_account_limits": [],
            **answers,
        }
        self.asked: list[Mapping[str, Any]] = []

    def call(self, _service: str, operation: str, /, **arguments: Any) -> Any:
        self.asked.append(arguments)
        answer = self.answers[operation]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pages(self, service: str, operation: str, _key: str, /, **arguments: Any) -> Iterator[Any]:
        yield from self.call(service, operation, **arguments)


def refusal(code: str) -> AwsError:
    return AwsError("no", code=code, operation="x:Y", status=403)


def checks(aws: FakeAws) -> dict[str, Check]:
    return {one.name: one for one in check_account(aws, now=NOW)}  # type: ignore[arg-type]


def test_an_account_in_which_everything_is_allowed() -> None:
    found = checks(FakeAws())

    assert {one.state for one in found.values()} == {"ok"}
    assert found["identity"].found == "account 123456789012, user/ada"
    assert found["clock"].found == "3 s from AWS's"
    assert found["permissions"].found == f"all {len(ACTIONS)} actions of a deployment are allowed"
    assert found["concurrency"].found == "1000 at the same time, 900 of them free"


def test_what_is_not_allowed_is_named() -> None:
    results = [
        {"EvalActionName": "s3:CreateBucket", "EvalDecision": "implicitDeny"},
        {"EvalActionName": "s3:PutObject", "EvalDecision": "allowed"},
    ]

    found = checks(FakeAws(simulate_principal_policy=results))["permissions"]

    assert (found.state, found.found) == ("missing", "not allowed: s3:CreateBucket")


def test_permissions_that_may_not_be_looked_up_are_only_noted() -> None:
    found = checks(FakeAws(simulate_principal_policy=refusal("AccessDenied")))["permissions"]

    assert (found.state, found.fix) == ("note", "iam:SimulatePrincipalPolicy, to know beforehand")


def test_a_clock_that_is_off_is_told() -> None:
    dated = {"ResponseMetadata": {"HTTPHeaders": {"date": "Sun, 22 Nov 2026 12:10:00 GMT"}}}

    assert checks(FakeAws(get_caller_identity=dated))["clock"].state == "missing"


def test_a_new_account_with_little_concurrency_is_noted() -> None:
    settings = {**SETTINGS, "AccountLimit": {"ConcurrentExecutions": 10}}

    assert checks(FakeAws(get_account_settings=settings))["concurrency"].state == "note"


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:iam::123456789012:user/ada", "arn:aws:iam::123456789012:user/ada"),
        ("arn:aws:sts::123456789012:assumed-role/ci/run-7", "arn:aws:iam::123456789012:role/teams/ci"),
        ("arn:aws:iam::123456789012:root", ""),
    ],
)
def test_policies_hang_on_the_role_of_a_session(arn: str, expected: str) -> None:
    aws = FakeAws(arn, get_role={"Role": {"Arn": "arn:aws:iam::123456789012:role/teams/ci"}})

    assert principal_of(aws) == expected  # type: ignore[arg-type]
