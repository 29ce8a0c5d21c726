"""The policy of docs/deploy.md against what CloudFormation's own schemas say that each type needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

# What a plain service does without; docs/deploy.md names what to add.
BEYOND = {
    "billing": "budgets",
    "budgets": "custom.bareboat.alarms with a budget",
    "codedeploy": "aliases that CodeDeploy moves",
    "ec2": "functions in a VPC",
    "elasticfilesystem": "functions with a file system",
    "firehose": "streams of Firehose as a destination of logs",
    "kinesis": "streams of Kinesis as a source",
    "kms": "keys of one's own",
    "route53": "a domain of one's own",
    "s3files": "functions with a file system",
    "s3tables": "tables of metadata of a bucket",
}
_TYPE = re.compile(r'"(AWS::[A-Za-z0-9]+::[A-Za-z0-9]+)"')


@pytest.fixture(scope="module")
def allowed(repository: Path) -> tuple[str, ...]:
    policy = json.loads((repository / "docs" / "ci" / "deployer-policy.json").read_text())
    actions = [statement["Action"] for statement in policy["Statement"]]
    return tuple(one for each in actions for one in ([each] if isinstance(each, str) else each))


def schemas() -> Path:
    spec = find_spec("cfnlint")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / "schemas"


def made(repository: Path) -> set[str]:
    """Return the types of resources that the template can hold without `resources`."""
    files = (repository / "src" / "bareboat" / "aws" / "template").rglob("*.py")
    return {kind for path in files for kind in _TYPE.findall(path.read_text())}


def needed(kind: str, index: dict[str, str]) -> Iterator[str]:
    schema: dict[str, Any] = json.loads((schemas() / "resources" / f"{index[kind]}.json").read_text())
    for name, handler in schema.get("handlers", {}).items():
        if name != "list":
            yield from handler.get("permissions", ())


def test_all_that_the_template_makes_may_be_made(repository: Path, allowed: tuple[str, ...]) -> None:
    index = json.loads((schemas() / "providers" / "us-east-1.json").read_text())
    kinds = sorted(kind for kind in made(repository) if kind in index)
    assert len(kinds) > 30

    missing = {
        f"{kind}: {action}"
        for kind in kinds
        for action in needed(kind, index)
        if action.partition(":")[0] not in BEYOND and not any(fnmatchcase(action, pattern) for pattern in allowed)
    }

    assert not missing


def test_what_is_left_out_is_named_in_the_documentation(repository: Path) -> None:
    page = (repository / "docs" / "deploy.md").read_text()

    assert not [
        service
        for service in BEYOND
        if service not in ("billing", "firehose", "s3tables") and f"`{service}:" not in page
    ]
