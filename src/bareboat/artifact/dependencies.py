"""What a project and its models need from package indexes -> packs, resolved, installed and slimmed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.artifact.output import OUTPUT
from bareboat.artifact.plan import Plan
from bareboat.packaging.folder import Selection, select_files
from bareboat.service.model import Note, Service

if TYPE_CHECKING:
    from bareboat.packaging.requirements import RequirementRules
    from bareboat.packaging.resolve import Resolution
    from bareboat.pipeline.foreign.model import Package


@dataclass(frozen=True, slots=True)
class Needs:
    """What models need beside bareboat's runtime: packages, each with the model file, and the user's own modules."""

    packages: tuple[tuple[Package, Path], ...] = ()
    modules: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What to install, exactly.

    Args:
        resolution: None when nothing is needed.
        notes: what a person should know of the resolution.
        files: what was read to know it; when one changes, so may the resolution.
        lasting: False when a package is a folder, which may change at any time.
    """

    resolution: Resolution | None = None
    notes: tuple[Note, ...] = ()
    files: tuple[str, ...] = ()
    lasting: bool = True


def resolve_dependencies(
    service: Service, plan: Plan, needs: Needs, on_step: Callable[[str], None], *, upgrade: bool
) -> Dependencies:
    """Choose the exact packages of an archive, as they were locked.

    Raises:
        PackagingError: a requirement does not exist, conflicts, or has nothing that runs on the target.
    """
    if not plan.whole and not needs.packages:
        return Dependencies()
    from bareboat.artifact.needs import with_packages
    from bareboat.packaging.requirements import Requirements, read_requirements
    from bareboat.packaging.resolve import resolve

    requirements = Requirements("", service.folder)
    if plan.whole:
        requirements = read_requirements(service.folder, requirement_rules(service))
    slug = plan.stem.removeprefix(plan.name).strip("-").replace(".", "")
    if needs.packages:
        requirements = with_packages(requirements, needs.packages, plan.target)
        slug += f"-{plan.functions[0].name}"
    resolution = resolve(
        requirements,
        plan.target,
        lock=service.folder / OUTPUT / f"pylock.{slug}.toml",
        upgrade=upgrade,
        on_step=on_step,
    )
    return Dependencies(
        resolution=resolution,
        notes=tuple(Note("warning", note, requirements.source) for note in resolution.notes),
        files=tuple(str(path) for path in requirements.files),
        lasting=all(pin.kind != "directory" for pin in resolution.pins),
    )


def requirement_rules(service: Service) -> RequirementRules:
    """Return what serverless.yml says of requirements."""
    from bareboat.packaging.requirements import RequirementRules

    said = service.python_requirements
    return RequirementRules(
        file_name=said.file_name,
        use_pipenv=said.use_pipenv,
        use_poetry=said.use_poetry,
        # bareboat itself never ships as a package: what a function may import of it is added as the runtime
        no_deploy=(*said.no_deploy, "bareboat"),
        extra_args=said.pip_extra_args,
    )


def vendored_files(service: Service, plan: Plan) -> Selection:
    """`custom.pythonRequirements.vendor`: the files of a folder that ship at the root, beside the dependencies."""
    vendor = service.python_requirements.vendor
    if not vendor or not plan.whole or not (service.folder / vendor).is_dir():
        return Selection(())
    return select_files((service.folder / vendor).resolve(), ())
