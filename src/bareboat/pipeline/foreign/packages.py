"""Modules that a model's file names -> the distributions that bring them, and the modules that are the user's own."""

from __future__ import annotations

import ast
import contextlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Iterable
from typing import Any

_IMPLIED = {("lightgbm", "sklearn"): "sklearn", ("xgboost", "sklearn"): "sklearn"}
"""(package, part of a module's name) -> a further module that it imports, and that its metadata does not name."""

_WITHOUT_GPU = {"xgboost": "xgboost-cpu", "onnxruntime-gpu": "onnxruntime"}
"""What brings hundreds of megabytes for GPUs, which Lambda has not -> the same without them."""


def packages_of(modules: Iterable[str], also: Iterable[str] = ()) -> dict[str, list[dict[str, Any]]]:
    """Return what a model needs to be opened elsewhere.

    Args:
        modules: that its file names, such as `sklearn.pipeline`.
        also: top-level modules that serving it takes besides.
    Returns:
        `packages`: name, version, module (why it is needed) and `local`, the place of one that no index has, or "".
        `modules`: name and file of those that no distribution brings.
    """
    modules = _with_imports(set(modules))
    wanted: dict[str, str] = dict.fromkeys(also, "")
    own: dict[str, str] = {}
    for module in sorted(modules):
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or top == "__main__":
            continue
        wanted.setdefault(top, module)
        for (package, part), implied in _IMPLIED.items():
            if top == package and part in module.split("."):
                wanted.setdefault(implied, module)
    brings = importlib.metadata.packages_distributions()
    packages: dict[str, dict[str, Any]] = {}
    for top, why in wanted.items():
        names = brings.get(top)
        if names:
            packages.setdefault(names[0], _package(names[0], top))
            continue
        for module in sorted(modules):
            if module.partition(".")[0] == top:
                own[module] = str(getattr(sys.modules.get(module), "__file__", None) or "")
        if not any(module.partition(".")[0] == top for module in own):
            own[why or top] = ""
    return {
        "packages": list(packages.values()),
        "modules": [{"name": name, "file": file} for name, file in own.items()],
    }


def _with_imports(modules: set[str]) -> set[str]:
    """Add what the user's own modules import: those that lie in the current folder, and what these import."""
    home = os.getcwd() + os.sep  # noqa: PTH109 - the child's modules are looked for there
    found, waiting = set(modules), list(modules)
    while waiting:
        module = waiting.pop()
        file = str(getattr(sys.modules.get(module), "__file__", None) or "")
        if not file.startswith(home) or not file.endswith(".py") or "site-packages" in file:
            continue
        with open(file, "rb") as source:  # noqa: PTH123
            tree = ast.parse(source.read())
        for node in ast.walk(tree):
            for name in _imported(node, module):
                if name not in found and name in sys.modules:
                    found.add(name)
                    waiting.append(name)
    return found


def _imported(node: ast.AST, module: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parent = module.split(".")[: -node.level] or [module]
            base = ".".join([*parent, *([base] if base else [])])
        return [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return []


def _package(name: str, module: str) -> dict[str, Any]:
    distribution = importlib.metadata.distribution(name)
    local = ""
    with contextlib.suppress(ValueError):
        local = str(json.loads(distribution.read_text("direct_url.json") or "{}").get("url", ""))
    canonical = name.lower().replace("_", "-")
    return {
        "name": _WITHOUT_GPU.get(canonical, canonical),
        "version": distribution.version.partition("+")[0],  # 2.5.1+cu124 is 2.5.1 on the index
        "module": module,
        "local": local,
    }
