"""What an archive weighs, package by package, against Lambda's limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bareboat.errors import PackagingError
from bareboat.packaging.packs import Member, Pack
from bareboat.packaging.slim import UNUSED, Level

PROJECT = "project"  # what the pack of the user's own files is called
# In the image of every Python that Lambda has, in a version of its own.
_ON_LAMBDA = ("boto3", "botocore", "s3transfer", "jmespath")
# AWS Lambda quotas, "Deployment package (.zip file archive) size".
DIRECT_BYTES = 52_428_800
UNZIPPED_BYTES = 262_144_000
IMAGE_BYTES = 10 * 2**30


@dataclass(frozen=True, slots=True)
class PackageSize:
    """One row of the size report.

    Args:
        unzipped_bytes, zipped_bytes: of what ships.
        bytecode_bytes: of the unzipped bytes, those of bytecode.
        removed_bytes: what slimming left out, unzipped.
        installed_bytes: what the wheel installs: without bytecode, before slimming.
        roots: files and folders that hold nothing but files of this package; () for the project, whose is the rest.
    """

    name: str
    version: str
    files: int
    unzipped_bytes: int
    zipped_bytes: int
    bytecode_bytes: int
    removed_bytes: int
    installed_bytes: int
    roots: tuple[str, ...] = ()


def measure(members: Sequence[tuple[Member, Pack]], packs: Sequence[Pack]) -> tuple[PackageSize, ...]:
    """Return the size report, the largest first."""
    rows: dict[int, list[Member]] = {id(pack): [] for pack in packs}
    for member, pack in members:
        rows[id(pack)].append(member)
    roots = _roots([(member.path, pack.name) for member, pack in members])
    sizes = [
        PackageSize(
            name=pack.name,
            version=pack.version,
            files=len(own),
            unzipped_bytes=sum(member.size for member in own),
            zipped_bytes=sum(member.zsize for member in own),
            bytecode_bytes=sum(member.size for member in own if member.path.endswith(".pyc")),
            removed_bytes=sum(removed.size_bytes for removed in pack.removed),
            installed_bytes=_installed_bytes(own, pack),
            roots=tuple(roots.get(pack.name, ())) if pack.name != PROJECT else (),
        )
        for pack in packs
        if (own := rows[id(pack)])
    ]
    return tuple(sorted(sizes, key=lambda size: (-size.unzipped_bytes, size.name)))


def _installed_bytes(members: Sequence[Member], pack: Pack) -> int:
    kept = sum(member.size for member in members if not member.path.endswith(".pyc"))
    return kept + sum(
        size
        for removed in pack.removed
        for path, size in removed.paths.items()
        if removed.reason != UNUSED or not path.endswith(".pyc")
    )


def _roots(entries: Sequence[tuple[str, str]], depth: int = 0) -> dict[str, list[str]]:
    """Return for each owner of files the shortest paths under which it owns everything.

    Args:
        entries: (path, owner).
    """
    under: dict[str, list[tuple[str, str]]] = {}
    for path, owner in entries:
        under.setdefault("/".join(path.split("/", depth + 1)[: depth + 1]), []).append((path, owner))
    found: dict[str, list[str]] = {}
    for root, inside in under.items():
        owners = {owner for _, owner in inside}
        if len(owners) == 1 or all(path == root for path, _ in inside):
            found.setdefault(inside[0][1], []).append(root)
        else:
            for owner, roots in _roots(inside, depth + 1).items():
                found.setdefault(owner, []).extend(roots)
    return found


def shed_bytecode(
    members: Sequence[tuple[Member, Pack]], *, reserve_bytes: int, limit_bytes: int = UNZIPPED_BYTES
) -> tuple[tuple[tuple[Member, Pack], ...], tuple[str, ...]]:
    """Leave out the bytecode of as few packages as it takes to come under Lambda's limit, the most bytecode first.

    A slower cold start is better than an archive that Lambda refuses. The project's own bytecode stays.

    Args:
        reserve_bytes: what will be added to the members.
    Returns:
        The members that are left, and the names of the packages whose bytecode went. Nothing goes if it would not help.
    """
    over = sum(member.size for member, _ in members) + reserve_bytes - limit_bytes
    bytecode: dict[str, int] = {}
    for member, pack in members:
        if pack.version and member.path.endswith(".pyc"):
            bytecode[pack.name] = bytecode.get(pack.name, 0) + member.size
    if over <= 0 or sum(bytecode.values()) < over:
        return tuple(members), ()
    shed: list[str] = []
    for name in sorted(bytecode, key=lambda name: (-bytecode[name], name)):
        if over > 0:
            shed.append(name)
            over -= bytecode[name]
    left = ((m, pack) for m, pack in members if not (pack.version and pack.name in shed and m.path.endswith(".pyc")))
    return tuple(left), tuple(sorted(shed))


def refuse_over_limit(
    sizes: Sequence[PackageSize],
    *,
    more_bytes: int,
    where: str,
    limit_bytes: int = UNZIPPED_BYTES,
    level: Level = "safe",
) -> None:
    """Raise when Lambda would refuse the archive for its unzipped size.

    Args:
        more_bytes: of what is in the archive beside the report's rows.
        level: how the packages were slimmed.
    Raises:
        PackagingError: with the largest packages and what brings it under.
    """
    total = sum(size.unzipped_bytes for size in sizes) + more_bytes
    if total <= limit_bytes:
        return
    largest = ", ".join(f"{size.name} {size.unzipped_bytes / 1e6:.1f} MB" for size in sizes[:5])
    raise PackagingError(
        f"unzipped the archive has {total:,} bytes; the largest: {largest}",
        expected=f"at most {limit_bytes:,} bytes, Lambda's limit (layers count too): {total - limit_bytes:,} must go",
        fix="; or ".join(_ways_out(sizes, total, level)),
        where=where,
    )


def _ways_out(sizes: Sequence[PackageSize], total: int, level: Level) -> list[str]:
    """Say what brings an archive under the limit, with what it brings where that is known."""
    packages = sum(size.unzipped_bytes for size in sizes if size.version)
    own = sum(size.unzipped_bytes for size in sizes if size.name == PROJECT)
    ways = []
    if level == "none" and packages:
        ways.append("--slim safe, which leaves out tests, headers and debug symbols")
    if level != "max" and packages:
        ways.append(
            f"--slim max, which keeps of the packages' {packages / 1e6:.1f} MB what the sample events use "
            "(docs/slimming.md)"
        )
    provided = [size for size in sizes if size.name in _ON_LAMBDA]
    if provided:
        ways.append(
            f"noDeploy: [{', '.join(size.name for size in provided)}], which Lambda has: "
            f"{sum(size.unzipped_bytes for size in provided) / 1e6:.1f} MB less"
        )
    ways.append("serve the model with `model:` instead of its framework")
    if own > total // 20:
        ways.append(f"leave files of the project ({own / 1e6:.1f} MB) out with package.patterns")
    ways.append(
        "take out what the function never imports with custom.pythonRequirements.noDeploy or slimPatterns; or "
        f"package --image: an image may have {IMAGE_BYTES / 1e9:.1f} GB"
    )
    return ways
