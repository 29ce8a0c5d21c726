"""`cloudwatchLog` -> the subscription of a function to a log group."""

from __future__ import annotations

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft
from bareboat.aws.template.events.sources import arn_of, dependent, permit, settings, sourced
from bareboat.aws.template.targets import target_arn
from bareboat.errors import ConfigurationError
from bareboat.service.model import Function

MOST = 2
"""Subscription filters of a log group: CloudWatch Logs user guide, "CloudWatch Logs quotas"."""


def add_logs(draft: Draft) -> None:
    """Add the log groups that functions listen to.

    Raises:
        ConfigurationError: a log group has more subscriptions than AWS takes.
    """
    counts: dict[str, int] = {}
    groups: dict[str, list[str]] = {}
    functions: dict[str, Function] = {}
    for function, _, event in sourced(draft, "cloudwatchLog"):
        config = settings(event, "logGroup")
        group = str(config["logGroup"]).replace("\n", "").replace("\r", "")
        counts[group] = counts.get(group, 0) + 1
        if counts[group] > MOST:
            raise ConfigurationError(
                f"the log group {group} has more than {MOST} subscriptions",
                expected=f"at most {MOST}, which is all that CloudWatch Logs takes",
                where=str(event.where),
            )
        functions[function.name] = function
        groups.setdefault(function.name, []).append(group)
        pattern = str(config.get("filter") or "").replace("\n", "").replace("\r", "")
        more = dependent(draft, function)
        before = [each for each in (naming.log_filter_permission_id(function.name), more["DependsOn"]) if each]
        draft.add(
            naming.log_filter_id(function.name, len(groups[function.name])),
            "AWS::Logs::SubscriptionFilter",
            {
                "LogGroupName": group,
                "FilterPattern": pattern,
                "DestinationArn": target_arn(draft, function.name),
            },
            **{**more, "DependsOn": before},
        )
    for name, function in functions.items():
        principal = {"Fn::Join": ["", ["logs.", {"Ref": "AWS::Region"}, ".amazonaws.com"]]}
        source = arn_of("logs", f"log-group:{_common(groups[name])}:*")
        permit(draft, naming.log_filter_permission_id(name), function, principal, source)


def _common(groups: list[str]) -> str:
    """Return the name of the only group, or what all begin with and `*`, since a function has one permission."""
    first = groups[0]
    if len(set(groups)) == 1 and len(groups) == 1:
        return first
    length = 0
    while length < len(first) and all(group[length : length + 1] == first[length] for group in groups):
        length += 1
    return first[:length].removesuffix("*") + "*"
