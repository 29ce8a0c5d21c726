"""Service -> Plans: which functions share an archive, and what goes into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from bareboat.errors import ConfigurationError
from bareboat.packaging.sizes import UNZIPPED_BYTES
from bareboat.packaging.target import Target
from bareboat.service.model import Function, Service


@dataclass(frozen=True, slots=True)
class Plan:
    """One archive to be.

    Args:
        name: how its files are called: the service, or service and function.
        whole: whether the project's folder ships; a model function without `before` or `after` ships only what
            patterns add.
        patterns: of the service, then of the function.
        ready: a zip that somebody else made, instead of a build.
        limit_bytes: what it may weigh unzipped, with its layers; an image may weigh more than an archive.
        layers: names of those that the service makes and its functions have.
        declared: the machine whose packages bareboat.lock holds, where it is not the functions' own: an image's.
    """

    name: str
    functions: tuple[Function, ...]
    target: Target
    patterns: tuple[str, ...]
    whole: bool
    ready: Path | None = None
    limit_bytes: int = UNZIPPED_BYTES
    layers: tuple[str, ...] = ()
    declared: Target | None = None

    @property
    def stem(self) -> str:
        """The name of the archive's files, without digest and suffix: `predict-python3.13-arm64`."""
        system = "" if self.target.system == "linux" else f"-{self.target.system}"
        image = f"-for-{self.target.image}" if self.target.image else ""
        purpose = "-image" if self.for_image else ""
        return f"{self.name}-python{self.target.python}{image}-{self.target.architecture}{system}{purpose}"

    @property
    def for_image(self) -> bool:
        """Whether it becomes part of a container image."""
        return self.limit_bytes > UNZIPPED_BYTES

    @property
    def model(self) -> Function | None:
        """The model function that the archive serves, if it does."""
        return self.functions[0] if self.functions[0].serves_models else None


def make_plans(
    service: Service,
    *,
    function: str | None = None,
    target: Target | None = None,
    limit_bytes: int = UNZIPPED_BYTES,
) -> tuple[Plan, ...]:
    """Group functions into archives.

    A model function has an archive of its own, as has a function with `package.individually`, with patterns or with a
    ready-made zip. The other functions of one target with the same layers share one.

    Raises:
        ConfigurationError: there is no such function.
    """
    if function is not None and function not in service.functions:
        raise ConfigurationError(
            f"there is no function {function!r}",
            expected=f"one of {', '.join(service.functions) or 'none: the service has no functions'}",
            where=str(service.path),
        )
    alone: list[Plan] = []
    shared: dict[tuple[Target, tuple[str, ...]], list[Function]] = {}
    for one in service.functions.values():
        its_target = target or Target(one.python, one.architecture)
        if _stands_alone(service, one):
            alone.append(_alone(service, one, its_target))
        else:
            shared.setdefault((its_target, one.own_layers), []).append(one)
    targets = [its_target for its_target, _ in shared]
    together = [
        Plan(
            name=_shared_name(service, layers) if targets.count(its_target) > 1 else service.name,
            functions=tuple(functions),
            target=its_target,
            patterns=service.package.patterns,
            whole=True,
            ready=service.package.artifact,
            layers=layers,
        )
        for (its_target, layers), functions in shared.items()
    ]
    return tuple(
        replace(plan, limit_bytes=limit_bytes, declared=plan.target if limit_bytes > UNZIPPED_BYTES else None)
        for plan in (*together, *alone)
        if function is None or function in {one.name for one in plan.functions}
    )


def _shared_name(service: Service, layers: tuple[str, ...]) -> str:
    """What leaves to its layers what they bring is another archive than what has other layers, or none."""
    if not layers:
        return service.name
    joined = ".".join(layers)
    short = joined if len(joined) <= 60 else sha256(joined.encode()).hexdigest()[:12]
    return f"{service.name}-with.{short}"


def _stands_alone(service: Service, function: Function) -> bool:
    rules = function.package
    return bool(
        function.serves_models or service.package.individually or rules.individually or rules.patterns or rules.artifact
    )


def _alone(service: Service, function: Function, target: Target) -> Plan:
    return Plan(
        name=f"{service.name}-{function.name}",
        functions=(function,),
        target=target,
        patterns=(*service.package.patterns, *function.package.patterns),
        whole=not function.serves_models or function.before is not None or function.after is not None,
        ready=function.package.artifact or (service.package.artifact if not function.serves_models else None),
        layers=function.own_layers,
    )


def handler_strings(functions: tuple[Function, ...], model_handler: str) -> Mapping[str, str]:
    """Return what Lambda is given as handler, for each function."""
    return {one.name: one.handler if one.handler is not None else model_handler for one in functions}
