"""Everything that there is, asked of each of moto's services: what a test may not leave behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from aws_cloud.moto import ACCOUNT

Client = Callable[[str], Any]


def inventory(cloud: Any, *, everywhere: bool = False) -> set[str]:
    """Return `logs NAME` and the like of all that the cloud has.

    Args:
        everywhere: ask services that nobody has used, too.
    """
    used = cloud.moto.used | {one.operation.partition(":")[0] for one in cloud.calls}
    found: set[str] = set()
    for noun, listed in _LISTS.items():
        if everywhere or noun.partition(":")[0] in used:
            found.update(f"{noun} {one}" for one in listed(cloud.moto.client))
    found.update(f"cloudformation:stack {one.name} {one.status}" for one in cloud.world.stacks if not one.deleted)
    return found


def _functions(client: Client) -> Iterator[str]:
    for one in client("lambda").list_functions()["Functions"]:
        name = one["FunctionName"]
        yield name
        for version in client("lambda").list_versions_by_function(FunctionName=name)["Versions"]:
            yield f"{name}:{version['Version']}"
        for alias in client("lambda").list_aliases(FunctionName=name)["Aliases"]:
            yield f"{name}:{alias['Name']}"


def _objects(client: Client) -> Iterator[str]:
    for bucket in client("s3").list_buckets()["Buckets"]:
        yield bucket["Name"]
        pages = client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket["Name"])
        for page in pages:
            for one in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
                yield f"{bucket['Name']}/{one['Key']} {one['VersionId']}"
        for one in client("s3").list_multipart_uploads(Bucket=bucket["Name"]).get("Uploads", ()):
            yield f"{bucket['Name']}/{one['Key']} upload {one['UploadId']}"


def _layers(client: Client) -> Iterator[str]:
    for one in client("lambda").list_layers()["Layers"]:
        for version in client("lambda").list_layer_versions(LayerName=one["LayerName"])["LayerVersions"]:
            yield version["LayerVersionArn"]


def _policies(client: Client) -> Iterator[str]:
    for one in client("iam").list_roles()["Roles"]:
        yield one["RoleName"]
    for one in client("iam").list_policies(Scope="Local")["Policies"]:
        yield one["PolicyName"]


def _rules(client: Client) -> Iterator[str]:
    for bus in client("events").list_event_buses()["EventBuses"]:
        if bus["Name"] != "default":
            yield f"bus {bus['Name']}"
        for one in client("events").list_rules(EventBusName=bus["Name"])["Rules"]:
            yield one["Name"]


def _watching(client: Client) -> Iterator[str]:
    for one in client("cloudwatch").describe_alarms()["MetricAlarms"]:
        yield one["AlarmName"]
    for one in client("cloudwatch").list_dashboards().get("DashboardEntries", ()):
        yield f"dashboard {one['DashboardName']}"


def _rest(client: Client) -> Iterator[str]:
    api = client("apigateway")
    for one in api.get_rest_apis()["items"]:
        yield one["id"]
    for one in api.get_api_keys()["items"]:
        yield f"key {one.get('name', one['id'])}"
    for one in api.get_usage_plans()["items"]:
        yield f"plan {one['name']}"


def _all(service: str, operation: str, key: str, noun: str, **given: Any) -> Callable[[Client], Iterator[str]]:
    def listed(client: Client) -> Iterator[str]:
        for one in getattr(client(service), operation)(**given).get(key) or ():
            yield one if isinstance(one, str) else str(one[noun])

    return listed


_LISTS: dict[str, Callable[[Client], Iterator[str]]] = {
    "s3": _objects,
    "iam": _policies,
    "lambda": _functions,
    "lambda:layer": _layers,
    "lambda:mapping": _all("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    "logs": _all("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "apigatewayv2": _all("apigatewayv2", "get_apis", "Items", "ApiId"),
    "apigatewayv2:domain": _all("apigatewayv2", "get_domain_names", "Items", "DomainName"),
    "apigateway": _rest,
    "sns": _all("sns", "list_topics", "Topics", "TopicArn"),
    "sns:subscription": _all("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    "sqs": _all("sqs", "list_queues", "QueueUrls", "QueueUrl"),
    "events": _rules,
    "scheduler": _all("scheduler", "list_schedules", "Schedules", "Name"),
    "cloudwatch": _watching,
    "budgets": _all("budgets", "describe_budgets", "Budgets", "BudgetName", AccountId=ACCOUNT),
    "dynamodb": _all("dynamodb", "list_tables", "TableNames", ""),
    "kinesis": _all("kinesis", "list_streams", "StreamNames", ""),
    "ssm": _all("ssm", "describe_parameters", "Parameters", "Name"),
    "ecr": _all("ecr", "describe_repositories", "repositories", "repositoryName"),
}
