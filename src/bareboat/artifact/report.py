"""An artifact's manifest -> what it weighs, package by package, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Left:
    """What slimming left out of one package for one reason."""

    reason: str
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PackageRow:
    """One package of an artifact. Sizes are bytes.

    Args:
        version: "" for what is no package: the project, the model, what bareboat adds.
        installed_bytes: what the wheel installs.
        unzipped_bytes, zipped_bytes: of what ships, bytecode included.
        bytecode_bytes: of the unzipped ones.
        left_out: the most bytes first.
        roots: files and folders that hold nothing else; () for the project, whose is the rest.
    """

    name: str
    version: str
    files: int
    installed_bytes: int
    unzipped_bytes: int
    zipped_bytes: int
    bytecode_bytes: int
    left_out: tuple[Left, ...]
    roots: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """Say in a few words what was left out, in MB: "tests 17.1, debug symbols 2.9 and 3 more"."""
        told = [left for left in self.left_out if left.size_bytes >= 50_000]
        if self.left_out and not told:
            return "under 0.1"
        rest = len(self.left_out) - len(told[:3])
        text = ", ".join(f"{left.reason} {left.size_bytes / 1e6:.1f}" for left in told[:3])
        return text + (f" and {rest} more" if rest and text else "")

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        found = asdict(self)
        del found["roots"]
        found["removed"] = [
            {"reason": left.reason, "files": left.files, "bytes": left.size_bytes} for left in self.left_out
        ]
        del found["left_out"]
        return found


def package_rows(manifest: Mapping[str, Any]) -> tuple[PackageRow, ...]:
    """Return the packages of an artifact or a layer, the largest first; () for a ready-made zip."""
    left: dict[str, list[Left]] = {}
    for one in manifest.get("removed", ()):
        left.setdefault(one["package"], []).append(Left(one["reason"], one["files"], one["bytes"]))
    return tuple(_row(size, left.get(size["name"], [])) for size in manifest.get("sizes", ()))


def _row(size: Mapping[str, Any], left: list[Left]) -> PackageRow:
    return PackageRow(
        name=size["name"],
        version=size["version"],
        files=size["files"],
        installed_bytes=size.get("installed_bytes", size["unzipped_bytes"] - size["bytecode_bytes"]),
        unzipped_bytes=size["unzipped_bytes"],
        zipped_bytes=size["zipped_bytes"],
        bytecode_bytes=size["bytecode_bytes"],
        left_out=tuple(sorted(left, key=lambda one: (-one.size_bytes, one.reason))),
        roots=tuple(size.get("roots", ())),
    )


def proof_lines(manifest: Mapping[str, Any]) -> list[str]:
    """Say in lines what was proved of the slimmed packages, and which files were kept for it; [] without a proof."""
    proof = manifest.get("proof")
    if not proof:
        return []
    lines = []
    for function, samples in proof["samples"].items():
        some = ", ".join(samples[:3]) + (f" and {len(samples) - 3} more" if len(samples) > 3 else "")
        what = f"answers {some} as with whole packages" if samples else "can be imported as with whole packages"
        failed = proof.get("failed", {}).get(function)
        if failed:
            what += f", but {', '.join(failed[:3])} proved nothing"
        hint = "" if samples or failed else f"; events under functions.{function}.samples would prove what it answers"
        lines.append(f"proved on {proof['proved_on']}: {function} {what}{hint}")
    for one in proof["kept"][:5]:
        need = f"for {one['sample']}" if one["sample"] else "to be imported"
        lines.append(f"kept {one['path']} ({one['reason']} of {one['package']}): {one['function']} needs it {need}")
    if len(proof["kept"]) > 5:
        lines.append(f"kept {len(proof['kept']) - 5} more files, which --json lists")
    return lines
