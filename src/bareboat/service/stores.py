"""What `model:` says -> the path of a file in the folder, or a RemoteModel in a store."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from bareboat.service import modules
from bareboat.service.keys.functions import StoredModelKeys
from bareboat.service.model import ModelFile, Place, RemoteModel
from bareboat.service.nodes import Node
from bareboat.service.report import Report

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SECRETS = frozenset({"x-amz-signature", "x-amz-credential", "x-amz-security-token", "signature", "sig", "token"})
FORMS = "s3://BUCKET/KEY, https://HOST/PATH, or a file in the folder"


def is_remote(text: str) -> bool:
    """Tell whether a text names a model in a store and no file."""
    return "://" in text or re.match(r"(models|runs):/", text) is not None


def model_file(
    said: str | StoredModelKeys | None, node: Node | None, path: str, folder: Path, report: Report
) -> ModelFile | None:
    """Return what a `model:` or an entry of `versions:` names, or None after a problem.

    Args:
        said: the checked value.
        node: the same with places.
        path: dotted, such as `functions.predict.model`.
        folder: of serverless.yml.
    """
    if said is None or node is None or node.state:
        return None
    if isinstance(said, str):
        if is_remote(said):
            return _remote(said, StoredModelKeys(), node, node.place, path, report)
        return _local(said, node.place, path, folder, report)
    place = node.get("source")
    if said.source is None or place is None or place.state:
        if place is None:
            report.problems.add(node.place, f"{path} has no source", expected=f"source: {FORMS}")
        return None
    if is_remote(said.source):
        return _remote(said.source, said, node, place.place, path, report)
    for key in ("versionId", "load", "sha256"):
        child = node.get(key)
        if child is not None and child.value is not None:
            report.problems.add(
                node.key_place(key),
                f"{path} has {key} beside a file of the folder",
                expected=f"{key} beside a model in a store",
                fix=f"take out {key}, or write source: s3://BUCKET/KEY",
            )
    return _local(said.source, place.place, path, folder, report)


def _local(text: str, place: Place, path: str, folder: Path, report: Report) -> Path | None:
    found = modules.model_in(folder, text)
    if found is None:
        is_folder = (folder / text).is_dir() if "\0" not in text else False
        report.problems.add(
            place,
            f"{path}: {text} is a folder without a file MLmodel" if is_folder else f"{path}: there is no file {text}",
            expected=f"a model file in {folder}, or the folder of an MLflow model",
        )
    return found


def _remote(
    text: str, said: StoredModelKeys, node: Node, place: Place, path: str, report: Report
) -> RemoteModel | None:
    found = parse_source(text)
    if isinstance(found, Fault):
        report.problems.add(place, f"{path}: {found.found}", expected=found.expected, fix=found.fix)
        return None
    version_id = said.version_id or found.version_id
    digest = (said.sha256 or found.sha256).lower()
    if said.version_id and not found.source.startswith("s3://"):
        report.problems.add(
            node.key_place("versionId"),
            f"{path} has versionId, which only S3 has",
            expected="sha256, which says what the address must answer",
            fix="take it out",
        )
        return None
    if said.version_id and found.version_id and said.version_id != found.version_id:
        report.problems.add(
            node.key_place("versionId"),
            f"{path}: versionId is {said.version_id}, and the source says {found.version_id}",
            expected="one of them",
        )
        return None
    if said.version_id and found.source.endswith("/"):
        report.problems.add(
            node.key_place("versionId"),
            f"{path}: versionId beside a folder, each file of which has versions of its own",
            expected="no versionId; bareboat.lock pins the version of each file",
            fix="take it out",
        )
        return None
    if digest and not _DIGEST.match(digest):
        where = node.key_place("sha256") if said.sha256 else place
        report.problems.add(where, f"{path}: sha256 is '{digest[:80]}'", expected="64 hex digits")
        return None
    if said.sha256 and found.sha256 and digest != found.sha256.lower():
        report.problems.add(
            node.key_place("sha256"), f"{path}: sha256 and that of the source differ", expected="one of them"
        )
        return None
    if said.load is not None:
        child = node.get("load")
        report.value(f"{path}.load", said.load, child or "")
    return RemoteModel(found.source, place, version_id, digest, said.load or "build")


class Fault:
    """Why a text is no source."""

    __slots__ = ("expected", "fix", "found")

    def __init__(self, found: str, expected: str = FORMS, fix: str = "") -> None:
        self.found = found
        self.expected = expected
        self.fix = fix


class Source:
    """A source in its plain form, and what its text said besides.

    Attributes:
        source: `s3://bucket/key` or an address.
        version_id, sha256: from `?versionId=` of S3 and `#sha256=`, or "".
    """

    __slots__ = ("sha256", "source", "version_id")

    def __init__(self, source: str, version_id: str = "", sha256: str = "") -> None:
        self.source = source
        self.version_id = version_id
        self.sha256 = sha256


def parse_source(text: str) -> Source | Fault:
    """Read `s3://bucket/key[?versionId=ID]` or `https://host/path`, each with or without `#sha256=HEX` behind it."""
    body, _, fragment = text.partition("#sha256=")
    if any(ord(sign) <= 32 or ord(sign) == 127 for sign in body):
        return Fault(f"'{text[:80]}' has blanks or control characters")
    scheme = body.partition("://")[0].lower() if "://" in body else body.partition(":")[0]
    if scheme == "s3":
        return _s3(body, fragment)
    if scheme in ("http", "https"):
        return _http(body, fragment)
    if scheme in ("models", "runs"):
        return Fault(
            f"'{text}' is an address of an MLflow server, which is not asked",
            fix="give the folder where the server keeps the model: s3://BUCKET/.../artifacts/model/",
        )
    return Fault(f"'{text}' is in a store that is not known", fix="copy it to S3, or behind https://")


def _s3(body: str, digest: str) -> Source | Fault:
    rest, mark, version = body[5:].rpartition("?versionId=")
    bucket, slash, key = (rest if mark else body[5:]).partition("/")
    if bucket.startswith("arn:"):
        return Fault(f"'{body}' names a bucket by its ARN", fix="name the bucket")
    if not _BUCKET.match(bucket):
        return Fault(f"'{bucket}' is no name of a bucket", expected="3 to 63 small letters, digits, '-' and '.'")
    if not slash or not key:
        return Fault(f"'{body}' names no object", expected="s3://BUCKET/KEY, or s3://BUCKET/FOLDER/ of an MLflow model")
    if len(key.encode()) > 1024:
        return Fault("the key has more than 1024 bytes", expected="a key that S3 takes")
    if mark and key.endswith("/"):
        return Fault(f"'{body}' has a versionId beside a folder", fix="take it out; bareboat.lock pins each file")
    return Source(f"s3://{bucket}/{key}", version if mark else "", digest)


def _http(body: str, digest: str) -> Source | Fault:
    try:
        parts = urlsplit(body)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        return Fault(f"'{body}' is no address: {error}")
    if not host:
        return Fault(f"'{body}' names no host")
    if parts.username or parts.password:
        return Fault(
            "the address holds a user or a password, which would stand in bareboat.lock",
            expected="an address that needs none",
            fix="use s3://, whose credentials stay in the environment",
        )
    if {name.lower() for name, _ in parse_qsl(parts.query)} & _SECRETS:
        return Fault(
            "the address is signed: it holds a secret, and expires",
            expected="an address that stays",
            fix="use s3://BUCKET/KEY",
        )
    if parts.scheme.lower() == "http" and host not in _LOOPBACK:
        return Fault(
            f"'{body}' goes over the network unprotected",
            expected="https://, or http:// of this machine",
            fix=f"write https://{body[7:]}",
        )
    return Source(body.partition("#")[0], "", digest)
