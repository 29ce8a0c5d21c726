"""CloudFormation's functions -> the text that stands for them before a deployment."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PART = re.compile(r"\$\{([^!}]+)\}")
_LITERAL = re.compile(r"\$\{!([^}]+)\}")


def text_of(value: Any, pseudo: Mapping[str, str]) -> tuple[str, bool]:
    """Return what a value comes to, and whether that is all of it.

    What only a deployment knows stays as `${Name}` or `${Name.Attribute}`, as Fn::Sub writes it.

    Args:
        value: text, a number, or `{Ref: ...}`, `{Fn::Sub: ...}`, `{Fn::Join: ...}`, `{Fn::GetAtt: ...}`.
        pseudo: CloudFormation's pseudo parameters that are known: AWS::Region, ...
    """
    if isinstance(value, str):
        return value, not value.startswith("${")
    if not isinstance(value, dict):
        return str(value), True
    if len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Ref" and isinstance(argument, str):
            return _named(argument, pseudo)
        if function == "Fn::GetAtt":
            parts = argument if isinstance(argument, list) else str(argument).split(".")
            return f"${{{'.'.join(str(part) for part in parts)}}}", False
        if function == "Fn::Sub":
            return _substituted(argument, pseudo)
        if function == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:
            return _joined(argument, pseudo)
    return json.dumps(value, separators=(",", ":")), False


def _named(name: str, pseudo: Mapping[str, str]) -> tuple[str, bool]:
    return (pseudo[name], True) if name in pseudo else (f"${{{name}}}", False)


def _substituted(argument: Any, pseudo: Mapping[str, str]) -> tuple[str, bool]:
    text, own = (argument[0], argument[1]) if isinstance(argument, list) and len(argument) == 2 else (argument, {})
    if not isinstance(text, str) or not isinstance(own, dict):
        return json.dumps({"Fn::Sub": argument}, separators=(",", ":")), False
    known = {**pseudo}
    for name, value in own.items():
        inner, whole = text_of(value, pseudo)
        if whole:
            known[name] = inner
    filled = _PART.sub(lambda match: known.get(match[1].strip(), match[0]), text)
    return _LITERAL.sub(r"${\1}", filled), _PART.search(filled) is None


def _joined(argument: list[Any], pseudo: Mapping[str, str]) -> tuple[str, bool]:
    separator, parts = argument
    if not isinstance(parts, list):
        return json.dumps({"Fn::Join": argument}, separators=(",", ":")), False
    texts = [text_of(part, pseudo) for part in parts]
    return str(separator).join(text for text, _ in texts), all(whole for _, whole in texts)


def function_logical_id(name: str) -> str:
    """Return what a function is called in CloudFormation, as Serverless has it: `my-fn` is MyDashfnLambdaFunction."""
    plain_name = name.replace("-", "Dash").replace("_", "Underscore")
    return f"{plain_name[:1].upper()}{plain_name[1:]}LambdaFunction"


def name_in_arn(text: str) -> str:
    """Return the last part of an ARN, or of `${Queue.Arn}` the logical id."""
    if text.startswith("${"):
        return text[2:].rstrip("}").partition(".")[0]
    last = text.rsplit(":", 1)[-1]
    return name_in_arn(last) if last.startswith("${") and last != text else last
