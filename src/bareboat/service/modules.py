"""`module.function` -> the file that must be there."""

from __future__ import annotations

import re
from pathlib import Path

_PART = re.compile(r"[^\W\d]\w*\Z")


def file_in(folder: Path, name: str) -> Path | None:
    """Return the absolute path of a file that a name in serverless.yml means, or None when there is no such file."""
    path = folder / name
    return path.resolve() if "\0" not in name and path.is_file() else None


def model_in(folder: Path, name: str) -> Path | None:
    """Return the absolute path of a model file, or of the folder of an MLflow model, or None."""
    found = file_in(folder, name)
    if found is None and "\0" not in name and (folder / name / "MLmodel").is_file():
        return (folder / name).resolve()
    return found


def module_file(handler: str, folder: Path) -> Path | None:
    """Return the file of a handler's module, or None when there is none.

    Args:
        handler: `package/module.function` or `package.module.function`, split as Lambda's runtime client splits it.
    """
    module, _, _ = handler.rpartition(".")
    base = folder / module.replace(".", "/")
    for path in (base.with_name(base.name + ".py"), base / "__init__.py"):
        if path.is_file():
            return path
    compiled = sorted(base.parent.glob(f"{base.name}.*")) if base.parent.is_dir() else []
    return next((path for path in compiled if path.suffix in (".so", ".pyd", ".pyc")), None)


def looked_for(handler: str) -> str:
    """Return the file name that a handler's module would have: `package/module.py`."""
    return handler.rpartition(".")[0].replace(".", "/") + ".py"


def is_handler(text: str) -> bool:
    """Tell whether a text has the form module.function, folders before it with '/' or '.'."""
    module, dot, function = text.rpartition(".")
    return bool(dot) and bool(_PART.match(function)) and all(re.split(r"[./]", module))


def named_in_requirements(module: str, folder: Path, file_name: str) -> bool:
    """Tell whether a requirements file names a distribution that is called like the module's top package."""
    top = re.split(r"[./]", module, maxsplit=1)[0].lower().replace("-", "_")
    for name in (file_name, "Pipfile", "pyproject.toml"):
        try:
            text = (folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if any(top == word.lower().replace("-", "_") for word in re.findall(r"[A-Za-z][\w.-]*", text)):
            return True
    return False
