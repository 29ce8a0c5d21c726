"""Where CloudFormation makes budgets: its registry, as cfn-lint has it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

from bareboat.aws.template.alarms import NO_BUDGETS


def test_the_regions_without_budgets_are_those_of_the_registry() -> None:
    spec = find_spec("cfnlint")
    assert spec is not None
    assert spec.origin is not None
    files = (Path(spec.origin).parent / "data" / "schemas" / "providers").glob("*-*-*.json")

    lack = {path.stem for path in files if "AWS::Budgets::Budget" not in json.loads(path.read_text())}

    assert lack == NO_BUDGETS
