"""`s3` -> a bucket that the stack makes, with what it tells its functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.events.sources import arn_of, dependent, permit, settings, sourced
from bareboat.aws.template.targets import target_arn
from bareboat.service.triggers import OtherEvent, SourceEvent

CREATED = "s3:ObjectCreated:*"
PRINCIPAL = "s3.amazonaws.com"


def add_buckets(draft: Draft) -> None:
    """Add the buckets that functions hear of and that are not there yet. One with several events is made once."""
    told: dict[str, list[Json]] = {}
    waits: dict[str, list[str]] = {}
    known: Mapping[str, Any] = draft.service.provider.options.get("s3") or {}
    for function, _, event in sourced(draft, "s3"):
        config = settings(event, "bucket")
        if config.get("existing"):
            continue
        key = str(config["bucket"])
        name = str((known.get(key) or {}).get("name") or key)
        entry: Json = {"Event": config.get("event") or CREATED, "Function": target_arn(draft, function.name)}
        if rules := _rules(config):
            entry["Filter"] = {"S3Key": {"Rules": rules}}
        told.setdefault(key, []).append(entry)
        permission = naming.bucket_permission_id(function.name, key)
        source = arn_of("s3", name, regional=False)
        permit(draft, permission, function, PRINCIPAL, source, SourceAccount={"Ref": "AWS::AccountId"})
        alias = dependent(draft, function)["DependsOn"]
        before = waits.setdefault(key, [])
        before.extend(each for each in (permission, alias) if each and each not in before)
    for key, entries in told.items():
        own = {_upper_first(setting): value for setting, value in (known.get(key) or {}).items() if setting != "name"}
        notifications = {"LambdaConfigurations": entries, **(own.pop("NotificationConfiguration", None) or {})}
        name = str((known.get(key) or {}).get("name") or key)
        draft.add(
            naming.bucket_id(key),
            "AWS::S3::Bucket",
            {"BucketName": name, "NotificationConfiguration": notifications, **own},
            DependsOn=waits[key],
        )


def rules_of(event: SourceEvent | OtherEvent) -> list[tuple[str, str]]:
    """Return `rules`: (prefix or suffix, text)."""
    config = settings(event, "bucket")
    return [(str(key), str(value)) for rule in config.get("rules") or () for key, value in list(rule.items())[:1]]


def _rules(config: Json) -> list[Json]:
    return [
        {"Name": key, "Value": value} for rule in config.get("rules") or () for key, value in list(rule.items())[:1]
    ]


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
