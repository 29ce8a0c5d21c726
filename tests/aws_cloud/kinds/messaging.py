"""SNS topics and SQS queues, and who may use them."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from aws_cloud.kinds.base import Kind, Made, Place, chosen, tag_map


class Topic(Kind):
    type = "AWS::SNS::Topic"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("sns")
        name = properties.get("TopicName") or place.name(256)
        attributes = {
            key: str(properties[key]).lower() if key != "DisplayName" else properties[key]
            for key in ("DisplayName", "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication")
            if key in properties
        }
        arn = client.create_topic(Name=name, Attributes=attributes, Tags=properties.get("Tags") or [])["TopicArn"]
        for one in properties.get("Subscription") or ():
            client.subscribe(TopicArn=arn, Protocol=one["Protocol"], Endpoint=one["Endpoint"])
        return Made(arn, {"TopicArn": arn, "TopicName": name})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        client = place.client("sns")
        client.set_topic_attributes(
            TopicArn=made.physical_id, AttributeName="DisplayName", AttributeValue=properties.get("DisplayName", "")
        )
        have = {(one["Protocol"], one["Endpoint"]) for one in old.get("Subscription") or ()}
        for one in properties.get("Subscription") or ():
            if (one["Protocol"], one["Endpoint"]) not in have:
                client.subscribe(TopicArn=made.physical_id, Protocol=one["Protocol"], Endpoint=one["Endpoint"])
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        client = place.client("sns")
        with suppress(ClientError):
            for one in client.list_subscriptions_by_topic(TopicArn=made.physical_id)["Subscriptions"]:
                client.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
            client.delete_topic(TopicArn=made.physical_id)


class Subscription(Kind):
    type = "AWS::SNS::Subscription"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        attributes = {}
        if "FilterPolicy" in properties:
            attributes["FilterPolicy"] = json.dumps(properties["FilterPolicy"])
        if "FilterPolicyScope" in properties:
            attributes["FilterPolicyScope"] = properties["FilterPolicyScope"]
        said = place.client("sns").subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties.get("Endpoint", ""),
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )
        return Made(said["SubscriptionArn"], {"Arn": said["SubscriptionArn"]})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        place.client("sns").set_subscription_attributes(
            SubscriptionArn=made.physical_id,
            AttributeName="FilterPolicy",
            AttributeValue=json.dumps(properties.get("FilterPolicy") or {}),
        )
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("sns").unsubscribe(SubscriptionArn=made.physical_id)


class TopicPolicy(Kind):
    type = "AWS::SNS::TopicPolicy"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        for topic in properties["Topics"]:
            place.client("sns").set_topic_attributes(
                TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
            )
        return Made(place.name(), {"Id": place.name()})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        self.create(place, properties)
        return made


class Queue(Kind):
    type = "AWS::SQS::Queue"
    _plain = (
        "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds",
        "VisibilityTimeout", "KmsMasterKeyId", "FifoQueue", "ContentBasedDeduplication",
    )  # fmt: skip

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        name = properties.get("QueueName") or place.name(80)
        said = place.client("sqs").create_queue(
            QueueName=name,
            Attributes=self._attributes(properties),
            **({"tags": tag_map(properties["Tags"])} if properties.get("Tags") else {}),
        )
        arn = place.arn("sqs", name)
        return Made(said["QueueUrl"], {"Arn": arn, "QueueName": name, "QueueUrl": said["QueueUrl"]})

    def _attributes(self, properties: dict[str, Any]) -> dict[str, str]:
        found = {
            key: str(one).lower() if isinstance(one, bool) else str(one)
            for key, one in chosen(properties, *self._plain).items()
        }
        if "RedrivePolicy" in properties:
            found["RedrivePolicy"] = json.dumps(properties["RedrivePolicy"])
        return found

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        attributes = {key: one for key, one in self._attributes(properties).items() if key != "FifoQueue"}
        place.client("sqs").set_queue_attributes(QueueUrl=made.physical_id, Attributes=attributes)
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("sqs").delete_queue(QueueUrl=made.physical_id)


class QueuePolicy(Kind):
    type = "AWS::SQS::QueuePolicy"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        for url in properties["Queues"]:
            place.client("sqs").set_queue_attributes(
                QueueUrl=url, Attributes={"Policy": json.dumps(properties["PolicyDocument"])}
            )
        return Made(place.name())

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        self.create(place, properties)
        return made


KINDS = (Topic, Subscription, TopicPolicy, Queue, QueuePolicy)
