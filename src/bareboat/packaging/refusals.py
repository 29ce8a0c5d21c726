"""Why uv refused -> what a person is told: what was asked, where, and the ways out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from bareboat.errors import PackagingError, Problem
from bareboat.packaging.compile import is_known, look_up, platform_args
from bareboat.packaging.pins import file_of
from bareboat.packaging.requirements import Requirements, canonical, requirement_name
from bareboat.packaging.target import Target
from bareboat.packaging.uv import UvError

_NAME = r"[A-Za-z0-9][\w.-]*?"
_NO_WHEEL = re.compile(rf"(?:all versions of )?({_NAME})(?:==(\S+))? (?:has|have) no (?:usable )?wheels")


def without_wheels(error: UvError) -> list[tuple[str, str]]:
    """Return the packages of which uv found no wheel: (normalised name, version or "")."""
    found = {canonical(name): version or "" for name, version in _NO_WHEEL.findall(error.reason)}
    for hint in error.hints:
        for name in re.findall(r"Wheels are (?:required|available) for `([^`]+)`", hint):
            found.setdefault(canonical(name), "")
    return sorted((name, version.rstrip(",.")) for name, version in found.items())


def refuse_native(name: str, version: str, requirements: Requirements, target: Target, error: UvError) -> None:
    """Raise if other machines or Pythons have wheels of a package: then its source is no plain Python, and a build is
    vain.

    Raises:
        PackagingError: names the package, the newest version that has a wheel, and the ways out.
    """
    pinned = f"{name}=={version}" if version else name
    there = _tags(list(_native_wheels(pinned, requirements, target))) or _found_tags(name, error)
    if not there:
        return
    newest = newest_with_wheel(name, requirements, target)
    model = requirements.pinned.get(name, "")
    by = _needed_by(name, error) if not any(requirements.asking_for(name)) else ""
    fixes = []
    if newest != version or model:
        fixes += other_runtimes(pinned, requirements, target)
    if model:
        other = f"{name}=={newest}" if newest and newest != version else "a version"
        fixes.append(f"save {model} again with {other} that has one, and package with that Python (BAREBOAT_PYTHON)")
    elif newest and newest != version:
        fixes.insert(0, f"ask for {name}=={newest}, the newest that has one")
    fixes.append("name a wheel of your own in the requirements (./wheels/NAME.whl)")
    fixes.append(f"if the function works without it, list {name} in custom.pythonRequirements.noDeploy")
    glibc = f" and manylinux up to glibc {'.'.join(map(str, target.glibc))}" if target.system == "linux" else ""
    problem = Problem(
        f"{pinned}{f', which {model} was saved with,' if model else f', which {by} needs,' if by else ''} has no wheel "
        f"for {target}",
        expected=f"a wheel for Python {target.python}{glibc}; there are wheels for {there}",
        fix="; or ".join(fixes),
        where=_place(name, by, requirements),
    )
    raise PackagingError(problem.found, problems=(problem,)) from error


def _found_tags(name: str, error: UvError) -> str:
    """Return the Pythons that uv found wheels for, where these are too old to be looked up; "" if it says nothing."""
    for hint in error.hints:
        said = re.search(r"only found wheels for `([^`]+)` .*following Python ABI tags?: (.+)", hint)
        if said is not None and canonical(said[1]) == name:
            return ", ".join(re.findall(r"`(\w+)`", said[2]))
    return ""


def newest_with_wheel(name: str, requirements: Requirements, target: Target) -> str:
    """Return the newest version of a package that has a wheel for a target; "" when there is none."""
    if target.system == "linux" and not is_known(target.glibc):
        from bareboat.packaging.old_glibc import newest_that_fits

        return newest_that_fits(name, "", requirements, target)
    try:
        found = look_up(requirements, [name], platform_args(target), target)
    except UvError:
        return ""
    return next((str(p.get("version", "")) for p in found if canonical(p["name"]) == canonical(name)), "")


def other_runtimes(pinned: str, requirements: Requirements, target: Target) -> list[str]:
    """Say on which of Lambda's Pythons a version could ship, the one that new projects get first."""
    for python in ("3.13", "3.12", "3.14", "3.11"):
        other = replace(target, python=python, image="")
        if python == target.python:
            continue
        try:
            look_up(requirements, [pinned], platform_args(other), target)
        except UvError:
            continue
        return [f"runtime: python{python} in serverless.yml, which has one"]
    return []


def explained(error: UvError, requirements: Requirements, target: Target) -> PackagingError:
    """Return uv's refusal in words of requirements and serverless.yml, with the lines that it is about."""
    for explain in _EXPLAINED:
        problem = explain(error, requirements, target)
        if problem is not None:
            return PackagingError(problem.found, problems=(problem,))
    problem = Problem(f"{error.reason}", fix="; ".join(error.hints), where=requirements.source)
    return PackagingError(problem.found, problems=(problem,))


def _needed_by(name: str, error: UvError) -> str:
    """Return the package that pulls another one in, as uv says; "" when it is asked for itself."""
    by = re.search(rf"(?:all versions of )?({_NAME}(?:==[^\s,]+)?) depends? on {re.escape(name)}\b", error.reason)
    return by[1] if by is not None else ""


def _place(name: str, by: str, requirements: Requirements) -> str:
    place = requirements.place_of(name)
    return requirements.place_of(by.partition("==")[0]) if place == requirements.source and by else place


def _missing_file(error: UvError, requirements: Requirements, _target: Target) -> Problem | None:
    said = re.search(r"Distribution not found at: file://(\S+)", error.reason)
    if said is None:
        return None
    last = unquote(said[1]).rstrip("/").rpartition("/")[2]
    lines = zip(requirements.text.splitlines(), requirements.origins, strict=False)
    return Problem(
        f"{unquote(said[1])} is not there",
        expected="a wheel, a source archive or a folder with pyproject.toml",
        fix="paths start at the folder of serverless.yml",
        where=next((origin for line, origin in lines if last in line and origin), requirements.source),
    )


def _unbuilt(error: UvError, requirements: Requirements, target: Target) -> Problem | None:
    said = re.search(rf"Failed to (?:download and )?build `({_NAME})(?:==([^`]+)| @ [^`]+)?`", error.reason)
    if said is None:
        return None
    name, version = said[1], said[2] or ""
    newest = newest_with_wheel(name, requirements, target)
    fixes = [f"ask for {name}=={newest}, the newest that has one"] if newest and newest != version else []
    fixes.append("build a wheel of it where it builds, and name that in the requirements (./wheels/NAME.whl)")
    why = error.reason.partition("[stderr]")[2].strip() or error.reason.partition("`")[2].partition("` ")[2]
    return Problem(
        f"{name}{f' {version}' if version else ''} comes as source only, and could not be built: {why[-400:]}",
        expected=f"a wheel for {target}, or plain Python that builds here",
        fix="; or ".join(fixes),
        where=_place(name, _needed_by(name, error), requirements),
    )


def _unreadable(error: UvError, requirements: Requirements, _target: Target) -> Problem | None:
    said = re.search(r"Couldn't parse requirement in `[^`]*` at position (\d+) (.*)", error.reason)
    if said is None:
        return None
    number = requirements.text[: int(said[1])].count("\n")
    line = requirements.text.splitlines()[number] if requirements.text else ""
    return Problem(
        f"{line!r} is no requirement: {said[2].split(line)[0].strip() if line else said[2]}",
        expected="name, version and markers as pip has them, such as lightgbm>=4.6,<5",
        where=(requirements.origins[number] if number < len(requirements.origins) else "") or requirements.source,
    )


def _refused(error: UvError, requirements: Requirements, _target: Target) -> Problem | None:
    said = " ".join([error.reason, *error.hints])
    status = re.search(r"\b(401 Unauthorized|403 Forbidden)\b", said)
    if status is None:
        return None
    url = re.search(r"https?://[^\s)`,]+", said)
    index = _USERLESS.sub("", url[0]) if url else "the package index"
    name = re.search(rf"({_NAME}) was not found in the package registry", error.reason)
    return Problem(
        f"{index} refuses{f' to show {name[1]}' if name else ''}: {status[1]}",
        expected="a user and a password, or a token, that the index knows",
        fix="put them into ~/.netrc, or into the index's address from a variable "
        "(--extra-index-url https://${USER}:${TOKEN}@HOST/simple); a proxy may refuse as well",
        where=_index_line(index, requirements) or (requirements.place_of(name[1]) if name else requirements.source),
    )


_USERLESS = re.compile(r"(?<=://)[^/@\s]+@")


def _index_line(url: str, requirements: Requirements) -> str:
    host = re.sub(r"^\w+://", "", url).partition("/")[0]
    for line, origin in zip(requirements.text.splitlines(), requirements.origins, strict=False):
        if line.startswith("-") and host and host in line:
            return origin
    return ""


def _line_with(text: str, requirements: Requirements) -> str:
    lines = zip(requirements.text.splitlines(), requirements.origins, strict=False)
    return next((origin for line, origin in lines if text in line and origin), requirements.source)


def _git(error: UvError, requirements: Requirements, _target: Target) -> Problem | None:
    if not error.reason.startswith("Git operation failed"):
        return None
    urls = [line.partition("git+")[2].partition("#")[0].split()[0] for line in requirements.text.splitlines()
            if "git+" in line]  # fmt: skip
    bare = [re.sub(r"(?<!^ssh://git)@[^/@]*$", "", _USERLESS.sub("", url)) for url in urls]
    url = next((url for url in bare if url in error.reason), "")
    why = error.reason.partition("stderr ")[2] or error.reason.partition("failed ")[2]
    return Problem(
        f"git cannot fetch {url or 'a requirement'}: {_USERLESS.sub('', why.strip())}",
        expected="a repository and a revision that git on this machine reaches",
        fix=f"check the address, the network and your rights (git ls-remote {url or 'URL'})",
        where=_line_with(url or "git+", requirements),
    )


def _no_project(error: UvError, requirements: Requirements, _target: Target) -> Problem | None:
    said = re.search(r"`([^`]+)` does not appear to be a Python project", error.reason)
    if said is None:
        return None
    editable = next((line for line in requirements.text.splitlines() if re.match(r"(-e|--editable)\b", line)), "")
    last = said[1].rstrip("/").rpartition("/")[2]
    named = next((line for line in requirements.text.splitlines() if line.rstrip("/").endswith(last)), editable)
    own = said[1].rstrip("/") == str(requirements.folder)
    return Problem(
        f"{said[1]} is no Python project",
        expected="a folder with pyproject.toml or setup.py",
        fix="take the line away: the files of the project ship as they are" if own else "write a pyproject.toml there",
        where=_line_with(named, requirements) if named else requirements.source,
    )


_SIGNS = re.compile(
    r"HTTP status \w+ error \([^)]*\)|dns error|timed out|connection \w+|tcp connect error|unexpected end of file|"
    r"error decoding response body|incomplete message|error sending request|unexpected EOF",
    re.IGNORECASE,
)


def _unreachable(error: UvError, requirements: Requirements, _target: Target) -> Problem | None:
    said = re.search(r"Failed to (?:fetch|download|read|extract)[^h]*?(https?://[^\s`]+)", error.reason)
    causes = _SIGNS.findall(error.reason)
    if said is None and not causes:
        return None
    url = _USERLESS.sub("", said[1]) if said else "the package index"
    if said is not None and any(f"@ {said[1]}" in line or line == said[1] for line in requirements.text.splitlines()):
        return Problem(
            f"{url} does not answer as it should{f': {causes[-1]}' if causes else ''}",
            expected="the file, at the address that the requirements name",
            fix="check the address, then the network and the proxy",
            where=_line_with(said[1], requirements),
        )
    return Problem(
        f"{url} does not answer as it should{f': {causes[-1]}' if causes else ''}",
        expected="a package index that serves the whole file",
        fix="try again, or check the network and the proxy; UV_DEFAULT_INDEX names another index, UV_OFFLINE=1 uses "
        "what is cached. What is locked and was packed before needs no network",
        where=_index_line(url, requirements) or requirements.place_of(url.rstrip("/").rpartition("/")[2]),
    )


def _absent(error: UvError, requirements: Requirements, _target: Target) -> Problem | None:
    said = re.search(rf"({_NAME}) was not found in the package registry", error.reason)
    if said is None:
        return None
    by = _needed_by(said[1], error)
    return Problem(
        f"{said[1]}{f', which {by} needs,' if by else ''} is in no package index",
        expected="a package of PyPI, or of an index that the requirements name",
        fix="check the spelling; a private package needs its index in the requirements (--extra-index-url URL), a "
        "package of yours its path (./lib)",
        where=_place(said[1], by, requirements),
    )


def _no_such_version(error: UvError, requirements: Requirements, target: Target) -> Problem | None:
    said = re.search(rf"there (?:is|are) no versions? of ({_NAME})([=<>!~][^\s]*)? and", error.reason)
    if said is None or "depend" in error.reason:
        return None
    newest = newest_with_wheel(said[1], requirements, target)
    asking = requirements.asking_for(said[1])
    return Problem(
        f"there is no version of {said[1]}{said[2] or ''}",
        expected=f"a version that the index has{f'; {newest} is the newest for {target}' if newest else ''}",
        fix=f"ask for {said[1]}=={newest}, or for a range"
        if newest
        else "see what the index has: an address that shows a login page, say, lists no files",
        where=next((origin for line, origin in asking if origin and (said[2] or "") in line), requirements.source),
    )


def _yanked(error: UvError, requirements: Requirements, _target: Target) -> Problem | None:
    said = re.search(rf"({_NAME}==\S+) was yanked(?: \(reason: (.*?)\))?(?= and|,)", error.reason)
    if said is None or "depend" in error.reason:
        return None
    return Problem(
        f"{said[1]} was taken back by its makers (yanked){f': {said[2]}' if said[2] else ''}, and nothing else fits",
        expected="a version that still stands",
        fix=f"ask for other versions; to take it even so, write {said[1]}",
        where=requirements.place_of(said[1].partition("==")[0]),
    )


def _other_python(error: UvError, requirements: Requirements, target: Target) -> Problem | None:
    needs = re.findall(rf"({_NAME})(?:==([^\s,]+))? depends on Python([<>=!~][^\s]*)", error.reason)
    if not needs or not re.search("the (requested|current) Python version", error.reason):
        return None
    name, version, python = needs[0]
    pinned = f"{name}=={version}" if version else name
    newest = newest_with_wheel(name, requirements, target)
    fixes = [f"ask for {name}=={newest}, the newest that has one"] if newest and newest != version else []
    fixes += other_runtimes(pinned, requirements, target)
    by = _needed_by(name, error) if not any(requirements.asking_for(name)) else ""
    return Problem(
        f"{pinned}{f', which {by} needs,' if by else ''} runs on Python {python.rstrip(',')} only",
        expected=f"a version for Python {target.python}",
        fix="; or ".join(fixes),
        where=_place(name, by, requirements),
    )


def _conflict(error: UvError, requirements: Requirements, _target: Target) -> Problem | None:
    if "unsatisfiable" not in error.reason:
        return None
    lines: dict[str, str] = {}
    for name in dict.fromkeys(re.findall(_NAME + r"(?=[\s,<>=!~]|$)", error.reason)):
        for line, origin in requirements.asking_for(name):
            lines.setdefault(line, origin)
    asked = [f"{line} ({origin})" if origin else line for line, origin in lines.items()]
    held = [line for line in requirements.constraints.splitlines() if requirement_name(line) in _names(error.reason)]
    named = asked + [f"{line} ({requirements.source})" for line in held]
    reason = error.reason[0].lower() + error.reason[1:]
    return Problem(
        "the requirements contradict each other: "
        + re.sub(r",? we can conclude that your requirements .*", "", reason),
        expected="versions that fit together",
        fix=f"change one of: {', '.join(named)}" if named else "",
        where=next((origin for origin in lines.values() if origin), requirements.source),
    )


def _names(reason: str) -> set[str]:
    return {canonical(name) for name in re.findall(_NAME + r"(?=[\s,<>=!~]|$)", reason)}


def _native_wheels(pinned: str, requirements: Requirements, target: Target) -> Iterator[str]:
    """Yield the compiled wheels that any Python on any machine has of a package."""
    for python in dict.fromkeys((target.python, "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")):
        try:
            packages = look_up(requirements, [pinned], ["--universal", "--python-version", python], target)
        except UvError:
            continue  # this Python is none that the package supports
        names = [file_of(wheel) for package in packages for wheel in package.get("wheels", ())]
        yield from (name for name in names if not name.endswith("-any.whl"))
        return


def _tags(wheels: list[str]) -> str:
    """The platforms of wheels, a few of them."""
    found: dict[str, Any] = {}
    for wheel in wheels:
        python, _, platform = wheel.removesuffix(".whl").split("-")[-3:]
        found.setdefault(f"{python} {platform.rpartition('.')[2]}", None)
    return ", ".join(list(found)[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")


_EXPLAINED = (
    _unreadable,
    _git,
    _no_project,
    _missing_file,
    _unbuilt,
    _refused,
    _unreachable,
    _absent,
    _no_such_version,
    _yanked,
    _other_python,
    _conflict,
)
