"""What ships runs on every Python that Lambda has, from 3.10 on."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "src" / "bareboat"
SHIPPED = [SOURCE / "__init__.py", SOURCE / "errors.py", *sorted((SOURCE / "runtime").rglob("*.py"))]
NETWORK = {"download.py": {"urllib"}, "signed.py": {"urllib"}}  # imported only where a model is fetched at a cold start
COSTLY = {"asyncio", "base64", "dataclasses", "datetime", "http", "inspect", "pathlib", "typing", "urllib", "uuid"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_module_that_ships_has_the_syntax_of_python310(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 10))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_module_that_ships_imports_nothing_that_costs_a_cold_start(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    only_for_checkers = [
        node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    skipped = {id(inner) for node in only_for_checkers for inner in ast.walk(node)}
    imported = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])

    assert not imported & COSTLY - NETWORK.get(path.name, set())
