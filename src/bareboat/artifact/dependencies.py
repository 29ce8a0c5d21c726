"""What a project and its models need from package indexes -> packs, resolved, installed and slimmed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.artifact.beside import Beside, Brought, other_versions
from bareboat.artifact.plan import Plan
from bareboat.errors import PackagingError
from bareboat.packaging.folder import Selection, select_files
from bareboat.service.layer import Layer
from bareboat.service.model import Note, Service

if TYPE_CHECKING:
    from bareboat.artifact.locking import Locking
    from bareboat.packaging.requirements import RequirementRules, Requirements
    from bareboat.packaging.resolve import Resolution
    from bareboat.packaging.slim import Slimming
    from bareboat.packaging.target import Target
    from bareboat.pipeline.foreign.model import Package


@dataclass(frozen=True, slots=True)
class Needs:
    """What models need beside bareboat's runtime: packages, each with the model file, and the user's own modules.

    Args:
        stored: models that do not ship, since a cold start fetches them; a proof has them where they would lie.
    """

    packages: tuple[tuple[Package, Path], ...] = ()
    modules: Mapping[str, Path] = field(default_factory=dict)
    stored: Mapping[str, Path | bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What to install, exactly.

    Args:
        resolution: None when nothing is needed.
        notes: what a person should know of the resolution.
        files: what was read to know it; when one changes, so may the resolution.
        lasting: False when a package is a folder, which may change at any time.
        in_lock: whether bareboat.lock holds it as it is.
    """

    resolution: Resolution | None = None
    notes: tuple[Note, ...] = ()
    files: tuple[str, ...] = ()
    lasting: bool = True
    in_lock: bool = True


def resolve_dependencies(
    service: Service,
    plan: Plan,
    needs: Needs,
    on_step: Callable[[str], None],
    *,
    locking: Locking,
    beside: Beside = Beside(),  # noqa: B008 - frozen
) -> Dependencies:
    """Choose the exact packages of an archive, as they were locked, but for those that its layers bring.

    Raises:
        PackagingError: a requirement does not exist, conflicts, has nothing that runs on the target, or is there in
            another version in a layer.
    """
    if not plan.whole and not needs.packages:
        return Dependencies()
    from bareboat.artifact.locking import declared_target, environment_name, locked_resolution
    from bareboat.packaging.requirements import Requirements, canonical, read_requirements

    requirements = Requirements("", service.folder)
    if plan.whole:
        requirements = read_requirements(service.folder, requirement_rules(service))
    if needs.packages:
        from bareboat.artifact.needs import with_packages  # which knows models, and numpy

        requirements = with_packages(requirements, needs.packages, plan.target)
    free = requirements
    brought = beside.packages()
    if brought:
        pinned = "".join(f"{name}=={version}\n" for name, (version, _) in sorted(brought.items()))
        requirements = replace(requirements, constraints=f"{requirements.constraints}\n{pinned}")
    try:
        locked = locked_resolution(
            requirements,
            plan.target,
            name=environment_name(plan),
            declared=declared_target(plan),
            folder=service.folder,
            locking=locking,
            on_step=on_step,
        )
    except PackagingError as error:
        if brought:
            _refuse_other_versions(free, plan, brought, error)
        raise
    resolution = locked.resolution
    resolution = replace(resolution, pins=tuple(pin for pin in resolution.pins if canonical(pin.name) not in brought))
    return Dependencies(
        resolution=resolution,
        notes=_notes(requirements, resolution),
        files=tuple(str(path) for path in requirements.files),
        lasting=all(pin.kind != "directory" for pin in resolution.pins),
        in_lock=locked.in_lock,
    )


def _notes(requirements: Requirements, resolution: Resolution) -> tuple[Note, ...]:
    about_files = tuple(Note("warning", note) for note in requirements.notes)
    return (*about_files, *(Note("warning", note, requirements.source) for note in resolution.notes))


def _refuse_other_versions(
    free: Requirements, plan: Plan, brought: Mapping[str, Brought], error: PackagingError
) -> None:
    """Raise with what differs, if the requirements would do but for the layers' versions."""
    from bareboat.packaging.requirements import canonical
    from bareboat.packaging.resolve import resolve

    try:
        resolution = resolve(free, plan.target)
    except PackagingError:
        return  # they would not do either way: the first error says why
    pins = {canonical(pin.name): pin.version for pin in resolution.pins}
    differing = other_versions(pins, brought, free.source, (one.name for one in plan.functions), free.pinned)
    if differing is not None:
        raise differing from error


def resolve_layer(
    service: Service,
    layer: Layer,
    plan: Plan,
    on_step: Callable[[str], None],
    *,
    locking: Locking,
    declared: Target,
) -> Dependencies:
    """Choose the exact packages of a layer, as they were locked.

    Raises:
        PackagingError: a requirement does not exist, conflicts, or has nothing that runs on the target.
    """
    if layer.requirements is None:
        return Dependencies()
    from bareboat.artifact.locking import layer_name, locked_resolution
    from bareboat.packaging.requirements import given_requirements, read_requirements, read_requirements_file

    rules = requirement_rules(service)
    if layer.requirements == "project":
        requirements = read_requirements(service.folder, rules)
    elif isinstance(layer.requirements, Path):
        requirements = read_requirements_file(layer.requirements, rules)
    else:
        requirements = given_requirements(
            layer.requirements,
            origins=layer.places,
            source=f"layers.{layer.name}.requirements",
            folder=service.folder,
            rules=rules,
        )
    locked = locked_resolution(
        requirements,
        plan.target,
        name=layer_name(layer, declared),
        declared=declared,
        folder=service.folder,
        locking=locking,
        on_step=on_step,
    )
    resolution = locked.resolution
    return Dependencies(
        resolution=resolution,
        notes=_notes(requirements, resolution),
        files=tuple(str(path) for path in requirements.files),
        lasting=all(pin.kind != "directory" for pin in resolution.pins),
        in_lock=locked.in_lock,
    )


def slimming_of(service: Service) -> Slimming:
    """Return how dependencies are slimmed."""
    from bareboat.packaging.slim import Slimming

    said = service.python_requirements
    return Slimming(
        level=service.slim,
        patterns=said.slim_patterns,
        defaults=said.slim_patterns_append_defaults or not said.slim_patterns,
        strip=said.strip,
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
