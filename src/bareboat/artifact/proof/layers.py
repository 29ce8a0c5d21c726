"""Slimmed layers of an archive -> whether its functions answer with them as with the whole packages.

For the runs the packages of the layers lie in the task root, before those of the layers themselves on sys.path: the
whole ones in one run, the slimmed ones in the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bareboat.artifact.locking import declared_target
from bareboat.artifact.plan import Plan
from bareboat.artifact.proof.slimmed import Build, Side, Slimmed, slimmed_packages
from bareboat.errors import PackagingError, Problem
from bareboat.packaging.dependencies import dependency_packs
from bareboat.packaging.packs import Pack
from bareboat.packaging.slim import Slimming

if TYPE_CHECKING:
    from bareboat.artifact.layers import LayerBuilder


def prove_layers(build: Build, side: Side, packs: Sequence[Pack], layers: LayerBuilder) -> Slimmed:
    """Prove what a function finds in its layers, as `slimmed_packages` proves what it brings itself.

    Args:
        side: the archive, with its layers.
        packs: of its own packages, as they ship.
    Returns:
        The proof and its notes; no packs. Without samples, an interpreter or slimmed packages there is no proof.
    Raises:
        PackagingError: the functions answer otherwise; with the files that they need. A layer is for other functions
            too, so what it keeps is for serverless.yml to say.
    """
    nothing = Slimmed(())
    if not any(layer.manifest.get("removed") for layer in side.beside.layers):
        return nothing
    resolution = layers.resolution(side.plan.layers, side.plan.target, declared=declared_target(side.plan))
    if resolution is None:
        return nothing
    slimming = layer_slimming(build.slimming)

    def twin(other: Plan) -> Side:
        its = build.twin(other)
        own = its.own
        if its.resolution is not None:
            own = (*own, *dependency_packs(its.resolution, slimming, build.interpreter, on_step=build.on_step))
        found = layers.resolution(other.layers, other.target, declared=declared_target(side.plan))
        return Side(other, own, found, its.beside, its.notes)

    proved = slimmed_packages(
        replace(build, slimming=slimming, twin=twin),
        Side(side.plan, (*side.own, *packs), resolution, side.beside),
    )
    if proved.proof is not None and proved.proof["kept"]:
        problems = tuple(_problem(kept, build) for kept in proved.proof["kept"][:20])
        raise PackagingError(problems[0].found, problems=problems)
    return replace(proved, packs=())


def layer_slimming(slimming: Slimming) -> Slimming:
    """Return how layers are slimmed: what one function never uses, another may, so never at level max."""
    return replace(slimming, level="safe") if slimming.level == "max" else slimming


def _problem(kept: Mapping[str, Any], build: Build) -> Problem:
    doing = f"answers {kept['sample']} otherwise" if kept["sample"] else "cannot be imported"
    return Problem(
        f"functions.{kept['function']} {doing} without {kept['path']}, which slimming leaves out of a layer "
        f"({kept['reason']} of {kept['package']})",
        expected="the same answers as with the whole package",
        fix=f"keep it: custom.pythonRequirements.slimPatterns: ['!{kept['path']}']; or slim: none",
        where=str(build.service.path),
    )
