"""Fitted scikit-learn transformers -> steps of a Pipeline. Importing it imports no scikit-learn."""

from bareboat.pipeline.transformers import (
    bins,
    composites,
    encoders,
    functions,
    imputers,
    powers,
    projections,
    scalers,
    selectors,
)
from bareboat.pipeline.transformers.registry import (
    INVERSES,
    TRANSFORMERS,
    check_known,
    collected,
    compile_inverse,
    compile_transformer,
    described,
    unknown_transformers,
)

__all__ = [
    "INVERSES",
    "TRANSFORMERS",
    "bins",
    "check_known",
    "collected",
    "compile_inverse",
    "compile_transformer",
    "composites",
    "described",
    "encoders",
    "functions",
    "imputers",
    "powers",
    "projections",
    "scalers",
    "selectors",
    "unknown_transformers",
]
