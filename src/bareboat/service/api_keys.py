"""`provider.apiGateway.apiKeys` and `usagePlan` -> ApiKey and UsagePlan."""

from __future__ import annotations

from typing import Any

from bareboat.service.api import ApiKey, Quota, Throttle, UsagePlan
from bareboat.service.check import Checker
from bareboat.service.keys.apis import ApiKeyKeys, UsagePlanKeys
from bareboat.service.nodes import Node
from bareboat.service.problems import listed, nearest
from bareboat.service.report import Report

# API Gateway developer guide, quotas: what an account has where nothing else is said
ACCOUNT_RATE = 10_000.0
ACCOUNT_BURST = 5_000
_MIN_VALUE = 20  # API Gateway: "API Key value should be at least 20 characters"
_KEY_NAMES = ("name", "value", "description", "customerId", "enabled")


def plans_of(said: Any, node: Node | None, path: str, report: Report) -> tuple[UsagePlan, ...]:
    """Return the usage plans: one mapping is the only plan, a list has one a name.

    Args:
        said: the checked value; None for none.
        path: `provider.apiGateway.usagePlan`, or its older place.
    """
    if said is None or node is None:
        return ()
    if isinstance(said, UsagePlanKeys):
        return (_plan("", said, node, path, report),)
    plans: list[UsagePlan] = []
    for entry in node.value if isinstance(node.value, list) else ():
        keys = {name: plan for entry in said if entry for name, plan in entry.items()}
        if entry.is_mapping and len(entry.value) != 1:
            names = listed(entry.value)
            report.problems.add(entry.place, f"{path} has one entry with {names}", expected="one plan an entry")
            continue
        for name, child in entry.items():
            if any(plan.name == name for plan in plans):
                report.problems.add(entry.key_place(name), f"{path} has the plan '{name}' twice", expected="each once")
            elif keys.get(name) is not None:
                plans.append(_plan(name, keys[name], child, f"{path}.{name}", report))
    return tuple(plans)


def _plan(name: str, keys: UsagePlanKeys, node: Node, path: str, report: Report) -> UsagePlan:
    throttle, quota = None, None
    if keys.throttle is not None and (keys.throttle.rate_limit is not None or keys.throttle.burst_limit is not None):
        rate, burst = keys.throttle.rate_limit, keys.throttle.burst_limit
        throttle = Throttle(float(ACCOUNT_RATE if rate is None else rate), ACCOUNT_BURST if burst is None else burst)
    if keys.quota is not None:
        if keys.quota.limit is None or keys.quota.period is None:
            missing = [key for key in ("limit", "period") if node.get("quota", key) is None]
            if missing:
                report.problems.add(
                    (node.get("quota") or node).place,
                    f"{path}.quota has no {' and no '.join(missing)}",
                    expected="limit, and period: DAY, WEEK or MONTH",
                )
        else:
            quota = Quota(keys.quota.limit, keys.quota.period, keys.quota.offset or 0)
            if quota.offset and (quota.period == "DAY" or quota.offset > quota.limit):
                report.problems.add(
                    (node.get("quota", "offset") or node).place,
                    f"{path}.quota.offset is {quota.offset}",
                    expected="0 for DAY, and no more than the limit",
                )
    return UsagePlan(name, node.place, throttle, quota)


def keys_of(
    node: Node | None, path: str, plans: tuple[UsagePlan, ...], checker: Checker, report: Report
) -> tuple[ApiKey, ...]:
    """Return the API keys: names, {name, value, ...}, or {PLAN: [names and mappings]}."""
    found: list[ApiKey] = []
    entries = node.value if node is not None and isinstance(node.value, list) else [node] if node is not None else []
    names = [plan.name for plan in plans if plan.name]
    for index, entry in enumerate(entries):
        label = f"{path}[{index}]"
        if not entry.is_mapping or any(key in _KEY_NAMES for key in entry.value):
            found += _one(entry, "", label, checker, report)
            continue
        for plan, children in entry.items():
            if plan not in names:
                near = nearest(plan, [*names, *_KEY_NAMES])
                report.problems.add(
                    entry.key_place(plan),
                    f"{label} asks for the usage plan '{plan}'",
                    expected=f"one of {listed(names)}" if names else "a list of plans by name as usagePlan",
                    fix=f"write {near}" if near else "",
                )
            if not isinstance(children.value, list):
                report.problems.add(children.place, f"{label}.{plan} is no list", expected="a list of keys")
                continue
            for number, child in enumerate(children.value):
                found += _one(child, plan, f"{label}.{plan}[{number}]", checker, report)
    _check_unique(found, report)
    return tuple(found)


def _one(node: Node, plan: str, path: str, checker: Checker, report: Report) -> list[ApiKey]:
    said = checker.convert(node, str | ApiKeyKeys, path)
    if isinstance(said, str):
        return [ApiKey(said, node.place, plan=plan)]
    if not isinstance(said, ApiKeyKeys):
        return []
    if said.name is None and said.value is None:
        report.problems.add(node.place, f"{path} has neither name nor value", expected="a name, a value, or both")
        return []
    value = said.value
    child = node.get("value")
    if value is not None and child is not None and not child.state and len(value) < _MIN_VALUE:
        report.problems.add(
            child.place,
            f"{path}.value has {len(value)} characters",
            expected=f"{_MIN_VALUE} characters or more, as API Gateway asks",
        )
    if child is not None and child.state == "pending":
        report.warn(f"{path}.value needs AWS; a value of this machine's own stands for it", child.place)
        value = None
    enabled = said.enabled is not False
    return [ApiKey(said.name or "", node.place, value, said.description or "", enabled, plan, said.customer_id or "")]


def _check_unique(keys: list[ApiKey], report: Report) -> None:
    """Two equal values are an error on AWS; two equal names are not, but nobody tells those keys apart."""
    names: dict[str, ApiKey] = {}
    values: dict[str, ApiKey] = {}
    for key in keys:
        first = names.setdefault(key.name, key) if key.name else key
        if first is not key:
            report.problems.add(
                key.where,
                f"there are two API keys with the name '{key.name}'",
                expected=f"each name once; first at {first.where}",
            )
        same = values.setdefault(key.value, key) if key.value else key
        if same is not key:
            report.problems.add(
                key.where, "there are two API keys with one value", expected=f"each value once; first at {same.where}"
            )


def check_plans(keys: tuple[ApiKey, ...], plans: tuple[UsagePlan, ...], report: Report) -> None:
    """Warn of plans that no key uses, and of keys that no plan lets in."""
    named = [plan for plan in plans if plan.name]
    for plan in plans:
        if not any(key.plan == plan.name or (not key.plan and not plan.name) for key in keys):
            label = f"the usage plan '{plan.name}'" if plan.name else "the usage plan"
            report.warn(f"{label} has no API key: it limits nobody", plan.where)
    for key in keys:
        if named and not key.plan:
            report.problems.add(
                key.where,
                f"the API key '{key.name}' is in no usage plan, and there are plans by name",
                expected=f"{{PLAN: [{key.name or 'KEY'}]}} with one of {listed(plan.name for plan in named)}",
            )
