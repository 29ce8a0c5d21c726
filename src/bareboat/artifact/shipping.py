"""What of bareboat itself ships: the runtime, and the kernel of the target."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from bareboat.errors import ArtifactError
from bareboat.packaging.target import Target

_PACKAGE = Path(__file__).resolve().parent.parent
_SUFFIXES = {"linux": "so", "macos": "dylib", "windows": "dll"}


CODE = "code"
_STAYS = "door.py"
"""Half of the extension for one row, which does not ship."""


_ONLY_FOR = {
    "matrix.py": {CODE},
    "blocks.py": {CODE},
    "pipeline.py": {CODE, "pipeline"},
    "refusals.py": {CODE, "pipeline"},
    "onnx.py": {"onnx"},
    "typed.py": {"typed"},
    "quick.py": {"typed"},
    "bounds.py": {"bounds"},
    "moments.py": {"datetime"},
    "framework.py": {"framework"},
    "remote.py": {"remote"},
    "download.py": {"remote"},
    "s3.py": {"s3"},
    "signed.py": {"s3"},
    "protocols/__init__.py": {"several", "mlflow", "oip", "sagemaker"},
    "protocols/request.py": {"several", "mlflow", "oip", "sagemaker"},
    "protocols/tables.py": {"mlflow", "sagemaker"},
    "protocols/several.py": {"several"},
    "protocols/mlflow.py": {"mlflow"},
    "protocols/oip.py": {"oip"},
    "protocols/tensors.py": {"oip"},
    "protocols/sagemaker.py": {"sagemaker"},
}
"""Modules of the runtime that not every artifact needs: an engine, a protocol, several models, or code that may import
what it likes. What is not named here always ships."""


def runtime_files(uses: Collection[str] | None = None) -> dict[str, Path]:
    """Return the runtime's Python files: path in the artifact -> file.

    Args:
        uses: what of the runtime the artifact uses, by the words of `_ONLY_FOR`; None for all of it.
    """
    home = _PACKAGE / "runtime"
    own = [_PACKAGE / "__init__.py", _PACKAGE / "errors.py"]
    for path in sorted(home.rglob("*.py")):
        needed = _ONLY_FOR.get(path.relative_to(home).as_posix())
        if path.name != _STAYS and (uses is None or needed is None or not needed.isdisjoint(uses)):
            own.append(path)
    return {f"bareboat/{path.relative_to(_PACKAGE).as_posix()}": path for path in own}


def kernel_file(target: Target, uses: Collection[str] | None = None) -> tuple[str, Path]:
    """Return the kernel for a target: path in the artifact, file (which may be missing): where only forests are used,
    the one that runs these alone."""
    name = f"kernel-{target.system}-{target.machine}.{_SUFFIXES[target.system]}"
    is_slim = uses is not None and {CODE, "pipeline"}.isdisjoint(uses)
    native = _PACKAGE / "runtime/native"
    return f"bareboat/runtime/native/{name}", native / (f"forest-{name}" if is_slim else name)


def shipped_files(target: Target, uses: Collection[str] | None = None) -> dict[str, Path | bytes]:
    """Return what is used of the runtime, and the target's kernel.

    Raises:
        ArtifactError: this installation has no kernel for the target.
    """
    path, kernel = kernel_file(target, uses)
    if not kernel.is_file():
        raise ArtifactError(
            f"this installation of bareboat has no kernel for {target.system} {target.architecture}",
            expected=str(kernel),
            fix="install bareboat from its wheel; in a checkout: python hatch_build.py",
        )
    return {**{name: lean(file.read_bytes()) for name, file in runtime_files(uses).items()}, path: kernel}


def lean(source: bytes) -> bytes:
    """Empty the docstrings of Python source, which are a tenth of an archive. Every line keeps its number."""
    lines = source.split(b"\n")
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) or ast.get_docstring(node) is None:
            continue
        said = node.body[0]
        assert said.end_lineno is not None
        lines[said.lineno - 1] = b" " * said.col_offset + b'""'
        lines[said.lineno : said.end_lineno] = [b""] * (said.end_lineno - said.lineno)
    return b"\n".join(lines)


def imports_of_bareboat(files: Iterable[tuple[str, Path]]) -> dict[str, tuple[str, ...]]:
    """Find project files that import bareboat.

    Args:
        files: (path in the artifact, file).
    Returns:
        path -> the modules that it imports, such as `bareboat.runtime`. A file that does not parse imports nothing.
    """
    found: dict[str, tuple[str, ...]] = {}
    for path, file in files:
        if not path.endswith(".py") or path.startswith("bareboat/"):
            continue
        data = file.read_bytes()
        if b"bareboat" not in data:
            continue
        try:
            tree = ast.parse(data)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        modules = sorted({name for node in ast.walk(tree) for name in _modules(node)})
        if modules:
            found[path] = tuple(modules)
    return found


_HELPER = "unzip_requirements.py"
_ZIPPED = ".requirements.zip"


def nothing_to_unzip(files: Mapping[str, Path | bytes]) -> dict[str, Path | bytes]:
    """Return a project's files with a module that makes `import unzip_requirements` work where nothing is zipped.

    What `zip: true` of serverless-python-requirements left in the folder goes: its helper would look for a zip of
    packages that are there already, and the zip holds them once more. A module of one's own with that name stays.
    """
    kept = {path: source for path, source in files.items() if path != _ZIPPED}
    own = kept.get(_HELPER)
    if own is None or _ZIPPED.encode() in (own if isinstance(own, bytes) else own.read_bytes()):
        kept[_HELPER] = b'"""Packages lie here ready to import: nothing is unzipped."""\n'
    return kept


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        names = [node.module]
    else:
        return []
    return [name for name in names if name == "bareboat" or name.startswith("bareboat.")]
