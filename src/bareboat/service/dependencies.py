"""`custom.pythonRequirements` -> PythonRequirements, and with `custom.bareboat` how they are slimmed and proved."""

from __future__ import annotations

from bareboat.service.check import Checker
from bareboat.service.keys.requirements import NO_MEANING, PythonRequirementsKeys
from bareboat.service.model import PythonRequirements, Slim
from bareboat.service.nodes import Node, plain
from bareboat.service.report import Report

PATH = "custom.pythonRequirements"
# measured with lightgbm under AWS's runtime client: benchmarks/cold_start.py
_ZIP = (
    "dependencies ship ready to import, not as a zip inside the archive. Unpacking that at each cold start costs 89 "
    "times the start of an empty handler and 219 MB of /tmp, against 7.6 times without. `import unzip_requirements` "
    "goes on working, and may be taken out"
)
LEVELS: tuple[Slim, ...] = ("none", "safe", "max")


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
            what = "is not needed here" if name == "dockerExtraFiles" else "has no meaning here"
            report.info(f"{PATH}.{name} {what}: {NO_MEANING[name]}", node.key_place(name))
        if name in NO_MEANING or child.state:
            continue
        report.value(f"{PATH}.{name}", plain(child), child)
    if keys.zip:
        report.info(f"{PATH}.zip: {_ZIP}", node.key_place("zip"))
    if keys.vendor:
        report.info(f"{PATH}.vendor: {keys.vendor} is copied into the artifact", node.key_place("vendor"))
    patterns = keys.slim_patterns if isinstance(keys.slim_patterns, list) else []
    append = keys.slim_patterns_append_defaults is not False
    defaults = PythonRequirements()
    return PythonRequirements(
        file_name=keys.file_name or defaults.file_name,
        slim=keys.slim,
        slim_patterns=tuple(patterns),
        slim_patterns_append_defaults=append,
        strip=keys.strip is not False,
        zip=bool(keys.zip),
        layer=bool(keys.layer),
        no_deploy=tuple(keys.no_deploy or ()),
        vendor=keys.vendor or "",
        use_pipenv=keys.use_pipenv is not False,
        use_poetry=keys.use_poetry is not False,
        docker_extra_files=tuple(keys.docker_extra_files or ()),
        pip_extra_args=tuple(keys.pip_cmd_extra_args or ()),
    )


def slim_level(custom: Node | None, requirements: PythonRequirements, report: Report) -> Slim:
    """Return the level of slimming: that of `custom.bareboat`, else none for `slim: false` and safe otherwise."""
    by_plugin: Slim = "none" if requirements.slim is False else "safe"
    node = custom.get("slim") if custom is not None and custom.is_mapping else None
    if node is None or node.value is None or node.state:
        level = by_plugin
    elif node.value in LEVELS:
        level = node.value
        report.value("custom.bareboat.slim", level, node)
    else:
        said = f"'{node.value}'" if isinstance(node.value, str) else str(plain(node)).lower()
        report.problems.add(
            node.place, f"custom.bareboat.slim is {said}", expected="none, safe or max", fix="docs/slimming.md"
        )
        return by_plugin
    if level == "none" and requirements.slim_patterns:
        report.warn(f"{PATH}.slimPatterns takes nothing away: slimming is off")
    return level


def wants_proof(custom: Node | None, report: Report) -> bool:
    """Return whether slimmed packages are proved by the samples: `custom.bareboat.proof`, true unless it says false."""
    node = custom.get("proof") if custom is not None and custom.is_mapping else None
    if node is None or node.value is None or node.state:
        return True
    if not isinstance(node.value, bool):
        said = f"'{node.value}'" if isinstance(node.value, str) else str(plain(node))
        report.problems.add(
            node.place, f"custom.bareboat.proof is {said}", expected="true or false", fix="docs/proof.md"
        )
        return True
    report.value("custom.bareboat.proof", node.value, node)
    return node.value
