"""`custom.bareboat.accounts`: the AWS accounts that a service may be deployed to, read early, with its places."""

from __future__ import annotations

import re

from bareboat.service.nodes import Node, plain
from bareboat.service.report import Report

_PATH = "custom.bareboat.accounts"
_ACCOUNT = re.compile(r"\d{12}\Z")
_EXPECTED = "accounts of 12 digits: one, a list, or a mapping by stage"


def check_accounts(custom: Node | None, stage: str, report: Report) -> None:
    """Say what is wrong with the key, and warn of a mapping that says nothing of the stage.

    Args:
        custom: `custom.bareboat`.
    """
    node = custom.get("accounts") if custom is not None and custom.is_mapping else None
    if node is None or node.state:
        return
    if node.is_mapping:
        for name, child in node.items():
            _check(child, f"{_PATH}.{name}", report)
        if node.get(stage) is None and node.get("default") is None:
            report.warn(f"{_PATH} names no account for stage {stage}: it may be deployed to any", node.place)
            return
    else:
        _check(node, _PATH, report)
    report.value(_PATH, plain(node), node)


def _check(node: Node, path: str, report: Report) -> None:
    if node.value is None or node.state:
        return
    if isinstance(node.value, list):
        for index, child in enumerate(node.value):
            _check(child, f"{path}[{index}]", report)
        return
    # an account that begins with 0 and stands without quotes has been read as a number
    text = node.text or str(node.value)
    if node.is_mapping or not _ACCOUNT.match(text):
        said = "a mapping" if node.is_mapping else text
        report.problems.add(node.place, f"{path} is {said}", expected=_EXPECTED, fix="write it in quotes")
    elif text != str(node.value):
        report.problems.add(
            node.place, f"{path} is {text} without quotes, which is a number", expected=_EXPECTED, fix=f"'{text}'"
        )
