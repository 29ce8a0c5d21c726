"""What a function of the probe saw of its image -> whether it is what bareboat takes Lambda's images to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bareboat.packaging.lambda_image import PROVIDED, newest_versions
from bareboat.packaging.target import Target
from bareboat.service.model import Function

# Recorded in 2026 for python3.8 to python3.14 (LocalStack's lambda snapshots).
LIBRARY_PATH = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
_BUNDLED = ("libgomp.so.1", "libcrypt.so.1")  # what bareboat ships itself, or refuses, since images lack it
_LOADERS = {"x86_64": "ld-linux-x86-64.so.2", "arm64": "ld-linux-aarch64.so.1"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that bareboat takes for granted of an image, and what it is.

    Args:
        function: of the probe, such as `image-3-13`.
    """

    function: str
    id: str
    rule: str
    assumed: Any
    found: Any

    @property
    def agrees(self) -> bool:
        """Whether it is as assumed."""
        return bool(self.assumed == self.found)


def facts(function: Function, said: Mapping[str, Any]) -> Iterator[Fact]:
    """Compare what a function told of its image with what packaging and the local cloud assume.

    Args:
        said: the answer of `probe.image`; one with an error has no facts.
    """
    if "error" in said:
        return
    name, target = function.name, Target(function.python, function.architecture)
    versions = newest_versions(target)
    glibc = ".".join(map(str, target.glibc))
    yield Fact(name, "glibc", "the C library", glibc, str(said["glibc"]).removeprefix("glibc "))
    for kind in ("GLIBCXX", "CXXABI"):
        newest = ".".join(map(str, versions[kind]))
        yield Fact(name, kind, "the newest symbols of the C++ library", newest, _newest(said["symbols"], kind))
    there = {one for names in said["libraries"].values() for one in names}
    needed = sorted(PROVIDED - (set(_LOADERS.values()) - {_LOADERS[function.architecture]}))
    lacking = [one for one in needed if one not in there]
    yield Fact(name, "libraries", "libraries that an archive need not ship", [], lacking)
    present = [one for one in _BUNDLED if one in there]
    yield Fact(name, "bundled", "libraries that no image has", [], present)
    path = said["environment"].get("LD_LIBRARY_PATH", "")
    yield Fact(name, "LD_LIBRARY_PATH", "where libraries are looked for", LIBRARY_PATH, path)
    packages = f"/opt/python/lib/python{function.python}/site-packages"
    wanted = [
        "/var/task",
        packages,
        "/opt/python",
        f"/var/lang/lib/python{function.python}/site-packages",
        "/var/runtime",
    ]
    order = [one for one in said["sys.path"] if one in wanted]
    there_of_wanted = [one for one in wanted if one in order]
    yield Fact(name, "sys.path", "the order in which modules are looked for", there_of_wanted, order)


def _newest(symbols: list[str], kind: str) -> str:
    """Return the newest version of a family of symbols, such as 3.4.29; "" where there is none."""
    found = [tuple(map(int, one.split("_", 1)[1].split("."))) for one in symbols if one.startswith(f"{kind}_")]
    return ".".join(map(str, max(found))) if found else ""
