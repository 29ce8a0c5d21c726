"""Function -> what a run of it is started with."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from os import environ
from pathlib import Path

from bareboat.artifact.environment import CREDENTIALS, WINDOWS, environment
from bareboat.artifact.proof.events import Sample, sample_events
from bareboat.artifact.proof.run import CHILD, Limits, Task
from bareboat.packaging.interpreters import Interpreter
from bareboat.packaging.lambda_image import TASK_ROOT
from bareboat.service.model import Function, Service


@dataclass(frozen=True, slots=True)
class Subject:
    """One function that is to answer alike.

    Args:
        samples: those that can be read; `unreadable` are the others.
        where: its place in serverless.yml.
    """

    name: str
    samples: tuple[Sample, ...]
    unreadable: tuple[Sample, ...]
    task: Task
    where: str


def make_subject(
    service: Service,
    function: Function,
    handler: str,
    interpreter: Interpreter,
    *,
    opt: Path | None = None,
    path: Sequence[Path] = (),
) -> Subject:
    """Gather what a function is run with: Lambda's environment and its own, nobody's credentials.

    Args:
        handler: as Lambda is given it.
        opt: the folder of the layers, which Lambda has at /opt.
        path: folders behind the task root on sys.path, those of layers and of boto3.
    """
    samples = sample_events(service, function)
    good = tuple(sample for sample in samples if not sample.problem)
    env = environment(
        function,
        handler=handler,
        task_root=Path(TASK_ROOT),
        runtime_dir=CHILD.parent,
        python_path=list(path),
        python=interpreter.path,
        region=service.provider.region,
        opt=opt,
        user={name: environ[name] for name in WINDOWS if name in environ} if sys.platform == "win32" else {},
    )
    env = {name: value for name, value in env.items() if name not in CREDENTIALS}
    task = Task(
        command=(str(interpreter.path), "-S", "-B"),
        handler=handler,
        events=tuple(sample.event for sample in good),
        env={
            **env,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]00000000000000000000000000000000",
            "PYTHONHASHSEED": "0",  # sets in the same order in every run
        },
        path=tuple(map(str, path)),
        opt=str(opt or ""),
        timeout_s=float(function.timeout_s),
        limits=Limits(event_s=max(30.0, 5.0 * function.timeout_s), memory_mb=max(3000, 2 * function.memory_mb)),
    )
    return Subject(function.name, good, tuple(s for s in samples if s.problem), task, str(function.where))
