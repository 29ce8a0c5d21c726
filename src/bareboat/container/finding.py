"""What a person names as an image of this machine (a name of the store, a folder) -> the image and where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bareboat.container.documents import Descriptor
from bareboat.container.layout import Layout
from bareboat.container.store import Store
from bareboat.errors import ArtifactError


@dataclass(frozen=True, slots=True)
class Found:
    """An image of this machine.

    Args:
        name: with its tag; "" for one of a folder that gives it none.
    """

    name: str
    layout: Layout
    descriptor: Descriptor


def find_image(name: str) -> Found:
    """Return an image of the store by its name or digest, or the one of a layout's folder.

    Raises:
        ArtifactError: there is none, or the folder holds several.
    """
    if (Path(name) / "oci-layout").is_file():
        layout = Layout.open(Path(name))
        images = layout.manifests()
        if len({image.digest for image in images}) != 1:
            raise ArtifactError(
                f"{name} holds {len(images)} images", expected="one", fix="write it anew, with one image"
            )
        return Found(images[0].name, layout, images[0])
    if Path(name).is_file():
        raise ArtifactError(
            f"{name} is a file",
            expected="one of `bareboat image list`, or the folder of an OCI layout",
            fix=f"docker load -i {name}, or podman load -i {name}; as a base (--base) it can be named",
        )
    store = Store.open()
    image = store.get(name)
    return Found(image.name, store.layout, image)
