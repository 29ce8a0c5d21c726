"""Records: numbers that two deployments do not share, and answers that get lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bareboat.aws.bucket import Bucket, make_again
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.record import Records, live_record
from bareboat.aws.shipment import FunctionCode, Shipment, ZipCode

TEMPLATE = {"Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties": {"Tags": "ä→"}}}}
SHIPMENT = Shipment({"hello": FunctionCode(ZipCode("k.zip", "00"), "x86_64", models={"churn": "11"})})


@pytest.fixture
def records(aws, aws_cloud):
    bucket = Bucket("code", "serverless/demo/dev", owner=aws_cloud.account)
    make_again(aws, bucket)
    return Records(aws, bucket, clock=lambda: 1_700_000_000.0)


def test_a_record_is_pending_then_done(records, stage):
    pending = records.begin(TEMPLATE, stage.service, SHIPMENT, commit="abc", dirty=True)
    assert [one.state for one in records.read()] == ["pending"]

    records.finish(pending)

    (done,) = records.read()
    assert (done.number, done.state, done.at, done.commit, done.dirty) == (
        1,
        "done",
        "2023-11-14T22:13:20Z",
        "abc",
        True,
    )
    assert done.models == {"churn": "11"}
    assert done.by.startswith("arn:aws:")
    assert records.template(1) == TEMPLATE
    assert live_record(records.read(), TEMPLATE) == done


def test_cloudformations_question_marks_make_no_difference(records, stage):
    records.finish(records.begin(TEMPLATE, stage.service, SHIPMENT))
    answered = {"Resources": {"A": {"Properties": {"Tags": "??"}, "Type": "AWS::S3::Bucket"}}}

    assert live_record(records.read(), answered).number == 1


def test_deployments_at_the_same_time_get_different_numbers(records, stage, aws_cloud):
    service = stage.service
    several = [Records(Aws(aws_cloud.region), records.bucket) for _ in range(4)]
    for one in several:
        one._aws.client("s3")
        assert one._aws.identity

    with ThreadPoolExecutor(4) as pool:
        begun = list(pool.map(lambda one: one.begin(TEMPLATE, service, SHIPMENT), several))

    assert sorted(one.number for one in begun) == [1, 2, 3, 4]


def test_a_lost_answer_to_the_claim_does_not_cost_a_number(records, stage, aws_cloud):
    aws_cloud.fail("s3:PutObject", "drop-after")

    record = records.begin(TEMPLATE, stage.service, SHIPMENT)

    assert record.number == 1
    assert [one.number for one in records.read()] == [1]


def test_pending_records_are_judged_by_the_stack(records, stage):
    other = {"Resources": {}}
    records.begin(TEMPLATE, stage.service, SHIPMENT)
    records.begin(other, stage.service, SHIPMENT)

    assert [one.state for one in records.settle(TEMPLATE, busy=True)] == ["pending", "pending"]
    assert [one.state for one in records.settle(TEMPLATE)] == ["done", "failed"]
    # of one that is not live nobody knows whether it is about to be: that is not written
    assert [one.state for one in records.read()] == ["done", "pending"]


def test_who_may_only_read_is_told_all_the_same(records, stage, aws_cloud):
    records.begin(TEMPLATE, stage.service, SHIPMENT)
    aws_cloud.fail("s3:PutObject", "refuse")

    assert [one.state for one in records.settle(TEMPLATE)] == ["done"]
    assert [one.state for one in records.read()] == ["pending"]


def test_a_damaged_record_is_left_out_and_its_number_stays_taken(records, stage):
    records.begin(TEMPLATE, stage.service, SHIPMENT)
    key = "serverless/demo/dev/deployments/000001/deployment.json"
    records._aws.call("s3", "put_object", Bucket="code", Key=key, Body=b"{")

    assert records.read() == ()
    assert records.begin(TEMPLATE, stage.service, SHIPMENT).number == 2


@pytest.mark.parametrize(("own", "waits"), [(True, 4), (False, 0)], ids=["own", "given"])
def test_a_claim_in_a_bucket_that_is_not_there_ends(aws, stage, own, waits):
    waited = []
    records = Records(aws, Bucket("nowhere", "x", own=own), sleep=waited.append)

    with pytest.raises(AwsError, match="does not exist"):
        records.begin(TEMPLATE, stage.service, SHIPMENT)

    assert len(waited) == waits


def test_a_bucket_that_is_gone_has_no_records(aws):
    assert Records(aws, Bucket("nowhere", "x")).read() == ()


def test_other_refusals_are_told(records, aws_cloud):
    aws_cloud.fail("s3:ListObjectsV2", "refuse")

    with pytest.raises(AwsError, match="ListObjectsV2"):
        records.read()
