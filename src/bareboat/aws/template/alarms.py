"""Alarms on errors and throttles of each function, a budget, and the topic that all of them tell."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.targets import condition_of, function_ref, functions_of
from bareboat.errors import ConfigurationError
from bareboat.service.alarm import Alarms
from bareboat.service.model import Service

PERIOD_S = 300
SPENT = (80, 100)
"""At what percent of the limit a budget tells what has been spent; it tells once more when it foresees the limit."""
COUNTED = (
    "AWS Lambda",
    "Amazon API Gateway",
    "AmazonCloudWatch",
    "Amazon Simple Storage Service",
    "Amazon EC2 Container Registry (ECR)",
)
"""What a budget counts, by the names of Cost Explorer. AWS can tell a stack's own costs only from tags that somebody
has activated in the billing console, so all of an account's use of these services counts."""


def lacks_alarms(service: Service) -> bool:
    """Whether nobody would be told that the service fails, and nobody has said that this is right."""
    return service.alarms is None and "alarms" not in service.custom_bareboat


def add_alarms(draft: Draft) -> None:
    """Add what `custom.bareboat.alarms` asks for."""
    alarms = draft.service.alarms
    if alarms is None:
        return
    topic = alarms.topic or {"Ref": draft.add(naming.ALARM_TOPIC, "AWS::SNS::Topic", _topic(draft))}
    if alarms.topic is None:
        policy = {"Topics": [topic], "PolicyDocument": _policy(topic)}
        draft.add(naming.ALARM_TOPIC_POLICY, "AWS::SNS::TopicPolicy", policy)
    for number, email in enumerate(alarms.emails, start=1):
        subscription = {"TopicArn": topic, "Protocol": "email", "Endpoint": email}
        draft.add(naming.alarm_subscription_id(number), "AWS::SNS::Subscription", subscription)
    for function in functions_of(draft.service):
        if function.options.get("alarms") is False:
            continue
        if alarms.errors is not None:
            _add_metric(draft, function.name, "Errors", alarms.errors, topic)
        if alarms.throttles is not None:
            _add_metric(draft, function.name, "Throttles", alarms.throttles, topic)
    if alarms.spend_usd is not None:
        _refuse_region(draft.service)
        draft.add(naming.BUDGET, "AWS::Budgets::Budget", _budget(draft, alarms, topic))


NO_BUDGETS = frozenset(
    {
        *("af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-3", "ap-south-2", "ca-west-1", "mx-central-1"),
        *("ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7"),
        *("eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "il-central-1", "me-central-1"),
        *("us-gov-east-1", "us-gov-west-1"),
    }
)
"""Regions whose CloudFormation knows no AWS::Budgets::Budget: its registry, as cfn-lint 1.58 has it."""


def _refuse_region(service: Service) -> None:
    if service.provider.region in NO_BUDGETS:
        raise ConfigurationError(
            f"custom.bareboat.alarms.spend: CloudFormation makes no budgets in {service.provider.region}",
            expected="a region that has AWS::Budgets::Budget",
            fix="leave spend out, and make a budget in the billing console: it is of the whole account anyway",
            where=str(service.path),
        )


def _topic(draft: Draft) -> Json:
    return {"DisplayName": f"Alarms of {draft.service.provider.stack_name}"[:100]}


def _policy(topic: Any) -> Json:
    """Let CloudWatch and Budgets of this account publish, and nobody else."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]},
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _add_metric(draft: Draft, function: str, metric: str, threshold: int, topic: Any) -> None:
    calls = "call" if threshold == 1 else "calls"
    what = "failed" if metric == "Errors" else "were refused for want of concurrency"
    properties: Json = {
        "AlarmDescription": f"{threshold} {calls} of {function} or more {what} within {PERIOD_S // 60} minutes",
        "Namespace": "AWS/Lambda",
        "MetricName": metric,
        "Dimensions": [{"Name": "FunctionName", "Value": function_ref(draft, function)}],
        "Statistic": "Sum",
        "Period": PERIOD_S,
        "EvaluationPeriods": 1,
        "Threshold": threshold,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [topic],
    }
    draft.add(
        naming.alarm_id(function, metric), "AWS::CloudWatch::Alarm", properties, Condition=condition_of(draft, function)
    )


def _budget(draft: Draft, alarms: Alarms, topic: Any) -> Json:
    """Return a monthly budget. Mail goes to addresses by itself; else to the topic."""
    to = [{"SubscriptionType": "EMAIL", "Address": email} for email in alarms.emails[:10]]
    subscribers = to or [{"SubscriptionType": "SNS", "Address": topic}]
    kinds = [("ACTUAL", percent) for percent in SPENT] + [("FORECASTED", 100)]
    notifications = [
        {
            "Notification": {
                "NotificationType": kind,
                "ComparisonOperator": "GREATER_THAN",
                "Threshold": percent,
                "ThresholdType": "PERCENTAGE",
            },
            "Subscribers": subscribers,
        }
        for kind, percent in kinds
    ]
    return {
        "Budget": {
            "BudgetName": _budget_name(draft, notifications),
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": alarms.spend_usd, "Unit": "USD"},
            "CostFilters": {"Service": list(COUNTED)},
        },
        "NotificationsWithSubscribers": notifications,
    }


def _budget_name(draft: Draft, notifications: list[Json]) -> Json:
    """Return a name that follows whom the budget tells, by mail or through which topic.

    CloudFormation makes a budget anew when that changes, the new one first, and names are unique in the account.
    """
    digest = hashlib.sha256(json.dumps(notifications, sort_keys=True).encode()).hexdigest()[:8]
    return {"Fn::Sub": f"{draft.service.provider.stack_name[:60]}-${{AWS::Region}}-spend-{digest}"}
