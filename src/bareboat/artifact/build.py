"""Service -> Artifacts. The one place where forests and packaging meet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat.artifact.beside import Beside
from bareboat.artifact.dependencies import (
    Dependencies,
    Needs,
    requirement_rules,
    resolve_dependencies,
    slimming_of,
    vendored_files,
)
from bareboat.artifact.fetch import fetched
from bareboat.artifact.layers import LayerBuilder, without_layers
from bareboat.artifact.locking import Locking, declared_target, lock_models, plan_state
from bareboat.artifact.model import Artifact
from bareboat.artifact.output import OUTPUT, forget_archives, prepare_output
from bareboat.artifact.passwords import password_notes
from bareboat.artifact.plan import Plan, make_plans
from bareboat.artifact.proof.events import sample_files
from bareboat.artifact.record import Inputs, read_record, recorded_artifact, settings_of, write_record
from bareboat.artifact.shipping import (
    CODE,
    imports_of_bareboat,
    kernel_file,
    nothing_to_unzip,
    runtime_files,
    shipped_files,
)
from bareboat.errors import PackagingError
from bareboat.packaging.cache import cache_folder, scratch_folder, tidy
from bareboat.packaging.exclusive import exclusive
from bareboat.packaging.folder import Selection, select_files
from bareboat.packaging.interpreters import Interpreter, find_python
from bareboat.packaging.lock import LOCK
from bareboat.packaging.sizes import UNZIPPED_BYTES
from bareboat.packaging.target import Target
from bareboat.service.model import Note, Service, local_file

if TYPE_CHECKING:
    from bareboat.packaging.packs import Contents, Pack


def build(
    service: Service,
    *,
    function: str | None = None,
    target: Target | None = None,
    on_step: Callable[[str], None] = lambda _: None,
    upgrade: bool = False,
    locking: Locking | None = None,
    limit_bytes: int = UNZIPPED_BYTES,
    layers: LayerBuilder | None = None,
) -> dict[str, Artifact]:
    """Build the archives of a service into `.bareboat/` beside serverless.yml.

    What has not changed since its last build is not built again. Two builds at once wait for each other; one that is
    interrupted leaves nothing that the next would take for whole.

    Args:
        function: build only the archive that serves it.
        target: the machine to build for; None is each function's own Lambda target.
        on_step: told what is under way.
        upgrade: choose versions anew instead of honouring bareboat.lock.
        locking: how bareboat.lock is treated, in more detail.
        limit_bytes: what an archive may weigh unzipped: Lambda's limit, or more for what becomes an image.
        layers: what builds the layers of functions, and knows afterwards which ones are built.
    Returns:
        function name -> Artifact; functions that share an archive share the object.
    Raises:
        ConfigurationError: no such function, a handler's file is missing, features or labels do not fit the model.
        ModelError: the model file cannot be read.
        PackagingError: requirements, native libraries, the limit of 262,144,000 bytes, the disk.
        RemoteError: the store of a model refuses, or has other content than bareboat.lock pins.
        ArtifactError: `package.artifact` is no zip, or this installation lacks the kernel.
    """
    locking = locking or Locking(write=target is None, upgrade=upgrade)
    service = fetched(
        service,
        function=function,
        locked=locking.locked,
        upgrade=locking.upgrade,
        write=locking.write,
        remember=True,
        on_step=on_step,
    )
    artifacts: dict[str, Artifact] = {}
    layers = layers or LayerBuilder(service, on_step, locking=locking)
    for plan in make_plans(service, function=function, target=target, limit_bytes=limit_bytes):
        try:
            artifact = _artifact(service, plan, layers, on_step, locking)
        except PermissionError as error:
            raise _unreadable(service, error) from error
        artifacts.update(dict.fromkeys((one.name for one in plan.functions), artifact))
    return {name: artifacts[name] for name in service.functions if name in artifacts}


def _unreadable(service: Service, error: PermissionError) -> PermissionError | PackagingError:
    """Return what to tell of a file of the project that this user may not read."""
    path = Path(str(error.filename))
    if error.filename is None or not path.is_relative_to(service.folder):
        return error
    name = path.relative_to(service.folder).as_posix()
    return PackagingError(
        f"{name} cannot be read: {error.strerror}",
        expected="a file that this user may read, since it ships",
        fix=f"chmod u+r {name}, or leave it out: package: {{patterns: ['!{name}']}}",
        where=name,
    )


def _artifact(
    service: Service, plan: Plan, layers: LayerBuilder, on_step: Callable[[str], None], locking: Locking
) -> Artifact:
    beside = _beside(layers, plan)
    if plan.ready is not None:
        from bareboat.artifact.ready import ready_artifact

        return ready_artifact(plan, plan.ready, beside)
    interpreter = find_python(plan.target.python)
    selection = _selection(service, plan)
    inputs = _inputs(service, plan, beside, selection, interpreter)
    folder = service.folder / OUTPUT
    reused = _unchanged(service, plan, beside, inputs, locking)
    if reused is not None:
        return reused
    prepare_output(folder)
    with exclusive(folder / "build.lock", on_wait=lambda: on_step("Waiting for another build of this project")):
        reused = _unchanged(service, plan, beside, inputs, locking)
        if reused is not None:
            return reused
        for left in (folder, cache_folder("work")):
            tidy(left)
        if locking.locked:
            lock_models(service, plan, locking)  # before the dear part
        with scratch_folder(folder) as scratch:
            artifact, dependencies = _make(service, plan, layers, selection, interpreter, scratch, on_step, locking)
        in_lock = lock_models(service, plan, locking) and dependencies.in_lock
        state = plan_state(service, plan)
        fingerprint = inputs.fingerprint(dependencies.files, state) if dependencies.lasting else ""
        write_record(folder, plan, artifact, fingerprint, dependencies.files, in_lock=in_lock)
        forget_archives(folder, plan, artifact)
    return artifact


def _beside(layers: LayerBuilder, plan: Plan) -> Beside:
    declared = declared_target(plan)
    return Beside(layers.build(plan.layers, plan.target, declared=declared, limit_bytes=plan.limit_bytes))


def _unchanged(service: Service, plan: Plan, beside: Beside, inputs: Inputs, locking: Locking) -> Artifact | None:
    folder = service.folder / OUTPUT
    record = None if locking.renews else read_record(folder, plan)
    if record is None:
        return None
    state = plan_state(service, plan)
    if record.fingerprint not in {each.fingerprint(record.more_files, state) for each in _as_good(service, inputs)}:
        return None
    if locking.needs_lock and not record.in_lock:
        return None
    return replace(recorded_artifact(folder, record, plan.target), layers=beside.layers)


def _as_good(service: Service, inputs: Inputs) -> tuple[Inputs, ...]:
    """Return the inputs of builds whose archive will do: one that was proved is as good as one that need not be."""
    if service.proof:
        return (inputs,)
    return (inputs, replace(inputs, settings={**inputs.settings, "proof": True}))


def _selection(service: Service, plan: Plan) -> Selection:
    patterns = (*without_layers(service), *plan.patterns)
    try:
        return select_files(service.folder, patterns, whole=plan.whole, also_not=frozenset({service.path.name, LOCK}))
    except PackagingError as error:
        for problem in error.problems:
            problem.where = problem.where or _place(service.path, patterns, problem.found)
        raise


def _place(path: Path, patterns: Sequence[str], found: str) -> str:
    """Return the line of serverless.yml that has the pattern that a message names, else the file."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    named = [pattern for pattern in patterns if repr(pattern) in found]
    return next((f"{path}:{number}" for number, line in enumerate(lines, 1) for one in named if one in line), str(path))


def _inputs(
    service: Service, plan: Plan, beside: Beside, selection: Selection, interpreter: Interpreter | None
) -> Inputs:
    from bareboat.packaging.requirements import source_files

    files = [*runtime_files().values(), kernel_file(plan.target)[1]]
    if plan.model is not None:
        files += [
            each for model in plan.model.served_models for file in model.files for each in _files_of(local_file(file))
        ]
    if plan.whole:
        files += source_files(service.folder, requirement_rules(service))
    files += [path for one in plan.functions for path in sample_files(service, one)]
    more: dict[str, Any] = {
        "python": os.environ.get("BAREBOAT_PYTHON"),
        "service": service.name,
        "slim": service.slim,
        "proof": service.proof,
        "layers": [(layer.name, layer.digest) for layer in beside.layers],
        "requirements": asdict(service.python_requirements) if plan.whole else None,
    }
    found = (*selection.files, *vendored_files(service, plan).files)
    return Inputs(settings_of(plan, interpreter, more), found, tuple(files))


def _price(artifact: Artifact, function: str) -> Note:
    """Say what an engine beside bareboat's own costs."""
    sizes = artifact.manifest.get("sizes", ())
    own = sum(size["zipped_bytes"] for size in sizes if not size["version"])
    text = (
        f"functions.{function} needs packages for its model: the zip has {artifact.size_mb:.1f} MB, without them "
        f"{own / 1e6:.1f} MB; what they cost at a cold start, `bareboat invoke local -f {function}` shows as Init "
        "Duration and Max Memory Used (docs/engines.md compares the engines)"
    )
    return Note("warning", text)


def _files_of(model: Path) -> Iterator[Path]:
    """Yield a model's file, or all that is in the folder of an MLflow model."""
    if model.is_dir():
        yield from sorted(path for path in model.rglob("*") if path.is_file())
    else:
        yield model


def _make(
    service: Service,
    plan: Plan,
    layers: LayerBuilder,
    selection: Selection,
    interpreter: Interpreter | None,
    scratch: Path,
    on_step: Callable[[str], None],
    locking: Locking,
) -> tuple[Artifact, Dependencies]:
    """Build one archive, of what is returned beside it; its files are all that only the build itself knew of."""
    from bareboat.artifact.assemble import Parts, assemble
    from bareboat.artifact.proof.layers import prove_layers
    from bareboat.artifact.proof.slimmed import Build, Side, slimmed_packages
    from bareboat.packaging.packs import make_packs

    contents, signature, notes, needs = _contents(service, plan, selection, on_step)
    own = make_packs(contents, interpreter, scratch)
    notes += _uncompiled(own, plan)
    beside = _beside(layers, plan)
    dependencies = resolve_dependencies(service, plan, needs, on_step, locking=locking, beside=beside)

    def twin(other: Plan) -> Side:
        """Gather the same archive for this machine, to prove it on."""
        its_contents, _, _, its_needs = _contents(service, other, selection, on_step)
        its_beside = _beside(layers, other)
        with_them = resolve_dependencies(
            service, other, its_needs, on_step, locking=Locking(write=False), beside=its_beside
        )
        (scratch / "twin").mkdir(exist_ok=True)
        its_own = make_packs([*its_contents, *_stored(its_needs)], interpreter, scratch / "twin")
        return Side(other, its_own, with_them.resolution, its_beside, with_them.notes)

    stored = make_packs(_stored(needs), None, scratch) if dependencies.resolution is not None else ()
    wanted_libraries = service.python_requirements.docker_extra_files if plan.whole else ()
    proving = Build(service, slimming_of(service), interpreter, twin, wanted_libraries, scratch, on_step)
    side = Side(plan, (*own, *stored), dependencies.resolution, beside)
    slimmed = slimmed_packages(proving, side)
    proved = prove_layers(proving, side, slimmed.packs, layers)
    parts = Parts(
        packs=(*own, *slimmed.packs),
        interpreter=interpreter,
        wanted_libraries=wanted_libraries,
        signature=signature,
        notes=tuple(dict.fromkeys((*notes, *dependencies.notes, *slimmed.notes, *proved.notes))),
        proof=slimmed.proof or proved.proof,
        beside=beside,
    )
    artifact = assemble(service, plan, parts, scratch, service.folder / OUTPUT, on_step)
    if needs.packages:
        artifact = replace(artifact, notes=(*artifact.notes, _price(artifact, plan.functions[0].name)))
    files = (*dependencies.files, *map(str, needs.modules.values()))
    return artifact, replace(dependencies, files=files)


def _stored(needs: Needs) -> list[Contents]:
    """Return what a proof has beside what ships: the models that a cold start fetches."""
    from bareboat.packaging.packs import Contents

    return [Contents("model in a store", "", needs.stored)] if needs.stored else []


def _contents(
    service: Service, plan: Plan, selection: Selection, on_step: Callable[[str], None]
) -> tuple[list[Contents], dict[str, Any], list[Note], Needs]:
    """Return what is packed anew in every build: bareboat's runtime, the model, the project, `vendor`."""
    from bareboat.packaging.packs import Contents

    notes = [*(Note("warning", text) for text in selection.notes), *password_notes(selection)]
    project = {found.path: found.source for found in selection.files}
    importing = imports_of_bareboat(project.items())
    contents = []
    signature: dict[str, Any] = {}
    needs = Needs()
    if plan.model is not None:
        from bareboat.artifact.models import model_files

        made = model_files(plan.model, on_step, folder=service.folder, python=plan.target.python)
        signature[plan.model.name] = made.signature
        uses = {*made.uses, *((CODE,) if plan.whole or importing else ())}
        contents.append(Contents("bareboat runtime", "", shipped_files(plan.target, uses)))
        contents.append(Contents("model", "", made.files))
        notes += made.notes
        needs = Needs(made.packages, made.modules, made.fetched)
    elif importing:
        contents.append(Contents("bareboat runtime", "", shipped_files(plan.target)))
    notes += _beyond_runtime(importing)
    files: dict[str, Path | bytes] = {**needs.modules, **project}
    if service.python_requirements.zip and plan.whole:
        files = nothing_to_unzip(files)
    contents.append(Contents("project", "", files))
    vendored = vendored_files(service, plan).files
    if vendored:
        contents.append(Contents("vendor", "", {found.path: found.source for found in vendored}))
    return contents, signature, notes, needs


def _beyond_runtime(importing: dict[str, tuple[str, ...]]) -> list[Note]:
    ships = ("bareboat.runtime", "bareboat.errors")
    return [
        Note("warning", f"imports {module}, which does not ship; bareboat.runtime does", path)
        for path, modules in importing.items()
        for module in modules
        if module != "bareboat" and module not in ships and not module.startswith("bareboat.runtime.")
    ]


def _uncompiled(packs: tuple[Pack, ...], plan: Plan) -> list[Note]:
    return [
        Note("warning", f"does not compile under python{plan.target.python}; it ships as it is", path)
        for pack in packs
        for path in pack.not_compiled
    ]
