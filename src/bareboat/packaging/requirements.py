"""What a project says it needs (requirements.txt, another tool's lock, pyproject.toml) -> Requirements."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bareboat.errors import PackagingError
from bareboat.packaging import lockfiles
from bareboat.packaging.names import canonical as canonical  # noqa: PLC0414 - others have it from here
from bareboat.packaging.pyproject import Pyproject, read_pyproject


@dataclass(frozen=True, slots=True)
class RequirementRules:
    """What serverless.yml says about requirements (`custom.pythonRequirements`).

    Args:
        no_deploy: names of packages that are left out wherever they come from.
        extra_args: pip's arguments that name a package index; others have no meaning for uv and are refused.
    """

    file_name: str = "requirements.txt"
    use_pipenv: bool = True
    use_poetry: bool = True
    no_deploy: tuple[str, ...] = ()
    extra_args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Requirements:
    """Requirements in pip's format, from one source.

    Args:
        source: the name of the file that they come from, such as "poetry.lock"; "" when the project needs nothing.
        folder: where relative paths in them start.
        text: one requirement a line, nested files written out.
        constraints: versions that hold for whatever the requirements pull in.
        files: every file that was read; when one of them changes, so may the requirements.
        no_deploy: normalised names to leave out.
        origins: for each line of the text its `file:line`, "" where that cannot be said.
        pinned: normalised names of packages whose version is nobody's to choose -> the model that was saved with it.
        notes: what a person should know of the files, such as a lock that is older than its project.
    """

    source: str
    folder: Path
    text: str = ""
    constraints: str = ""
    files: tuple[Path, ...] = ()
    no_deploy: frozenset[str] = frozenset()
    origins: tuple[str, ...] = ()
    pinned: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def asking_for(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield the lines that name a package, those of constraint files too, each with its `file:line` or ""."""
        lines = self.text.splitlines()
        for line, origin in zip(lines, self.origins or ("",) * len(lines), strict=False):
            if requirement_name(line) == canonical(name):
                yield line.partition(" --hash")[0].strip(), origin
            elif line.startswith("-c "):
                for number, held in _logical_lines(read_text(Path(line[3:]))):
                    if requirement_name(held) == canonical(name):
                        yield held.partition(" --hash")[0].strip(), f"{line[3:]}:{number}"

    def place_of(self, name: str) -> str:
        """Return `file:line` of the first line that names a package, else the file."""
        return next((origin for _, origin in self.asking_for(name) if origin), self.source)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to install."""
        return not any(
            line and not line.startswith(("#", "-c", "--")) for line in map(str.strip, self.text.split("\n"))
        )


def source_files(folder: Path, rules: RequirementRules) -> tuple[Path, ...]:
    """Return the files that `read_requirements` looks at first, whether they are there or not (for fingerprints)."""
    locks = ("poetry.lock", "Pipfile.lock", "Pipfile", "uv.lock", "pdm.lock", "pylock.toml")
    names = ("pyproject.toml", *locks, rules.file_name, "uv.toml")
    return tuple(folder / name for name in names)


def read_requirements(folder: Path, rules: RequirementRules) -> Requirements:
    """Find and read what the project in `folder` needs.

    The first that is there counts, in the order of serverless-python-requirements: a Poetry project's lock (or its
    pyproject.toml), Pipfile.lock, the requirements file; then uv.lock, pdm.lock, pylock.toml and the dependencies of
    pyproject.toml.

    Raises:
        PackagingError: the file is damaged, a file that it names is missing, or the lock is not there yet.
    """
    no_deploy = frozenset(map(canonical, rules.no_deploy))
    pyproject = read_pyproject(folder / "pyproject.toml")
    found = _choose(folder, rules, pyproject)
    if found is None:
        return Requirements(source="", folder=folder, no_deploy=no_deploy)
    return _with_rules(found, folder, rules)


def read_requirements_file(path: Path, rules: RequirementRules) -> Requirements:
    """Read one requirements file, whatever else the project has.

    Raises:
        PackagingError: it is damaged, or a file that it names is missing.
    """
    return _with_rules(_from_file(path), path.parent, rules)


def given_requirements(
    lines: Sequence[str], *, origins: Sequence[str], source: str, folder: Path, rules: RequirementRules
) -> Requirements:
    """Return requirements that stand in serverless.yml itself.

    Args:
        origins: where each line stands.
        folder: where relative paths in them start.
    """
    return _with_rules(lockfiles.Locked(source, list(lines), origins=list(origins)), folder, rules)


def _with_rules(found: lockfiles.Locked, folder: Path, rules: RequirementRules) -> Requirements:
    no_deploy = frozenset(map(canonical, rules.no_deploy))
    origins = found.origins or [""] * len(found.lines)
    lines = [(line, "") for line in _index_arguments(rules.extra_args)]
    lines += _without(list(zip(found.lines, origins, strict=True)), no_deploy)
    return Requirements(
        source=found.source,
        folder=folder,
        text="".join(f"{line}\n" for line, _ in lines),
        constraints="\n".join(found.constraints),
        files=found.files,
        no_deploy=no_deploy,
        origins=tuple(origin for _, origin in lines),
        notes=found.notes,
    )


def _choose(folder: Path, rules: RequirementRules, pyproject: Pyproject | None) -> lockfiles.Locked | None:
    plain = folder / rules.file_name
    if rules.use_poetry and pyproject is not None and pyproject.is_poetry:
        return lockfiles.from_poetry(pyproject, folder / "poetry.lock")
    if rules.use_pipenv and (folder / "Pipfile").is_file():
        return lockfiles.from_pipenv(folder / "Pipfile", folder / "Pipfile.lock")
    if rules.use_pipenv and (folder / "Pipfile.lock").is_file() and not plain.is_file():
        return lockfiles.from_pipenv(folder / "Pipfile", folder / "Pipfile.lock")
    if plain.is_file():
        return _from_file(plain)
    if rules.file_name != "requirements.txt":
        raise PackagingError(
            f"custom.pythonRequirements.fileName is {rules.file_name}, and there is no such file",
            fix="write the file, or take the key away",
            where=str(plain),
        )
    if (folder / "uv.lock").is_file():
        return lockfiles.from_uv(folder / "uv.lock")
    if (folder / "pdm.lock").is_file():
        return lockfiles.from_pdm(pyproject, folder / "pdm.lock")
    if (folder / "pylock.toml").is_file():
        return lockfiles.from_pylock(folder / "pylock.toml")
    if pyproject is not None and pyproject.dependencies:
        return lockfiles.Locked("pyproject.toml", list(pyproject.dependencies), files=(pyproject.path,))
    return None


def _from_file(path: Path) -> lockfiles.Locked:
    files: list[Path] = []
    lines = _flatten(path, files, ())
    return lockfiles.Locked(
        path.name, [line for line, _ in lines], files=tuple(files), origins=[origin for _, origin in lines]
    )


_FIND_LINKS = re.compile(r"^(-f|--find-links)[\s=]+(?!\w+://)(\S+)")


def _flatten(path: Path, files: list[Path], within: tuple[Path, ...]) -> list[tuple[str, str]]:
    """Return a requirements file's logical lines, with the files that it names by -r written out in their place."""
    if path in within:
        raise PackagingError(
            "the requirements file includes itself", fix="take one of the -r lines away", where=str(path)
        )
    files.append(path)
    lines: list[tuple[str, str]] = []
    for number, raw in _logical_lines(read_text(path)):
        line = _FIND_LINKS.sub(lambda match: f"{match[1]} {(path.parent / match[2]).resolve()}", raw)
        nested = re.match(r"(-r|--requirement|-c|--constraint)[\s=]*(.+)", line)
        if nested is None:
            lines.append((line, f"{path}:{number}"))
            continue
        other = (path.parent / nested[2].strip().strip("\"'")).resolve()
        if not other.is_file():
            raise PackagingError(
                f"names the file {nested[2].strip()}, which is not there",
                expected=f"a file at {other}",
                where=f"{path}:{number}",
            )
        if nested[1] in {"-c", "--constraint"}:
            files.append(other)
            lines.append((f"-c {other}", f"{path}:{number}"))
        else:
            lines += _flatten(other, files, (*within, path))
    return lines


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Join continued lines, drop comments and blank ones; each with the number of its first line."""
    lines: list[tuple[int, str]] = []
    held, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw).strip()
        start = start or number
        if line.endswith("\\"):
            held += line[:-1].rstrip() + " "
            continue
        held = (held + line).strip()
        if held:
            lines.append((start, held))
        held, start = "", 0
    return [*lines, (start, held.strip())] if held.strip() else lines


def read_text(path: Path) -> str:
    """Read a text file in UTF-8 or, with its mark, UTF-16 (which PowerShell's `>` writes).

    Raises:
        PackagingError: it is neither, or cannot be read.
    """
    try:
        data = path.read_bytes()
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise PackagingError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise PackagingError(
            f"is not text: byte {error.start} is not UTF-8", expected="UTF-8", where=str(path)
        ) from error


def requirement_name(line: str) -> str:
    """Return the normalised name that a requirement begins with, "" for an option, a path or a URL."""
    name = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*($|[\[<>=!~;@,(]|--)", line)
    return canonical(name[1]) if name is not None else ""


def demanded_hashes(text: str) -> dict[str, frozenset[str]]:
    """Return the hashes that requirements ask for: normalised name -> `sha256:...`, of those that ask for any."""
    found: dict[str, frozenset[str]] = {}
    for line in text.splitlines():
        hashes = re.findall(r"--hash[= ]\s*(\w+:[0-9A-Fa-f]+)", line)
        name = requirement_name(line)
        if hashes and name:
            found[name] = found.get(name, frozenset()) | frozenset(digest.lower() for digest in hashes)
    return found


def _without(lines: list[tuple[str, str]], no_deploy: frozenset[str]) -> list[tuple[str, str]]:
    return [(line, origin) for line, origin in lines if requirement_name(line) not in no_deploy]


_INDEX_ARGUMENTS = ("--index-url", "-i", "--extra-index-url", "--find-links", "-f", "--no-index", "--pre")


def _index_arguments(extra: tuple[str, ...]) -> list[str]:
    lines = []
    words = " ".join(extra).replace("=", " ").split()
    while words:
        name = words.pop(0)
        if name in {"--no-index", "--pre"}:
            lines.append(name)
        elif name in _INDEX_ARGUMENTS and words:
            lines.append(f"{name} {words.pop(0)}")
        elif name.startswith("-") and words and not words[0].startswith("-"):
            words.pop(0)  # an argument of pip's own with its value: it has no meaning for uv
    return lines
