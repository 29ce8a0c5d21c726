"""What of a template calls a function, and by which name: the function itself, or the alias that stands before it."""

from __future__ import annotations

from typing import Any

from bareboat.aws.template import naming
from bareboat.aws.template.draft import Draft
from bareboat.service.model import Function, Service


def functions_of(service: Service) -> list[Function]:
    """Return all functions, those that are images included, in the order of serverless.yml as far as it is known."""
    every = [*service.functions.values(), *service.image_functions.values()]
    if len({function.where.file for function in every}) == 1:
        every.sort(key=lambda function: (function.where.line, function.where.column))
    return every


def function_of(service: Service, name: str) -> Function | None:
    """Return a function by its name in serverless.yml."""
    return service.functions.get(name) or service.image_functions.get(name)


def function_ref(draft: Draft, function: str) -> Any:
    """Return the name of a function of the service, as a Ref."""
    assert function_of(draft.service, function), function
    return {"Ref": naming.function_id(function)}


def function_arn(draft: Draft, function: str) -> Any:
    """Return the ARN of a function itself, whatever alias it has."""
    assert function_of(draft.service, function), function
    return {"Fn::GetAtt": [naming.function_id(function), "Arn"]}


def target_arn(draft: Draft, function: str) -> Any:
    """Return the ARN by which a function is called: its alias's, where it has one.

    The alias is named, not referred to, as Serverless does it: who uses this needs `target_depends` too.
    """
    arn = function_arn(draft, function)
    if function not in draft.aliases:
        return arn
    return {"Fn::Join": [":", [arn, draft.aliases[function][1]]]}


def target_depends(draft: Draft, function: str) -> str | None:
    """Return the logical id of the alias that must be there before the function is called, if it has one."""
    return draft.aliases[function][0] if function in draft.aliases else None


def condition_of(draft: Draft, function: str) -> str | None:
    """Return the condition on which a function is made (`functions.NAME.condition`)."""
    found = function_of(draft.service, function)
    condition = found.options.get("condition") if found is not None else None
    return str(condition) if condition else None
