"""`bareboat image build`: an image of a project that is no Lambda, from one file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bareboat.cli.group import Command
from bareboat.cli.images import insecure_option, layer_documents, layer_table
from bareboat.cli.terminal import Terminal, shown

if TYPE_CHECKING:
    from bareboat.container.build import Built


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path), default=Path("image.yml"), metavar="[FILE]")
@click.option("-t", "--tag", "name", metavar="NAME:TAG", help="What the image is called, over the file's name.")
@click.option("--base", metavar="REF", help="What it is built on, over the file's base.")
@click.option(
    "--platform", "platforms", multiple=True, metavar="OS/ARCH", help="linux/amd64 or linux/arm64; may be repeated."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="PATH",
    help="Write it here too: a file that ends in .tar for docker load and podman load, else an OCI layout's folder.",
)  # fmt: skip
@click.option(
    "--dockerfile", type=click.Path(path_type=Path, dir_okay=False), metavar="PATH",
    help="Build nothing; write a Dockerfile that builds the same, and the pinned requirements beside it.",
)  # fmt: skip
@click.option("--upgrade", is_flag=True, help="Choose packages anew, and ask the registry for the base anew.")
@insecure_option
@click.pass_obj
def build(  # noqa: PLR0913, PLR0917 - each is a flag
    terminal: Terminal,
    file: Path,
    name: str | None,
    base: str | None,
    platforms: tuple[str, ...],
    output: Path | None,
    dockerfile: Path | None,
    upgrade: bool,
    insecure: bool,
) -> None:
    """Build the image that image.yml describes, without a daemon.

    FILE says what it is built on, which packages and files it has and what it runs (docs/images.md). Before anything
    is built, Python, the framework's wheel, CUDA and cuDNN are compared.
    """
    from bareboat.container.build import build_image
    from bareboat.container.documents import linux_platform
    from bareboat.container.recipe import load_recipe
    from bareboat.container.reference import parse_reference
    from bareboat.container.store import Store

    recipe = load_recipe(file)
    if base is not None:
        places = {**recipe.places, "base": "--base"}
        recipe = replace(recipe, base=base, places=places)
    recipe = replace(recipe, name=name or recipe.name)
    machines = [linux_platform(one) for one in platforms]
    if dockerfile is not None:
        from bareboat.container.dockerfile import write_dockerfile

        with terminal.progress("Resolving") as step:
            written = write_dockerfile(
                recipe, Store.open(), dockerfile, platforms=machines, upgrade=upgrade, insecure=insecure, on_step=step
            )
        terminal.notes(written.notes)
        terminal.result({"dockerfile": str(written.path), "files": [str(path) for path in written.files]},
                        str(shown(written.path)))  # fmt: skip
        terminal.next(f"docker build -t {recipe.name} -f {shown(written.path)} {shown(recipe.folder)}")
        return
    store = Store.open()
    with terminal.progress("Building") as step:
        built = build_image(recipe, store, platforms=machines, upgrade=upgrade, insecure=insecure, on_step=step)
    terminal.notes(built.notes)
    _report(terminal, built)
    if output is not None:
        from bareboat.container.export import export_image

        terminal.say(f"written to {shown(export_image(store.layout, built.descriptor, [built.name], output))}")
    gpus = " --gpus all" if built.gpu.uses_gpu else ""
    there = "" if parse_reference(built.name).names_registry else f" REGISTRY/{built.name}"
    terminal.next(f"bareboat image run{gpus} {built.name}", f"bareboat image push {built.name}{there}")


def _report(terminal: Terminal, built: Built) -> None:
    if terminal.as_json:
        terminal.document(
            {
                "image": built.name,
                "digest": built.descriptor.digest,
                "images": [
                    {
                        "platform": str(image.descriptor.platform),
                        "digest": image.digest,
                        "size_bytes": image.size_bytes,
                        "base": image.base,
                        "base_bytes": image.base_bytes,
                        "layers": layer_documents(image),
                    }
                    for image in built.images
                ],
                "gpu": {
                    "cuda": ".".join(map(str, built.gpu.cuda)),
                    "driver": built.gpu.driver,
                    "parts": [
                        {"part": fact.part, "version": ".".join(map(str, fact.version)), "who": fact.who,
                         "brings": fact.brings, "why": fact.why}
                        for fact in built.gpu.facts
                    ],
                }
                if built.gpu.uses_gpu
                else None,
            }
        )  # fmt: skip
        return
    terminal.write(f"{built.name}  {built.descriptor.digest}")
    for image in built.images:
        terminal.write("" if len(built.images) == 1 else f"\n{image.descriptor.platform}  {image.digest}")
        layer_table(terminal, image)
    if built.gpu.uses_gpu:
        terminal.write("")
        terminal.table(
            ("gpu", "version", "has or needs", "package or base", "from"),
            [
                (fact.part, ".".join(map(str, fact.version)), "has" if fact.brings else "needs", fact.who, fact.why)
                for fact in built.gpu.facts
            ],
        )
        terminal.write(built.gpu.statement)
