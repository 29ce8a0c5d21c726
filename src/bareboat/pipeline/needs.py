"""An object -> the distributions that its classes, and those of all that it holds, come from."""

from __future__ import annotations

import io
import pickle
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Any

_USUAL: dict[str, tuple[str, ...]] = {
    "catboost": ("catboost", "numpy"),
    "joblib": ("joblib",),
    "lightgbm": ("lightgbm", "numpy", "scipy"),
    "numpy": ("numpy",),
    "pandas": ("pandas", "numpy"),
    "scipy": ("scipy", "numpy"),
    "sklearn": ("scikit-learn", "numpy", "scipy"),
}
"""The distributions of modules that most models need: asking Python for those of all modules takes a second."""


class _Modules(pickle.Pickler):
    """Collects the modules of the classes and functions that a pickle would name."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), protocol=5)
        self.modules: set[str] = set()

    def reducer_override(self, value: Any) -> Any:
        module = getattr(value if isinstance(value, type) or callable(value) else type(value), "__module__", None)
        if isinstance(module, str):
            self.modules.add(module.partition(".")[0])
        module = type(value).__module__
        self.modules.add(str(module).partition(".")[0])
        return NotImplemented


def distributions_of(model: Any) -> dict[str, str]:
    """Return {distribution: version} of what must be installed for a pickle of the object to be opened.

    Modules that come from no distribution, such as a person's own, are left out.
    """
    modules = _Modules()
    try:
        modules.dump(model)
    except Exception:  # noqa: BLE001 - what cannot be pickled still has a class
        modules.modules.add(type(model).__module__.partition(".")[0])
    named = modules.modules - set(sys.stdlib_module_names)
    found = {name for module in named for name in _USUAL.get(module, ())}
    if named - set(_USUAL):
        known = packages_distributions()
        found.update(name for module in named - set(_USUAL) for name in known.get(module, ()))
    versions: dict[str, str] = {}
    for name in sorted(found):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
