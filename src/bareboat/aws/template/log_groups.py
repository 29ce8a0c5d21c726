"""The log group of each function."""

from __future__ import annotations

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.targets import condition_of, functions_of


def add_log_groups(draft: Draft) -> None:
    """Add a log group for each function that logs."""
    provider = draft.service.provider.options
    for function in functions_of(draft.service):
        options = function.options
        if options.get("disableLogs"):
            continue
        properties: Json = {"LogGroupName": naming.log_group_name(function.full_name)}
        if days := options.get("logRetentionInDays") or provider.get("logRetentionInDays"):
            properties["RetentionInDays"] = days
        if policy := options.get("logDataProtectionPolicy") or provider.get("logDataProtectionPolicy"):
            properties["DataProtectionPolicy"] = policy
        draft.add(
            naming.log_group_id(function.name),
            "AWS::Logs::LogGroup",
            properties,
            Condition=condition_of(draft, function.name),
        )
