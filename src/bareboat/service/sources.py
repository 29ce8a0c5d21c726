"""Where variables take their values from: flags, environment, files, parameters, git, and AWS through resolvers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bareboat.errors import ConfigurationError
from bareboat.service.compose import compose, decode
from bareboat.service.model import Place
from bareboat.service.nodes import Node, to_node

# Takes the address and the parameters in parentheses: ssm("/path", ("eu-west-1", "raw")). None: no such value.
AwsResolver = Callable[[str, tuple[str, ...]], Any]
AWS_SOURCES = ("ssm", "s3", "cf", "aws")
KNOWN_SOURCES = ("self", "opt", "env", "param", "file", "sls", "aws", "ssm", "s3", "cf", "git", "strToBool")

_SCRIPTS = frozenset({".js", ".cjs", ".mjs", ".ts", ".mts"})
_GIT: dict[str, tuple[str, ...]] = {
    "sha1": ("rev-parse", "--short", "HEAD"),
    "commit": ("rev-parse", "HEAD"),
    "branch": ("rev-parse", "--abbrev-ref", "HEAD"),
    "message": ("log", "-1", "--pretty=%B"),
    "user": ("config", "user.name"),
    "email": ("config", "user.email"),
    "describe": ("describe", "--always"),
    "describeLight": ("describe", "--always", "--tags"),
    "tags": ("tag", "--points-at", "HEAD"),
    "repository": ("rev-parse", "--show-toplevel"),
    "isDirty": ("status", "--porcelain"),
}


class Missing(NamedTuple):
    """A source has no value: what was looked for, and how to give one."""

    tried: str
    fix: str = ""


class Found(NamedTuple):
    """A value and the name of where it came from, "" when the variable's own text says it."""

    value: Any
    origin: str = ""


class RefusedError(Exception):
    """A source that bareboat cannot ask, or was asked wrongly."""

    def __init__(self, found: str, *, expected: str = "", fix: str = "") -> None:
        super().__init__(found)
        self.expected = expected
        self.fix = fix


class Sources:
    """The sources outside serverless.yml itself.

    Args:
        folder: the service's folder; `file()` paths are relative to it.
        options: command line options by name, `stage` and `region` included when given.
        origins: what each option is called, such as `--stage` or `BAREBOAT_STAGE`.
        params: `--param name=value`.
        env: the process environment.
        resolvers: callables for `ssm`, `s3`, `cf` and `aws` (accountId); without one the variable stays as text.
        dotenv: finds the `.env` file to read, or None; asked at most once, at the first variable that `env` lacks.
    """

    def __init__(
        self,
        folder: Path,
        *,
        options: Mapping[str, str],
        origins: Mapping[str, str],
        params: Mapping[str, str],
        env: Mapping[str, str],
        resolvers: Mapping[str, AwsResolver],
        dotenv: Callable[[], Path | None],
    ) -> None:
        self.folder = folder
        self.options = options
        self.origins = origins
        self.params = params
        self.resolvers = resolvers
        self._env = env
        self._dotenv_path = dotenv
        self._dotenv: tuple[str, Mapping[str, str | None]] | None = None
        self._files: dict[Path, Node | None] = {}
        self._instance_id = ""

    @property
    def read(self) -> tuple[Path, ...]:
        """The files of `${file()}` that were asked for, there or not."""
        return tuple(self._files)

    def opt(self, address: str) -> Found | Missing:
        """Return a command line option."""
        if address in self.options:
            return Found(self.options[address], self.origins.get(address, f"--{address}"))
        return Missing(f"opt:{address}: no --{address} was given", f"pass --{address}")

    def env(self, address: str) -> Found | Missing:
        """Return an environment variable, from the process or from .env."""
        if address in self._env:
            return Found(self._env[address])
        name, values = self._load_dotenv()
        value = values.get(address)
        if value is not None:
            return Found(value, name)
        where = f"the environment or {name}" if name else "the environment"
        return Missing(f"env:{address}: {address} is not in {where}", f"set {address}")

    def _load_dotenv(self) -> tuple[str, Mapping[str, str | None]]:
        if self._dotenv is None:
            self._dotenv = ("", {})  # while the path is looked up, `${env:}` in the stage sees the process only
            path = self._dotenv_path()
            if path is not None:
                self._dotenv = (path.name, _read_dotenv(path))
        return self._dotenv

    def file(self, name: str) -> Node | Missing:
        """Return a file's content: YAML and JSON parsed, anything else as text."""
        path = Path(os.path.normpath(self.folder / name))
        if path.suffix in _SCRIPTS:
            raise RefusedError(
                f"file({name}) is a script for Node.js, which bareboat does not run",
                expected="a .yml, .json or text file",
                fix=f"write its values into {path.stem}.yml",
            )
        if path not in self._files:
            self._files[path] = self._read(path, name)
        node = self._files[path]
        return Missing(f"file({name}): no such file", f"create {name}") if node is None else node

    def _read(self, path: Path, name: str) -> Node | None:
        try:
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the name
            return None
        except OSError as error:
            raise RefusedError(f"file({name}) cannot be read: {error.strerror}", expected="a readable file") from error
        shown = os.path.relpath(path, self.folder)
        if path.suffix in (".yml", ".yaml"):
            return compose(data, shown)
        text = decode(data, shown)
        if path.suffix not in (".json", ".tfstate"):
            return Node(text, Place(shown, 1, 1))
        try:
            return to_node(json.loads(text), Place(shown, 1, 1))
        except json.JSONDecodeError as error:
            place = Place(shown, error.lineno, error.colno)
            raise ConfigurationError(f"not valid JSON: {error.msg}", expected="JSON", where=str(place)) from error
        except RecursionError as error:
            raise ConfigurationError(f"{shown} is nested too deep", where=shown) from error

    def instance_id(self) -> Found:
        """Return `sls:instanceId`: text that is new in each run."""
        self._instance_id = self._instance_id or os.urandom(8).hex()
        return Found(self._instance_id)

    def git(self, address: str) -> Found | Missing:
        """Return a fact of the git repository that the service lies in."""
        if address not in _GIT:
            raise RefusedError(f"git:{address} is unknown", expected="one of " + ", ".join(_GIT))
        import subprocess

        command = ["git", *_GIT[address]]
        try:
            done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return Missing(f"git:{address}: git does not run here ({error})")
        if done.returncode:
            return Missing(f"git:{address}: {done.stderr.strip() or 'git has no answer'}")
        answer = done.stdout.strip()
        if address == "isDirty":
            return Found(bool(answer))
        if address == "tags":
            return Found("::".join(answer.split()))
        return Found(Path(answer).name if address == "repository" else answer)

    def from_aws(self, source: str, address: str, params: Sequence[str]) -> Found | Missing | None:
        """Ask AWS through the resolver of a source; None when there is no resolver, and the text must stay."""
        resolver = self.resolvers.get(source)
        if resolver is None:
            return None
        value = resolver(address, tuple(params))
        return Missing(f"{source}:{address}: AWS has no such value") if value is None else Found(value)


class Awaited:
    """Variables that need AWS and were not asked: what they stand for, by text, with their first place."""

    __slots__ = ("assumed", "kept")

    def __init__(self) -> None:
        self.kept: dict[str, Place] = {}
        self.assumed: dict[str, tuple[Place, Node]] = {}


def _read_dotenv(path: Path) -> Mapping[str, str | None]:
    import dotenv

    try:
        return dotenv.dotenv_values(path)
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path.name} is not UTF-8", expected="a text file in UTF-8", where=path.name
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{path.name} cannot be read: {error.strerror}", where=path.name) from error
