"""`custom.bareboat.jwks`: where the keys of JWT authorizers come from on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bareboat.service.api import Authorizer, JwtAuthorizer
from bareboat.service.check import Checker
from bareboat.service.keys.apis import JwksKeys
from bareboat.service.nodes import Node
from bareboat.service.problems import listed, nearest
from bareboat.service.report import Report


class Jwks(NamedTuple):
    """One entry of `custom.bareboat.jwks`.

    Args:
        source: a file (absolute) or an address.
        issuer: instead of the file's own; "" leaves it.
        audience: instead of the file's own; () leaves it.
    """

    source: str
    issuer: str = ""
    audience: tuple[str, ...] = ()


def jwks_of(node: Node | None, folder: Path, checker: Checker, report: Report) -> dict[str, Jwks]:
    """Return `custom.bareboat.jwks`: a file or an address by authorizer, or {keys, issuer, audience}."""
    if node is None or node.state:
        return {}
    if not node.is_mapping:
        report.problems.add(
            node.place, "custom.bareboat.jwks is no mapping", expected="AUTHORIZER: a file, or an address"
        )
        return {}
    found = {}
    for name, child in node.items():
        path = f"custom.bareboat.jwks.{name}"
        said = checker.convert(child, str | JwksKeys | None, path)
        if isinstance(said, str):
            found[name] = Jwks(_source(said, child, path, folder, report))
        elif isinstance(said, JwksKeys):
            source = _source(said.keys, child.get("keys") or child, path, folder, report) if said.keys else ""
            found[name] = Jwks(source, said.issuer or "", tuple(said.audience or ()))
    return found


def _source(text: str, node: Node, path: str, folder: Path, report: Report) -> str:
    if text.startswith(("https://", "http://")):
        return text
    file = folder / text
    if not file.is_file():
        report.problems.add(
            node.place, f"{path}: there is no file {text}", expected="a JSON Web Key Set, as a file or an https address"
        )
    elif why := _fault(file):
        report.problems.add(node.place, f"{path}: {text} {why}", expected='a JSON Web Key Set: {"keys": [...]}')
    return str(file)


def _fault(file: Path) -> str:
    """Return why a file is no key set; "" when it is one."""
    try:
        found = json.loads(file.read_bytes())
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except json.JSONDecodeError as error:
        return f"is no JSON, at {error.lineno}:{error.colno}: {error.msg}"
    except (ValueError, RecursionError) as error:
        return f"is no JSON: {error}"
    return "" if isinstance(found, dict) and isinstance(found.get("keys"), list) else "has no list of keys"


def check_jwks(node: Node | None, jwks: Mapping[str, Jwks], used: Mapping[str, Authorizer], report: Report) -> None:
    """Note keys for an authorizer that nothing asks for.

    Args:
        used: the authorizers of both APIs by name.
    """
    names = [name for name, each in used.items() if isinstance(each, JwtAuthorizer)]
    for name in jwks:
        if name in names or node is None:
            continue
        near = nearest(name, names)
        report.problems.add(
            node.key_place(name),
            f"custom.bareboat.jwks has keys for '{name}'",
            expected=f"one of the JWT authorizers {listed(names)}" if names else "the name of a JWT authorizer",
            fix=f"write {near}" if near else "",
        )
