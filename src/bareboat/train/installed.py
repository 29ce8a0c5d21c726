"""The packages that training needs, imported late, with the line that installs a missing one."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bareboat.errors import BareboatError

_INSTALLS = {"sklearn": "scikit-learn"}


def need(module: str, purpose: str) -> Any:
    """Import a package.

    Args:
        module: such as `lightgbm`.
        purpose: what it does here, for the message.
    Raises:
        BareboatError: it is not installed, or does not load.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = _INSTALLS.get(module.partition(".")[0], module.partition(".")[0])
        missing = isinstance(error, ModuleNotFoundError)
        extra = package in {"pandas", "pyarrow", "scikit-learn", "lightgbm"}
        raise BareboatError(
            f"{package}, which {purpose}, {'is not installed' if missing else f'does not load: {error}'}",
            expected="bareboat with what training needs",
            fix="pip install 'bareboat[train]'" if extra else f"pip install {package}",
        ) from error


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
