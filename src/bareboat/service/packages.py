"""`package` of the service and of a function -> PackageRules."""

from __future__ import annotations

from pathlib import Path

from bareboat.service.keys.file import PackageKeys
from bareboat.service.keys.functions import FunctionPackageKeys
from bareboat.service.model import PackageRules
from bareboat.service.modules import file_in
from bareboat.service.nodes import Node
from bareboat.service.report import Report


def package_rules(
    keys: PackageKeys | FunctionPackageKeys | None, node: Node | None, folder: Path, path: str, report: Report
) -> PackageRules:
    """Return the rules, with `exclude` and `include` put before `patterns` as Serverless does.

    Args:
        keys: the checked mapping, or None when there is none.
        folder: the service's folder, where `artifact` is looked for.
        path: `package`, or `functions.NAME.package`.
    """
    if keys is None or node is None:
        return PackageRules()
    excluded = tuple(pattern if pattern.startswith("!") else f"!{pattern}" for pattern in keys.exclude or ())
    patterns = (*excluded, *(keys.include or ()), *(keys.patterns or ()))
    for older in ("exclude", "include"):
        if node.get(older) is not None:
            report.info(f"{path}.{older} is the older form of patterns; read as such", node.key_place(older))
    if keys.exclude_dev_dependencies is not None:
        report.info(
            "excludeDevDependencies concerns Node.js; the requirements file says what is packaged",
            node.key_place("excludeDevDependencies"),
        )
    artifact = None
    if keys.artifact:
        artifact = file_in(folder, keys.artifact)
        child = node.get("artifact")
        if artifact is None:
            report.problems.add(
                child.place if child else node.place,
                f"{path}.artifact: there is no file {keys.artifact}",
                expected=f"a zip in {folder}",
            )
    return PackageRules(patterns, bool(keys.individually), artifact)
