"""A Pack -> the same pack below a folder: packages are packed once, for archives and for layers."""

from __future__ import annotations

import msgspec

from bareboat.packaging.packs import Pack


def placed(pack: Pack, folder: str) -> Pack:
    """Return a pack whose files lie in `folder` of the archive.

    Its bytecode stays right: where a module was found, Python sets at its import.

    Args:
        folder: with `/` at its end, such as `python/`.
    """
    return msgspec.structs.replace(
        pack,
        members=tuple(msgspec.structs.replace(member, path=folder + member.path) for member in pack.members),
        elves={folder + path: elf for path, elf in pack.elves.items()},
        not_compiled=tuple(folder + path for path in pack.not_compiled),
    )
