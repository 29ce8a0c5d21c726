"""Functions that are container images: what they run, built where the service says how, and pushed to ECR by digest."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat.aws.client import Aws, AwsError
from bareboat.aws.shipment import FunctionCode, ImageCode
from bareboat.errors import ConfigurationError, RemoteError
from bareboat.service.model import Function, Service

if TYPE_CHECKING:
    from bareboat.container.documents import Descriptor
    from bareboat.container.registry import Registry

_URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<name>[^@:]+)(?::(?P<tag>[^@]+))?"
)
_RECIPE = "image.yml"


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image in the store of this machine that has to be in ECR.

    Args:
        tag: what it is called there: its name in `provider.ecr.images`.
    """

    tag: str
    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class Images:
    """The image functions of a service, and which images have to be pushed for them."""

    functions: Mapping[str, FunctionCode] = field(default_factory=dict)
    built: tuple[BuiltImage, ...] = ()


def repository_of(service: Service) -> str:
    """Return the repository that a service's images go to, as Serverless calls it: `serverless-SERVICE-STAGE`."""
    name = re.sub(r"-+", "-", f"serverless-{service.name}-{service.provider.stage}".lower())
    return name.removesuffix("-")


def load_images(aws: Aws, service: Service, *, account: str, on_step: Callable[[str], None] = lambda _: None) -> Images:
    """Return what the image functions run; images of `provider.ecr.images` with a path are built.

    Raises:
        ConfigurationError: an image has no address and no recipe.
        PackagingError, ArtifactError, RemoteError: it cannot be built.
        AwsError: ECR has no image of that tag.
    """
    built: dict[tuple[str, str], BuiltImage] = {}
    functions = {}
    for name, function in service.image_functions.items():
        functions[name] = FunctionCode(_code(aws, service, function, account, built, on_step), function.architecture)
    return Images(functions, tuple(built.values()))


def _code(
    aws: Aws,
    service: Service,
    function: Function,
    account: str,
    built: dict[tuple[str, str], BuiltImage],
    on_step: Callable[[str], None],
) -> ImageCode:
    said = function.options.get("image")
    about: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    name = str(about.get("name") or "") if about else str(said)
    entry = _entry(service, name)
    uri = str(about.get("uri") or entry.get("uri") or "")
    if not uri and _URI.match(name):
        uri = name
    if uri:
        uri, digest = _by_digest(aws, uri)
    elif entry.get("path") is not None:
        key = (name, function.architecture)
        if key not in built:
            built[key] = _built(service, function, name, entry, on_step)
        digest = built[key].descriptor.digest.removeprefix("sha256:")
        uri = f"{_host(aws, account)}/{repository_of(service)}@sha256:{digest}"
    else:
        raise ConfigurationError(
            f"functions.{function.name}.image is {name!r}, which provider.ecr.images does not have",
            expected="an address in ECR, or a name of provider.ecr.images with uri or path",
            where=str(function.where),
        )
    return ImageCode(
        uri,
        digest,
        command=tuple(about.get("command") or ()),
        entry_point=tuple(about.get("entryPoint") or ()),
        working_directory=str(about.get("workingDirectory") or ""),
    )


def _entry(service: Service, name: str) -> Mapping[str, Any]:
    """Return an entry of `provider.ecr.images`; a bare text is a path."""
    images = (service.provider.options.get("ecr") or {}).get("images") or {}
    entry = images.get(name) if isinstance(images, Mapping) else None
    if isinstance(entry, str):
        return {"uri": entry} if _URI.match(entry) else {"path": entry}
    return entry if isinstance(entry, Mapping) else {}


def _by_digest(aws: Aws, uri: str) -> tuple[str, str]:
    """Return an address with its digest, asking ECR what a tag means now."""
    if "@sha256:" in uri:
        return uri, uri.rpartition("@sha256:")[2]
    found = _URI.match(uri)
    if found is None:
        return uri, ""
    tag = found["tag"] or "latest"
    said = aws.call(
        "ecr",
        "describe_images",
        region=found["region"],
        registryId=found["account"],
        repositoryName=found["name"],
        imageIds=[{"imageTag": tag}],
    )
    digest = str(said["imageDetails"][0]["imageDigest"])
    return f"{uri.removesuffix(f':{tag}')}@{digest}", digest.removeprefix("sha256:")


def _built(
    service: Service, function: Function, name: str, entry: Mapping[str, Any], on_step: Callable[[str], None]
) -> BuiltImage:
    from bareboat.container.build import build_image
    from bareboat.container.documents import linux_platform
    from bareboat.container.recipe import load_recipe
    from bareboat.container.store import Store

    place = service.folder / Path(str(entry["path"]))
    recipe = place / str(entry.get("file") or _RECIPE)
    if recipe.suffix not in (".yml", ".yaml") or not recipe.is_file():
        raise ConfigurationError(
            f"provider.ecr.images.{name} is built from {recipe.name}, which "
            + ("is no recipe of bareboat's" if recipe.is_file() else "is not there"),
            expected=f"{_RECIPE} in {entry['path']}: images are built without Docker (docs/images.md)",
            fix=f"write {_RECIPE}, or push the image yourself and give its uri",
            where=str(service.path),
        )
    image = build_image(
        load_recipe(recipe), Store.open(), platforms=(linux_platform(function.architecture),), on_step=on_step
    )
    return BuiltImage(name, image.descriptor)


def _host(aws: Aws, account: str) -> str:
    suffix = "amazonaws.com.cn" if aws.region.startswith("cn-") else "amazonaws.com"
    return f"{account}.dkr.ecr.{aws.region}.{suffix}"


def push_images(
    aws: Aws,
    service: Service,
    built: tuple[BuiltImage, ...],
    *,
    account: str,
    on_step: Callable[[str], None] = lambda _: None,
    open_registry: Callable[..., Registry] | None = None,
) -> None:
    """Push images to the service's repository, which is made where there is none; what is there is not sent again.

    Args:
        open_registry: what a registry is opened with; None is `container.registry.Registry`.
    Raises:
        AwsError, RemoteError: ECR refuses.
    """
    if not built:
        return
    from bareboat.container.credentials import Credentials
    from bareboat.container.push import push
    from bareboat.container.registry import Registry
    from bareboat.container.store import Store

    repository = repository_of(service)
    _make_repository(aws, service, repository)
    said = aws.call("ecr", "get_authorization_token")["authorizationData"][0]
    user, _, password = base64.b64decode(said["authorizationToken"]).decode().partition(":")
    host = _host(aws, account)
    if not password:
        raise RemoteError(f"ECR gave no password for {host}", expected="a token of ecr:GetAuthorizationToken")
    who = Credentials(user, password)
    layout = Store.open().layout
    with (open_registry or Registry)(host, credentials=lambda _registry, _repository: who) as registry:
        for image in built:
            push(layout, image.descriptor, f"{host}/{repository}:{_tag(image.tag)}", on_step=on_step, registry=registry)


def _tag(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "-", name)[:128] or "image"


def _make_repository(aws: Aws, service: Service, repository: str) -> None:
    try:
        aws.call("ecr", "describe_repositories", repositoryNames=[repository])
    except AwsError as error:
        if error.code != "RepositoryNotFoundException":
            raise
        scan = bool((service.provider.options.get("ecr") or {}).get("scanOnPush"))
        try:
            aws.call(
                "ecr",
                "create_repository",
                repositoryName=repository,
                imageScanningConfiguration={"scanOnPush": scan},
            )
        except AwsError as again:
            if again.code != "RepositoryAlreadyExistsException":
                raise
