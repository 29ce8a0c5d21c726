"""Where requirements come from, in which order, and what of them is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bareboat.errors import PackagingError
from bareboat.packaging.pyproject import poetry_version, read_pyproject
from bareboat.packaging.requirements import (
    RequirementRules,
    canonical,
    demanded_hashes,
    read_requirements,
    requirement_name,
)

PIPFILE_LOCK = {
    "_meta": {"sources": [{"name": "pypi", "url": "https://index.example/simple"}]},
    "default": {
        "Lightgbm": {"version": "==4.6.0", "hashes": ["sha256:aa"], "markers": "python_version >= '3.9'"},
        "own": {"git": "https://git.example/own.git", "ref": "abc"},
        "requests": {"version": "==2.32.3", "extras": ["socks"], "index": "pypi"},
    },
    "develop": {"pytest": {"version": "==8.0"}},
}
POETRY = """
[tool.poetry]
name = "x"
[tool.poetry.dependencies]
python = "^3.11"
lightgbm = "^4.6"
idna = { version = "~3.1", extras = ["all"], markers = "sys_platform == 'linux'" }
left = { version = "*", optional = true }
[tool.poetry.group.dev.dependencies]
pytest = "*"
"""
POETRY_LOCK = """
[[package]]
name = "lightgbm"
version = "4.6.0"
[[package]]
name = "numpy"
version = "2.2.0"
groups = ["main"]
markers = "python_version >= '3.11'"
[[package]]
name = "own"
version = "1"
[package.source]
type = "git"
url = "https://git.example/own.git"
"""


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")


def lines(folder: Path, rules: RequirementRules | None = None) -> list[str]:
    return read_requirements(folder, rules or RequirementRules()).text.splitlines()


def test_a_project_without_requirements_needs_nothing(tmp_path: Path) -> None:
    found = read_requirements(tmp_path, RequirementRules())

    assert found.empty
    assert found.source == ""


def test_a_requirements_file_keeps_markers_and_hashes_and_drops_comments(tmp_path: Path) -> None:
    write(tmp_path, requirements__txt="# top\nidna==3.10 ; python_version > '3' \\\n  --hash=sha256:ab # why\n\nsix\n")

    assert lines(tmp_path) == ["idna==3.10 ; python_version > '3' --hash=sha256:ab", "six"]


def test_nested_files_are_written_out_and_remembered(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    write(tmp_path, requirements__txt="idna\n-r more/base.txt\n-c held.txt\n", held__txt="six<2\n")
    (tmp_path / "more" / "base.txt").write_text("six\n--requirement ../other.txt\n")
    write(tmp_path, other__txt="attrs\n")

    found = read_requirements(tmp_path, RequirementRules())

    assert found.text.splitlines() == ["idna", "six", "attrs", f"-c {tmp_path / 'held.txt'}"]
    assert {path.name for path in found.files} == {"requirements.txt", "base.txt", "other.txt", "held.txt"}


def test_a_nested_file_that_is_missing_is_named_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, requirements__txt="idna\n-r base.txt\n")

    with pytest.raises(PackagingError, match=r"requirements\.txt:2: names the file base\.txt, which is not there"):
        read_requirements(tmp_path, RequirementRules())


def test_a_requirements_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    write(tmp_path, requirements__txt="-r other.txt\n", other__txt="-r requirements.txt\n")

    with pytest.raises(PackagingError, match="includes itself"):
        read_requirements(tmp_path, RequirementRules())


def test_a_requirements_file_written_by_powershell_is_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes("idna==3.10\r\nsix\r\n".encode("utf-16"))

    assert lines(tmp_path) == ["idna==3.10", "six"]


def test_a_requirements_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"idna\n\xff\xfe\xfa")

    with pytest.raises(PackagingError, match=r"requirements\.txt: is not text: byte 5"):
        read_requirements(tmp_path, RequirementRules())


def test_no_deploy_leaves_packages_out_whatever_their_spelling(tmp_path: Path) -> None:
    write(tmp_path, requirements__txt="Boto3>=1\npython_dateutil[x]==2\nidna\nboto3-stubs\n")

    assert lines(tmp_path, RequirementRules(no_deploy=("boto3", "python-dateutil"))) == ["idna", "boto3-stubs"]


def test_a_file_name_of_ones_own_is_read_and_must_be_there(tmp_path: Path) -> None:
    write(tmp_path, prod__txt="idna\n", requirements__txt="six\n")

    assert lines(tmp_path, RequirementRules(file_name="prod.txt")) == ["idna"]
    with pytest.raises(PackagingError, match=r"fileName is none\.txt"):
        read_requirements(tmp_path, RequirementRules(file_name="none.txt"))


def test_pipfile_lock_gives_its_default_packages(tmp_path: Path) -> None:
    write(tmp_path, Pipfile="", Pipfile__lock=json.dumps(PIPFILE_LOCK), requirements__txt="six")

    found = read_requirements(tmp_path, RequirementRules())

    assert found.source == "Pipfile.lock"
    assert found.text.splitlines() == [
        "Lightgbm==4.6.0 ; python_version >= '3.9' --hash=sha256:aa",
        "own @ git+https://git.example/own.git@abc",
        "requests[socks]==2.32.3",
    ]


def test_use_pipenv_false_takes_the_requirements_file(tmp_path: Path) -> None:
    write(tmp_path, Pipfile="", Pipfile__lock=json.dumps(PIPFILE_LOCK), requirements__txt="six")

    assert lines(tmp_path, RequirementRules(use_pipenv=False)) == ["six"]


def test_a_pipfile_without_its_lock_says_how_to_make_one(tmp_path: Path) -> None:
    write(tmp_path, Pipfile="")

    with pytest.raises(PackagingError, match=r"Pipfile has no lock(.|\n)*pipenv lock"):
        read_requirements(tmp_path, RequirementRules())


@pytest.mark.parametrize("text", ["", "[]", "{", '{"default": {"a": 1}}', '{"default": []}'])
def test_a_damaged_pipfile_lock_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path, Pipfile="", Pipfile__lock=text)

    with pytest.raises(PackagingError, match=r"cannot be read as Pipfile\.lock"):
        read_requirements(tmp_path, RequirementRules())


def test_poetry_comes_first_and_its_lock_holds_the_versions(tmp_path: Path) -> None:
    write(tmp_path, pyproject__toml=POETRY, poetry__lock=POETRY_LOCK, requirements__txt="six", Pipfile="")

    found = read_requirements(tmp_path, RequirementRules())

    assert found.source == "poetry.lock"
    assert found.text.splitlines() == ["lightgbm>=4.6,<5", "idna[all]>=3.1,<3.2 ; (sys_platform == 'linux')"]
    assert found.constraints.splitlines() == ["lightgbm==4.6.0", "numpy==2.2.0 ; python_version >= '3.11'"]


def test_use_poetry_false_takes_the_requirements_file(tmp_path: Path) -> None:
    write(tmp_path, pyproject__toml=POETRY, requirements__txt="six")

    assert lines(tmp_path, RequirementRules(use_poetry=False)) == ["six"]


def test_dependencies_of_pyproject_are_taken_when_nothing_else_is_there(tmp_path: Path) -> None:
    write(tmp_path, pyproject__toml='[project]\nname = "x"\ndependencies = ["idna>=3", "six"]\n')

    found = read_requirements(tmp_path, RequirementRules())

    assert found.source == "pyproject.toml"
    assert found.text.splitlines() == ["idna>=3", "six"]


@pytest.mark.parametrize(
    "text",
    [
        "[project",
        '[project]\ndependencies = "idna"',
        "[project]\ndependencies = [1]",
        "[tool.poetry.dependencies]\na=1",
    ],
)
def test_a_damaged_pyproject_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    write(tmp_path, pyproject__toml=text)

    with pytest.raises(PackagingError, match=r"pyproject\.toml"):
        read_pyproject(tmp_path / "pyproject.toml")


# Expected values: the tables of https://python-poetry.org/docs/dependency-specification/
@pytest.mark.parametrize(
    ("poetry", "pip"),
    [
        ("^1.2.3", ">=1.2.3,<2"), ("^1.2", ">=1.2,<2"), ("^1", ">=1,<2"), ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"), ("^0.0", ">=0.0,<0.1"), ("^0", ">=0,<1"), ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1.2", ">=1.2,<1.3"), ("~1", ">=1,<2"), ("*", ""), ("1.*", "==1.*"), (">=1.2,<2", ">=1.2,<2"),
        ("1.2.3", "==1.2.3"), ("!= 1.0", "!=1.0"), ("~=1.4", "~=1.4"),
    ],
)  # fmt: skip
def test_poetry_versions_are_translated_as_its_documentation_says(poetry: str, pip: str) -> None:
    assert poetry_version(poetry) == pip


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("idna", "idna"), ("Foo_Bar.baz[x]>=1", "foo-bar-baz"), ("a @ file:///x", "a"), ("a==1 --hash=sha256:0", "a"),
        ("--index-url https://x", ""), ("./lib", ""), ("-e ./lib", ""), ("git+https://x/y", ""), ("a; b", "a"),
    ],
)  # fmt: skip
def test_the_name_of_a_requirement_is_found(line: str, name: str) -> None:
    assert requirement_name(line) == name


def test_names_compare_as_indexes_do() -> None:
    assert canonical("Foo__Bar.-baz") == "foo-bar-baz"  # the example of PEP 503, "Normalized Names"


def test_hashes_are_collected_by_package() -> None:
    text = "a==1 --hash=sha256:AB --hash=sha256:cd\nb==2\nc @ https://x --hash=sha256:ef\n"

    assert demanded_hashes(text) == {"a": {"sha256:ab", "sha256:cd"}, "c": {"sha256:ef"}}


def test_pip_arguments_that_name_an_index_are_kept_and_others_dropped(tmp_path: Path) -> None:
    write(tmp_path, requirements__txt="idna\n")
    rules = RequirementRules(extra_args=("--extra-index-url https://own.example/simple", "--no-cache-dir"))

    assert lines(tmp_path, rules) == ["--extra-index-url https://own.example/simple", "idna"]


def test_find_links_start_at_the_file_that_names_them(tmp_path: Path) -> None:
    write(tmp_path, requirements__txt="--find-links wheels\n-f https://x.example/\nmine\n")

    assert lines(tmp_path) == [f"--find-links {tmp_path / 'wheels'}", "-f https://x.example/", "mine"]


PDM_LOCK = """\
# This file is @generated by PDM.
# It is not intended for manual editing.

[metadata]
groups = ["default", "dev"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:af2c"

[[package]]
name = "requests"
version = "2.31.0"
extras = ["socks"]
groups = ["default"]
files = [
    {file = "requests-2.31.0-py3-none-any.whl", hash = "sha256:58cd"},
]

[[package]]
name = "requests"
version = "2.31.0"
groups = ["default"]
files = [
    {file = "requests-2.31.0-py3-none-any.whl", hash = "sha256:58cd"},
    {file = "requests-2.31.0.tar.gz", hash = "md5:58cd"},
]

[[package]]
name = "numpy"
version = "2.2.6"
marker = "python_version < \\"3.11\\""

[[package]]
name = "numpy"
version = "2.4.6"
marker = "python_version >= \\"3.11\\""

[[package]]
name = "own"
version = "1"
git = "https://git.example/own"
revision = "c0ffee"
"""
"""As PDM 2 writes it, shortened."""


def test_pdm_lock_holds_the_versions_of_what_pyproject_asks_for(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["requests[socks]<2.32"]\n')
    (tmp_path / "pdm.lock").write_text(PDM_LOCK)

    found = read_requirements(tmp_path, RequirementRules())

    assert found.source == "pdm.lock"
    assert found.text == "requests[socks]<2.32\n"
    assert found.constraints.splitlines() == [
        "requests==2.31.0 --hash=sha256:58cd",
        'numpy==2.2.6 ; python_version < "3.11"',
        'numpy==2.4.6 ; python_version >= "3.11"',
    ]
    assert {path.name for path in found.files} == {"pyproject.toml", "pdm.lock"}


def test_pdm_lock_alone_does_not_say_what_the_project_needs(tmp_path: Path) -> None:
    (tmp_path / "pdm.lock").write_text(PDM_LOCK)

    with pytest.raises(PackagingError, match=r"pdm\.lock has no pyproject.toml beside it"):
        read_requirements(tmp_path, RequirementRules())


PYLOCK = """\
lock-version = "1.0"
extras = ["plots"]
dependency-groups = ["default", "dev"]
default-groups = ["default"]
created-by = "pdm"

[[packages]]
name = "boats"
directory = { path = ".", editable = true }

[[packages]]
name = "idna"
version = "3.10"
marker = "\\"default\\" in dependency_groups or \\"plots\\" in extras"
sdist = { name = "idna-3.10.tar.gz", url = "https://files.example/idna-3.10.tar.gz", hashes = { sha256 = "aa" } }
wheels = [{ url = "https://files.example/idna-3.10-py3-none-any.whl", hashes = { sha256 = "94" } }]

[[packages]]
name = "pytest"
version = "9.0"
marker = "'dev' in dependency_groups"

[[packages]]
name = "inner"
version = "1"
index = "https://packages.example/simple"

[[packages]]
name = "fork"
vcs = { type = "git", url = "https://git.example/fork", commit-id = "c0ffee", subdirectory = "python" }

[[packages]]
name = "near"
directory = { path = "lib" }

[[packages]]
name = "given"
archive = { url = "https://files.example/given-1-py3-none-any.whl", hashes = { sha256 = "ab" } }
"""


def test_pylock_gives_its_default_groups_with_their_hashes(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(PYLOCK)

    found = read_requirements(tmp_path, RequirementRules())

    assert found.source == "pylock.toml"
    assert found.text.splitlines() == [
        "--extra-index-url https://packages.example/simple",
        "idna==3.10 ; python_version > '0' or python_version < '0' --hash=sha256:94 --hash=sha256:aa",
        "pytest==9.0 ; python_version < '0'",
        "inner==1",
        "fork @ git+https://git.example/fork@c0ffee#subdirectory=python",
        f"near @ {(tmp_path / 'lib').as_uri()}",
        "given @ https://files.example/given-1-py3-none-any.whl",
    ]


def test_a_pylock_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text('lock-version = "2.0"\n')

    with pytest.raises(PackagingError, match=r"has lock-version 2\.0(.|\n)*PEP 751"):
        read_requirements(tmp_path, RequirementRules())
