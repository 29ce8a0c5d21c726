"""Pins -> files: uv installs the chosen wheels, and each file is known by the package that brought it."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bareboat.errors import PackagingError
from bareboat.packaging.compile import platform_args, python_args
from bareboat.packaging.pins import Pin
from bareboat.packaging.requirements import canonical
from bareboat.packaging.resolve import Resolution
from bareboat.packaging.uv import UvError, run_uv

_OF_THIS_MACHINE = ("direct_url.json", "uv_cache.json")  # paths and times: PEP 610, and uv's own


@dataclass(frozen=True, slots=True)
class Installed:
    """One installed package.

    Args:
        version: as its metadata has it.
        files: (path in the artifact, path here), sorted.
    """

    pin: Pin
    version: str
    files: tuple[tuple[str, Path], ...]


def install(resolution: Resolution, pins: Sequence[Pin], folder: Path) -> tuple[Installed, ...]:
    """Install some pins of a resolution into the new folder `folder`.

    The files are copies of those in uv's cache: what runs is given them, and may write to them.

    Raises:
        PackagingError: uv refused (no network, a hash that differs), or a source archive holds native code.
    """
    folder.mkdir(parents=True)
    lock = folder.with_name("pylock.toml")
    head = 'lock-version = "1.0"\ncreated-by = "bareboat"\nrequires-python = ">=3.8"\n'
    # uv 0.8 has no --no-editable: a link to the project would ship nothing
    blocks = (_absolute(pin.block, resolution.folder).replace("editable = true", "editable = false") for pin in pins)
    text = head + "".join(f"\n[[packages]]\n{block}\n" for block in blocks)
    for host, user in resolution.users.items():
        text = text.replace(f"://{host}/", f"://{user}@{host}/")
    lock.touch(mode=0o600)
    lock.write_text(text, encoding="utf-8")
    target = resolution.target
    try:
        run_uv(
            ["pip", "install", "-r", str(lock), "--target", str(folder), "--no-deps", "--link-mode",
             "copy", *platform_args(target, above=True), *python_args(target)],
            cwd=resolution.folder,
            while_doing=f"installing for {target}",
        )  # fmt: skip
    except UvError as error:
        from bareboat.packaging.not_installed import not_installed

        raise not_installed(error, resolution, pins) from error
    finally:
        lock.unlink()
    return tuple(_installed(pins, folder, resolution))


def _absolute(block: str, folder: Path) -> str:
    """Paths in the lock start at the project's folder; the copy that uv reads lies elsewhere."""

    def absolute(match: re.Match[str]) -> str:
        return f'path = "{(folder / match[1]).resolve().as_posix()}"'

    return re.sub(r'\bpath = "([^"]+)"', absolute, block)


def _installed(pins: Sequence[Pin], folder: Path, resolution: Resolution) -> list[Installed]:
    by_name = {canonical(pin.name): pin for pin in pins}
    found: list[Installed] = []
    claimed: set[str] = set()
    for info in sorted(folder.glob("*.dist-info")):
        name, version = _name_and_version(info)
        pin = by_name.pop(canonical(name), None)
        if pin is None:
            continue
        files = [file for file in _recorded(info, folder) if file not in claimed]
        claimed.update(files)
        if pin.kind != "wheel" and not pin.wheel:
            _refuse_built_for_here(info, pin, version, resolution)
        found.append(Installed(pin, version, tuple((file, folder / file) for file in sorted(files))))
    if by_name:
        raise PackagingError(f"uv did not install {', '.join(sorted(by_name))}", fix="uv cache clean, then build again")
    return found


def _name_and_version(info: Path) -> tuple[str, str]:
    metadata = (info / "METADATA").read_text(encoding="utf-8", errors="replace")
    name = re.search(r"^Name:\s*(\S+)", metadata, re.MULTILINE)
    version = re.search(r"^Version:\s*(\S+)", metadata, re.MULTILINE)
    stem = info.name.removesuffix(".dist-info")
    return (name[1] if name else stem.rpartition("-")[0]), (version[1] if version else stem.rpartition("-")[2])


def _recorded(info: Path, folder: Path) -> list[str]:
    """The files that RECORD lists and that are there, as paths in the artifact; none that leads out of the folder.

    What names this machine and day, which uv writes for a wheel or folder of one's own, is taken out of RECORD too.
    """
    record = info / "RECORD"
    with record.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    kept = [row for row in rows if row[0] not in {f"{info.name}/{name}" for name in _OF_THIS_MACHINE}]
    if len(kept) < len(rows):
        record.unlink()  # it may be a link into uv's cache
        with record.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(kept)
    files = []
    for row in kept:
        path = os.path.normpath(row[0]).replace(os.sep, "/")
        if not path.startswith(("../", "/")) and (folder / path).is_file():
            files.append(path)
    return files


def _refuse_built_for_here(info: Path, pin: Pin, version: str, resolution: Resolution) -> None:
    from bareboat.packaging.not_installed import place_of

    wheel = (info / "WHEEL").read_text(encoding="utf-8", errors="replace")
    tags = re.findall(r"^Tag:\s*(\S+)", wheel, re.MULTILINE)
    if all(tag.endswith("-any") for tag in tags):
        return
    raise PackagingError(
        f"{pin.name} {version} comes as source with native code, and was built for this machine ({', '.join(tags)})",
        expected=f"a wheel for {resolution.target}, or plain Python",
        fix=f"build a wheel of it for the target and name it in the requirements (./wheels/{pin.name}-....whl); or, "
        f"if the function works without it, list {pin.name} in custom.pythonRequirements.noDeploy",
        where=place_of(pin, resolution),
    )
