"""What layers lay beside an archive: packages, libraries and modules below /opt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from bareboat.artifact.model import LayerArtifact
from bareboat.errors import PackagingError, Problem
from bareboat.packaging.elf import Elf
from bareboat.service.model import Function

OPT = "/opt/"
_SITE = re.compile(r"python/(?:lib/python3\.\d+/site-packages/)?(?P<path>.+)\Z")
_INFO = re.compile(r"(?P<name>[^/]+)-(?P<version>[^-/]+)\.dist-info/METADATA\Z")


class Brought(NamedTuple):
    """A package of a layer."""

    version: str
    layer: str


@dataclass(frozen=True, slots=True)
class Beside:
    """The layers of a function, in the order in which they are laid over each other."""

    layers: tuple[LayerArtifact, ...] = ()

    @property
    def unzipped_bytes(self) -> int:
        """Return what they add to the function, as Lambda counts it."""
        return sum(layer.unzipped_bytes for layer in self.layers)

    def document(self) -> list[dict[str, Any]]:
        """Return what the manifest of the archive says of them."""
        return [
            {"name": layer.name, "sha256": layer.digest, "unzipped_bytes": layer.unzipped_bytes}
            for layer in self.layers
        ]

    def packages(self) -> dict[str, Brought]:
        """Return what they bring, by normalised name.

        Raises:
            PackagingError: two layers bring two versions of one package, and would lie in one folder.
        """
        from bareboat.packaging.requirements import canonical

        found: dict[str, Brought] = {}
        problems = []
        for layer in self.layers:
            for name, version in layer.manifest["versions"]["packages"].items():
                other = found.setdefault(canonical(name), Brought(version, layer.name))
                if other.version != version:
                    problems.append(
                        Problem(
                            f"the layers {other.layer} and {layer.name} bring {name} {other.version} and {version}",
                            expected="one version: both lie in /opt/python, the files of one over those of the other",
                            fix=f"ask for {name}=={version} in both, or take {name} into one layer",
                        )
                    )
        if problems:
            raise PackagingError(problems[0].found, problems=tuple(problems))
        return found

    def elves(self) -> dict[str, Elf]:
        """Return the headers of their native files: path from /opt on -> headers."""
        return {
            OPT + path: msgspec.convert(said, Elf)
            for layer in self.layers
            for path, said in layer.manifest["elves"].items()
        }

    def names(self) -> set[str]:
        """Return the paths of all their files, from /opt on."""
        return {OPT + path for layer in self.layers for path in layer.manifest["files"]}

    def modules(self) -> set[str]:
        """Return what Python finds in them, as paths that an archive would have."""
        paths = (path for layer in self.layers for path in layer.manifest["files"])
        return {found["path"] for path in paths if (found := _SITE.match(path))}


def packages_in(paths: Iterable[str]) -> dict[str, str]:
    """Return the packages whose metadata lie among a layer's files: name -> version."""
    from bareboat.packaging.requirements import canonical

    found = {}
    for path in paths:
        site = _SITE.match(path)
        info = _INFO.match(site["path"]) if site else None
        if info:
            found[canonical(info["name"])] = info["version"]
    return found


def sees_all_layers(function: Function) -> bool:
    """Tell whether all layers of a function are the service's own, so that what is in none of them is missing."""
    return all(ref.name for ref in function.layers)


def refuse_over_limit_with_layers(own_bytes: int, beside: Beside, *, limit_bytes: int, where: str) -> None:
    """Raise when Lambda would refuse a function for its size together with its layers.

    Raises:
        PackagingError: with the share of the function and of each layer.
    """
    total = own_bytes + beside.unzipped_bytes
    if not beside.layers or total <= limit_bytes:
        return
    shares = [f"{own_bytes / 1e6:.1f} MB its own"]
    shares += [f"{layer.unzipped_bytes / 1e6:.1f} MB the layer {layer.name}" for layer in beside.layers]
    raise PackagingError(
        f"unzipped the function has {total:,} bytes with its layers: {', '.join(shares)}",
        expected=f"at most {limit_bytes:,} bytes, Lambda's limit; what lies in a layer counts too",
        fix="take out what the function never imports with custom.pythonRequirements.noDeploy or slimPatterns, or out "
        "of the layer's requirements; or serve the model with `model:` instead of its framework; or make it an image, "
        "which may have 10 GB",
        where=where,
    )


def other_versions(
    pins: Mapping[str, str],
    brought: Mapping[str, Brought],
    source: str,
    functions: Iterable[str],
    models: Mapping[str, str],
) -> PackagingError | None:
    """Return what to say of packages that the function and a layer have in two versions; None when there are none.

    Args:
        pins: normalised name -> version of what the function itself needs.
        source: of its requirements.
        models: normalised name -> the model that was saved with that version, which is nobody's to choose.
    """
    who = ", ".join(f"functions.{name}" for name in functions)
    problems = tuple(
        Problem(
            f"{who} needs {name} {version}, and the layer {brought[name].layer} brings {brought[name].version}",
            expected="one version: the function's own copy would hide the layer's, and both would count",
            fix=(f"ask for {name}=={brought[name].version} in {source}, or " if name not in models else "")
            + f"ask for {name}=={version} in the layer, or take the layer from {who}",
            where=source,
        )
        for name, version in sorted(pins.items())
        if name in brought and brought[name].version != version
    )
    return PackagingError(problems[0].found, problems=problems) if problems else None
