"""`bareboat package`: an artifact for Lambda of each function, with a size report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.cloud import distinct, tell_built
from bareboat.cli.function_images import ImageFlags, image_options, package_images
from bareboat.cli.functions import chosen, function_option
from bareboat.cli.group import Command
from bareboat.cli.layers import layer_document, layers_of, report_layers, with_layers_bytes
from bareboat.cli.locked import tell_lock
from bareboat.cli.options import Source, service_options, slim_option, slimmed
from bareboat.cli.terminal import Terminal, shown
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact, LayerArtifact
    from bareboat.service.model import Service, Slim


@click.command(cls=Command)
@function_option("Package this function only.")
@click.option(
    "-o",
    "--output",
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Copy the archives here too, with bareboat.json, which tells other tools what they are. "
    "An image is written to a folder as OCI layout, or to a file that ends in .tar.",
)
@slim_option
@click.option(
    "--treemap",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw what ships and what was left out as a page of HTML.",
)
@click.option("--upgrade", is_flag=True, help="Choose versions anew, and renew bareboat.lock.")
@click.option("--locked", is_flag=True, help="Fail rather than change bareboat.lock, as a pipeline should.")
@image_options
@service_options
@click.pass_obj
def package(  # noqa: PLR0913, PLR0917 - one argument a flag
    terminal: Terminal,
    source: Source,
    name: str | None,
    output: Path | None,
    slim: Slim | None,
    treemap: Path | None,
    upgrade: bool,
    locked: bool,
    image: ImageFlags | None,
) -> None:
    """Package each function and its dependencies for Lambda.

    The archives lie in .bareboat/ beside serverless.yml. What has not changed since the last time is not built again.
    """
    from bareboat.artifact import LayerBuilder, build
    from bareboat.artifact.locking import Locking
    from bareboat.artifact.report import proof_lines
    from bareboat.packaging.lock import LOCK, read_lock

    if upgrade and locked:
        raise click.UsageError("--upgrade renews bareboat.lock, and --locked forbids it")
    if treemap is not None and image is not None:
        raise click.UsageError("--treemap draws archives: it does not go with --image, whose layers the table shows")
    service = slimmed(source.load(terminal), slim)
    terminal.notes(service.notes)
    if name is not None:
        chosen(service, name)
    if image is not None:
        locking = Locking(write=not locked, locked=locked, upgrade=upgrade)
        package_images(terminal, service, name, image, locking, output)
        return
    with terminal.progress("Packaging") as step:
        before = read_lock(service.folder / LOCK)
        locking = Locking(write=not locked, locked=locked, upgrade=upgrade)
        builder = LayerBuilder(service, step, locking=locking)
        artifacts = distinct(build(service, function=name, on_step=step, layers=builder, locking=locking))
        layers = layers_of(artifacts)
        if name is None:
            layers += builder.build_rest()
    tell_built(terminal, artifacts)
    tell_lock(terminal, before, read_lock(service.folder / LOCK))
    everything: list[Artifact | LayerArtifact] = [*artifacts, *layers]
    if treemap is not None:
        from bareboat.artifact.treemap import write_treemap

        write_treemap(everything, treemap)
    copies = [] if output is None else _copy_all(service, artifacts, layers, output)
    if terminal.as_json:
        documents = [_document(artifact) for artifact in artifacts]
        terminal.document([*documents, *(layer_document(layer, artifacts) for layer in layers)])
    else:
        _report(terminal, artifacts, layers)
    if not artifacts:
        terminal.warning(f"{service.name} has no functions, so that there is nothing to package")
        return
    for artifact in artifacts:
        for line in proof_lines(artifact.manifest):
            terminal.say(line)
    for copy in copies:
        terminal.say(f"copied to {copy}")
    if treemap is not None:
        terminal.say(f"drawn in {shown(treemap)}")
    flags = source.flags + (f" --slim {slim}" if slim is not None else "")
    terminal.next(f"bareboat invoke local{flags}{_event(service, artifacts[0])}", f"bareboat serve{flags}")


def _event(service: Service, artifact: Artifact) -> str:
    """Return the flags that invoke a function that was packaged, with its first sample."""
    from bareboat.artifact.proof.events import sample_events

    function = service.functions[artifact.functions[0]]
    flags = f" -f {function.name}" if len(service.functions) > 1 else ""
    samples = sample_events(service, function)
    if samples:
        flags += samples[0].flag(samples[0].file and shown(samples[0].file))
    return flags


def _report(terminal: Terminal, artifacts: list[Artifact], layers: list[LayerArtifact]) -> None:
    """Show the archives and the layers, then for each what it holds, package by package."""
    from bareboat.artifact.report import package_rows

    if artifacts:
        more = ("with_layers_mb",) if layers else ()
        terminal.table(
            ("functions", "target", "size_mb", "unzipped_mb", *more, "state", "artifact"),
            [
                (
                    ", ".join(artifact.functions),
                    artifact.target,
                    _mb(artifact.size_bytes),
                    _mb(artifact.unzipped_bytes),
                    *(_mb(with_layers_bytes(artifact)) for _ in more),
                    "unchanged" if artifact.reused else "built",
                    shown(artifact.path),
                )
                for artifact in artifacts
            ],
        )
    report_layers(terminal, layers, artifacts)
    everything: list[Artifact | LayerArtifact] = [*artifacts, *layers]
    for artifact in everything:
        rows = package_rows(artifact.manifest)
        if rows:
            terminal.write("" if len(everything) == 1 else f"\n{artifact.path.name}")
            terminal.table(
                ("package", "version", "files", "installed_mb", "unzipped_mb", "bytecode_mb", "size_mb", "left_out_mb"),
                [
                    (
                        row.name,
                        row.version,
                        row.files,
                        *map(_mb, (row.installed_bytes, row.unzipped_bytes, row.bytecode_bytes, row.zipped_bytes)),
                        row.why,
                    )
                    for row in rows
                ],
            )


def _document(artifact: Artifact) -> dict[str, Any]:
    from bareboat.artifact.report import package_rows

    return {
        "artifact": str(artifact.path),
        "sha256": artifact.digest,
        "functions": list(artifact.functions),
        "handlers": dict(artifact.handlers),
        "target": str(artifact.target),
        "size_bytes": artifact.size_bytes,
        "unzipped_bytes": artifact.unzipped_bytes,
        "reused": artifact.reused,
        "layers": [layer.name for layer in artifact.layers],
        "slim": artifact.manifest.get("slim"),
        "packages": [row.document() for row in package_rows(artifact.manifest)],
        "bundled": artifact.manifest.get("bundled", {}),
        "proof": artifact.manifest.get("proof"),
        "notes": [{"level": note.level, "text": note.text, "where": note.where} for note in artifact.notes],
    }


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.3f}"


def _copy_all(service: Service, artifacts: list[Artifact], layers: list[LayerArtifact], folder: Path) -> list[Path]:
    """Copy archives to a folder, with what tells other tools of them; return what is there then."""
    from bareboat.artifact.contract import NAME, contract, file_names, text_of
    from bareboat.packaging.cache import copy_whole, write_whole

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BareboatError(f"{folder} cannot be made: {error.strerror}", fix="--output with another folder") from error
    everything: list[Artifact | LayerArtifact] = [*artifacts, *layers]
    copies = []
    for path, name in file_names(everything).items():
        copy_whole(path, folder / name)
        copies.append(folder / name)
    document = text_of(contract(service, artifacts, layers))
    write_whole(folder / NAME, document.encode())
    return [*copies, folder / NAME]
