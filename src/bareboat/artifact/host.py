"""This machine as a target: what can run here, and where it differs from Lambda."""

from __future__ import annotations

from bareboat.artifact.model import Artifact
from bareboat.errors import ArtifactError
from bareboat.packaging.interpreters import find_python, nearest_python
from bareboat.packaging.target import Target, host_glibc, host_target
from bareboat.service.model import Function, Note


def local_target(function: Function) -> tuple[Target, tuple[Note, ...]]:
    """Return what to build a function for so that it runs here, and what differs from Lambda.

    On Linux with the declared CPU and Python it is Lambda's own target: the same archive runs here and there.

    Raises:
        PackagingError: no CPython runs here.
    """
    notes: list[Note] = []
    where = str(function.where)
    python = function.python
    if find_python(python) is None:
        python = nearest_python(python).version
        notes.append(
            Note(
                "warning",
                f"python{function.python} is not installed here; functions.{function.name} runs on python{python}. "
                f"Install it with: uv python install {function.python}",
                where,
            )
        )
    target = host_target(python, image=function.python, architecture=function.architecture)
    if (target.system, target.architecture) != ("linux", function.architecture):
        notes.append(
            Note(
                "info",
                f"functions.{function.name} runs here on {target.system} {target.architecture}; "
                f"on Lambda it runs on linux {function.architecture}",
                where,
            )
        )
    older = _older_glibc(target)
    if older:
        notes.append(
            Note(
                "warning", f"this machine has glibc {older}, Lambda {_dotted(target.glibc)}: a wheel may not load here"
            )
        )
    return target, tuple(notes)


def check_runs_here(artifact: Artifact) -> None:
    """Raise unless the artifact was made for a machine like this one.

    Raises:
        ArtifactError: it was made for another CPU or system.
    """
    target, host = artifact.target, host_target(artifact.target.python)
    if (target.system, target.architecture) != (host.system, host.architecture):
        raise ArtifactError(
            f"the artifact was made for {target.system} {target.architecture}",
            expected=f"{host.system} {host.architecture}, this machine",
            fix="bareboat invoke local and bareboat serve build one for this machine",
            where=str(artifact.path),
        )


def _older_glibc(target: Target) -> str:
    glibc = host_glibc() if target.system == "linux" else None
    return _dotted(glibc) if glibc is not None and glibc < target.glibc else ""


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
