"""Libraries that fit, one module each: `fit(Fitting) -> Fitted`."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np

from bareboat.train.fitted import Fitted, Fitting
from bareboat.train.installed import need
from bareboat.train.notes import Notes


def fit(fitting: Fitting) -> Fitted:
    """Fit with the library that was asked for.

    Raises:
        BareboatError: it is not installed, or refuses the data.
    """
    module = import_module(f"bareboat.train.libraries.{fitting.options.library}")
    fitted: Fitted = module.fit(fitting)
    return fitted


def fit_again(fitting: Fitting, first: Fitted) -> Fitted:
    """Fit on the validation rows too, with as many rounds as they chose; the curves stay those of the first fit.

    Raises:
        BareboatError: as for `fit`.
    """
    assert fitting.validation is not None
    frames, truths = zip(fitting.train, fitting.validation, strict=True)
    rows = need("pandas", "holds tables").concat(frames, ignore_index=True), np.concatenate(truths)
    options = replace(fitting.options, trees=first.rounds)
    told = Notes()  # what there is to tell has been told
    again = fit(replace(fitting, options=options, train=rows, validation=None, notes=told, is_refit=True))
    why = f"{first.why}; then fitted again on {len(rows[1])} rows, those included"
    return replace(again, curves=first.curves, why=why)
