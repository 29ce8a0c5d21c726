"""`rabbitmq` -> the mapping of a queue of a RabbitMQ broker."""

from __future__ import annotations

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft
from bareboat.aws.template.events.sources import Grants, filters, map_source, settings, sourced

NETWORK = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeVpcs",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
)
"""Source: AWS Lambda developer guide, "Using Lambda with Amazon MQ", execution role permissions."""


def add_brokers(draft: Draft) -> None:
    """Add the broker queues of all functions."""
    grants = Grants(draft)
    for function, _, event in sourced(draft, "rabbitmq"):
        config = settings(event, "arn")
        access = [{"Type": "BASIC_AUTH", "URI": config["basicAuthArn"]}]
        if config.get("virtualHost"):
            access.append({"Type": "VIRTUAL_HOST", "URI": config["virtualHost"]})
        map_source(
            draft,
            naming.broker_mapping_id(function.name, "RabbitMQ", str(config["queue"])),
            function,
            event,
            {
                "EventSourceArn": config["arn"],
                "Queues": [config["queue"]],
                "SourceAccessConfigurations": access,
                "BatchSize": config.get("batchSize"),
                "MaximumBatchingWindowInSeconds": config.get("maximumBatchingWindow"),
                "Enabled": config.get("enabled"),
                "FilterCriteria": filters(config),
            },
        )
        grants.add(function, ("secretsmanager:GetSecretValue",), config["basicAuthArn"])
        grants.add(function, ("mq:DescribeBroker",), config["arn"])
        grants.add(function, NETWORK, "*")
    grants.grant()
