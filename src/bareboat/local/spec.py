"""A function and its artifact -> how its processes are started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bareboat.artifact import check_runs_here
from bareboat.artifact.environment import environment
from bareboat.artifact.image_packages import boto3_folder, mentions_boto3
from bareboat.artifact.model import Artifact
from bareboat.artifact.opt import module_folders, unpack_layers
from bareboat.errors import LocalError
from bareboat.local.cores import Cores
from bareboat.local.runtime_client import (
    LAUNCH,
    OWN_CLIENT,
    client_kind,
    runtime_client,
)
from bareboat.packaging.interpreters import find_python
from bareboat.service.model import Function

ACCOUNT = "123456789012"


@dataclass(frozen=True, slots=True)
class Spec:
    """What every process of one function is started with.

    Args:
        command: the interpreter, the client and the handler.
        env: all variables but those that each process has of its own.
        folder: the unpacked artifact, the working directory.
        arn: the function's, unqualified.
        cores: what deals each process its share of the CPU; None for what has but one thread, a model's kernel.
        opt: the unpacked layers; None without any.
    """

    name: str
    arn: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    folder: Path
    memory_mb: int
    timeout_s: float
    cores: Cores | None = None
    opt: Path | None = None


def prepare(
    function: Function, artifact: Artifact, *, region: str, account_id: str = ACCOUNT, folder: Path | None = None
) -> Spec:
    """Unpack the artifact, find the interpreter and install the runtime client, all of it once.

    Args:
        folder: where the artifact is unpacked, when it already is.
    Raises:
        LocalError: no interpreter of the artifact's Python version, or the client cannot be installed.
        ArtifactError: the archive is damaged, or made for another machine.
    """
    check_runs_here(artifact)
    minor = artifact.target.python
    interpreter = find_python(minor)
    if interpreter is None:
        raise LocalError(
            f"there is no Python {minor} on this machine",
            expected=f"the interpreter that {artifact.path.name} was made for",
            fix=f"uv python install {minor}",
        )
    try:
        handler = artifact.handlers[function.name]
    except KeyError:
        raise LocalError(
            f"{artifact.path.name} does not serve the function {function.name}",
            expected=", ".join(artifact.functions),
            fix="bareboat package",
            where=str(artifact.path),
        ) from None
    if folder is None:
        from bareboat.artifact import unpack

        folder = unpack(artifact)
    opt = unpack_layers(artifact.layers)
    own = client_kind() == "own"
    python_path = [] if own else [runtime_client(interpreter)]
    if _wants_boto3(function, artifact, folder, opt) and not _brings_boto3(folder, opt):
        boto3 = boto3_folder(interpreter)
        python_path += [boto3] if boto3 else []
    client = OWN_CLIENT if own else LAUNCH
    command = (str(interpreter.path), "-S", "-B", str(client), handler, *map(str, python_path))
    if opt is not None and "PYTHONPATH" not in function.environment:  # one of the function's own stands in its place
        command += ("--layers", *map(str, module_folders(opt, minor)))
    env = environment(
        function,
        handler=handler,
        task_root=folder,
        runtime_dir=client.parent if own else python_path[0],
        python_path=python_path,
        python=interpreter.path,
        region=region,
        user=os.environ,
        opt=opt,
    )
    return Spec(
        name=function.name,
        arn=f"arn:aws:lambda:{region}:{account_id}:function:{function.full_name}",
        command=command,
        env=env,
        folder=folder,
        memory_mb=function.memory_mb,
        timeout_s=float(function.timeout_s),
        cores=Cores(function.memory_mb) if _has_user_code(function) else None,
        opt=opt,
    )


def _wants_boto3(function: Function, artifact: Artifact, folder: Path, opt: Path | None) -> bool:
    """Return whether code may import boto3, or a cold start fetches a model from S3 with it."""
    if function.name in artifact.manifest.get("permissions", {}):
        return True
    if not _has_user_code(function):
        return False
    digests = {path: said["sha256"] for path, said in artifact.manifest.get("files", {}).items()}
    return mentions_boto3(folder, digests) or (opt is not None and mentions_boto3(opt, {}))


def _brings_boto3(folder: Path, opt: Path | None) -> bool:
    return any((place / "boto3").is_dir() for place in (folder, *([opt / "python"] if opt is not None else ())))


def _has_user_code(function: Function) -> bool:
    return not function.serves_models or function.before is not None or function.after is not None
