"""What watches: alarms of CloudWatch, dashboards, metric filters, and budgets."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from aws_cloud.kinds.base import Kind, Made, Place, as_bool, chosen
from aws_cloud.moto import ACCOUNT


class Alarm(Kind):
    type = "AWS::CloudWatch::Alarm"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        name = properties.get("AlarmName") or place.name(255)
        self._put(place, name, properties)
        return Made(name, {"Arn": place.arn("cloudwatch", f"alarm:{name}")})

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        self._put(place, made.physical_id, properties)
        return made

    def _put(self, place: Place, name: str, properties: dict[str, Any]) -> None:
        whole = ("EvaluationPeriods", "DatapointsToAlarm", "Period")
        place.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            **{key: int(properties[key]) for key in whole if key in properties},
            **({"Threshold": float(properties["Threshold"])} if "Threshold" in properties else {}),
            **({"ActionsEnabled": as_bool(properties["ActionsEnabled"])} if "ActionsEnabled" in properties else {}),
            **chosen(
                properties, "AlarmDescription", "AlarmActions", "OKActions", "InsufficientDataActions", "MetricName",
                "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Unit", "ComparisonOperator",
                "TreatMissingData", "Metrics", "Tags",
            ),
        )  # fmt: skip

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        place.client("cloudwatch").delete_alarms(AlarmNames=[made.physical_id])


class Dashboard(Kind):
    type = "AWS::CloudWatch::Dashboard"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        name = properties.get("DashboardName") or place.name(255)
        place.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=properties["DashboardBody"])
        return Made(name)

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        place.client("cloudwatch").put_dashboard(
            DashboardName=made.physical_id, DashboardBody=properties["DashboardBody"]
        )
        return made

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("cloudwatch").delete_dashboards(DashboardNames=[made.physical_id])


class MetricFilter(Kind):
    type = "AWS::Logs::MetricFilter"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        name = properties.get("FilterName") or place.name(512)
        self._put(place, name, properties)
        return Made(name)

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        self._put(place, made.physical_id, properties)
        return made

    def _put(self, place: Place, name: str, properties: dict[str, Any]) -> None:
        changed = [
            {key[0].lower() + key[1:]: one for key, one in entry.items() if key != "Dimensions"}
            for entry in properties["MetricTransformations"]
        ]
        place.client("logs").put_metric_filter(
            logGroupName=properties["LogGroupName"],
            filterName=name,
            filterPattern=properties["FilterPattern"],
            metricTransformations=changed,
        )

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("logs").delete_metric_filter(
                logGroupName=properties["LogGroupName"], filterName=made.physical_id
            )


class Budget(Kind):
    type = "AWS::Budgets::Budget"

    def create(self, place: Place, properties: dict[str, Any]) -> Made:
        budget = self._budget(place, properties["Budget"])
        place.client("budgets").create_budget(
            AccountId=ACCOUNT,
            Budget=budget,
            NotificationsWithSubscribers=properties.get("NotificationsWithSubscribers") or [],
        )
        return Made(budget["BudgetName"])

    def _budget(self, place: Place, given: dict[str, Any]) -> dict[str, Any]:
        limit = given.get("BudgetLimit") or {}
        return {
            "BudgetName": given.get("BudgetName") or place.name(100),
            **chosen(given, "BudgetType", "TimeUnit", "CostFilters", "CostTypes"),
            **({"BudgetLimit": {"Amount": str(limit["Amount"]), "Unit": limit["Unit"]}} if limit else {}),
        }

    def update(self, place: Place, made: Made, properties: dict[str, Any], old: dict[str, Any]) -> Made:
        client = place.client("budgets")  # moto cannot change one
        client.delete_budget(AccountId=ACCOUNT, BudgetName=made.physical_id)
        given = {**properties["Budget"], "BudgetName": made.physical_id}
        return self.create(place, {**properties, "Budget": given})

    def delete(self, place: Place, made: Made, properties: dict[str, Any]) -> None:
        with suppress(ClientError):
            place.client("budgets").delete_budget(AccountId=ACCOUNT, BudgetName=made.physical_id)


KINDS = (Alarm, Dashboard, MetricFilter, Budget)
