"""A base's files -> what our packages will live with: the Pythons that are in it, and its native libraries."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec

from bareboat.container.base import Base
from bareboat.container.documents import DEFAULT_PATH
from bareboat.container.tree import Tree
from bareboat.errors import ArtifactError
from bareboat.packaging.cache import cache_folder, write_whole
from bareboat.packaging.target import Baseline, Target

_ALSO = ("/var/lang/bin", "/opt/conda/bin", "/opt/venv/bin", "/opt/python/bin")
_PYTHON = re.compile(r"python(3\.\d+)\Z")
_MACHINES = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
_LIBRARIES = ("lib", "lib64", "usr/lib", "usr/lib64", "usr/local/lib", "usr/local/lib64")
_GLIBC = re.compile(rb"GNU C Library [^\n\0]*?release version (\d+)\.(\d+)")
_FAMILIES = {
    "GLIBC": ("libc.so.6", rb"GLIBC_(\d+(?:\.\d+)+)\0"),
    "GLIBCXX": ("libstdc++.so.6", rb"GLIBCXX_(\d+(?:\.\d+)+)\0"),
    "CXXABI": ("libstdc++.so.6", rb"CXXABI_(\d+(?:\.\d+)+)\0"),
}


@dataclass(frozen=True, slots=True)
class ImagePython:
    """An interpreter in a base.

    Args:
        version: "3.13".
        path: absolute, "/usr/local/bin/python3.13".
        site: where it looks for installed packages, absolute.
        scripts: where their commands belong, absolute.
        prefix: where their other files (`share`) belong, absolute.
    """

    version: str
    path: str
    site: str
    scripts: str
    prefix: str


def pythons(base: Base) -> tuple[ImagePython, ...]:
    """Return the interpreters of a base, in the order in which its PATH finds them."""
    tree = base.tree
    found: dict[str, ImagePython] = {}
    for folder in (*base.env.get("PATH", DEFAULT_PATH).split(":"), *_ALSO):
        for name in tree.names(folder) if tree.is_folder(folder) else ():
            match = _PYTHON.match(name)
            node = tree.get(f"{folder}/{name}") if match is not None else None
            if match is None or node is None or node.kind not in {"file", "hard"} or not node.mode & 0o111:
                continue
            path = posixpath.join("/", folder, name)
            found.setdefault(match[1], _python(tree, match[1], path))
    return tuple(found.values())


def python_of(base: Base, version: str | None = None) -> ImagePython:
    """Return the base's interpreter, of a version if one is asked for.

    Raises:
        ArtifactError: there is none; says which were found.
    """
    found = pythons(base)
    for one in found:
        if version is None or one.version == version:
            _refuse_minimal(base, one)
            return one
    there = ", ".join(one.path for one in found) or "no Python"
    wanted = f"Python {version}" if version else "a Python"
    fix = f"another base, such as python:{version or '3.13'}-slim"
    if found and version:
        fix += f"; or Python {found[0].version}, where the project can do with it"
    raise ArtifactError(f"{base.name} has {there}", expected=wanted, fix=fix)


def _refuse_minimal(base: Base, python: ImagePython) -> None:
    """Debian's python3-minimal is a Python without most of its library: hardly a package imports there."""
    library = f"{posixpath.dirname(posixpath.dirname(python.path))}/lib/python{python.version}"
    if base.tree.is_folder(library) and f"{library}/http/client.py" not in base.tree:
        raise ArtifactError(
            f"{base.name} has {python.path} without its standard library (python3-minimal)",
            expected="a whole Python",
            fix="install python3 into the base in place of python3-minimal, or take another base",
        )


def _python(tree: Tree, version: str, path: str) -> ImagePython:
    scripts = posixpath.dirname(path)
    prefix = posixpath.dirname(scripts) or "/"
    if prefix in {"/usr", "/"}:  # the distribution's own; what is added belongs below /usr/local
        debian = tree.is_folder("usr/lib/python3/dist-packages") or "etc/debian_version" in tree
        name = "dist-packages" if debian else "site-packages"
        return ImagePython(version, path, f"/usr/local/lib/python{version}/{name}", "/usr/local/bin", "/usr/local")
    return ImagePython(version, path, f"{prefix}/lib/python{version}/site-packages", scripts, prefix)


def baseline_of(base: Base, *, more: Iterable[str] = ()) -> Baseline:
    """Return what native files find in a base.

    Args:
        more: names of libraries that will be there when a container runs (those of a GPU's driver).
    Raises:
        ArtifactError: its C library is not glibc, so that no manylinux wheel loads.
    """
    key = json.dumps([[layer.digest for layer in base.layers], base.env.get("LD_LIBRARY_PATH", ""), base.name])
    kept = cache_folder("baselines") / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.json"
    try:
        found = msgspec.json.decode(kept.read_bytes(), type=Baseline)
    except (OSError, msgspec.MsgspecError):
        found = _baseline(base)
        write_whole(kept, msgspec.json.encode(found))
    return replace(found, libraries=found.libraries | frozenset(more))


def _baseline(base: Base) -> Baseline:
    folders = library_folders(base)
    tree = base.tree
    names: dict[str, str] = {}
    for folder in folders:
        for name in tree.names(folder) if tree.is_folder(folder) else ():
            if ".so" in name and (node := tree.get(f"{folder}/{name}")) is not None and node.kind in {"file", "hard"}:
                names.setdefault(name, f"{folder}/{name}")
    if "libc.so.6" not in names:
        musl = any(name.startswith("ld-musl") for folder in ("lib", "usr/lib") for name in tree.names(folder))
        raise ArtifactError(
            f"{base.name} has {'musl as C library (Alpine)' if musl else 'no C library'}",
            expected="glibc, for which most wheels are made",
            fix="another base, such as python:3.13-slim",
        )
    data = tree.read_many({names[library] for library, _ in _FAMILIES.values() if library in names})
    versions = tuple(
        (family, newest)
        for family, (library, pattern) in _FAMILIES.items()
        if library in names and (newest := _newest(pattern, data[names[library]]))
    )
    said = _GLIBC.search(data[names["libc.so.6"]])
    glibc = (int(said[1]), int(said[2])) if said is not None else dict(versions).get("GLIBC", (2, 17))[:2]
    return Baseline(f"{base.name} (glibc {glibc[0]}.{glibc[1]})", (glibc[0], glibc[1]), frozenset(names), versions)


def library_folders(base: Base) -> list[str]:
    """Return where the loader of a base looks, and where LD_LIBRARY_PATH sends it."""
    machine = _MACHINES.get(base.platform.architecture, "")
    said = base.env.get("LD_LIBRARY_PATH", "").split(":")
    folders = [folder.strip("/") for folder in said if folder]
    folders += [*_LIBRARIES, *(f"{folder}/{machine}" for folder in ("lib", "usr/lib", "usr/local/lib"))]
    settings = [f"etc/ld.so.conf.d/{name}" for name in base.tree.names("etc/ld.so.conf.d") if name.endswith(".conf")]
    for text in base.tree.read_many(settings).values():
        lines = text.decode("utf-8", "replace").splitlines()
        folders += [line.strip().strip("/") for line in lines if line.strip().startswith("/")]
    return list(dict.fromkeys(folders))


def target_of(base: Base, python: ImagePython, *, more: Iterable[str] = ()) -> Target:
    """Return the machine that packages are chosen for."""
    architecture = base.platform.lambda_architecture
    assert architecture in {"x86_64", "arm64"}
    return Target(
        python.version, "arm64" if architecture == "arm64" else "x86_64", baseline=baseline_of(base, more=more)
    )


def _newest(pattern: bytes, data: bytes) -> tuple[int, ...]:
    return max((tuple(map(int, one.split(b"."))) for one in re.findall(pattern, data)), default=())
