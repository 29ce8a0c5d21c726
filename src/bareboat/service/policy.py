"""An IAM policy document -> whether it lets a request in.

Only `execute-api:Invoke` is ever asked for. An explicit Deny wins; what no statement allows is denied. A condition that
is not known counts as met in a Deny and as not met in an Allow, so that nothing is let in by what cannot be judged.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import json
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

ACTION = "execute-api:invoke"
OPERATORS = ("IpAddress", "NotIpAddress", "StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "Bool")
_OWN_ARN = re.compile(r"arn:[^:]*:execute-api:[^:]*:[^:]*:[^:/]*(/.*)?", re.DOTALL)
Decision = Literal["allow", "deny", "none"]


class PolicyError(Exception):
    """The document is no policy. The text says why."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: what it is about, ready to be matched.

    Args:
        everyone: whether it is about any caller; what is about some of them, who are not known here, counts as met in
            a Deny and as not met in an Allow.
    """

    allows: bool
    action: re.Pattern[str]
    resource: re.Pattern[str]
    action_negated: bool
    resource_negated: bool
    conditions: Mapping[str, Mapping[str, Any]]
    everyone: bool = True

    def applies(self, resource: str, values: Mapping[str, str | None]) -> bool:
        """Whether it says something of a request for a resource."""
        if not self.everyone and self.allows:
            return False
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

    def decide(self, resource: str, values: Mapping[str, str | None]) -> Decision:
        """Return what the policy says of a request.

        Args:
            resource: the ARN of the method: `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`.
            values: of condition keys in lower case, such as `aws:sourceip`; None for one that such a request lacks.
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
        base: the ARN of the API itself, for a resource policy: what `execute-api:/STAGE/...` stands for, as does
            the ARN of an API on AWS, since the policy is this API's own. "" for the policy of an authorizer.
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


def unjudged(statements: Sequence[Any], keys: Container[str]) -> list[str]:
    """Return which conditions and principals of a resource policy cannot be judged: `StringEquals aws:PrincipalArn`.

    Args:
        keys: the condition keys that are known, in lower case.
    """
    found = []
    for entry in statements:
        if not isinstance(entry, dict):
            continue
        if not _is_everyone(entry):
            found.append("Principal " + json.dumps(entry.get("Principal", entry.get("NotPrincipal"))))
        conditions = entry.get("Condition")
        for operator, wanted in conditions.items() if isinstance(conditions, dict) else ():
            found += [
                f"{operator} {key}"
                for key in (wanted if isinstance(wanted, dict) else ())
                if operator not in OPERATORS or str(key).lower() not in keys
            ]
    return list(dict.fromkeys(found))


def _is_everyone(entry: Mapping[str, Any]) -> bool:
    principal = entry.get("Principal")
    if isinstance(principal, dict):
        principal = principal.get("AWS")
    return principal in ("*", ["*"])


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
        everyone=not base or _is_everyone(entry),
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
    """Return the ARN that a resource stands for."""
    if not base:
        return resource
    if resource.startswith("execute-api:/"):
        return base + resource.removeprefix("execute-api:")
    own = _OWN_ARN.fullmatch(resource)
    return base + (own[1] or "") if own else resource


def _pattern(texts: list[str]) -> re.Pattern[str]:
    """Return what matches any of the texts, in which `*` is anything and `?` one character."""
    return re.compile("|".join(f"(?:{_glob(text)})" for text in texts), re.DOTALL)


def _glob(text: str) -> str:
    pieces = re.split(r"(\*+|\?)", text)
    return "".join(".*" if piece[:1] == "*" else "." if piece == "?" else re.escape(piece) for piece in pieces)


def _met(operator: str, key: str, wanted: Any, values: Mapping[str, str | None], *, unknown: bool) -> bool:
    key = key.lower()
    if operator not in OPERATORS or key not in values:
        return unknown
    given = values[key]
    texts = [str(text) for text in (wanted if isinstance(wanted, list) else [wanted])]
    negated = operator.startswith(("Not", "StringNot"))
    if given is None:
        return negated
    if operator in ("IpAddress", "NotIpAddress"):
        try:
            address = ipaddress.ip_address(given)
            found = any(address in ipaddress.ip_network(text, strict=False) for text in texts)
        except ValueError:
            return unknown
    elif operator in ("StringEquals", "StringNotEquals"):
        found = given in texts
    elif operator == "Bool":
        found = given in [text.lower() for text in texts]
    else:
        found = any(fnmatch.fnmatchcase(given, text.replace("[", "[[]")) for text in texts)
    return found is not negated
