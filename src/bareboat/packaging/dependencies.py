"""Resolution -> Packs: each package installed, slimmed, compiled and compressed once, then taken from the cache."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from bareboat.errors import PackagingError
from bareboat.packaging.cache import cache_folder, cannot_write, scratch_folder, tidy
from bareboat.packaging.install import Installed, install
from bareboat.packaging.interpreters import Interpreter
from bareboat.packaging.packs import Contents, Pack, is_sound, make_packs, read_pack
from bareboat.packaging.pins import Pin
from bareboat.packaging.resolve import Resolution
from bareboat.packaging.slim import Removed, Slimming, count_removed, removed_files
from bareboat.packaging.symbols import strip_files
from bareboat.packaging.text import strip_text
from bareboat.packaging.trees import ORIGINALS, TREE, keep_tree

_FORMAT = 11  # goes up whenever the same wheel would give another pack
_KEPT_DAYS = 60
_DAY_S = 86_400.0
_TEXT = ".text"  # beside KEY.pack: the same without comments and docstrings


def dependency_packs(
    resolution: Resolution,
    slimming: Slimming,
    interpreter: Interpreter | None,
    *,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[Pack, ...]:
    """Return one pack for each package, in the order of the lock.

    Args:
        interpreter: of the target's version, for bytecode; None for none.
    Raises:
        PackagingError: uv refused, or a package holds what cannot be packed.
    """
    if not resolution.pins:
        return ()
    folder = cache_folder("packs")
    keys = {pin.name: _key(pin, slimming, resolution, interpreter) for pin in resolution.pins}
    packs = {name: pack for name, key in keys.items() if key and (pack := _kept(folder / f"{key}.pack")) is not None}
    absent = [pin for pin in resolution.pins if pin.name not in packs]
    if absent:
        tidy(folder)
        _forget(folder)
        on_step(f"Installing {_some(absent)} for {resolution.target}")
        with scratch_folder(folder) as scratch:
            installed = install(resolution, absent, scratch / "tree")
            on_step(f"Compiling and compressing {_some(absent)}")
            contents = [
                _contents(one, slimming, scratch / f"native{number}", system=resolution.target.system)
                for number, one in enumerate(installed)
            ]
            made = make_packs(contents, interpreter, scratch)
            before = [_originals(one, content) for one, content in zip(installed, contents, strict=True)]
            originals = make_packs(before, None, _made(scratch / "originals"))
            for one, pack, original in zip(installed, made, originals, strict=True):
                key = keys[one.pin.name] or _key_of_contents(pack, slimming, resolution, interpreter)
                _keep(original, folder / f"{key}{ORIGINALS}")
                keep_tree(one, folder / f"{key}.pack", scratch)
                packs[one.pin.name] = _keep(pack, folder / f"{key}.pack")
    ordered = tuple(packs[pin.name] for pin in resolution.pins)
    return _without_text(ordered, interpreter, on_step) if slimming.level == "max" and interpreter else ordered


def _without_text(packs: Sequence[Pack], interpreter: Interpreter, on_step: Callable[[str], None]) -> tuple[Pack, ...]:
    """Return packs without comments and docstrings, each kept beside the pack that it was made of."""
    paths = {pack.name: Path(pack.file).with_suffix(_TEXT) for pack in packs}
    found = {name: kept for name, path in paths.items() if (kept := _kept(path)) is not None}
    absent = [pack for pack in packs if pack.name not in found]
    if absent:
        with scratch_folder(cache_folder("packs")) as scratch:
            for pack in strip_text(absent, interpreter, scratch, on_step):
                found[pack.name] = _keep(pack, paths[pack.name])
    return tuple(found[pack.name] for pack in packs)


def originals_of(packs: Iterable[Pack]) -> tuple[Pack, ...]:
    """Return for packs of `dependency_packs` what slimming took away or changed, as it was, without bytecode.

    Raises:
        PackagingError: the cache was emptied meanwhile.
    """
    found = []
    for pack in packs:
        path = Path(pack.file).with_suffix(ORIGINALS)
        original = read_pack(path)
        if original is None:
            raise PackagingError("the cache changed while it was read", fix="build again", where=str(path))
        found.append(original)
    return tuple(found)


def _originals(installed: Installed, contents: Contents) -> Contents:
    files = dict(installed.files)
    touched = {path: files[path] for removed in contents.removed for path in removed.paths}
    return Contents(contents.name, contents.version, touched)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _key(pin: Pin, slimming: Slimming, resolution: Resolution, interpreter: Interpreter | None) -> str:
    """The pack's name in the cache; "" for a folder, which may change at any time."""
    if pin.kind == "directory" or not pin.sha256:
        return ""
    python = "" if pin.wheel.endswith("py3-none-any.whl") else resolution.target.python
    return _digest([pin.name, pin.version, pin.sha256, python, *_settings(slimming, resolution, interpreter)])


def _key_of_contents(pack: Pack, slimming: Slimming, resolution: Resolution, interpreter: Interpreter | None) -> str:
    files = [[member.path, member.sha256] for member in pack.members]
    return _digest([pack.name, pack.version, files, *_settings(slimming, resolution, interpreter)])


def _settings(slimming: Slimming, resolution: Resolution, interpreter: Interpreter | None) -> list[object]:
    return [
        _FORMAT,
        resolution.target.system,  # programs of another system are left out, debug symbols only for Linux
        "none" if slimming.level == "none" else "safe",  # what max does more is done to the packs of safe
        slimming.patterns,
        slimming.defaults,
        slimming.strip,
        interpreter.release if interpreter else "",
    ]


def _digest(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]


def _kept(path: Path) -> Pack | None:
    pack = read_pack(path)
    if pack is None or not is_sound(pack):
        return None
    beside = path.with_suffix(ORIGINALS)
    original = read_pack(beside)
    if original is None or not is_sound(original):
        return None
    for file in (path, beside, path.with_suffix(TREE)):
        with suppress(OSError):  # a cache that is shared read-only serves as well
            if file.stat().st_mtime < time.time() - _DAY_S:
                os.utime(file)
    return pack


def _keep(pack: Pack, path: Path) -> Pack:
    try:
        Path(pack.file).replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    kept = read_pack(path)
    if kept is None:
        raise PackagingError("the cache changed while it was written", fix="build again", where=str(path))
    return kept


def _forget(folder: Path) -> None:
    """Remove packs that no build has used for long."""
    limit = time.time() - _KEPT_DAYS * _DAY_S
    for path in (path for suffix in (".pack", ORIGINALS, TREE, _TEXT) for path in folder.glob(f"*{suffix}")):
        try:
            if path.stat().st_mtime >= limit:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
        except OSError:
            continue


def _contents(installed: Installed, slimming: Slimming, scratch: Path, *, system: str) -> Contents:
    files = dict(installed.files)
    removed = removed_files(files, slimming, system=system)
    kept: dict[str, Path | bytes] = {path: source for path, source in files.items() if path not in removed}
    counted = count_removed(files, removed)
    if slimming.level != "none" and slimming.strip and system == "linux":
        smaller, saved = strip_files(kept, scratch)
        kept |= smaller
        if saved:
            counted = (*counted, Removed("debug symbols", saved))
    if removed:
        _keep_top_level(files, kept)
    return Contents(installed.pin.name, installed.version, kept, counted)


def _keep_top_level(files: dict[str, Path], kept: dict[str, Path | bytes]) -> None:
    """Write top_level.txt: without RECORD it tells importlib.metadata.packages_distributions() what a package holds."""
    info = next((path.partition("/")[0] for path in files if path.partition("/")[0].endswith(".dist-info")), "")
    if not info or f"{info}/top_level.txt" in kept or f"{info}/RECORD" in kept:
        return
    names = set()
    for path in kept:
        first, _, rest = path.partition("/")
        if rest and not first.endswith((".dist-info", ".libs", ".data")):
            names.add(first)
        elif not rest and path.endswith((".py", ".so")):
            names.add(first.partition(".")[0])
    kept[f"{info}/top_level.txt"] = "".join(f"{name}\n" for name in sorted(names)).encode()


def _some(pins: list[Pin]) -> str:
    names = [pin.name for pin in pins]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
