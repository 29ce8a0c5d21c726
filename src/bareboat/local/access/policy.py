"""An IAM policy document -> whether it lets a request in.

Only `execute-api:Invoke` is ever asked for. An explicit Deny wins; what no statement allows is denied. A condition that
is not known counts as met in a Deny and as not met in an Allow, so that nothing is let in by what cannot be judged.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

ACTION = "execute-api:invoke"
Decision = Literal["allow", "deny", "none"]


class PolicyError(Exception):
    """The document is no policy. The text says why."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: what it is about, ready to be matched."""

    allows: bool
    action: re.Pattern[str]
    resource: re.Pattern[str]
    action_negated: bool
    resource_negated: bool
    conditions: Mapping[str, Mapping[str, Any]]

    def applies(self, resource: str, values: Mapping[str, str]) -> bool:
        """Whether it says something of a request for a resource."""
        if bool(self.action.fullmatch(ACTION)) is self.action_negated:
            return False
        if bool(self.resource.fullmatch(resource)) is self.resource_negated:
            return False
        return all(
            _met(operator, key, wanted, values, unknown=not self.allows)
            for operator, keys in self.conditions.items()
            for key, wanted in keys.items()
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document, parsed."""

    statements: tuple[Statement, ...]

    def decide(self, resource: str, values: Mapping[str, str]) -> Decision:
        """Return what the policy says of a request.

        Args:
            resource: the ARN of the method: `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`.
            values: of condition keys, such as `aws:SourceIp`.
        """
        decision: Decision = "none"
        for statement in self.statements:
            if statement.applies(resource, values):
                if not statement.allows:
                    return "deny"
                decision = "allow"
        return decision


def parse_policy(document: Any, *, base: str = "") -> Policy:
    """Return a policy.

    Args:
        base: what `execute-api:/STAGE/...` stands for, up to the API's id; "" where that is not written so.
    Raises:
        PolicyError: it is no policy document.
    """
    if not isinstance(document, dict):
        raise PolicyError("policyDocument is no object")
    listed = document.get("Statement")
    statements = [listed] if isinstance(listed, dict) else listed
    if not isinstance(statements, list):
        raise PolicyError("policyDocument has no Statement")
    return Policy(tuple(_statement(entry, base) for entry in statements))


def _statement(entry: Any, base: str) -> Statement:
    if not isinstance(entry, dict):
        raise PolicyError("a Statement is no object")
    effect = entry.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise PolicyError(f"Effect is {effect!r:.40}, expected Allow or Deny")
    actions, not_action = _listed(entry, "Action")
    resources, not_resource = _listed(entry, "Resource")
    conditions = entry.get("Condition") or {}
    if not isinstance(conditions, dict) or not all(isinstance(keys, dict) for keys in conditions.values()):
        raise PolicyError("Condition is no object of objects")
    return Statement(
        allows=effect == "Allow",
        action=_pattern([action.lower() for action in actions]),
        resource=_pattern([_whole(resource, base) for resource in resources]),
        action_negated=not_action,
        resource_negated=not_resource,
        conditions=conditions,
    )


def _listed(entry: dict[str, Any], name: str) -> tuple[list[str], bool]:
    """Return the patterns of `Action` or `NotAction`, and whether it is the latter."""
    negated = name not in entry and f"Not{name}" in entry
    value = entry.get(f"Not{name}" if negated else name)
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not values or not all(isinstance(text, str) for text in values):
        raise PolicyError(f"a Statement has no {name}")
    return values, negated


def _whole(resource: str, base: str) -> str:
    """Return the ARN that the short form `execute-api:/stage/...` of a resource policy stands for."""
    return (
        f"{base}{resource.removeprefix('execute-api:')}" if base and resource.startswith("execute-api:/") else resource
    )


def _pattern(texts: list[str]) -> re.Pattern[str]:
    """Return what matches any of the texts, in which `*` is anything and `?` one character."""
    return re.compile("|".join(f"(?:{_glob(text)})" for text in texts), re.DOTALL)


def _glob(text: str) -> str:
    pieces = re.split(r"(\*+|\?)", text)
    return "".join(".*" if piece[:1] == "*" else "." if piece == "?" else re.escape(piece) for piece in pieces)


def _met(operator: str, key: str, wanted: Any, values: Mapping[str, str], *, unknown: bool) -> bool:
    given = values.get(key.lower())
    texts = [str(text) for text in (wanted if isinstance(wanted, list) else [wanted])]
    negated = operator.startswith(("Not", "StringNot"))
    if given is None:
        return unknown
    if operator in ("IpAddress", "NotIpAddress"):
        try:
            address = ipaddress.ip_address(given)
            found = any(address in ipaddress.ip_network(text, strict=False) for text in texts)
        except ValueError:
            return unknown
    elif operator in ("StringEquals", "StringNotEquals"):
        found = given in texts
    elif operator in ("StringLike", "StringNotLike"):
        found = any(fnmatch.fnmatchcase(given, text.replace("[", "[[]")) for text in texts)
    else:
        return unknown
    return found is not negated
