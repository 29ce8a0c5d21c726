"""Events of SQS, SNS, S3 and EventBridge as Lambda hands them to a function.

Source:
    AWS Lambda developer guide, the pages on each service; S3 user guide, "Event message structure"; EventBridge user
    guide, "Event structure". Held against the models of powertools for AWS Lambda in the tests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus

from bareboat.errors import ConfigurationError
from bareboat.local.events.origin import Origin
from bareboat.local.ids import random_bytes, request_id

S3_EVENTS = (
    "ObjectCreated:Put",
    "ObjectCreated:Post",
    "ObjectCreated:Copy",
    "ObjectCreated:CompleteMultipartUpload",
    "ObjectRemoved:Delete",
    "ObjectRemoved:DeleteMarkerCreated",
    "ObjectRestore:Post",
    "ObjectRestore:Completed",
    "ObjectTagging:Put",
    "ObjectTagging:Delete",
)


def sqs(
    bodies: Sequence[str],
    origin: Origin,
    *,
    queue: str = "queue",
    attributes: Mapping[str, str] | None = None,
    group: str = "",
) -> dict[str, Any]:
    """Return one batch of messages.

    Args:
        bodies: one a message.
        queue: its name; one that ends in `.fifo` gives messages a group and a sequence number.
        attributes: message attributes, of the type String.
        group: of a FIFO queue.
    """
    return {
        "Records": [
            _message(number, body, origin, queue, attributes or {}, group) for number, body in enumerate(bodies)
        ]
    }


def _message(
    number: int, body: str, origin: Origin, queue: str, attributes: Mapping[str, str], group: str
) -> dict[str, Any]:
    system = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": str(origin.epoch_ms),
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "ApproximateFirstReceiveTimestamp": str(origin.epoch_ms + 1),
    }
    if queue.endswith(".fifo"):
        system["SequenceNumber"] = str(18_849_496_460_467_696_128 + origin.epoch_ms + number)
        system["MessageGroupId"] = group or "1"
        system["MessageDeduplicationId"] = hashlib.sha256(body.encode()).hexdigest()
    record: dict[str, Any] = {
        "messageId": request_id(),
        "receiptHandle": "AQEB" + random_bytes(96).hex(),
        "body": body,
        "attributes": system,
        "messageAttributes": {
            name: {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String"}
            for name, value in attributes.items()
        },
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": origin.arn("sqs", queue),
        "awsRegion": origin.region,
    }
    if attributes:
        record["md5OfMessageAttributes"] = _md5_of_attributes(attributes)
    return record


def _md5_of_attributes(attributes: Mapping[str, str]) -> str:
    """Return SQS's digest of attributes: each name, type and value with its length, names in order.

    Source:
        SQS developer guide, "Calculating the MD5 message digest for message attributes".
    """
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        for part in (name, "String"):
            digest.update(len(part.encode()).to_bytes(4, "big") + part.encode())
        value = attributes[name].encode()
        digest.update(b"\x01" + len(value).to_bytes(4, "big") + value)
    return digest.hexdigest()


def sns(
    message: str,
    origin: Origin,
    *,
    topic: str = "topic",
    subject: str | None = None,
    attributes: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return one notification; SNS hands a function one record at a time."""
    arn = origin.arn("sns", topic)
    subscription = f"{arn}:{request_id()}"
    host = f"https://sns.{origin.region}.amazonaws.com"
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription,
                "Sns": {
                    "Type": "Notification",
                    "MessageId": request_id(),
                    "TopicArn": arn,
                    "Subject": subject,
                    "Message": message,
                    "Timestamp": origin.millis,
                    "SignatureVersion": "1",
                    "Signature": "EXAMPLE",
                    "SigningCertUrl": f"{host}/SimpleNotificationService-EXAMPLE.pem",
                    "UnsubscribeUrl": f"{host}/?Action=Unsubscribe&SubscriptionArn={subscription}",
                    "MessageAttributes": {
                        name: {"Type": "String", "Value": value} for name, value in (attributes or {}).items()
                    },
                },
            }
        ]
    }


def s3(
    key: str, origin: Origin, *, bucket: str = "bucket", event: str = "ObjectCreated:Put", content: bytes = b""
) -> dict[str, Any]:
    """Return what S3 says of one object. The key is as S3 writes it: form-encoded, a space is `+`.

    Args:
        event: such as ObjectCreated:Put, with or without `s3:`.
        content: of the object, for its size and ETag.
    Raises:
        ConfigurationError: there is no such event.
    """
    event = event.removeprefix("s3:")
    if event not in S3_EVENTS:
        from difflib import get_close_matches

        near = get_close_matches(event, S3_EVENTS, n=1)
        raise ConfigurationError(
            f"S3 has no event '{event}'",
            expected=f"one of {', '.join(S3_EVENTS)}",
            fix=f"write {near[0]}" if near else "",
        )
    described: dict[str, Any] = {"key": quote_plus(key, safe="/")}
    if not event.startswith("ObjectRemoved"):
        described["size"] = len(content)
        described["eTag"] = hashlib.md5(content, usedforsecurity=False).hexdigest()
    described["sequencer"] = f"{origin.epoch_ms:016X}"
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": origin.region,
                "eventTime": origin.millis,
                "eventName": event,
                "userIdentity": {"principalId": "AWS:AIDAINPONIXQXHT3IKHL2"},
                "requestParameters": {"sourceIPAddress": "127.0.0.1"},
                "responseElements": {
                    "x-amz-request-id": random_bytes(8).hex().upper(),
                    "x-amz-id-2": random_bytes(48).hex(),
                },
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": request_id(),
                    "bucket": {
                        "name": bucket,
                        "ownerIdentity": {"principalId": "A3I5XTEXAMAI3E"},
                        "arn": f"arn:aws:s3:::{bucket}",
                    },
                    "object": described,
                },
            }
        ]
    }


def event_bridge(
    origin: Origin,
    *,
    source: str = "custom.app",
    detail_type: str = "Sample",
    detail: Any = None,
    resources: Sequence[str] = (),
) -> dict[str, Any]:
    """Return one event of a bus."""
    return {
        "version": "0",
        "id": request_id(),
        "detail-type": detail_type,
        "source": source,
        "account": origin.account,
        "time": origin.seconds,
        "region": origin.region,
        "resources": list(resources),
        "detail": {} if detail is None else detail,
    }


def scheduled(origin: Origin, *, rule: str = "rule", scheduler: bool = False) -> dict[str, Any]:
    """Return what a schedule sends that says nothing of its input.

    Args:
        rule: the name of the rule, or of the schedule.
        scheduler: whether EventBridge Scheduler sends it, whose detail is the text `{}`.
    """
    if scheduler:
        arn = origin.arn("scheduler", f"schedule/default/{rule}")
        event = event_bridge(origin, source="aws.scheduler", detail_type="Scheduled Event", resources=[arn])
        return {**event, "detail": "{}"}
    arn = origin.arn("events", f"rule/{rule}")
    return event_bridge(origin, source="aws.events", detail_type="Scheduled Event", resources=[arn])


def compact(event: Any) -> bytes:
    """Return an event as JSON; half a surrogate pair, which UTF-8 does not have, as an escape."""
    try:
        return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(event, separators=(",", ":")).encode()
