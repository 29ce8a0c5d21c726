"""A service -> its archives and layers, built; and what of them has to be in the deployment bucket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bareboat.artifact import LayerBuilder, build
from bareboat.artifact.locking import Locking
from bareboat.artifact.model import Artifact, LayerArtifact
from bareboat.aws.bucket import Bucket, make_again, require_bucket
from bareboat.aws.client import Aws
from bareboat.aws.images import BuiltImage, load_images
from bareboat.aws.parcels import Parcel, make_shipment, parcels_of
from bareboat.aws.progress import Progress
from bareboat.aws.shipment import FunctionCode, Shipment
from bareboat.aws.upload import Uploaded, upload
from bareboat.errors import ConfigurationError, RemoteError
from bareboat.service.model import Function, Service
from bareboat.service.runtimes import LIVE, RETIRED, STAND_IN


@dataclass(frozen=True, slots=True)
class Cargo:
    """What a deployment brings.

    Args:
        images: functions that are container images.
        built: images that have to be in ECR.
    """

    artifacts: tuple[Artifact, ...] = ()
    layers: tuple[LayerArtifact, ...] = ()
    images: Mapping[str, FunctionCode] = field(default_factory=dict)
    built: tuple[BuiltImage, ...] = ()

    def shipment(self, service: Service) -> Shipment:
        """Return the code as the template names it."""
        return make_shipment(service, self.artifacts, self.layers, self.images)

    def parcels(self, service: Service) -> tuple[Parcel, ...]:
        """Return what has to be in the bucket."""
        return parcels_of(service, self.artifacts, self.layers)


def load(
    service: Service,
    *,
    function: str | None = None,
    locking: Locking | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> Cargo:
    """Build what ships; what has not changed is not built again.

    Args:
        function: only the archive of this one.
    Raises:
        ConfigurationError, ModelError, PackagingError, RemoteError, ArtifactError: as `artifact.build`.
    """
    locking = locking or Locking()
    builder = LayerBuilder(service, on_step, locking=locking)
    built = build(service, function=function, on_step=on_step, layers=builder, locking=locking)
    artifacts = tuple({one.path: one for one in built.values()}.values())
    layers = tuple({layer.path: layer for one in artifacts for layer in one.layers}.values())
    if function is None:
        layers += builder.build_rest()
    return Cargo(artifacts, layers)


def with_images(
    aws: Aws, service: Service, cargo: Cargo, *, account: str, on_step: Callable[[str], None] = lambda _: None
) -> Cargo:
    """Return a cargo with what image functions run.

    Raises:
        ConfigurationError, PackagingError, ArtifactError, RemoteError: an image has no address, or cannot be built.
    """
    if not service.image_functions:
        return cargo
    images = load_images(aws, service, account=account, on_step=on_step)
    return replace(cargo, images=images.functions, built=images.built)


def send(aws: Aws, bucket: Bucket | None, parcels: tuple[Parcel, ...], progress: Progress) -> Uploaded | None:
    """Upload what the bucket does not hold; one that the stack made and somebody deleted is made again.

    Raises:
        RemoteError: the bucket is not ours, or in another region.
        AwsError: S3 refuses.
    """
    if bucket is None or not parcels:
        return None
    try:
        require_bucket(aws, bucket)
    except RemoteError:
        from bareboat.aws.bucket import is_there

        if not bucket.own or is_there(aws, bucket.name):
            raise
        progress.note(f"the bucket {bucket.name} was deleted: it is made again")
        make_again(aws, bucket)
    return upload(aws, bucket, parcels, lambda now: progress.uploaded(now.sent_bytes, now.total_bytes))


def with_runtime(service: Service, runtime: str) -> Service:
    """Return a service whose functions and layers are all for one runtime, as `--runtime` says.

    Raises:
        ConfigurationError: it is no runtime that Lambda has.
    """
    if runtime not in LIVE:
        raise ConfigurationError(
            f"--runtime {runtime} is no runtime that Lambda takes",
            expected=f"one of {', '.join(LIVE)}",
            fix=f"--runtime {STAND_IN}",
        )
    python = runtime.removeprefix("python")

    def of(functions: Mapping[str, Function]) -> dict[str, Function]:
        return {name: replace(one, runtime=runtime, python=python) for name, one in functions.items()}

    layers = {name: replace(layer, python=python) if layer.python else layer for name, layer in service.layers.items()}
    return replace(
        service, provider=replace(service.provider, runtime=runtime), functions=of(service.functions), layers=layers
    )


def refuse_retired(service: Service) -> None:
    """Refuse runtimes that AWS makes no functions with any more.

    Raises:
        ConfigurationError: with each of them.
    """
    retired = {name: one.runtime for name, one in service.functions.items() if one.runtime in RETIRED}
    if retired:
        names = ", ".join(f"{name} ({runtime})" for name, runtime in retired.items())
        raise ConfigurationError(
            f"AWS has retired the runtime of {names}",
            expected=f"one of {', '.join(LIVE)}",
            fix=f"provider: {{runtime: {STAND_IN}}}, or --runtime {STAND_IN} without an edit",
            where=str(service.path),
        )


def endpoints(outputs: Mapping[str, str]) -> dict[str, Any]:
    """Return the addresses among a stack's outputs: output -> address."""
    return {name: value for name, value in outputs.items() if value.startswith("https://") and "sqs." not in value}
