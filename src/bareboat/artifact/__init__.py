"""Service -> Artifact, and back: check, build, open, unpack."""

from bareboat.artifact.build import build
from bareboat.artifact.check import check_models
from bareboat.artifact.here import build_here, targets_here
from bareboat.artifact.host import check_runs_here, local_target
from bareboat.artifact.layers import LayerBuilder
from bareboat.artifact.model import Artifact, LayerArtifact
from bareboat.artifact.opt import unpack_layers
from bareboat.artifact.reader import open_artifact
from bareboat.artifact.unpack import unpack

__all__ = [
    "Artifact",
    "LayerArtifact",
    "LayerBuilder",
    "build",
    "build_here",
    "check_models",
    "check_runs_here",
    "local_target",
    "open_artifact",
    "targets_here",
    "unpack",
    "unpack_layers",
]
