"""The images of this machine: one layout in the user's data folder, where every image has a name.

Images are a person's work and no cache, so nothing goes without being told. Layers that images share lie there once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bareboat.container.documents import MANIFESTS, Descriptor
from bareboat.container.layout import Layout
from bareboat.errors import ArtifactError
from bareboat.packaging.cache import tidy, user_folder
from bareboat.packaging.exclusive import exclusive_or_not, shared


@dataclass(frozen=True, slots=True)
class Stored:
    """An image of the store.

    Args:
        name: with its tag.
        platforms: what machines it is for: `linux/amd64`.
        size_bytes: of its blobs, compressed as they lie, each counted once.
    """

    name: str
    descriptor: Descriptor
    platforms: tuple[str, ...]
    size_bytes: int


def data_folder() -> Path:
    """Return where a person's own things are kept: `BAREBOAT_DATA_DIR`, else the system's place for them.

    That is `$XDG_DATA_HOME/bareboat` or `~/.local/share/bareboat`; `~/Library/Application Support/bareboat` on macOS;
    `%LOCALAPPDATA%\\bareboat` on Windows.

    Raises:
        PackagingError: this user has no home.
    """
    return user_folder("data")


class Store:
    """Images by name.

    Args:
        layout: where they lie.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    @classmethod
    def open(cls, folder: Path | None = None) -> Store:
        """Return the store of this user, made if need be.

        Raises:
            ArtifactError: the folder holds something else.
            PackagingError: it cannot be written to.
        """
        return cls(Layout.create((folder or data_folder()) / "images"))

    @contextmanager
    def adding(self) -> Iterator[Layout]:
        """Yield the layout to add blobs and names to; until the end nobody takes unused blobs away.

        Many may add at once.
        """
        with exclusive_or_not(self.layout.path / ".adding.lock") as alone:
            if alone:
                self._tidy()
        with shared(self.layout.path / ".adding.lock"):
            yield self.layout

    def find(self, name: str) -> Descriptor | None:
        """Return an image by its name, or by its digest or the first 6 or more digits of it; None when there is none.

        Raises:
            ArtifactError: the digits fit several images.
        """
        found = self.layout.find(full_name(name))
        digits = name.removeprefix("sha256:")
        if found is not None or len(digits) < 6 or any(digit not in "0123456789abcdef" for digit in digits):
            return found
        alike = {one.digest: one for one in self.layout.manifests() if one.digest.startswith(f"sha256:{digits}")}
        if len(alike) > 1:
            raise ArtifactError(f"{len(alike)} images begin with {name}", expected="more digits", where=name)
        return next(iter(alike.values()), None)

    def get(self, name: str) -> Descriptor:
        """Return an image by its name or digest.

        Raises:
            ArtifactError: there is none.
        """
        found = self.find(name)
        if found is None:
            from difflib import get_close_matches

            full = full_name(name)
            near = get_close_matches(full, [one.name for one in self.layout.manifests()], n=1)
            raise ArtifactError(
                f"there is no image {full}",
                expected="one of `bareboat image list`",
                fix=f"did you mean {near[0]}?" if near else f"bareboat image pull {name}",
            )
        return found

    def tag(self, name: str, image: Descriptor) -> Descriptor:
        """Give an image that lies here a name; whichever had it before loses it."""
        with self.adding() as layout:
            return layout.tag(full_name(name), image)

    def remove(self, name: str) -> int:
        """Take a name away, and every blob that no name needs any more.

        Returns:
            The bytes that became free; 0 while somebody adds images, when blobs stay until the next time.
        Raises:
            ArtifactError: there is no such image.
        """
        image = self.get(name)
        names = [image.name] if full_name(name) == image.name else self._names(image)
        for one in names:
            self.layout.untag(one)
        return self.sweep()

    def images(self) -> tuple[Stored, ...]:
        """Return every image, by name."""
        return tuple(
            Stored(one.name, one, self.platforms(one), self.size_bytes(one))
            for one in sorted(self.layout.manifests(), key=lambda one: (one.name, one.digest))
        )

    def platforms(self, image: Descriptor) -> tuple[str, ...]:
        """Return what machines an image is for."""
        found = []
        for one in self.layout.images(image):
            if one.platform is not None:
                found.append(str(one.platform))
            elif self.layout.has_blob(one):
                config = self.layout.config(self.layout.manifest(one))
                found.append(f"{config.get('os', '')}/{config.get('architecture', '')}")
        return tuple(found)

    def size_bytes(self, image: Descriptor) -> int:
        """Return what an image's blobs weigh, each counted once."""
        return sum(_reachable(self.layout, [image]).values())

    def sweep(self) -> int:
        """Remove blobs that no image needs; nothing while somebody adds images.

        Returns:
            The bytes that became free.
        """
        freed = 0
        with exclusive_or_not(self.layout.path / ".adding.lock") as alone:
            if not alone:
                return 0
            needed = _reachable(self.layout, self.layout.manifests())
            self._tidy()
            for folder in (self.layout.path / "blobs").iterdir():
                if not folder.is_dir() or folder.name.startswith("."):
                    continue
                for place in folder.iterdir():
                    if f"{folder.name}:{place.name}" not in needed:
                        freed += place.stat().st_size
                        place.unlink()
        return freed

    def _tidy(self) -> None:
        """Remove what was being written when its process was killed; nobody may add meanwhile."""
        tidy(self.layout.path / "blobs", older_than_s=0)

    def _names(self, image: Descriptor) -> list[str]:
        return [one.name for one in self.layout.manifests() if one.digest == image.digest]


def full_name(name: str) -> str:
    """Return a name as the store has it: with its tag, `latest` when none is given."""
    from bareboat.container.reference import parse_reference

    return parse_reference(name).familiar


def _reachable(layout: Layout, images: Iterable[Descriptor]) -> dict[str, int]:
    """Return digest -> bytes of every blob that the images are made of, as far as their documents are here."""
    sizes: dict[str, int] = {}
    waiting = list(images)
    while waiting:
        one = waiting.pop()
        if one.digest in sizes or not layout.has_blob(one):
            continue
        sizes[one.digest] = one.size
        if one.is_index:
            waiting += layout.nested(one).manifests
        elif one.media_type in MANIFESTS:
            manifest = layout.manifest(one)
            for blob in (manifest.config, *manifest.layers):
                if layout.has_blob(blob):
                    sizes[blob.digest] = blob.size
    return sizes
