"""Where data lies: tables of DynamoDB, streams of Kinesis, parameters of SSM, repositories of ECR."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from aws_cloud.kinds.base import Failed, Kind, Made, Place, chosen


class Table(Kind):
    type = "AWS::DynamoDB::Table"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("dynamodb")
        name = properties.get("TableName") or place.name(255)
        given = chosen(properties, "KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "Tags")
        if view := properties.get("StreamSpecification"):
            given["StreamSpecification"] = {"StreamEnabled": True, **view}
        if throughput := properties.get("ProvisionedThroughput"):
            given["ProvisionedThroughput"] = {key: int(one) for key, one in throughput.items()}
        try:
            said = client.create_table(TableName=name, **given)["TableDescription"]
        except client.exceptions.ResourceInUseException as error:
            raise Failed(f"{name} already exists", "AlreadyExists") from error
        return Made(name, {"Arn": said["TableArn"], "StreamArn": said.get("LatestStreamArn", "")})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("dynamodb").delete_table(TableName=made.physical_id)


class Stream(Kind):
    type = "AWS::Kinesis::Stream"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        name = properties.get("Name") or place.name(128)
        place.client("kinesis").create_stream(StreamName=name, ShardCount=int(properties.get("ShardCount", 1)))
        return Made(name, {"Arn": place.arn("kinesis", f"stream/{name}")})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("kinesis").delete_stream(StreamName=made.physical_id)


class Parameter(Kind):
    type = "AWS::SSM::Parameter"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("ssm")
        name = properties.get("Name") or place.name(255)
        try:
            client.put_parameter(Name=name, **chosen(properties, "Type", "Value", "Description"))
        except client.exceptions.ParameterAlreadyExists as error:
            raise Failed(f"{name} already exists", "AlreadyExists") from error
        return Made(name, {"Type": properties["Type"], "Value": properties["Value"]})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        place.client("ssm").put_parameter(
            Name=made.physical_id, Overwrite=True, **chosen(properties, "Type", "Value", "Description")
        )
        return Made(made.physical_id, {"Type": properties["Type"], "Value": properties["Value"]})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("ssm").delete_parameter(Name=made.physical_id)


class Repository(Kind):
    type = "AWS::ECR::Repository"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        client = place.client("ecr")
        name = properties.get("RepositoryName") or place.name(256, lower=True)
        try:
            said = client.create_repository(repositoryName=name)["repository"]
        except client.exceptions.RepositoryAlreadyExistsException as error:
            raise Failed(f"{name} already exists", "AlreadyExists") from error
        return Made(name, {"Arn": said["repositoryArn"], "RepositoryUri": said["repositoryUri"]})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        client = place.client("ecr")
        with suppress(client.exceptions.RepositoryNotFoundException):
            client.delete_repository(repositoryName=made.physical_id, force=bool(properties.get("EmptyOnDelete")))


KINDS = (Table, Stream, Parameter, Repository)
