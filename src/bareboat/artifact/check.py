"""Service -> what its models say of it, before anything is built."""

from __future__ import annotations

from bareboat.errors import BareboatError, ConfigurationError, ModelError, Problem
from bareboat.service.model import Service


def check_models(service: Service) -> None:
    """Read each model function's model and hold its `features` and `labels` against it.

    Raises:
        ConfigurationError: they do not fit, in some function; every problem of every function at once.
        ModelError: all that is wrong is in the model files.
    """
    from bareboat.artifact.models import check_function

    problems: list[Problem] = []
    kind: type[BareboatError] = ModelError
    for function in service.functions.values():
        try:
            check_function(function)
        except ModelError as error:
            problems += error.problems
        except ConfigurationError as error:
            problems += error.problems
            kind = ConfigurationError
    if problems:
        raise kind(problems[0].found, problems=tuple(problems))
