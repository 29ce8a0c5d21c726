"""EventBridge: rules, buses, and the schedules of the scheduler."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from aws_cloud.kinds.base import Kind, Made, Place, chosen


class Rule(Kind):
    type = "AWS::Events::Rule"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        name = properties.get("Name") or place.name(64)
        self._put(place, name, properties, {})
        bus = properties.get("EventBusName", "default")
        rest = f"rule/{name}" if bus == "default" else f"rule/{bus.rpartition('/')[2]}/{name}"
        return Made(name if bus == "default" else f"{bus}|{name}", {"Arn": place.arn("events", rest)})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        self._put(place, made.physical_id.rpartition("|")[2], properties, old)
        return made

    def _put(self, place: Place, name: str, properties: dict[str, Any], old: dict[str, Any]) -> None:
        client = place.client("events")
        given = chosen(properties, "ScheduleExpression", "State", "Description", "RoleArn", "EventBusName")
        if "EventPattern" in properties:
            given["EventPattern"] = json.dumps(properties["EventPattern"])
        client.put_rule(Name=name, **given)
        bus = chosen(properties, "EventBusName")
        targets = properties.get("Targets") or []
        gone = {one["Id"] for one in old.get("Targets") or ()} - {one["Id"] for one in targets}
        if gone:
            client.remove_targets(Rule=name, Ids=sorted(gone), **bus)
        if targets:
            client.put_targets(Rule=name, Targets=targets, **bus)

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        client, name = place.client("events"), made.physical_id.rpartition("|")[2]
        bus = chosen(properties, "EventBusName")
        with suppress(ClientError):
            targets = client.list_targets_by_rule(Rule=name, **bus)["Targets"]
            if targets:
                client.remove_targets(Rule=name, Ids=[one["Id"] for one in targets], **bus)
            client.delete_rule(Name=name, **bus)


class EventBus(Kind):
    type = "AWS::Events::EventBus"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        said = place.client("events").create_event_bus(Name=properties["Name"])
        return Made(properties["Name"], {"Arn": said["EventBusArn"], "Name": properties["Name"]})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("events").delete_event_bus(Name=made.physical_id)


class Schedule(Kind):
    type = "AWS::Scheduler::Schedule"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        name = properties.get("Name") or place.name(64)
        said = place.client("scheduler").create_schedule(Name=name, **_schedule(properties))
        return Made(name, {"Arn": said["ScheduleArn"]})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        place.client("scheduler").update_schedule(Name=made.physical_id, **_schedule(properties))
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("scheduler").delete_schedule(
                Name=made.physical_id, **chosen(properties, GroupName="GroupName")
            )


def _schedule(properties: dict[str, Any]) -> dict[str, Any]:
    given = chosen(
        properties, "ScheduleExpression", "ScheduleExpressionTimezone", "State", "Description", "GroupName", "Target",
        "FlexibleTimeWindow", "KmsKeyArn",
    )  # fmt: skip
    retry = (given.get("Target") or {}).get("RetryPolicy")
    if retry:
        given["Target"] = {**given["Target"], "RetryPolicy": {key: int(one) for key, one in retry.items()}}
    return given


KINDS = (Rule, EventBus, Schedule)
