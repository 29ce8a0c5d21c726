"""An image of this machine -> an engine's own store, through a pipe; nothing where it is there already."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, cast

from bareboat.container.documents import Descriptor
from bareboat.container.engine import Engine, refused
from bareboat.container.export import write_tar
from bareboat.container.finding import Found
from bareboat.container.layout import Layout
from bareboat.container.pull import choose
from bareboat.errors import ArtifactError, LocalError


def load(engine: Engine, image: Found, *, on_step: Callable[[str], None] = lambda _: None) -> str:
    """Make sure that an engine has an image.

    Returns:
        The name that the engine has it by.
    Raises:
        ArtifactError: the image is not for the engine's machine.
        LocalError: the engine refuses it.
    """
    single = for_engine(engine, image)
    name = name_in(engine, image)
    manifest = image.layout.manifest(single)
    # an engine's id of an image is its configuration's digest; with docker's containerd store the manifest's
    same = {manifest.config.digest, single.digest, image.descriptor.digest}
    there = engine.ask("image", "inspect", "--format", "{{.Id}}", name)
    if there is not None and f"sha256:{there.removeprefix('sha256:')}" in same:
        return name
    size_bytes = sum(layer.size for layer in manifest.layers)
    on_step(f"loading {size_bytes / 1e6:.1f} MB into {engine.kind}")
    _pipe(engine, image.layout, single, name)
    return name


def name_in(engine: Engine, image: Found) -> str:
    """Return the name that an engine is to have an image by."""
    return engine.image_name(image.name, for_engine(engine, image).digest)


def for_engine(engine: Engine, image: Found) -> Descriptor:
    """Return the image for the machine that an engine's containers run on; of a single image, that one.

    Raises:
        ArtifactError: there is none for it.
    """
    images = image.layout.images(image.descriptor)
    if not image.descriptor.is_index:
        return images[0]
    found = choose(images, engine.platform)
    if found is None:
        known = ", ".join(sorted(str(one.platform) for one in images if one.platform is not None))
        raise ArtifactError(
            f"{image.name} is not there for {engine.platform}, the machine of {engine.kind}",
            expected=f"one of {known}",
            fix=f"build or pull it for {engine.platform}",
        )
    return found


def _pipe(engine: Engine, layout: Layout, image: Descriptor, name: str) -> None:
    with tempfile.TemporaryFile() as said:
        try:
            loader = subprocess.Popen([*engine.command, "load"], stdin=subprocess.PIPE, stdout=said, stderr=said)
        except OSError as error:
            raise LocalError(f"{engine.command[0]} does not start: {error.strerror}") from error
        assert loader.stdin is not None
        try:
            with suppress(BrokenPipeError):  # it says itself why it reads no further
                write_tar(layout, image, (name,), cast(BinaryIO, loader.stdin))
            with suppress(BrokenPipeError):
                loader.stdin.close()
            code = loader.wait()
        except BaseException:
            loader.kill()
            with suppress(BrokenPipeError):
                loader.stdin.close()
            loader.wait()
            raise
        if code:
            said.seek(0)
            raise refused(engine.command[0], said.read())
