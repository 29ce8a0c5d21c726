"""A registry by OCI's distribution API: manifests, tags and blobs of its repositories.

Source: OCI Distribution Specification 1.1 (opencontainers/distribution-spec, spec.md); what Docker Hub and Docker's
own registry do beside it: distribution/distribution, "HTTP API V2".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urljoin

from urllib3.exceptions import NameResolutionError

from bareboat.container.authorization import Authorization
from bareboat.container.credentials import Credentials, find_credentials
from bareboat.container.documents import DOCKER_INDEX, DOCKER_MANIFEST, INDEX, MANIFEST, Descriptor
from bareboat.container.layout import DOCUMENT_BYTES
from bareboat.container.reference import DOCKER_HUB, Reference, is_loopback
from bareboat.container.refusal import Missing, a_page, refusal, refused_login
from bareboat.container.transport import LATER, Body, Lost, Response, Transport, read_text
from bareboat.errors import RemoteError

ACCEPTED = (INDEX, MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST)
_MOST_TAGS = 2_000
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest or index as a registry has it."""

    descriptor: Descriptor
    data: bytes


@dataclass(frozen=True, slots=True)
class Right:
    """What a request needs to be allowed.

    Args:
        mount_from: another repository whose blobs are to be read too.
    """

    repository: str
    push: bool = False
    mount_from: str = ""

    @property
    def scope(self) -> str:
        """The scope of a token, as Docker writes it."""
        if not self.repository:
            return ""
        scope = f"repository:{self.repository}:{'pull,push' if self.push else 'pull'}"
        return f"{scope} repository:{self.mount_from}:pull" if self.mount_from else scope


class Registry:
    """One registry.

    Args:
        host: as in a reference: `docker.io`, `localhost:5000`.
        insecure: take any certificate, and plain HTTP where there is no HTTPS. A registry on this machine may speak
            plain HTTP without it.
        credentials: (registry, repository) -> who to be, None for nobody.
    """

    def __init__(
        self,
        host: str,
        *,
        insecure: bool = False,
        transport: Transport | None = None,
        credentials: Callable[[str, str], Credentials | None] = find_credentials,
    ) -> None:
        self.host = host
        self.transport = transport or Transport(insecure=insecure)
        self._plain = insecure or is_loopback(host)
        self._find = credentials
        self._authorizations: dict[str, Authorization] = {}
        self._base = ""

    def __enter__(self) -> Registry:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.transport.close()

    # --- requests

    @property
    def base(self) -> str:
        """The address of the API: HTTPS where the registry speaks it.

        Raises:
            RemoteError: there is no way to it, or it speaks plain HTTP and is neither here nor allowed to.
        """
        if not self._base:
            host = "registry-1.docker.io" if self.host == DOCKER_HUB else self.host
            scheme = "https"
            try:
                self._drain(self.transport.send("GET", f"https://{host}/v2/", again=not self._plain))
            except RemoteError as error:
                if not self._plain or isinstance(error.__cause__, NameResolutionError):
                    raise
                scheme = "http"
            self._base = f"{scheme}://{host}"
        return self._base

    def ping(self) -> None:
        """Ask whether this is a registry, and whether it lets us in.

        Raises:
            RemoteError: it is none, or refuses.
        """
        response = self.request("GET", "/v2/", accept=(200,), doing="asking for its version")
        self._read(response)
        if "html" in response.headers.get("Content-Type", ""):
            raise a_page(self.host, 200, "asking for its version")

    def request(
        self,
        method: str,
        path: str,
        *,
        right: Right = Right(""),
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        accept: Collection[int],
        doing: str,
        again: bool = True,
    ) -> Response:
        """Send a request, with a token where one is wanted, and return an answer of one of the `accept`ed kinds.

        Args:
            path: from `/v2/` on, or a whole address that the registry gave.
            right: what the request needs to be allowed.
            doing: for errors: "pushing app:1".
        Raises:
            Lost: the connection broke (after some tries, with `again`).
            Missing: the registry has no such thing.
            RemoteError: it refuses, or is none.
        """
        url = path if "://" in path else f"{self.base}{path}"
        authorization = self._authorization(right.repository)
        ours = url.startswith(f"{self.base}/")  # else the storage behind it, which is not told who we are
        for attempt in range(2):
            said = authorization.header(right.scope) if ours else {}
            response = self.transport.send(method, url, {**(headers or {}), **said}, body, again=again)
            if response.status in accept:
                return response
            if response.status != 401 or attempt or not ours:
                break
            self._drain(response)
            if not authorization.renew(right.scope, response, said):
                raise refused_login(self.host, authorization.has_credentials)
        raise refusal(self.host, response, doing, has_credentials=authorization.has_credentials)

    def _authorization(self, repository: str) -> Authorization:
        if repository not in self._authorizations:
            self._authorizations[repository] = Authorization(
                self.transport, self.host, lambda: self._find(self.host, repository), plain=self.transport.insecure
            )
        return self._authorizations[repository]

    def _document(self, path: str, repository: str, headers: Mapping[str, str], doing: str) -> tuple[Response, bytes]:
        """Fetch a small answer whole, again where it breaks off."""
        for last in (False, False, True):
            response = self.request("GET", path, right=Right(repository), headers=headers, accept=(200,), doing=doing)
            try:
                return response, self._read(response)
            except Lost as lost:
                if last:
                    raise Lost(f"{self.host} drops the connection, {doing}: {lost}", fix=LATER) from lost
        raise AssertionError("the last try returns or raises")

    def _read(self, response: Response, most_bytes: int = DOCUMENT_BYTES) -> bytes:
        data = read_text(response, most_bytes)
        if len(data) > most_bytes:
            raise RemoteError(
                f"{self.host} answers more than {most_bytes:,} bytes", expected="a document, which is smaller"
            )
        return data

    def _drain(self, response: Response) -> None:
        response.drain_conn()
        response.release_conn()

    # --- manifests

    def manifest(self, image: Reference) -> Document:
        """Fetch the manifest or index of an image; its digest is that of the bytes, and the one that was asked for.

        Raises:
            Missing: there is no such repository, or no such tag; names the nearest ones.
            RemoteError: the registry refuses, or answers something else.
        """
        path = f"/v2/{image.repository}/manifests/{image.wanted}"
        doing = f"pulling {image}"
        headers = {"Accept": ", ".join(ACCEPTED)}
        try:
            response, data = self._document(path, image.repository, headers, doing)
        except Missing as error:
            raise self._no_such_image(image) from error
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
        descriptor = self._described(image, data, kind, response.headers.get("Docker-Content-Digest", ""))
        return Document(descriptor, data)

    def put_manifest(self, repository: str, name: str, descriptor: Descriptor, data: bytes) -> None:
        """Put a manifest or index under a tag or its digest, after everything that it names.

        Raises:
            RemoteError: the registry refuses it, or has made something else of it.
        """
        response = self.request(
            "PUT",
            f"/v2/{repository}/manifests/{name}",
            right=Right(repository, push=True),
            headers={"Content-Type": descriptor.media_type},
            body=data,
            accept=(201,),
            doing=f"pushing the manifest of {self.host}/{repository}",
        )
        self._read(response)
        became = response.headers.get("Docker-Content-Digest", descriptor.digest)
        if became != descriptor.digest:
            raise RemoteError(
                f"{self.host} has made another image of it: {became}", expected=descriptor.digest, fix="report it there"
            )

    def _described(self, image: Reference, data: bytes, kind: str, promised: str) -> Descriptor:
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise RemoteError(
                f"{self.host} answers no manifest, but {kind or 'something unnamed'}",
                expected="the manifest of an image",
                fix="look at the host and the port; a proxy that asks for a login answers so too",
            )
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        for wanted in filter(None, (image.digest, promised)):
            algorithm, _, digits = wanted.partition(":")
            found = hashlib.new(algorithm, data).hexdigest() if algorithm in {"sha256", "sha512"} else digits
            if found != digits:
                raise RemoteError(
                    f"{self.host} sends another manifest than asked for: {algorithm}:{found}",
                    expected=wanted,
                    fix="try again; if it stays so, the registry or a proxy in between is damaged",
                )
        if image.digest:
            digest = image.digest
        named = document.get("mediaType") or kind
        if named not in ACCEPTED:
            if document.get("schemaVersion") == 1 or "prettyjws" in kind:
                named = "Docker's schema 1"
            raise RemoteError(f"{image} is {named or 'of no kind'}", expected="an image of OCI's or Docker's form")
        return Descriptor(named, digest, len(data))

    def _no_such_image(self, image: Reference) -> RemoteError:
        """Say what there is in place of what was asked for."""
        if image.digest:
            return Missing(f"{self.host} has no {image.repository} with the digest {image.digest}")
        try:
            tags = self.tags(image.repository)
        except RemoteError:
            return Missing(
                f"{self.host} has no {image.repository}, or does not show it to you",
                fix=f"look at the name; for one that is not public: docker login {self.host}",
            )
        if not tags:
            return Missing(f"{self.host} has no tags of {image.repository}", fix="push one first")
        from difflib import get_close_matches

        near = get_close_matches(image.tag, tags, n=5, cutoff=0.5) or sorted(tags)[-5:]
        known = ", ".join(near) + (f" (of {len(tags):,})" if len(tags) > len(near) else "")
        return Missing(
            f"{self.host} has no {image.repository} with the tag {image.tag}",
            expected=f"one of {known}",
            fix=f"did you mean {Reference(image.registry, image.repository, near[0]).familiar}?",
        )

    def tags(self, repository: str) -> tuple[str, ...]:
        """List a repository's tags, page by page, as far as 2,000.

        Raises:
            Missing: there is no such repository.
        """
        tags: list[str] = []
        path = f"/v2/{repository}/tags/list?n=1000"
        while path and len(tags) < _MOST_TAGS:
            response, data = self._document(path, repository, {}, f"listing the tags of {repository}")
            try:
                tags += [str(tag) for tag in json.loads(data).get("tags") or ()]
            except (ValueError, AttributeError, TypeError) as error:
                raise RemoteError(f"{self.host} lists the tags of {repository} as something else than JSON") from error
            further = _NEXT.search(response.headers.get("Link", ""))
            path = urljoin(f"{self.base}/v2/{repository}/tags/list", further[1]) if further else ""
        return tuple(tags[:_MOST_TAGS])

    # --- blobs

    def has_blob(self, repository: str, blob: Descriptor) -> bool:
        """Tell whether a repository has a blob already.

        Raises:
            RemoteError: the registry refuses.
        """
        response = self.request(
            "HEAD",
            f"/v2/{repository}/blobs/{blob.digest}",
            right=Right(repository, push=True),
            accept=(200, 404),
            doing=f"looking for a layer of {repository}",
        )
        self._drain(response)
        length = response.headers.get("Content-Length", "")
        return response.status == 200 and (not length.isdigit() or int(length) == blob.size)

    def open_blob(self, repository: str, digest: str, *, at: int = 0) -> Response:
        """Begin to read a blob, from a byte on; 206 where the registry does that, 200 where it sends all of it.

        Raises:
            Lost: the connection broke.
            Missing: there is no such blob.
            RemoteError: the registry refuses.
        """
        return self.request(
            "GET",
            f"/v2/{repository}/blobs/{digest}",
            right=Right(repository),
            headers={"Range": f"bytes={at}-"} if at else {},
            accept=(200, 206, 416) if at else (200,),
            doing=f"pulling a layer of {repository}",
        )
