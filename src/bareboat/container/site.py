"""Resolved packages -> layers that put them where a base's Python looks, with their commands."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bareboat.container.layer import Entry, Layer, folders_above, large_ones, write_layer
from bareboat.container.layout import Layout
from bareboat.container.surroundings import ImagePython
from bareboat.container.tree import Tree
from bareboat.errors import PackagingError
from bareboat.packaging.bytecode import Job, bytecode_path, compile_files
from bareboat.packaging.cache import cache_folder, scratch_folder, tidy, write_whole
from bareboat.packaging.elf import Elf, is_elf, read_elf
from bareboat.packaging.install import Installed, install
from bareboat.packaging.interpreters import Interpreter
from bareboat.packaging.native import NativeReport, check_native
from bareboat.packaging.pins import Pin
from bareboat.packaging.resolve import Resolution

_FORMAT = 1
_LARGE_BYTES = 20_000_000
_MOST_LARGE = 20  # an image has at most 127 layers, and its base has some already
# What uv puts at the top of a --target folder and what belongs below the prefix instead.
_BESIDE = {"bin": "bin", "share": "share", "etc": "etc", "include": "include", "man": "man"}
# What says where a package came from on this machine, or when.
_LEFT_OUT = frozenset({"direct_url.json", "uv_cache.json", "REQUESTED"})


class Site(msgspec.Struct, frozen=True):
    """Packages that were laid into an image.

    Args:
        elves: path in the image -> headers of every native file.
        commands: names of the commands that came with them.
        not_compiled: Python files without bytecode because they do not compile.
    """

    layers: tuple[Layer, ...] = ()
    elves: dict[str, Elf] = {}
    commands: tuple[str, ...] = ()
    not_compiled: tuple[str, ...] = ()


@dataclass
class _Laid:
    """The files of one package on their way into a layer."""

    name: str
    entries: list[Entry] = field(default_factory=list)
    size: int = 0


def lay_site(
    layout: Layout,
    resolution: Resolution,
    python: ImagePython,
    tree: Tree,
    interpreter: Interpreter | None,
    *,
    on_step: Callable[[str], None] = lambda _: None,
) -> Site:
    """Install packages for an image, compile them and write their layers; those of large packages apart.

    Packages that were laid before for the same place are not installed again.

    Args:
        tree: the base's files.
        interpreter: of the image's version, for bytecode; None for none.
    Raises:
        PackagingError: uv refused, or a package cannot be read.
    """
    if not resolution.pins:
        return Site()
    kept = _kept_place(resolution, python, interpreter, tree)
    found = _read(kept, layout)
    if found is not None:
        return found
    folder = cache_folder("work")
    tidy(folder)
    with scratch_folder(folder) as scratch:
        on_step(f"Installing {_some(resolution.pins)} for {resolution.target}")
        installed = install(resolution, resolution.pins, scratch / "tree")
        compiled, failed = _compiled(installed, python, interpreter, scratch, on_step)
        laid = [_lay(one, python, compiled) for one in installed]
        elves = {path: elf for one in laid for path, elf in _elves(one).items()}
        layers = [
            write_layer(
                layout,
                [*entries, *folders_above([entry.path for entry in entries], tree.__contains__)],
                name=name,
                on_step=on_step,
            )
            for name, entries in _shared_out(laid)
        ]
    scripts = python.scripts.strip("/")
    commands = sorted({
        entry.path.rpartition("/")[2] for one in laid for entry in one.entries
        if entry.path.rpartition("/")[0] == scripts
    })  # fmt: skip
    site = Site(tuple(layers), elves, tuple(commands), tuple(sorted(failed)))
    if kept is not None:
        write_whole(kept, msgspec.json.encode(site))
    return site


def check_site(site: Site, resolution: Resolution) -> NativeReport:
    """Compare what the packages' native files ask for with what they bring and what the base has."""
    return check_native(site.elves, resolution.target)


def _kept_place(
    resolution: Resolution, python: ImagePython, interpreter: Interpreter | None, tree: Tree
) -> Path | None:
    """Return where the result is kept; None for packages that may change at any time."""
    if any(pin.kind == "directory" or not pin.sha256 for pin in resolution.pins):
        return None
    there = [path for path in _places(python) if path in tree]
    key = [
        _FORMAT,
        [[pin.name, pin.version, pin.sha256] for pin in resolution.pins],
        str(resolution.target),
        [python.path, python.site, python.scripts],
        interpreter.release if interpreter is not None else "",
        there,
    ]
    return cache_folder("sites") / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:40]}.json"


def _places(python: ImagePython) -> list[str]:
    """The folders above what is laid: whether a base has them decides what a layer brings."""
    found = []
    for place in (python.site, python.scripts, *(f"{python.prefix}/{name}" for name in _BESIDE)):
        above = place.strip("/")
        while above:
            found.append(above)
            above = above.rpartition("/")[0]
    return sorted(set(found))


def _read(place: Path | None, layout: Layout) -> Site | None:
    if place is None:
        return None
    try:
        site = msgspec.json.decode(place.read_bytes(), type=Site)
    except (OSError, msgspec.MsgspecError):
        return None
    return site if all(layout.has_blob(layer.descriptor) for layer in site.layers) else None


def _place(path: str, python: ImagePython) -> str:
    """Return where a file of a --target folder belongs in the image, without a leading slash."""
    first, slash, rest = path.partition("/")
    if slash and first in _BESIDE:
        home = python.scripts if first == "bin" else f"{python.prefix}/{_BESIDE[first]}"
        return f"{home.strip('/')}/{rest}"
    return f"{python.site.strip('/')}/{path}"


def _compiled(
    installed: Sequence[Installed],
    python: ImagePython,
    interpreter: Interpreter | None,
    scratch: Path,
    on_step: Callable[[str], None],
) -> tuple[Mapping[str, Path], list[str]]:
    """Compile every module; path in the image of the source -> its bytecode here, and what does not compile."""
    if interpreter is None:
        return {}, []
    jobs: dict[str, Job] = {}
    for one in installed:
        for path, source in one.files:
            place = _place(path, python)
            if path.endswith(".py") and place.startswith(python.site.strip("/")):
                jobs[place] = Job(source, scratch / "bytecode" / bytecode_path(place, python.version), f"/{place}")
    if jobs:
        on_step(f"Compiling {len(jobs):,} modules")
    failed = compile_files(interpreter, list(jobs.values()))
    made = {place: job.destination for place, job in jobs.items() if job.source not in failed}
    return made, [place for place, job in jobs.items() if job.source in failed]


def _lay(installed: Installed, python: ImagePython, compiled: Mapping[str, Path]) -> _Laid:
    laid = _Laid(f"{installed.pin.name} {installed.version}")
    changed: dict[str, bytes] = {}
    record: Path | None = None
    try:
        for path, source in installed.files:
            name = path.rpartition("/")[2]
            in_info = ".dist-info/" in path and path.count("/") == 1
            if in_info and name in _LEFT_OUT:
                continue
            if in_info and name == "RECORD":
                record = source
                continue
            place = _place(path, python)
            with source.open("rb") as file:
                head = file.read(4096)
            script = path.startswith("bin/")
            content: Path | bytes = source
            if script and head.startswith(b"#!") and b"python" in head.split(b"\n# ")[0][:1024]:
                content = changed[path] = _with_shebang(source.read_bytes(), python.path)
            runs = script or is_elf(head) or head.startswith(b"#!")
            laid.entries.append(Entry(place, content, 0o755 if runs else 0o644))
            laid.size += len(content) if isinstance(content, bytes) else source.stat().st_size
            if place in compiled:
                bytecode = compiled[place]
                laid.entries.append(Entry(bytecode_path(place, python.version), bytecode, 0o644))
                laid.size += bytecode.stat().st_size
        if record is not None:
            place = _place(f"{record.parent.name}/RECORD", python)
            laid.entries.append(Entry(place, _record(record, changed, python)))
    except OSError as error:
        raise PackagingError(
            f"{installed.pin.name} cannot be read: {error.strerror}", where=str(error.filename)
        ) from error
    return laid


def _with_shebang(script: bytes, python: str) -> bytes:
    """Return a script that starts with the image's Python; uv writes this machine's, in one line or, for a long path,
    as a shell's `exec`."""
    lines = script.split(b"\n")
    rest = lines[1:]
    if lines[0].startswith(b"#!/bin/sh") and len(lines) > 2 and lines[1].startswith(b"'''exec'"):
        rest = lines[3:]
    return b"\n".join([f"#!{python}".encode(), *rest])


def _record(record: Path, changed: Mapping[str, bytes], python: ImagePython) -> bytes:
    """Return RECORD as it is in the image: paths from the site folder, digests of what was changed."""
    rows = []
    with record.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            if not row or row[0].rpartition("/")[2] in _LEFT_OUT:
                continue
            path = posixpath.normpath(row[0])
            place = _place(path, python)
            name = posixpath.relpath(f"/{place}", python.site)
            if path in changed:
                digest = base64.urlsafe_b64encode(hashlib.sha256(changed[path]).digest()).rstrip(b"=").decode()
                rows.append([name, f"sha256={digest}", str(len(changed[path]))])
            else:
                rows.append([name, *row[1:]])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows))
    return text.getvalue().encode()


def _elves(laid: _Laid) -> dict[str, Elf]:
    import mmap

    found: dict[str, Elf] = {}
    for entry in laid.entries:
        if not isinstance(entry.source, Path):
            continue
        with entry.source.open("rb") as file:
            if not is_elf(file.read(4)):
                continue
            try:
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                    elf = read_elf(view)
            except ValueError as error:
                raise PackagingError(f"{entry.path} of {laid.name} {error}", expected="a whole ELF file") from error
        if elf is not None:
            found[entry.path] = elf
    return found


def _shared_out(laid: Sequence[_Laid]) -> list[tuple[str, list[Entry]]]:
    """Give large packages layers of their own, so that a change of a small one moves little."""
    large = large_ones({one.name: one.size for one in laid}, at_least=_LARGE_BYTES, at_most=_MOST_LARGE)
    rest = [one for one in laid if one.name not in large]
    shares = [(one.name, one.entries) for one in sorted(laid, key=lambda one: one.name) if one.name in large]
    if rest:
        shares.append((_named(rest), [entry for one in rest for entry in one.entries]))
    return shares


def _named(laid: Sequence[_Laid]) -> str:
    names = [one.name for one in laid]
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more packages"


def _some(pins: Sequence[Pin]) -> str:
    names = [pin.name for pin in pins]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
