"""Libraries that fit, one module each: `fit(Fitting) -> Fitted`."""

from __future__ import annotations

from importlib import import_module

from bareboat.train.fitted import Fitted, Fitting


def fit(fitting: Fitting) -> Fitted:
    """Fit with the library that was asked for.

    Raises:
        BareboatError: it is not installed, or refuses the data.
    """
    module = import_module(f"bareboat.train.libraries.{fitting.options.library}")
    fitted: Fitted = module.fit(fitting)
    return fitted
