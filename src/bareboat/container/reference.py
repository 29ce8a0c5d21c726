"""What people write for an image (`ubuntu`, `localhost:5000/app:1`, `x@sha256:…`) -> Reference."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import ip_address

from bareboat.errors import ConfigurationError

DOCKER_HUB = "docker.io"
DEFAULT_TAG = "latest"

# The grammar of distribution/reference (the Go package that Docker, Podman and the registries share).
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)")
_IPV6 = re.compile(r"\[[0-9a-fA-F:]+\]")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_MOST_CHARACTERS = 255
_EXAMPLES = "NAME, NAME:TAG, HOST[:PORT]/PATH/NAME:TAG or NAME@sha256:DIGEST"


@dataclass(frozen=True, slots=True)
class Reference:
    """An image, wherever it lies.

    Args:
        registry: the host, with its port where one was given; `docker.io` where none was.
        repository: the path in the registry; an official image of Docker Hub is `library/NAME`.
        tag: empty when only a digest was given.
        digest: `sha256:…` of the manifest or index; may be empty.
        names_registry: whether a registry was written; without one a name can also be that of a local image.
    """

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""
    names_registry: bool = True

    def __str__(self) -> str:
        """Write the whole reference, registry included."""
        return f"{self.registry}/{self.repository}{self._suffix}"

    @property
    def familiar(self) -> str:
        """Write it as people do: without Docker Hub's host and its `library/`."""
        if self.registry != DOCKER_HUB:
            return str(self)
        return self.repository.removeprefix("library/") + self._suffix

    @property
    def wanted(self) -> str:
        """Return what a registry is asked for: the digest where there is one, else the tag."""
        return self.digest or self.tag

    def with_digest(self, digest: str) -> Reference:
        """Return the same image, pinned."""
        return replace(self, digest=digest)

    @property
    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse_reference(text: str) -> Reference:
    """Read an image reference.

    Without a registry Docker Hub is meant, without a tag or digest `latest`, as everywhere.

    Raises:
        ConfigurationError: it is none; says which part.
    """
    scheme, there, address = text.partition("://")
    if there:
        raise _wrong(text, f"has the scheme {scheme!r}", _EXAMPLES, fix=f"write {address}")
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise _wrong(text, f"has the digest {digest!r}", "sha256: and 64 characters of 0-9 and a-f")
    registry, named, path = _split_registry(rest)
    repository, colon, tag = path.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise _wrong(text, f"has the tag {tag!r}", "1 to 128 letters, digits, '_', '.' and '-'")
    if named and not _is_host(registry):
        raise _wrong(text, f"has the registry {registry!r}", "HOST or HOST:PORT")
    _check_repository(text, repository)
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    if not tag and not digest:
        tag = DEFAULT_TAG
    return Reference(registry, repository, tag, digest, names_registry=named)


def is_loopback(registry: str) -> bool:
    """Tell whether a registry is on this machine, where plain HTTP is no risk."""
    host = host_of(registry)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_of(registry: str) -> str:
    """Return a registry's host without its port."""
    if registry.startswith("["):
        return registry.partition("]")[0] + "]"
    return registry.partition(":")[0]


def _split_registry(text: str) -> tuple[str, bool, str]:
    """Split off the registry: the first part, where it can be no folder (it has a dot, a port or is localhost)."""
    first, slash, rest = text.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        return (DOCKER_HUB if first == "index.docker.io" else first), True, rest
    return DOCKER_HUB, False, text


def _check_repository(text: str, repository: str) -> None:
    if not repository:
        raise _wrong(text, "has no name", _EXAMPLES)
    if repository != repository.lower():
        fix = text.replace(repository, repository.lower())
        raise _wrong(text, "has capitals in its name", "small letters", fix=fix)
    for part in repository.split("/"):
        if not _COMPONENT.fullmatch(part):
            expected = "parts of small letters and digits, parted by '.', '_' or '-'"
            raise _wrong(text, f"has {part!r} in its name" if part else "has an empty part in its name", expected)
    if len(repository) > _MOST_CHARACTERS:
        raise _wrong(text, f"has a name of {len(repository)} characters", f"at most {_MOST_CHARACTERS}")


def _is_host(registry: str) -> bool:
    host, port = host_of(registry), registry[len(host_of(registry)) :]
    if port and not (port[1:].isascii() and port[1:].isdigit() and int(port[1:]) <= 65_535):
        return False
    return bool(_HOST.fullmatch(host) or _IPV6.fullmatch(host))


def _wrong(text: str, found: str, expected: str, *, fix: str = "") -> ConfigurationError:
    return ConfigurationError(f"the image {text!r} {found}", expected=expected, fix=fix)
