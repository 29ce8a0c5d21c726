"""Trees of artifacts -> one page of HTML that needs nothing else: style, script and data are in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from bareboat.artifact.model import Artifact, LayerArtifact
from bareboat.artifact.report import PackageRow, package_rows
from bareboat.artifact.treemap.tree import name_of, tree_of
from bareboat.errors import BareboatError
from bareboat.packaging.cache import write_whole
from bareboat.packaging.own_output import MARK
from bareboat.packaging.sizes import DIRECT_BYTES, UNZIPPED_BYTES

_KEYS = "Files by size. Arrow keys move, Enter goes in, Escape goes out."
_KINDS = (
    ("native", "native library"),
    ("python", "Python source"),
    ("bytecode", "bytecode"),
    ("data", "other file"),
    ("left", "left out"),
)


def write_treemap(artifacts: Sequence[Artifact | LayerArtifact], path: Path) -> None:
    """Write the page.

    Raises:
        BareboatError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, page(artifacts).encode())
    except OSError as error:
        raise BareboatError(f"{path} cannot be written: {error.strerror}", fix="--treemap with another file") from error


def page(artifacts: Sequence[Artifact | LayerArtifact]) -> str:
    """Return the page: for each artifact its limits, the map, and the same as a table."""
    here = files(__package__)
    style, script = ((here / name).read_text(encoding="utf-8") for name in ("treemap.css", "treemap.js"))
    title = ", ".join(dict.fromkeys(map(name_of, artifacts)))
    body = "".join(_section(number, artifact) for number, artifact in enumerate(artifacts))
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n{MARK}\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}: what ships</title>\n<style>\n{style}</style>\n"
        f"<main>\n<h1>{escape(title)}: what ships</h1>\n{body}</main>\n<script>\n{script}</script>\n</html>\n"
    )


def _section(number: int, artifact: Artifact | LayerArtifact) -> str:
    tree = tree_of(artifact)
    data = json.dumps(_short(tree), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    level = artifact.manifest.get("slim")
    about = f"{artifact.path.name}, {artifact.target}" + (f", slimming: {level}" if level else "")
    layers = () if isinstance(artifact, LayerArtifact) else artifact.layers
    beside = sum(layer.unzipped_bytes for layer in layers)
    what = f"unzipped with {', '.join(layer.name for layer in layers)}" if layers else "unzipped"
    keys = "".join(f'<li><i class="{kind}"></i>{text}</li>' for kind, text in _KINDS)
    return (
        f'<section aria-labelledby="h{number}">\n<h2 id="h{number}">{escape(name_of(artifact))}</h2>\n'
        f'<p class="soft">{escape(about)}</p>\n'
        + _limit(what, artifact.unzipped_bytes + beside, UNZIPPED_BYTES, "Lambda takes no more", hard=True)
        + _limit("zipped", artifact.size_bytes, DIRECT_BYTES, "above it the upload goes through S3", hard=False)
        + f'<ul class="keys">{keys}</ul>\n<p class="bar"><span class="path"></span>'
        '<label><input type="checkbox" class="left" checked> show what was left out</label></p>\n'
        f'<div class="map" role="tree" aria-label="{_KEYS}"></div>\n'
        '<p class="told" aria-live="polite">&nbsp;</p>\n'
        f'<script type="application/json">{data}</script>\n{_table(package_rows(artifact.manifest))}</section>\n'
    )


def _limit(what: str, size: int, limit: int, why: str, *, hard: bool) -> str:
    """Draw a size against a limit, which has its line where the bar has four fifths, so that more can be seen."""
    share = min(size / limit * 80, 100)
    over = " over" if hard and size > limit else ""
    said = escape(f"{size / 1e6:.1f} MB {what}, {size / limit:.0%} of {limit:,} bytes ({why})")
    return (
        f'<div class="limit{over}"><span>{said}</span>'
        f'<div aria-hidden="true"><i style="width:{share:.2f}%"></i><b></b></div></div>\n'
    )


def _table(rows: Sequence[PackageRow]) -> str:
    if not rows:
        return ""
    heads = ("package", "version", "files", "installed", "unzipped", "bytecode", "zipped", "left out, MB")
    head = "".join(f"<th{' class=n' if 2 <= place <= 6 else ''}>{name}</th>" for place, name in enumerate(heads))
    lines = "".join(
        f"<tr><td>{escape(row.name)}</td><td>{escape(row.version)}</td><td class=n>{row.files}</td>"
        + "".join(
            f"<td class=n>{size / 1e6:.3f}</td>"
            for size in (row.installed_bytes, row.unzipped_bytes, row.bytecode_bytes, row.zipped_bytes)
        )
        + f"<td>{escape('; '.join(f'{left.reason} {left.size_bytes / 1e6:.3f}' for left in row.left_out))}</td></tr>\n"
        for row in rows
    )
    return f'<div class="wide"><table>\n<caption>Packages, in MB</caption>\n<tr>{head}</tr>\n{lines}</table></div>\n'


def _short(tree: dict[str, Any]) -> list[Any]:
    """[name, size, zipped, kind or entries]: thousands of files without their keys."""
    inner = [_short(one) for one in tree["entries"]] if "entries" in tree else tree["kind"]
    return [tree["name"], tree["size"], tree["zipped"], inner]
