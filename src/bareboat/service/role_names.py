"""The name of the role that functions share, which IAM keeps short."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bareboat.service.model import Function, Provider
from bareboat.service.nodes import Node
from bareboat.service.report import Report

LONGEST = 64
"""Characters of a role's name: IAM, "IAM and AWS STS quotas"."""


def check_role_name(
    service: str,
    provider: Provider,
    functions: Iterable[Function],
    tree: Node,
    report: Report,
) -> None:
    """Refuse a shared role whose name is too long, where one is made."""
    iam = provider.options.get("iam")
    role = (iam.get("role") if isinstance(iam, dict) else None) or provider.options.get("role")
    said = role if isinstance(role, dict) and not _is_reference(role) else {}
    given = (role is not None and not isinstance(role, dict)) or (isinstance(role, dict) and _is_reference(role))
    shared = [one for one in functions if not (one.options.get("role") or one.options.get("iamRoleStatements"))]
    name: Any = said.get("name") or f"{service}-{provider.stage}-{provider.region}-lambdaRole"
    if given or not shared or not isinstance(name, str) or len(name) <= LONGEST:
        return
    node = tree.get("provider", "iam", "role", "name") or tree.get("service") or tree
    report.problems.add(
        node.place,
        f"the role of the functions would be called {name}, {len(name)} characters",
        expected=f"at most {LONGEST} characters",
        fix="set provider.iam.role.name",
    )


def _is_reference(said: dict[str, Any]) -> bool:
    return any(key == "Ref" or key.startswith("Fn::") for key in said)
