"""What runs at AWS, asked for in the states in which AWS has little to say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bareboat.aws.client import AwsError
from bareboat.aws.listing import _all_stacks
from bareboat.aws.live import look
from bareboat.service import load_service


def refused(code, *, status=400, message="no"):
    return AwsError(f"{message} ({code})", code=code, operation="", status=status)


@pytest.fixture
def service(tmp_path):
    (tmp_path / "serverless.yml").write_text(
        "service: demo\nprovider: {name: aws, runtime: python3.13}\nfunctions: {f: {handler: h.f}}\n"
    )
    (tmp_path / "h.py").write_text("def f(event, context): return {}\n")
    return load_service(tmp_path / "serverless.yml", env={})


def stack_in(status):
    said = {
        "StackName": "demo-dev",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/demo-dev/x",
        "StackStatus": status,
        "CreationTime": datetime(2026, 11, 22, tzinfo=UTC),
    }
    return {"Stacks": [said]}


def test_a_stack_that_was_never_made_has_no_template_whatever_aws_says_of_it(scripted, service):
    aws = scripted(
        {
            "cloudformation:describe_stacks": stack_in("REVIEW_IN_PROGRESS"),
            "cloudformation:get_template": refused("ValidationError", message="no template, in words nobody knows"),
        }
    )

    live = look(aws, service)

    assert live.stack is not None
    assert live.template is None


def test_a_template_that_is_refused_of_a_live_stack_is_an_error(scripted, service):
    aws = scripted(
        {
            "cloudformation:describe_stacks": stack_in("CREATE_COMPLETE"),
            "cloudformation:get_template": refused("ValidationError", message="something"),
        }
    )

    with pytest.raises(AwsError, match="something"):
        look(aws, service)


def test_who_may_not_see_all_stacks_is_shown_none_of_the_others(scripted):
    aws = scripted({"cloudformation:describe_stacks": refused("AccessDenied", status=403)})

    assert list(_all_stacks(aws)) == []
