"""The probe on the test cloud: deployed, asked, and removed without a trace."""

from __future__ import annotations

from typing import Any

import pytest

from bareboat.aws.client import Aws
from bareboat.aws.doctor.probing import probe_service, run_probe
from bareboat.aws.doctor.questions import questions
from bareboat.aws.stack import find_stack

ASKED = (
    "route-none",
    "route-encoded-slash",
    "event",
    "base64-text-plain",
    "failure",
    "status-999",
    "body-10-mb",
    "headers-10300",
    "preflight",
    "url-event",
)


@pytest.mark.slow
def test_the_probe_is_deployed_asked_and_removed(aws: Aws, aws_cloud: Any, tmp_path: Any) -> None:
    asked = tuple(one for one in questions() if one.id in ASKED)
    with probe_service("us-east-1") as service:
        aws_cloud.serve(service)

        found = run_probe(aws, service, asked=asked, looked_at=("image-3-12",))

    assert len(found.replies) == len(ASKED)
    assert [one.question.id for one in found.replies if not one.agrees] == []  # the test cloud is our own local cloud
    assert found.images["image-3-12"]["python"].startswith("3.12.")
    assert "glibc" in [fact.id for fact in found.facts]
    assert find_stack(aws, service.provider.stack_name) is None
    assert aws.call("s3", "list_buckets").get("Buckets", []) == []
    assert aws.call("logs", "describe_log_groups")["logGroups"] == []


def test_the_probe_is_removed_when_asking_fails(aws: Aws, aws_cloud: Any) -> None:
    with probe_service("us-east-1") as service:
        aws_cloud.serve(service)

        with pytest.raises(KeyError, match="no such function"):
            run_probe(aws, service, asked=(), looked_at=("no such function",))

    assert find_stack(aws, service.provider.stack_name) is None
    assert aws.call("s3", "list_buckets").get("Buckets", []) == []


def test_a_file_that_is_not_valid_keeps_the_probe_out(aws_cloud: Any, tmp_path: Any, monkeypatch: Any) -> None:
    from click.testing import CliRunner

    from bareboat.cli.root import bareboat

    yml = (
        "service: shop\nprovider: {name: aws, runtime: python3.13}\ncustom: {bareboat: {accounts: ['999999999999']}}\n"
    )
    (tmp_path / "serverless.yml").write_text(yml + "functions: {f: {handlr: h.f}}\n")
    monkeypatch.chdir(tmp_path)
    aws_cloud.calls.clear()

    done = CliRunner().invoke(bareboat, ["doctor", "--aws", "--yes"])

    assert done.exit_code == 2, done.output
    assert aws_cloud.calls.operations == []
