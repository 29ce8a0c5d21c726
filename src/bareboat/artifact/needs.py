"""Packages that models need, beside what the project says it needs -> Requirements."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bareboat.errors import PackagingError, Problem
from bareboat.packaging.requirements import Requirements, canonical, requirement_name
from bareboat.packaging.target import Target
from bareboat.pipeline.foreign.model import Package

_UNUSED = {
    "onnxruntime": ("coloredlogs", "flatbuffers", "humanfriendly", "mpmath", "packaging", "protobuf", "sympy"),
}
"""What a package names as its requirements and never imports where it serves: onnxruntime needs these to quantize and
to change graphs."""

_EXACT = re.compile(r"^[A-Za-z0-9][\w.-]*(?:\[[^\]]*\])?\s*===?\s*([^\s;,]+)\s*(?:;.*)?$")


def with_packages(requirements: Requirements, packages: Sequence[tuple[Package, Path]], target: Target) -> Requirements:
    """Add what models need to what the project says.

    Args:
        packages: each with the model file that needs it.
        target: ONNX Runtime's wheels for an old glibc are old ones, which need an old numpy.
    Raises:
        PackagingError: the project, or another model, asks for another version; names both.
    """
    asked = _asked(requirements)
    problems: list[Problem] = []
    chosen: dict[str, tuple[Package, Path]] = {}
    for package, model in packages:
        name = canonical(package.name)
        if name in requirements.no_deploy:
            continue
        if name not in asked and package.local:
            problems.append(_local(package, model))
        before = chosen.get(name)
        version, origin = asked.get(name, ("", ""))
        if before is not None and before[0].version:
            version, origin = before[0].version, str(before[1])
        if version and package.version and version != package.version:
            problems.append(_conflict(package, model, version, origin))
        if before is None or not before[0].version:
            chosen[name] = (package, model)
    if problems:
        raise PackagingError(problems[0].found, problems=tuple(problems))
    old = target.system == "linux" and target.glibc < (2, 28)
    lines = [_line(package, old=old and "onnxruntime" in chosen) for package, _ in chosen.values()]
    origins = [str(model) for _, model in chosen.values()]
    unused = {each for name in chosen for each in _UNUSED.get(name, ()) if not asked and each not in chosen}
    kept = requirements.origins or ("",) * requirements.text.count("\n")
    source = " and ".join(filter(None, [requirements.source, f"the model {next(iter(chosen.values()))[1].name}"]))
    return replace(
        requirements,
        source=source if chosen else requirements.source,
        text=requirements.text + "".join(f"{line}\n" for line in lines),
        no_deploy=requirements.no_deploy | (unused if set(chosen) <= {"onnxruntime", "numpy"} else frozenset()),
        origins=(*kept, *origins),
        pinned={name: model.name for name, (package, model) in chosen.items() if package.version},
    )


def _asked(requirements: Requirements) -> dict[str, tuple[str, str]]:
    """Return for each package that the project names its exact version, or "", and where."""
    found: dict[str, tuple[str, str]] = {}
    lines = requirements.text.splitlines()
    origins = requirements.origins or ("",) * len(lines)
    for line, origin in zip(lines, origins, strict=False):
        name = requirement_name(line)
        if name:
            exact = _EXACT.match(line.partition(" --")[0])
            found[name] = (exact[1] if exact is not None else "", origin or requirements.source)
    return found


def _line(package: Package, *, old: bool) -> str:
    if old and package.name == "onnxruntime":
        return package.name  # the newest that runs on Amazon Linux 2
    if old and package.name == "numpy":
        return "numpy<2"  # what its wheels were made with
    return package.requirement


def _conflict(package: Package, model: Path, version: str, origin: str) -> Problem:
    return Problem(
        f"the model needs {package.requirement}, and {origin} asks for {version}",
        expected="one version, that which saved the model",
        fix=f"write {package.requirement} there, or save the model again with {package.name} {version}",
        where=str(model),
    )


def _local(package: Package, model: Path) -> Problem:
    return Problem(
        f"the model needs {package.name} {package.version}, which is installed from {package.local}",
        expected="a package that an index has, or a line in requirements.txt that says where it comes from",
        fix=f"name it in requirements.txt (./wheels/{package.name}.whl, or its folder), with `before` or `after`, or "
        "in custom.pythonRequirements.noDeploy",
        where=str(model),
    )
