"""The functions that authorizers ask, by name or by ARN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from bareboat.service.intrinsics import function_logical_id, text_of
from bareboat.service.jwks import Jwks
from bareboat.service.nodes import Node
from bareboat.service.problems import listed, nearest
from bareboat.service.report import Report


class Surroundings(NamedTuple):
    """What authorizers are read against.

    Args:
        functions: the names of the service's functions, and the name that each has on AWS.
        pseudo: CloudFormation's pseudo parameters that are known.
        jwks: `custom.bareboat.jwks`.
    """

    functions: Mapping[str, str]
    pseudo: Mapping[str, str]
    jwks: Mapping[str, Jwks]


def sources_of(said: Any) -> tuple[str, ...]:
    """Return identity sources: a text with commas, or a list."""
    if said is None:
        return ()
    texts = said if isinstance(said, list) else [said]
    return tuple(text.strip() for each in texts if isinstance(each, str) for text in each.split(",") if text.strip())


def named_function(name: str, node: Node, path: str, around: Surroundings, report: Report) -> str:
    """Return the name of a function that an authorizer asks for, a problem noted where there is none."""
    if name not in around.functions and not node.state:
        near = nearest(name, around.functions)
        report.problems.add(
            node.place,
            f"{path} asks for the function '{name}'",
            expected=f"one of {listed(around.functions)}" if around.functions else "a function of this file",
            fix=f"write {near}" if near else "",
        )
    return name


def function_of_arn(value: Any, node: Node, path: str, around: Surroundings, report: Report) -> tuple[str, str]:
    """Return the function of this service that an ARN is of, or "" and the ARN."""
    text, _ = text_of(value, around.pseudo)
    logical = text[2:].partition(".")[0].rstrip("}") if text.startswith("${") else ""
    last = text.split(":function:")[-1].partition(":")[0]
    for name, full_name in around.functions.items():
        if logical == function_logical_id(name) or (":function:" in text and last == full_name):
            return name, text
    report.warn(
        f"{path}: {text} is no function of this file and is not called locally; what asks for it is closed",
        node.place,
    )
    return "", text
