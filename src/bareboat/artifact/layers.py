"""`layers` of serverless.yml -> LayerArtifacts: zips that Lambda lays to /opt, shared between functions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat.artifact.dependencies import requirement_rules, resolve_layer
from bareboat.artifact.locking import Locking, layer_name, lock_state
from bareboat.artifact.model import Artifact, LayerArtifact
from bareboat.artifact.output import OUTPUT, forget_archives, prepare_output
from bareboat.artifact.plan import Plan
from bareboat.artifact.record import Inputs, read_record, recorded_artifact, settings_of, write_record
from bareboat.packaging.cache import scratch_folder, tidy
from bareboat.packaging.exclusive import exclusive
from bareboat.packaging.folder import Selection, select_files
from bareboat.packaging.interpreters import Interpreter, find_python
from bareboat.packaging.sizes import UNZIPPED_BYTES
from bareboat.packaging.target import Target
from bareboat.service.layer import Layer
from bareboat.service.model import Service

if TYPE_CHECKING:
    from bareboat.packaging.pins import Pin
    from bareboat.packaging.resolve import Resolution


class LayerBuilder:
    """Builds layers of a service, each once for each target.

    Args:
        on_step: told what is under way.
        locking: how bareboat.lock is treated.
    """

    def __init__(
        self, service: Service, on_step: Callable[[str], None] = lambda _: None, *, locking: Locking | None = None
    ) -> None:
        self._service = service
        self._on_step = on_step
        self._locking = locking or Locking()
        self._made: dict[tuple[str, Target, int], LayerArtifact] = {}

    def build(
        self,
        names: Iterable[str],
        target: Target,
        *,
        declared: Target | None = None,
        limit_bytes: int = UNZIPPED_BYTES,
    ) -> tuple[LayerArtifact, ...]:
        """Build layers for a target, or find them unchanged.

        Args:
            declared: the Lambda target whose versions bareboat.lock has, where `target` is another.
            limit_bytes: what a function and its layers may weigh together.
        Raises:
            PackagingError: requirements, native libraries, the limit of 262,144,000 bytes, the disk.
            ArtifactError: a ready-made zip is none.
        """
        return tuple(self._layer(name, target, declared or target, limit_bytes) for name in names)

    def build_rest(self) -> tuple[LayerArtifact, ...]:
        """Build the layers that no function has, each for the target that it declares."""
        built = {name for name, _, _ in self._made}
        return tuple(
            self._layer(layer.name, own, own, UNZIPPED_BYTES)
            for layer in self._service.layers.values()
            for own in (Target(layer.python, layer.architecture),)
            if layer.name not in built
        )

    def resolution(self, names: Iterable[str], target: Target, *, declared: Target) -> Resolution | None:
        """Return the packages of layers together, for a proof; None when they install none.

        Raises:
            PackagingError: as `build` does.
        """
        pins: dict[str, Pin] = {}
        first: Resolution | None = None
        for name in names:
            layer = self._service.layers[name]
            if layer.requirements is None:
                continue
            plan = _plan(self._service, layer, target)
            found = resolve_layer(
                self._service, layer, plan, self._on_step, locking=self._locking, declared=declared
            ).resolution
            first = first or found
            pins |= {pin.name: pin for pin in (found.pins if found is not None else ())}
        return replace(first, pins=tuple(pins[name] for name in sorted(pins))) if first is not None else None

    def _layer(self, name: str, target: Target, declared: Target, limit_bytes: int) -> LayerArtifact:
        key = (name, target, limit_bytes)
        if key not in self._made:
            layer = self._service.layers[name]
            if layer.requirements is not None:  # used, though what is found unchanged never asks the lock
                self._locking.used.add((layer_name(layer, declared), declared.python, declared.architecture))
            plan = _plan(self._service, layer, target, limit_bytes)
            making = _Making(self._service, layer, plan, declared, self._locking)
            self._made[key] = _build(making, self._on_step)
        return self._made[key]


def last_built(service: Service, name: str, target: Target) -> Path | None:
    """Return the zip of a layer as it was built last for a target, or its ready-made one; None when there is none."""
    layer = service.layers[name]
    if layer.artifact is not None:
        return layer.artifact
    record = read_record(service.folder / OUTPUT, _plan(service, layer, target))
    return service.folder / OUTPUT / record.archive if record is not None else None


def _plan(service: Service, layer: Layer, target: Target, limit_bytes: int = UNZIPPED_BYTES) -> Plan:
    return Plan(
        name=f"{service.name}-layer.{layer.name}",
        functions=(),
        target=target,
        patterns=layer.patterns,
        whole=False,
        limit_bytes=limit_bytes,
    )


@dataclass(frozen=True, slots=True)
class _Making:
    service: Service
    layer: Layer
    plan: Plan
    declared: Target
    locking: Locking

    @property
    def lock(self) -> str:
        """What bareboat.lock says of the layer, as a digest."""
        return lock_state(self.service.folder, layer_name(self.layer, self.declared), self.declared)


def _build(making: _Making, on_step: Callable[[str], None]) -> LayerArtifact:
    service, layer, plan, locking = making.service, making.layer, making.plan, making.locking
    if layer.artifact is not None:
        from bareboat.artifact.ready import ready_layer

        return ready_layer(layer.name, layer.artifact, plan)
    interpreter = find_python(plan.target.python)
    key = f"layers.{layer.name}.package.patterns"
    selection = Selection(()) if layer.path is None else select_files(layer.path, layer.patterns, key=key)
    inputs = _inputs(service, layer, plan, selection, interpreter)
    folder = service.folder / OUTPUT
    reused = _unchanged(folder, making, inputs)
    if reused is not None:
        return reused
    prepare_output(folder)
    with exclusive(folder / "layers.lock", on_wait=lambda: on_step("Waiting for another build of this project")):
        reused = _unchanged(folder, making, inputs)
        if reused is not None:
            return reused
        tidy(folder)
        from bareboat.artifact.layer_archive import LayerParts, write_layer

        dependencies = resolve_layer(service, layer, plan, on_step, locking=locking, declared=making.declared)
        with scratch_folder(folder) as scratch:
            parts = LayerParts(selection, dependencies, interpreter)
            made = write_layer(service, layer, plan, parts, scratch, on_step)
        fingerprint = inputs.fingerprint(dependencies.files, making.lock) if dependencies.lasting else ""
        write_record(folder, plan, made, fingerprint, dependencies.files, in_lock=dependencies.in_lock)
        forget_archives(folder, plan, made)
    return _of(layer, made)


def _unchanged(folder: Path, making: _Making, inputs: Inputs) -> LayerArtifact | None:
    record = None if making.locking.renews else read_record(folder, making.plan)
    if record is None or record.fingerprint != inputs.fingerprint(record.more_files, making.lock):
        return None
    if making.locking.needs_lock and not record.in_lock:
        return None
    return _of(making.layer, recorded_artifact(folder, record, making.plan.target))


def _of(layer: Layer, made: Artifact) -> LayerArtifact:
    return LayerArtifact(
        name=layer.name,
        path=made.path,
        digest=made.digest,
        target=made.target,
        size_bytes=made.size_bytes,
        unzipped_bytes=made.unzipped_bytes,
        manifest=made.manifest,
        reused=made.reused,
        notes=made.notes,
    )


def _inputs(
    service: Service, layer: Layer, plan: Plan, selection: Selection, interpreter: Interpreter | None
) -> Inputs:
    from bareboat.packaging.requirements import source_files

    files: tuple[Path, ...] = ()
    if layer.requirements == "project":
        files = source_files(service.folder, requirement_rules(service))
    elif isinstance(layer.requirements, Path):
        files = (layer.requirements,)
    more: dict[str, Any] = {
        "python": os.environ.get("BAREBOAT_PYTHON"),
        "layer": layer.name,
        "asked": str(layer.requirements),
        "slim": service.slim,
        "requirements": asdict(service.python_requirements),
    }
    return Inputs(settings_of(plan, interpreter, more), selection.files, files)


def without_layers(service: Service) -> tuple[str, ...]:
    """Return patterns that keep the folders of layers out of the functions' archives, as Serverless does."""
    folder = service.folder.resolve()
    paths = [layer.path for layer in service.layers.values() if layer.path is not None]
    inside = [path.relative_to(folder).as_posix() for path in paths if path != folder and path.is_relative_to(folder)]
    if not inside:
        return ()
    from wcmatch.glob import escape

    return tuple(f"!{escape(path)}/**" for path in inside)
