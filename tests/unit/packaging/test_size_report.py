"""What the size report says of packages, and the ways out when an archive is over Lambda's limit."""

from __future__ import annotations

import pytest

from bareboat.errors import PackagingError
from bareboat.packaging.packs import Member, Pack
from bareboat.packaging.sizes import PackageSize, measure, refuse_over_limit
from bareboat.packaging.slim import UNUSED, Level, Removed


def pack(name: str, *paths: str, version: str = "1", removed: tuple[Removed, ...] = ()) -> Pack:
    return Pack(name, version, tuple(Member(path, 10, 5, True, False, "", 0, 0) for path in paths), {}, removed)


def measured(*packs: Pack) -> dict[str, PackageSize]:
    return {one.name: one for one in measure([(member, one) for one in packs for member in one.members], packs)}


def test_installed_is_what_the_wheel_brings() -> None:
    removed = (
        Removed("tests", {"a/tests/x.py": 30}),
        Removed("comments and docstrings", {"a/b.py": 4}),
        Removed(UNUSED, {"a/c.py": 7, "a/__pycache__/c.cpython-313.pyc": 9}),
    )

    found = measured(pack("a", "a/b.py", "a/__pycache__/b.cpython-313.pyc", removed=removed))["a"]

    assert (found.installed_bytes, found.unzipped_bytes, found.bytecode_bytes) == (10 + 30 + 4 + 7, 20, 10)


def test_roots_hold_nothing_of_another_package() -> None:
    found = measured(
        pack("a", "a/x.py", "a.libs/q.so", "ns/a/x.py"),
        pack("b", "ns/b/x.py", "ns/b/y.py", "b.py"),
        pack("project", "handler.py", "ns/own.py", version=""),
    )

    assert found["a"].roots == ("a", "a.libs", "ns/a")
    assert found["b"].roots == ("ns/b", "b.py")
    assert found["project"].roots == ()


def refused(level: Level, *sizes: PackageSize) -> str:
    with pytest.raises(PackagingError) as caught:
        refuse_over_limit(sizes, more_bytes=0, where="serverless.yml", level=level)
    return str(caught.value)


def sized(name: str, megabytes: int, version: str = "1") -> PackageSize:
    return PackageSize(name, version, 1, megabytes * 10**6, 1, 0, 0, 0)


def test_over_the_limit_the_ways_out_are_told_with_what_they_bring() -> None:
    text = refused("safe", sized("torch", 300), sized("botocore", 20), sized("boto3", 2), sized("project", 40, ""))

    assert "362,000,000 bytes; the largest: torch 300.0 MB" in text
    assert "(layers count too): 99,856,000 must go" in text
    assert "--slim max, which keeps of the packages' 322.0 MB what the sample events use" in text
    assert "noDeploy: [botocore, boto3], which Lambda has: 22.0 MB less" in text
    assert "leave files of the project (40.0 MB) out" in text
    assert "package --image: an image may have 10.7 GB" in text
    assert "--slim safe" not in text


def test_a_way_that_was_taken_is_not_told() -> None:
    assert "--slim safe" in refused("none", sized("torch", 300))
    assert "--slim" not in refused("max", sized("torch", 300))
    assert "noDeploy: [" not in refused("max", sized("torch", 300))
