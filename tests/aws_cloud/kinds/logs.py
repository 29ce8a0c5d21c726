"""CloudWatch Logs: log groups."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from aws_cloud.kinds.base import Failed, Kind, Made, Place, chosen, tag_map


class LogGroup(Kind):
    type = "AWS::Logs::LogGroup"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("logs")
        name = properties.get("LogGroupName") or place.name(512)
        try:
            client.create_log_group(
                logGroupName=name,
                **chosen(properties, kmsKeyId="KmsKeyId"),
                **({"tags": tag_map(properties["Tags"])} if properties.get("Tags") else {}),
            )
        except client.exceptions.ResourceAlreadyExistsException as error:
            raise Failed(
                f"Resource of type 'AWS::Logs::LogGroup' with identifier '{{\"/properties/LogGroupName\":\"{name}\"}}' "
                "already exists.",
                "AlreadyExists",
            ) from error
        if "RetentionInDays" in properties:
            client.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
        return Made(name, {"Arn": place.arn("logs", f"log-group:{name}:*")})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        client, name = place.client("logs"), made.physical_id
        if "RetentionInDays" in properties:
            client.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
        elif "RetentionInDays" in old:
            client.delete_retention_policy(logGroupName=name)
        if gone := set(tag_map(old.get("Tags"))) - set(tag_map(properties.get("Tags"))):
            client.untag_log_group(logGroupName=name, tags=sorted(gone))
        if properties.get("Tags"):
            client.tag_log_group(logGroupName=name, tags=tag_map(properties["Tags"]))
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        client = place.client("logs")
        with suppress(client.exceptions.ResourceNotFoundException):
            client.delete_log_group(logGroupName=made.physical_id)


KINDS = (LogGroup,)
