"""The templates that ship with bareboat."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from bareboat.errors import ConfigurationError

FOLDER = Path(__file__).parent.parent / "templates"
CONFIG = "serverless.yml"
LEFT_OUT = {"__pycache__", ".bareboat", ".serverless", ".DS_Store"}
_SERVICE = re.compile(r"^service:[ \t]*\S.*$", re.MULTILINE)
_COMMENT = re.compile(r"^#[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Template:
    """A project to start from.

    Args:
        description: the first comment of its serverless.yml.
    """

    name: str
    folder: Path
    description: str

    def files(self, service_name: str) -> dict[str, bytes]:
        """Return the files of a new project, relative path -> content, with the service's name put in."""
        files = {}
        for path in sorted(self.folder.rglob("*")):
            relative = path.relative_to(self.folder)
            if path.is_file() and not LEFT_OUT.intersection(relative.parts) and path.suffix != ".pyc":
                files[relative.as_posix()] = path.read_bytes()
        config = files[CONFIG].decode()
        assert _SERVICE.search(config), f"{self.name}/{CONFIG} names no service"
        files[CONFIG] = _SERVICE.sub(f"service: {service_name}", config, count=1).encode()
        return files


def templates(folder: Path = FOLDER) -> tuple[Template, ...]:
    """Return every template, by name."""
    return tuple(
        Template(path.parent.name, path.parent, _description(path.read_text(encoding="utf-8")))
        for path in sorted(folder.glob(f"*/{CONFIG}"))
    )


def find_template(name: str, folder: Path = FOLDER) -> Template:
    """Return one template.

    Raises:
        ConfigurationError: there is none of that name.
    """
    known = {template.name: template for template in templates(folder)}
    if name in known:
        return known[name]
    nearest = get_close_matches(name, known, n=1)
    raise ConfigurationError(
        f"there is no template {name!r}",
        expected=f"one of {', '.join(known)}",
        fix=f"bareboat create --template {nearest[0]}" if nearest else "bareboat create --list",
    )


def _description(config: str) -> str:
    comment = _COMMENT.search(config)
    return comment[1] if comment else ""
