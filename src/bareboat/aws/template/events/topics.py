"""`sns` -> a topic, or the subscription to one that is there."""

from __future__ import annotations

from typing import Any

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.events.sources import arn_of, dependent, permit, settings, sourced
from bareboat.aws.template.targets import target_arn
from bareboat.service.model import Function
from bareboat.service.triggers import OtherEvent, SourceEvent


def add_topics(draft: Draft) -> None:
    """Add the topics of all functions. A topic with several functions is made once."""
    for function, _, event in sourced(draft, "sns"):
        config = _config(event)
        name = str(config.get("topicName") or str(config["arn"]).rsplit(":", 1)[-1])
        own = "arn" not in config
        arn = arn_of("sns", name) if own else config["arn"]
        redrive = _redrive(draft, function, name, arn, config.get("redrivePolicy"))
        subscription: Json = {"Endpoint": target_arn(draft, function.name), "Protocol": "lambda"}
        more = {
            "FilterPolicy": config.get("filterPolicy"),
            "FilterPolicyScope": config.get("filterPolicyScope"),
            "RedrivePolicy": redrive,
            "Region": None if own else _other_region(draft, arn),
        }
        more = {key: value for key, value in more.items() if value is not None}
        if own:
            topic = _topic(draft, name, config.get("displayName"))
            if not more:
                draft.resources[topic]["Properties"].setdefault("Subscription", []).append(subscription)
                _depend(draft, topic, function)
        if more or not own:
            draft.add(
                naming.topic_subscription_id(function.name, name),
                "AWS::SNS::Subscription",
                {**subscription, "TopicArn": {"Ref": naming.topic_id(name)} if own else arn, **more},
                **dependent(draft, function),
            )
        permit(draft, naming.topic_permission_id(function.name, name), function, "sns.amazonaws.com", arn)


def _config(event: SourceEvent | OtherEvent) -> Json:
    if isinstance(event.config, str):
        return {"arn" if event.config.startswith("arn:") else "topicName": event.config}
    return settings(event, "arn")


def _topic(draft: Draft, name: str, display_name: str | None) -> str:
    logical_id = naming.topic_id(name)
    if logical_id not in draft.resources:
        draft.add(logical_id, "AWS::SNS::Topic", {"TopicName": name})
    if display_name:
        draft.resources[logical_id]["Properties"]["DisplayName"] = display_name
    return logical_id


def _depend(draft: Draft, topic: str, function: Function) -> None:
    """Let a topic wait for the alias that it calls."""
    alias = dependent(draft, function)["DependsOn"]
    if alias is None:
        return
    there = draft.resources[topic].get("DependsOn", [])
    names = [there] if isinstance(there, str) else list(there)
    draft.resources[topic]["DependsOn"] = [*names, alias] if alias not in names else names


def _other_region(draft: Draft, arn: Any) -> str | None:
    """Return the region of a topic that lies in another one than the stack."""
    parts = arn.split(":") if isinstance(arn, str) else []
    is_plain = len(parts) == 6 and "${" not in parts[3] and bool(parts[3])
    return parts[3] if is_plain and parts[3] != draft.service.provider.region else None


def _redrive(draft: Draft, function: Function, name: str, topic: Any, said: Json | None) -> Json | None:
    """Return where a subscription gives up to, and let the topic send there."""
    if not said:
        return None
    arn = said.get("deadLetterTargetArn")
    if isinstance(arn, str):
        *_, region, account, queue = arn.split(":")
        url: Any = {"Fn::Join": ["", [f"https://sqs.{region}.", {"Ref": "AWS::URLSuffix"}, f"/{account}/{queue}"]]}
    elif said.get("deadLetterTargetRef"):
        arn, url = {"Fn::GetAtt": [said["deadLetterTargetRef"], "Arn"]}, {"Ref": said["deadLetterTargetRef"]}
    else:
        imported = said["deadLetterTargetImport"]
        arn, url = {"Fn::ImportValue": imported["arn"]}, {"Fn::ImportValue": imported["url"]}
    logical_id = naming.topic_queue_policy_id(function.name, name)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    document = {"Version": "2012-10-17", "Id": logical_id, "Statement": [statement]}
    draft.add(logical_id, "AWS::SQS::QueuePolicy", {"PolicyDocument": document, "Queues": [url]})
    return {"deadLetterTargetArn": arn}
