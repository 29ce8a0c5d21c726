"""`environment` of the provider and of a function -> the variables of a function."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from bareboat.service.model import Place
from bareboat.service.nodes import Node
from bareboat.service.report import Report
from bareboat.service.scalars import js_text
from bareboat.service.secret_names import has_secret_name

MAX_BYTES = 4096  # AWS Lambda quota: all variables of a function together

# AWS Lambda developer guide, "Reserved environment variables"
RESERVED = frozenset(
    [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    ]
)
_NAME = r"[A-Za-z][A-Za-z0-9_]+\Z"  # AWS Lambda API reference, Environment
_SECRET_SOURCES = ("${env:", "${ssm", "${s3:", "${param:")


class Variable(NamedTuple):
    """One variable: its text, what was written when that is CloudFormation, and where it stands."""

    text: str
    raw: Any
    node: Node
    inherited: bool


def variables_of(
    provider: tuple[Mapping[str, Any] | None, Node | None],
    function: tuple[Mapping[str, Any] | None, Node | None],
    path: str,
    pseudo: Mapping[str, str],
    report: Report,
) -> dict[str, Variable]:
    """Return a function's variables, its own over the provider's, by name.

    Args:
        provider, function: the checked values of `environment`, and their nodes.
        path: `functions.NAME`.
        pseudo: CloudFormation's pseudo parameters that are known: AWS::Region, ...
    """
    found: dict[str, Variable] = {}
    for (values, node), inherited in ((provider, True), (function, False)):
        owner = "provider" if inherited else path
        for name, value in (values or {}).items():
            child = node.value[name] if node is not None and isinstance(node.value, dict) else None
            if child is None or value is None:
                found.pop(name, None)
                continue
            _check_name(name, child.place, f"{owner}.environment", report)
            found[name] = _variable(name, value, child, f"{owner}.environment", pseudo, report, inherited=inherited)
    size = sum(len(name.encode()) + len(variable.text.encode()) for name, variable in found.items())
    if size > MAX_BYTES:
        place = next(iter(found.values())).node.place
        report.problems.add(
            place,
            f"{path}.environment comes to {size:,} bytes",
            expected=f"at most {MAX_BYTES:,} bytes in all (Lambda)",
        )
    return found


def _check_name(name: str, place: Place, path: str, report: Report) -> None:
    if name in RESERVED:
        report.problems.add(place, f"{path}.{name} is reserved by Lambda", fix="choose another name")
    elif not re.match(_NAME, name):
        report.problems.add(
            place,
            f"{path} has the name '{name}'",
            expected="a letter first, then letters, digits and '_', two at least",
        )


def _variable(
    name: str, value: Any, node: Node, path: str, pseudo: Mapping[str, str], report: Report, *, inherited: bool
) -> Variable:
    if isinstance(value, dict):
        known = _from_cloudformation(value, pseudo)
        if known is None:
            known = json.dumps(value, separators=(",", ":"))
            report.warn(f"{path}.{name} is known only after a deployment; locally it is {known}", node.place)
        return Variable(known, value, node, inherited)
    if node.state == "pending":
        report.warn(f"{path}.{name} needs AWS; locally it is {value}", node.place)
    elif node.text and not isinstance(node.value, bool) and node.text != value:
        report.warn(
            f"{path}.{name} is written {node.text} and becomes '{js_text(node.value)}': quote it to keep it", node.place
        )
    return Variable(value, None, node, inherited)


def _from_cloudformation(value: Mapping[str, Any], pseudo: Mapping[str, str]) -> str | None:
    """Return what {Ref: AWS::Region} and the like stand for, or None when only a deployment knows."""
    if len(value) != 1:
        return None
    ((function, argument),) = value.items()
    if function == "Ref":
        return pseudo.get(argument) if isinstance(argument, str) else None
    if function == "Fn::Sub" and isinstance(argument, str):
        text = re.sub(r"\$\{([^!}]+)\}", lambda match: pseudo.get(match[1].strip(), match[0]), argument)
        return None if re.search(r"\$\{[^!}]+\}", text) else text
    return None


def display(name: str, variable: Variable) -> str:
    """Return what `check` shows: a value from outside the file, or named as secrets are, is only counted."""
    node = variable.node
    if has_secret_name(name) or node.secret or (node.via and any(source in node.via for source in _SECRET_SOURCES)):
        return f"({len(variable.text)} characters)"
    return variable.text
