"""`bareboat image inspect`: what an image is made of and how it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.group import Command
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.container.finding import Found

_SHOWN = ("Entrypoint", "Cmd", "WorkingDir", "User", "ExposedPorts", "Volumes", "Env", "Labels")


@click.command(cls=Command)
@click.argument("image")
@click.pass_obj
def inspect(terminal: Terminal, image: str) -> None:
    """Show an image's layers and how a container of it is run.

    IMAGE is one of `bareboat image list`, or the folder of an image layout. --json has all of the configuration.
    """
    from bareboat.container.finding import find_image

    found = find_image(image)
    documents = _documents(found)
    if terminal.as_json:
        terminal.document({"name": found.name, "digest": found.descriptor.digest, "images": documents})
        return
    terminal.write(f"{found.name or image}  {found.descriptor.digest}")
    for document in documents:
        terminal.write(f"\n{document['platform']}  {document['digest']}")
        terminal.table(
            ("layer", "size_mb", "what"),
            [
                (layer["digest"].removeprefix("sha256:")[:12], f"{layer['size_bytes'] / 1e6:.3f}", layer["created_by"])
                for layer in document["layers"]
            ],
        )
        settings = document["config"].get("config") or {}
        rows = [(key, _text(settings[key])) for key in _SHOWN if settings.get(key)]
        if rows:
            terminal.write("")
            terminal.table(("setting", "value"), rows)


def _documents(found: Found) -> list[dict[str, Any]]:
    documents = []
    for one in found.layout.images(found.descriptor):
        if not found.layout.has_blob(one):
            continue  # of an image that was pulled for other machines
        manifest = found.layout.manifest(one)
        config = found.layout.config(manifest)
        steps = [step for step in config.get("history") or () if not step.get("empty_layer")]
        said = [str(step.get("created_by", "")) for step in steps] if len(steps) == len(manifest.layers) else []
        documents.append(
            {
                "platform": f"{config.get('os')}/{config.get('architecture')}",
                "digest": one.digest,
                "annotations": manifest.annotations,
                "layers": [
                    {
                        "digest": layer.digest,
                        "size_bytes": layer.size,
                        "media_type": layer.media_type,
                        "created_by": said[number] if said else "",
                    }
                    for number, layer in enumerate(manifest.layers)
                ],
                "config": config,
            }
        )
    return documents


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" if item else str(key) for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
