"""image.yml -> Recipe: what an image of a project that is no Lambda is made of, every problem with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from bareboat.container.documents import Platform, linux_platform
from bareboat.container.reference import parse_reference
from bareboat.errors import BareboatError, ConfigurationError
from bareboat.service.check import Checker
from bareboat.service.compose import compose
from bareboat.service.keys.base import Keys, Said, doc
from bareboat.service.model import Place
from bareboat.service.nodes import Node
from bareboat.service.problems import Problems

FILE = "image.yml"
DEFAULT_BASE = "python:3.13-slim"
_PORT = re.compile(r"(\d{1,5})(?:/(tcp|udp))?\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_DRIVER = re.compile(r"\d+(\.\d+)*\Z")
_PYTHON = re.compile(r"3\.\d+\Z")


class GpuKeys(Keys):
    """What is known of the GPU machine."""

    driver: Annotated[str | None, doc("The NVIDIA driver of the host, to be told when it is too old.")] = None


class ImageFileKeys(Keys):
    """image.yml."""

    name: Annotated[str | None, doc("What the image is called, NAME or NAME:TAG; else the folder's name.", "must")] = (
        None
    )
    base: Annotated[str | None, doc(f"What it is built on; else {DEFAULT_BASE}.", "must")] = None
    python: Annotated[
        str | None,
        Said("a minor version of Python, such as '3.12'", description="The base's Python to use.", tier="must"),
    ] = None
    requirements: Annotated[
        str | list[str] | None,
        doc("A file, or requirements in pip's format; else what the project's files say. [] is none.", "must"),
    ] = None
    files: Annotated[
        list[str] | None, doc("Globs in order; '!' takes away. Without any the whole project.", "must")
    ] = None
    workdir: Annotated[
        str | None,
        Said(
            "a path from /",
            pattern=r"^/",
            description="Where the files go and where commands start; else /app.",
            tier="must",
        ),
    ] = None
    env: Annotated[dict[str, str | None] | None, doc("Environment variables.", "must")] = None
    entrypoint: Annotated[str | list[str] | None, doc("What a container runs; text is run by sh.", "must")] = None
    cmd: Annotated[str | list[str] | None, doc("Arguments for it, or what is run without it.", "must")] = None
    ports: Annotated[list[str | int] | None, doc("Ports that it listens on: 8080, 53/udp.")] = None
    user: Annotated[str | None, doc("The user, or its number, that runs it; else the base's.")] = None
    labels: Annotated[dict[str, str | None] | None, doc("Labels.")] = None
    volumes: Annotated[list[str] | None, doc("Folders for data that outlives a container.")] = None
    platforms: Annotated[list[str] | None, doc("linux/amd64, linux/arm64; else this machine's.")] = None
    gpu: Annotated[
        bool | GpuKeys | None, doc("true: it must run on a GPU; false: no check; a mapping: what its machine has.")
    ] = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """What image.yml says.

    Args:
        name: without a tag `latest` is meant.
        requirements: a file, lines, or None for what the project's files say.
        patterns: globs; () is the whole project.
        gpu: whether it must run on a GPU; None is to look at the packages; False is no check.
        places: where each key stands, for messages.
    """

    path: Path
    name: str
    base: str = DEFAULT_BASE
    python: str | None = None
    requirements: str | tuple[str, ...] | None = None
    patterns: tuple[str, ...] = ()
    workdir: str = "/app"
    env: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    ports: tuple[str, ...] = ()
    user: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    platforms: tuple[Platform, ...] = ()
    gpu: bool | None = None
    host_driver: str = ""
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return self.path.parent

    def where(self, key: str) -> str:
        """Return where a key stands, or the file."""
        return self.places.get(key, str(self.path))


def load_recipe(path: Path) -> Recipe:
    """Read image.yml.

    Args:
        path: the file, or the folder that holds it.
    Raises:
        ConfigurationError: it is not there, or has problems: every one at once, with file, line and column.
    """
    file = path / FILE if path.is_dir() else path
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read: {error.strerror}",
            expected=f"{FILE}, which says what an image is made of",
            fix="write base, requirements and cmd into it (docs/images.md)",
            where=str(file),
        ) from error
    tree = compose(data, str(file))
    if tree.value is None:
        tree = Node({}, tree.place)
    problems = Problems()
    keys = Checker(problems).keys(tree, ImageFileKeys, "")
    recipe = _Reader(file, keys, tree, problems).recipe() if tree.is_mapping else None
    problems.raise_if_any()
    assert recipe is not None
    return recipe


class _Reader:
    def __init__(self, file: Path, keys: Any, tree: Node, problems: Problems) -> None:
        self.file = file
        self.keys = keys
        self.tree = tree
        self.problems = problems

    def recipe(self) -> Recipe:
        keys = self.keys
        gpu = keys.gpu
        return Recipe(
            path=self.file.resolve(),
            name=self.name(),
            base=self.base(),
            python=self.python(),
            requirements=self.requirements(),
            patterns=tuple(keys.files or ()),
            workdir=(keys.workdir or "/app").rstrip("/") or "/",
            env=self.env("env"),
            entrypoint=self.command("entrypoint"),
            cmd=self.command("cmd"),
            ports=self.ports(),
            user=keys.user,
            labels=self.env("labels", variables=False),
            volumes=tuple(keys.volumes or ()),
            platforms=self.platforms(),
            gpu=gpu if isinstance(gpu, bool) else None if gpu is None else True,
            host_driver=self.driver(),
            places=self.places(),
        )

    def places(self) -> dict[str, str]:
        found = {key: str(self.place(key)) for key, _ in self.tree.items()}
        for key in ("requirements", "files"):
            lines = self.tree.get(key)
            if lines is not None and isinstance(lines.value, list):
                found |= {f"{key}[{number}]": str(line.place) for number, line in enumerate(lines.value)}
        return found

    def place(self, key: str) -> Place:
        node = self.tree.get(key)
        return node.place if node is not None else self.tree.key_place(key)

    def name(self) -> str:
        said = self.keys.name
        name = said or re.sub(r"[^a-z0-9._-]+", "-", self.file.resolve().parent.name.lower()).strip("-._") or "image"
        if said is not None:
            self.reference("name", said)
        return str(name)

    def base(self) -> str:
        said = self.keys.base
        if said is None:
            return DEFAULT_BASE
        beside = self.file.resolve().parent / said
        if said.startswith((".", "/")) or beside.exists():  # a file is looked for beside image.yml
            return str(beside)
        if said != "scratch":
            self.reference("base", said)
        return str(said)

    def reference(self, key: str, text: str) -> None:
        try:
            parse_reference(text)
        except BareboatError as error:
            found = error.problems[0]
            self.problems.add(self.place(key), f"{key}: {found.found}", expected=found.expected, fix=found.fix)

    def python(self) -> str | None:
        said = self.keys.python
        if said is not None and not _PYTHON.match(said):
            self.problems.add(
                self.place("python"), f"python is {said!r}", expected="a minor version of Python, such as '3.12'"
            )
        return str(said) if said is not None else None

    def requirements(self) -> str | tuple[str, ...] | None:
        said = self.keys.requirements
        if isinstance(said, list):
            return tuple(said)
        if said is not None and not (self.file.parent / said).is_file():
            looks_like_one = re.match(r"[A-Za-z0-9._-]+\s*($|[=<>~!\[])", said) and not said.endswith(
                (".txt", ".lock", ".toml")
            )
            self.problems.add(
                self.place("requirements"),
                f"there is no file {said}",
                expected="a requirements file beside image.yml",
                fix=f"write a list for requirements themselves: [{said}]" if looks_like_one else "",
            )
        return said if said is None else str(said)

    def env(self, key: str, *, variables: bool = True) -> dict[str, str]:
        said = getattr(self.keys, key) or {}
        node = self.tree.get(key)
        for name in said:
            if variables and not _VARIABLE.match(name):
                place = node.key_place(name) if node is not None else None
                self.problems.add(place, f"{key} has {name!r}", expected="letters, digits and _, no digit first")
        return {name: value or "" for name, value in said.items()}

    def command(self, key: str) -> tuple[str, ...] | None:
        said = getattr(self.keys, key)
        if said is None:
            return None
        if isinstance(said, str):
            return ("/bin/sh", "-c", said)
        if key == "entrypoint" and not said:
            self.problems.add(self.place(key), "entrypoint is empty", expected="a command and its arguments")
        return tuple(said)

    def driver(self) -> str:
        gpu = self.keys.gpu
        said = "" if gpu is None or isinstance(gpu, bool) else gpu.driver or ""
        if said and not _DRIVER.match(said):
            node = self.tree.get("gpu")
            place = node.get("driver") if node is not None else None
            self.problems.add(
                place.place if place is not None else self.place("gpu"),
                f"gpu.driver is {said!r}", expected="the version that nvidia-smi shows, such as '535.104.05'",
            )  # fmt: skip
        return str(said)

    def ports(self) -> tuple[str, ...]:
        found = []
        node = self.tree.get("ports")
        children = node.value if node is not None and isinstance(node.value, list) else [node]
        for said, child in zip(self.keys.ports or (), children, strict=False):
            match = _PORT.match(str(said))
            if match is None or not 0 < int(match[1]) < 65_536:
                self.problems.add(
                    child.place if child is not None else None, f"ports has {said!r}", expected="8080, or 53/udp"
                )
            else:
                found.append(f"{int(match[1])}/{match[2] or 'tcp'}")
        return tuple(found)

    def platforms(self) -> tuple[Platform, ...]:
        found = []
        for said in self.keys.platforms or ():
            try:
                found.append(linux_platform(said))
            except BareboatError as error:
                self.problems.add(
                    self.place("platforms"), f"platforms has {said!r}", expected=error.problems[0].expected
                )
        return tuple(dict.fromkeys(found))
