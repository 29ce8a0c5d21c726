"""What an archive weighs, package by package, against Lambda's limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bareboat.errors import PackagingError
from bareboat.packaging.packs import Member, Pack

# AWS Lambda quotas, "Deployment package (.zip file archive) size".
DIRECT_BYTES = 52_428_800
UNZIPPED_BYTES = 262_144_000


@dataclass(frozen=True, slots=True)
class PackageSize:
    """One row of the size report.

    Args:
        unzipped_bytes, zipped_bytes: of what ships.
        bytecode_bytes: of the unzipped bytes, those of bytecode.
        removed_bytes: what slimming left out, unzipped.
    """

    name: str
    version: str
    files: int
    unzipped_bytes: int
    zipped_bytes: int
    bytecode_bytes: int
    removed_bytes: int


def measure(members: Sequence[tuple[Member, Pack]], packs: Sequence[Pack]) -> tuple[PackageSize, ...]:
    """Return the size report, the largest first."""
    rows: dict[int, list[Member]] = {id(pack): [] for pack in packs}
    for member, pack in members:
        rows[id(pack)].append(member)
    sizes = [
        PackageSize(
            name=pack.name,
            version=pack.version,
            files=len(own),
            unzipped_bytes=sum(member.size for member in own),
            zipped_bytes=sum(member.zsize for member in own),
            bytecode_bytes=sum(member.size for member in own if member.path.endswith(".pyc")),
            removed_bytes=sum(removed.size_bytes for removed in pack.removed),
        )
        for pack in packs
        if (own := rows[id(pack)])
    ]
    return tuple(sorted(sizes, key=lambda size: (-size.unzipped_bytes, size.name)))


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
    sizes: Sequence[PackageSize], *, more_bytes: int, where: str, limit_bytes: int = UNZIPPED_BYTES
) -> None:
    """Raise when Lambda would refuse the archive for its unzipped size.

    Args:
        more_bytes: of what is in the archive beside the report's rows.
    Raises:
        PackagingError: with the largest packages and what brings it under.
    """
    total = sum(size.unzipped_bytes for size in sizes) + more_bytes
    if total <= limit_bytes:
        return
    largest = ", ".join(f"{size.name} {size.unzipped_bytes / 1e6:.1f} MB" for size in sizes[:5])
    raise PackagingError(
        f"unzipped the archive has {total:,} bytes; the largest: {largest}",
        expected=f"at most {limit_bytes:,} bytes, Lambda's limit (layers count too)",
        fix="serve the model with `model:` instead of its framework; or take out what the function never imports with "
        "custom.pythonRequirements.noDeploy or slimPatterns; or leave project files out with package.patterns",
        where=where,
    )
