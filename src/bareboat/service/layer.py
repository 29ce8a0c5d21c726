"""Layers: those that a service makes, and those that its functions name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from bareboat.service.model import Architecture, Place


@dataclass(frozen=True, slots=True)
class LayerRef:
    """One entry of a function's `layers`.

    Args:
        name: of one of the service's own layers; "" for an ARN or what only CloudFormation knows.
        written: as it stands in the file, for a deployment.
    """

    name: str = ""
    written: Any = None


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer that the service makes: an entry of `layers`, or that of `custom.pythonRequirements.layer`.

    Args:
        name: its key.
        full_name: the name on AWS.
        logical_id: the name in CloudFormation, which `{Ref: ...}` gives.
        path: a folder that ships as it is, absolute.
        patterns: which of the folder's files ship.
        artifact: a zip that somebody else made, absolute.
        requirements: what is installed into `python/`: lines, a file, or "project" for all that the project needs.
        places: where each line of the requirements stands.
        python, architecture: what it is built for.
        license: `licenseInfo`.
    """

    name: str
    where: Place
    full_name: str
    logical_id: str
    path: Path | None = None
    patterns: tuple[str, ...] = ()
    artifact: Path | None = None
    requirements: tuple[str, ...] | Path | Literal["project"] | None = None
    places: tuple[str, ...] = ()
    python: str = ""
    architecture: Architecture = "x86_64"
    description: str = ""
    runtimes: tuple[str, ...] = ()
    architectures: tuple[Architecture, ...] = ()
    license: str = ""
    retain: bool = False
    allowed_accounts: tuple[str, ...] = ()
