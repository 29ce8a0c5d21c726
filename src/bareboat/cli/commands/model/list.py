"""`bareboat model list`: the versions of a model in a bucket."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.packaging.lock import Lock, LockedModel
    from bareboat.packaging.store import Version

_MOST = 100


@click.command("list", cls=Command)
@click.argument("target", metavar="s3://BUCKET[/KEY]")
@click.option("-n", "--last", type=click.IntRange(1), default=_MOST, show_default=True, metavar="N", help="At most.")
@service_options
@click.pass_obj
def list(terminal: Terminal, source: Source, target: str, last: int) -> None:  # noqa: A001 - the command's name
    """List the versions of a model in a bucket, the newest first.

    Of a bucket all models are listed, of a key that is none those whose keys begin so. `pinned` marks the
    version that bareboat.lock beside serverless.yml has. The digest is known of what `bareboat model push` wrote.
    """
    from bareboat.artifact.fetch import remote_of
    from bareboat.packaging.lock import LOCK, read_lock
    from bareboat.packaging.store import Store

    bucket = target.removesuffix("/")
    whole = bucket.startswith("s3://") and "/" not in bucket[5:]
    address = remote_of(f"{bucket}/any").source.removesuffix("any") if whole else remote_of(target).source
    if not address.startswith("s3://"):
        raise click.UsageError(f"{target} is not in S3, which alone has versions")
    folder = source.config or Path()
    lock = read_lock((folder.parent if folder.is_file() else folder) / LOCK)
    with terminal.progress(f"Asking for {address}"):
        versions = Store().versions(address, limit=last)[:last]
    rows = [_row(each, lock) for each in versions]
    if terminal.as_json:
        terminal.document(rows)
        return
    if not rows:
        terminal.warning(f"there is nothing at {address}")
        return
    terminal.table(
        ("source", "version_id", "modified", "size_kb", "sha256", "state", "message"),
        [
            (
                row["source"],
                row["version_id"] or "-",
                row["modified"],
                f"{row['size_bytes'] / 1000:.1f}",
                row["sha256"][:12] or "-",
                ", ".join(word for word in ("newest", "pinned", "deleted") if row[word]),
                row["message"],
            )
            for row in rows
        ],
        whole="version_id",
    )
    if len(rows) == last:
        terminal.note(f"the newest {last}; --last with a greater number shows more")


def _row(version: Version, lock: Lock) -> dict[str, Any]:
    pin = next((each for each in lock.models if _is_of(version, each)), None)
    return {
        "source": version.source,
        "version_id": version.version_id,
        "modified": version.modified,
        "size_bytes": version.size_bytes,
        "sha256": version.sha256 or (pin.sha256 if pin is not None and pin.version_id else ""),
        "message": version.message,
        "newest": version.newest,
        "deleted": version.deleted,
        "pinned": pin is not None,
    }


def _is_of(version: Version, pin: LockedModel) -> bool:
    """Tell whether a pin is of this version; in a bucket without versions the digest tells, where it is known."""
    if pin.source.partition("?versionId=")[0] != version.source or pin.version_id != version.version_id:
        return False
    return bool(version.version_id) or version.sha256 in ("", pin.sha256)
