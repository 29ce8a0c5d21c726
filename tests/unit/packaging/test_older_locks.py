"""Another tool's lock that is older than the file it was made from is told, with the way out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bareboat.errors import PackagingError
from bareboat.packaging.older_lock import older_pipfile, older_uv
from bareboat.packaging.pyproject import Pyproject
from bareboat.packaging.requirements import RequirementRules, read_requirements

PIPFILE = '[[source]]\nurl = "https://pypi.org/simple"\nverify_ssl = true\nname = "pypi"\n[packages]\nsix = "<1.17"\n'
PIPFILE += 'idna = "*"\n[dev-packages]\niniconfig = "*"\n'
PIPENVS_DIGEST = "7bfe34f9fa952dbfac57abc004ba4dda04132af0348bc16f92e038032499f0e3"  # of PIPFILE
POETRY = '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = "^3.11"\nsix = ">=1.17"\nidna = "*"\n'
POETRY_LOCK = '[[package]]\nname = "six"\nversion = "{six}"\n[[package]]\nname = "idna"\nversion = "3.10"\n'
UV = {
    "package": [
        {"name": "six", "version": "1.16.0"},
        {"name": "idna", "version": "3.10"},
        {"name": "x", "version": "1", "source": {"virtual": "."}, "dependencies": [{"name": "six"}, {"name": "idna"}]},
    ]
}


def project(*dependencies: str) -> Pyproject:
    return Pyproject(Path("pyproject.toml"), False, dependencies, ())


def uv_notes(*dependencies: str, **settings: object) -> str:
    return "".join(older_uv(UV, project(*dependencies), settings))


def pipfile_lock(tmp_path: Path, pipfile: str) -> tuple[str, ...]:
    versions = {"six": {"version": "==1.16.0"}, "idna": {"version": "==3.20"}}
    lock = {"_meta": {"hash": {"sha256": PIPENVS_DIGEST}, "sources": []}, "default": versions}
    (tmp_path / "Pipfile").write_text(pipfile)
    (tmp_path / "Pipfile.lock").write_text(json.dumps(lock))
    return read_requirements(tmp_path, RequirementRules()).notes


def test_a_uv_lock_that_answers_says_nothing() -> None:
    assert uv_notes("SIX<1.17", "idna[all]>=3; python_version > '3'") == ""
    assert uv_notes("six", "idna", "colorama; sys_platform == 'win32'") == ""


@pytest.mark.parametrize(
    ("dependencies", "said"),
    [
        (("six>=1.17", "idna"), "pyproject.toml asks for six>=1.17, and uv.lock has 1.16.0"),
        (("six", "idna", "attrs"), "pyproject.toml asks for attrs, and uv.lock has none"),
        (("six",), "uv.lock has idna, which pyproject.toml no longer asks for"),
    ],
)
def test_a_uv_lock_that_is_older_than_pyproject_is_told(dependencies: tuple[str, ...], said: str) -> None:
    note = uv_notes(*dependencies)

    assert note.startswith("uv.lock is older than pyproject.toml, and what uv.lock says ships: ")
    assert said in note
    assert note.endswith("uv lock")


def test_versions_that_uv_is_told_to_override_are_no_sign_of_age() -> None:
    assert uv_notes("six>=1.17", "idna>4", **{"override-dependencies": ["six==1.16"], "sources": {"idna": {}}}) == ""


def test_a_pipfile_lock_is_known_by_pipenvs_own_digest(tmp_path: Path) -> None:
    assert pipfile_lock(tmp_path, PIPFILE) == ()
    (note,) = pipfile_lock(tmp_path, PIPFILE.replace("<1.17", ">=1.17"))
    assert "Pipfile asks for six>=1.17, and Pipfile.lock has 1.16.0. Make it anew with: pipenv lock" in note
    (note,) = pipfile_lock(tmp_path, PIPFILE.replace('iniconfig = "*"', 'iniconfig = "<2"'))
    assert note.startswith("Pipfile.lock is older than Pipfile, ")


def test_a_pipfile_lock_without_a_digest_says_nothing() -> None:
    assert older_pipfile({"packages": {"six": ">=9"}}, {"default": {}}) == ()


def test_a_poetry_lock_that_the_project_rules_out_is_refused_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(POETRY)
    (tmp_path / "poetry.lock").write_text(POETRY_LOCK.format(six="1.16.0"))

    with pytest.raises(PackagingError, match=r"pyproject\.toml:5: poetry\.lock is older(.|\n)*poetry lock"):
        read_requirements(tmp_path, RequirementRules())


def test_a_package_that_poetry_has_not_locked_yet_is_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(POETRY + 'attrs = "*"\n')
    (tmp_path / "poetry.lock").write_text(POETRY_LOCK.format(six="1.17.0"))

    (note,) = read_requirements(tmp_path, RequirementRules()).notes

    assert note.startswith("poetry.lock is older than pyproject.toml: it lacks attrs")


@pytest.mark.parametrize(
    ("name", "pyproject", "fix"),
    [
        ("poetry.lock", POETRY, "poetry lock"),
        ("pdm.lock", "[project]\nname = 'x'\n", "pdm lock"),
        ("uv.lock", "[project]\nname = 'x'\n", "uv lock"),
    ],
)
def test_a_lock_with_an_unresolved_merge_says_its_line_and_how_to_write_it(
    tmp_path: Path, name: str, pyproject: str, fix: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(pyproject)
    (tmp_path / name).write_text("version = 1\n<<<<<<< HEAD\n")

    with pytest.raises(PackagingError, match=rf"{name}:2: cannot be read(.|\n)*marks of a merge(.|\n)*{fix}"):
        read_requirements(tmp_path, RequirementRules())
