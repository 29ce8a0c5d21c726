"""Sample events against AWS's own models of them: powertools for AWS Lambda, its parser and its data classes."""

from __future__ import annotations

import json
from hashlib import md5

import boto3
import pytest
from aws_lambda_powertools.utilities.data_classes import S3Event, SNSEvent, SQSEvent
from aws_lambda_powertools.utilities.parser import models

from bareboat.local.events import requests, samples
from bareboat.local.events.origin import Origin
from bareboat.local.events.requests import Asked

ORIGIN = Origin("eu-central-1", at=1_795_348_106.575)


def test_sqs_is_what_powertools_reads():
    event = samples.sqs(['{"a": 1}', "héllo"], ORIGIN, queue="orders", attributes={"kind": "new"})

    parsed = models.SqsModel.model_validate(event)
    first, second = SQSEvent(event).records
    assert [record.body for record in parsed.Records] == ['{"a": 1}', "héllo"]
    assert first.json_body == {"a": 1}
    assert first.event_source_arn == "arn:aws:sqs:eu-central-1:123456789012:orders"
    assert first.message_attributes["kind"].string_value == "new"
    assert second.md5_of_body == md5("héllo".encode(), usedforsecurity=False).hexdigest()
    assert first.message_id != second.message_id


def test_a_fifo_queue_has_groups_and_an_order():
    event = samples.sqs(["a", "b"], ORIGIN, queue="orders.fifo", group="g")

    parsed = models.SqsModel.model_validate(event)
    first, second = (record.attributes for record in parsed.Records)
    assert (first.MessageGroupId, second.MessageGroupId) == ("g", "g")
    assert int(first.SequenceNumber) < int(second.SequenceNumber)


def test_digests_of_attributes_are_moto_s():
    from moto import mock_aws

    attributes = {"kind": "new", "a-b": "ü"}
    with mock_aws():
        client = boto3.client("sqs", "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
        url = client.create_queue(QueueName="orders")["QueueUrl"]
        sent = client.send_message(
            QueueUrl=url,
            MessageBody="x",
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )

    (record,) = samples.sqs(["x"], ORIGIN, attributes=attributes)["Records"]

    assert record["md5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert record["md5OfBody"] == sent["MD5OfMessageBody"]


def test_sns_is_what_powertools_reads():
    event = samples.sns("hello", ORIGIN, topic="news", subject="S", attributes={"a": "b"})

    parsed = models.SnsModel.model_validate(event)
    (record,) = SNSEvent(event).records
    assert parsed.Records[0].Sns.Message == "hello"
    assert record.sns.topic_arn == "arn:aws:sns:eu-central-1:123456789012:news"
    assert (record.sns.subject, record.sns.message_attributes["a"].value) == ("S", "b")


@pytest.mark.parametrize("name", samples.S3_EVENTS)
def test_s3_is_what_powertools_reads(name):
    event = samples.s3("in/a b+ü.csv", ORIGIN, bucket="photos", event=name, content=b"1,2")

    parsed = models.S3Model.model_validate(event)
    read = S3Event(event)
    assert parsed.Records[0].eventName == name
    assert (read.bucket_name, read.object_key) == ("photos", "in/a b+ü.csv")
    if not name.startswith("ObjectRemoved"):
        assert read.record.s3.get_object.size == 3


def test_event_bridge_is_what_powertools_reads():
    event = samples.event_bridge(ORIGIN, source="shop", detail_type="Ordered", detail={"id": 1})

    parsed = models.EventBridgeModel.model_validate(event)
    assert (parsed.source, parsed.detail_type, parsed.detail) == ("shop", "Ordered", {"id": 1})
    assert parsed.time.timestamp() == int(ORIGIN.at)


@pytest.mark.parametrize(("scheduler", "source"), [(False, "aws.events"), (True, "aws.scheduler")])
def test_schedules_are_what_powertools_reads(scheduler, source):
    event = samples.scheduled(ORIGIN, rule="tick", scheduler=scheduler)

    parsed = models.EventBridgeModel.model_validate({**event, "detail": {}})
    assert (parsed.source, parsed.detail_type) == (source, "Scheduled Event")
    assert event["resources"][0].endswith("/tick")
    assert event["detail"] == ("{}" if scheduler else {})


def test_requests_are_what_powertools_reads():
    asked = Asked("POST", "/a b", (("x", "1"), ("x", "2")), (("X-Own", "y"),), b'{"a": 1}')

    http, _ = requests.http_api(asked, ORIGIN, None)
    rest, _ = requests.rest(asked, ORIGIN, None)
    url = requests.url(asked, ORIGIN, None, None)

    parsed = models.APIGatewayProxyEventV2Model.model_validate(http)
    assert (parsed.requestContext.http.method, parsed.rawPath) == ("POST", "/a b")
    assert models.APIGatewayProxyEventModel.model_validate(rest).path == "/a%20b"
    parsed = models.LambdaFunctionUrlModel.model_validate(url)
    assert parsed.requestContext.domainName.endswith(".lambda-url.eu-central-1.on.aws")
    assert parsed.rawPath == parsed.requestContext.http.path == "/a%20b"
    assert json.loads(http["body"]) == json.loads(rest["body"]) == json.loads(url["body"]) == {"a": 1}
