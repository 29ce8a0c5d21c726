"""Handlers, `before` and `after` as written -> the files that must ship for them."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path

from bareboat.errors import ConfigurationError, Problem
from bareboat.service.model import Function
from bareboat.service.problems import nearest


def check_handlers(functions: Iterable[Function], shipped: AbstractSet[str], folder: Path) -> None:
    """Look for the module of each handler among the files that ship.

    Whether the module has the function, only running it tells; Lambda's own client says so.

    Args:
        shipped: paths in the artifact.
    Raises:
        ConfigurationError: a module is missing; every one at once.
    """
    problems = [
        problem
        for function in functions
        for key, value in (("handler", function.handler), ("before", function.before), ("after", function.after))
        if value is not None and (problem := _problem(function, key, value, shipped, folder)) is not None
    ]
    if problems:
        raise ConfigurationError(problems[0].found, problems=tuple(problems))


def module_files(handler: str) -> tuple[str, ...]:
    """Return where the module of `package/module.function` may lie, as Lambda's client looks for it."""
    module = handler.rpartition(".")[0].replace(".", "/").strip("/")
    return f"{module}.py", f"{module}/__init__.py"


def _problem(function: Function, key: str, value: str, shipped: AbstractSet[str], folder: Path) -> Problem | None:
    path = f"functions.{function.name}.{key}"
    if not value.rpartition(".")[0]:
        return Problem(f"{path} is {value!r}", expected="module.function", where=str(function.where))
    files = module_files(value)
    if any(file in shipped for file in files) or _is_native_module(files[0], shipped):
        return None
    there = next((file for file in files if (folder / file).is_file()), "")
    if there:
        return Problem(
            f"{path} is {value}, and {there} does not ship",
            expected=f"{there} among the files of the artifact",
            fix=f"take the pattern away that leaves it out, or add '{there}' to package.patterns",
            where=str(function.where),
        )
    meant = nearest(files[0], [file for file in shipped if file.endswith(".py") and file.count("/") <= 2])
    return Problem(
        f"{path} is {value}, and there is no {files[0]}",
        expected=f"{files[0]} or {files[1]} in {folder}",
        fix=f"{key}: {meant.removesuffix('.py').replace('/', '.')}.{value.rpartition('.')[2]}" if meant else "",
        where=str(function.where),
    )


def _is_native_module(file: str, shipped: AbstractSet[str]) -> bool:
    stem = file.removesuffix(".py")
    return any(path.startswith(f"{stem}.") and path.endswith((".so", ".pyd")) for path in shipped)
