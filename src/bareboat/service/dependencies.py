"""`custom.pythonRequirements` -> PythonRequirements."""

from __future__ import annotations

from bareboat.service.check import Checker
from bareboat.service.keys.requirements import NO_MEANING, PythonRequirementsKeys
from bareboat.service.model import PythonRequirements
from bareboat.service.nodes import Node, plain
from bareboat.service.report import Report

PATH = "custom.pythonRequirements"


def python_requirements(node: Node | None, checker: Checker, report: Report) -> PythonRequirements:
    """Return the options that have a meaning here; the others get a note that says what bareboat does instead."""
    if node is None or node.state:
        return PythonRequirements()
    keys = checker.keys(node, PythonRequirementsKeys, PATH)
    if not isinstance(keys, PythonRequirementsKeys):
        return PythonRequirements()
    for name, child in node.items():
        if child.value is None:
            continue
        if name in NO_MEANING:
            report.info(f"{PATH}.{name} has no meaning here: {NO_MEANING[name]}", node.key_place(name))
        if name in NO_MEANING or child.state:
            continue
        report.value(f"{PATH}.{name}", plain(child), child)
    if keys.layer:
        child_place = node.key_place("layer")
        report.warn(f"{PATH}.layer: a layer of dependencies is not made yet; they go into the artifact", child_place)
    if keys.vendor:
        report.info(f"{PATH}.vendor: {keys.vendor} is copied into the artifact", node.key_place("vendor"))
    patterns = keys.slim_patterns if isinstance(keys.slim_patterns, list) else []
    append = keys.slim_patterns_append_defaults is not False
    defaults = PythonRequirements()
    return PythonRequirements(
        file_name=keys.file_name or defaults.file_name,
        slim=bool(keys.slim),
        slim_patterns=tuple(patterns),
        slim_patterns_append_defaults=append,
        strip=keys.strip is not False,
        zip=bool(keys.zip),
        layer=keys.layer or False,
        no_deploy=tuple(keys.no_deploy or ()),
        vendor=keys.vendor or "",
        use_pipenv=keys.use_pipenv is not False,
        use_poetry=keys.use_poetry is not False,
        docker_extra_files=tuple(keys.docker_extra_files or ()),
        pip_extra_args=tuple(keys.pip_cmd_extra_args or ()),
    )
