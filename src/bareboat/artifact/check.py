"""Service -> what its models say of it, before anything is built."""

from __future__ import annotations

from bareboat.errors import BareboatError, ConfigurationError, ModelError, Problem
from bareboat.service.model import Note, Service


def check_models(service: Service) -> tuple[Note, ...]:
    """Read each model function's model and hold its `features` and `labels` against it.

    Returns:
        what the readers have to say: steps that do not compile, versions that differ.
    Raises:
        ConfigurationError: they do not fit, in some function; every problem of every function at once.
        ModelError: all that is wrong is in the model files.
        RemoteError: the store of a model refuses. What is not pinned yet is not pinned by this either.
    """
    from bareboat.artifact.cold_start import fetched_objects, room_problems
    from bareboat.artifact.fetch import fetched
    from bareboat.artifact.models import check_model, each_model

    service = fetched(service, write=False)
    problems: list[Problem] = []
    notes: list[Note] = []
    kind: type[BareboatError] = ModelError
    for function in service.functions.values():
        room = tuple(room_problems(function, fetched_objects(function)))
        if room:
            problems += room
            kind = ConfigurationError
        for model, file in each_model(function):
            try:
                notes += check_model(model, file, function, service.folder)
            except ModelError as error:
                problems += error.problems
            except ConfigurationError as error:
                problems += error.problems
                kind = ConfigurationError
    if problems:
        raise kind(problems[0].found, problems=tuple(problems))
    return tuple(notes)
