"""`bareboat package --image`: its flags, and what it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bareboat.cli.images import layer_documents, layer_table
from bareboat.cli.locked import tell_lock
from bareboat.cli.terminal import Terminal, shown

if TYPE_CHECKING:
    from bareboat.artifact.locking import Locking
    from bareboat.container.function_image import Architecture, FunctionImage
    from bareboat.service.model import Service

F = TypeVar("F", bound=Callable[..., Any])
_ARCHITECTURES = ("x86_64", "arm64")


@dataclass(frozen=True, slots=True)
class ImageFlags:
    """What was said of images: the base and how to get it, architectures over the functions' own, the image's name."""

    base: str | None
    architectures: tuple[Architecture, ...]
    name: str | None
    insecure: bool


def image_options(command: F) -> F:
    """Give a command `--image` and the flags that go with it, handed over as one argument, `image`."""
    from functools import wraps

    @wraps(command)
    def called(
        *args: Any,
        as_image: bool,
        base: str | None,
        architectures: str | None,
        tag: str | None,
        insecure: bool,
        **kwargs: Any,
    ) -> Any:
        said = (("--base", base), ("--architecture", architectures), ("--tag", tag), ("--insecure", insecure or None))
        for flag, value in said:
            if value is not None and not as_image:
                raise click.UsageError(f"{flag} needs --image")
        image = ImageFlags(base, _read(architectures), tag, insecure) if as_image else None
        return command(*args, image=image, **kwargs)

    decorated: Callable[..., Any] = called
    for names, attributes in (
        (
            ("--insecure",),
            {"is_flag": True, "help": "With --image: any certificate of the base's registry, and plain HTTP."},
        ),
        (("-t", "--tag"), {"metavar": "NAME:TAG", "help": "With --image: its name.  [default: the service's]"}),
        (
            ("--architecture", "architectures"),
            {"metavar": "LIST", "help": "With --image: x86_64, arm64, or both.  [default: the function's]"},
        ),
        (
            ("--base",),
            {"metavar": "REF", "help": "With --image: what it is built on.  [default: AWS's image of the Python]"},
        ),
        (("--image", "as_image"), {"is_flag": True, "help": "Make container images for Lambda instead of archives."}),
    ):
        decorated = click.option(*names, **attributes)(decorated)
    return decorated  # type: ignore[return-value]


def package_images(
    terminal: Terminal,
    service: Service,
    function: str | None,
    flags: ImageFlags,
    locking: Locking,
    output: Path | None,
) -> None:
    """Build the images, show them, and write them to `output` too."""
    from bareboat.container.function_image import build_function_images
    from bareboat.container.store import Store
    from bareboat.packaging.lock import LOCK, read_lock

    store = Store.open()
    before = read_lock(service.folder / LOCK)
    with terminal.progress("Packaging") as step:
        images = build_function_images(
            service,
            store,
            function=function,
            base=flags.base,
            architectures=flags.architectures,
            name=flags.name,
            locking=locking,
            insecure=flags.insecure,
            on_step=step,
        )
    tell_lock(terminal, before, read_lock(service.folder / LOCK))
    for image in images:
        terminal.notes(image.notes, infos=True)
        if len(image.images) > 1:
            terminal.warning(
                f"{image.name} is for {len(image.images)} architectures, and Lambda takes an image for one: "
                "package for each with --architecture and push them apart"
            )
    if terminal.as_json:
        terminal.document([_document(image) for image in images])
    else:
        _report(terminal, images)
    if not images:
        terminal.warning(f"{service.name} has no functions, so that there is nothing to package")
        return
    if output is not None:
        _export(terminal, images, output)
    from bareboat.container.reference import parse_reference

    ecr = f"ACCOUNT.dkr.ecr.{service.provider.region}.amazonaws.com"
    names = [image.name for image in images]
    terminal.next(
        *(f"bareboat image push {name}" + ("" if parse_reference(name).names_registry else f" {ecr}/{name}")
          for name in names)
    )  # fmt: skip


def _export(terminal: Terminal, images: tuple[FunctionImage, ...], output: Path) -> None:
    from bareboat.container.export import export_image
    from bareboat.container.store import Store

    if output.suffix == ".tar" and len(images) > 1:
        raise click.UsageError(f"{output} cannot hold {len(images)} images: name a folder, or one function with -f")
    for image in images:
        place = output if output.suffix == ".tar" else output / image.name.rpartition("/")[2].replace(":", "-")
        terminal.say(f"written to {shown(export_image(Store.open().layout, image.descriptor, [image.name], place))}")


def _report(terminal: Terminal, images: tuple[FunctionImage, ...]) -> None:
    for number, image in enumerate(images):
        terminal.write(("\n" if number else "") + f"{image.name}  {image.descriptor.digest}")
        handlers = ", ".join(f"{name} ({image.handlers[name]})" for name in image.functions)
        terminal.write(f"functions {handlers}")
        for one in image.images:
            terminal.write(f"\n{one.descriptor.platform}  {one.digest}" if len(image.images) > 1 else "")
            layer_table(terminal, one)


def _document(image: FunctionImage) -> dict[str, Any]:
    return {
        "image": image.name,
        "digest": image.descriptor.digest,
        "functions": [*image.functions],
        "handlers": {**image.handlers},
        "base": image.base,
        "images": [
            {
                "platform": str(one.descriptor.platform),
                "digest": one.digest,
                "size_bytes": one.size_bytes,
                "layers": layer_documents(one),
            }
            for one in image.images
        ],
        "notes": [{"level": note.level, "text": note.text, "where": note.where} for note in image.notes],
    }


def _read(text: str | None) -> tuple[Architecture, ...]:
    names = [] if text is None else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in _ARCHITECTURES:
            error = click.BadParameter(f"{name!r} is no architecture of Lambda's", param_hint="--architecture")
            error.expected = "x86_64, arm64, or x86_64,arm64"  # type: ignore[attr-defined]
            raise error
    return tuple(dict.fromkeys(names))  # type: ignore[arg-type]
