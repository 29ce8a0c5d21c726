"""The lock that uv writes, read: which file of each package is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.errors import PackagingError
from bareboat.packaging.pins import read_pins
from bareboat.packaging.requirements import Requirements

# As uv 0.13.9 writes it, with shortened digests.
LOCK = """\
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.13"

[[packages]]
name = "idna"
version = "3.10"
wheels = [{ url = "https://files.example/idna-3.10-py3-none-any.whl", hashes = { sha256 = "94" } }]

[[packages]]
name = "docopt"
version = "0.6.2"
sdist = { url = "https://files.example/docopt-0.6.2.tar.gz", hashes = { sha256 = "49" } }

[[packages]]
name = "mine"
version = "1.0"
wheels = [
    { url = "file:///p/wheels/mine-1.0-py3-none-any.whl", hashes = { sha256 = "1b" } },
    { url = "https://files.example/mine-1.0-py3-none-any.whl", hashes = { sha256 = "ee" } },
]

[[packages]]
name = "near"
directory = { path = "lib", editable = true }

[[packages]]
name = "own"
version = "1"
archive = { path = "wheels/own-1-py3-none-any.whl", hashes = { sha256 = "ab" } }

[[packages]]
name = "git-one"
version = "2"
vcs = { type = "git", url = "https://git.example/x", commit-id = "c0ffee" }
"""


def requirements(text: str = "", **said: frozenset[str]) -> Requirements:
    return Requirements(source="requirements.txt", folder=Path("/p"), text=text, **said)  # type: ignore[arg-type]


def test_each_kind_of_package_is_told_apart() -> None:
    pins = read_pins(LOCK, requirements(), None)

    assert [(pin.name, pin.version, pin.kind, pin.wheel, pin.sha256) for pin in pins] == [
        ("idna", "3.10", "wheel", "idna-3.10-py3-none-any.whl", "94"),
        ("docopt", "0.6.2", "sdist", "", "49"),
        ("mine", "1.0", "wheel", "mine-1.0-py3-none-any.whl", "1b"),
        ("near", "", "directory", "", ""),
        ("own", "1", "archive", "own-1-py3-none-any.whl", "ab"),
        ("git-one", "2", "vcs", "", "c0ffee"),
    ]


def test_of_two_places_only_the_first_is_installed_from() -> None:
    mine = read_pins(LOCK, requirements(), None)[2]

    assert "file:///p/wheels" in mine.block
    assert "files.example" not in mine.block


def test_no_deploy_leaves_out_what_another_package_pulls_in() -> None:
    pins = read_pins(LOCK, requirements(no_deploy=frozenset({"git-one", "idna"})), None)

    assert [pin.name for pin in pins] == ["docopt", "mine", "near", "own"]


def test_hashes_of_the_requirements_are_held_against_the_files() -> None:
    assert len(read_pins(LOCK, requirements("idna==3.10 --hash=sha256:94 --hash=sha256:77\n"), None)) == 6
    with pytest.raises(PackagingError) as caught:
        read_pins(LOCK, requirements("idna --hash=sha256:00\nDocopt --hash=sha512:49\n"), None)
    assert [problem.found for problem in caught.value.problems] == [
        "idna 3.10: the sha256 of idna-3.10-py3-none-any.whl is 94",
        "docopt 0.6.2: the sha256 of its source is 49",
    ]


@pytest.mark.parametrize("text", [LOCK[:-20], LOCK.replace('name = "near"\n', ""), LOCK + "\n[[packages]]\n"])
def test_a_damaged_lock_is_refused_with_its_path(text: str) -> None:
    with pytest.raises(PackagingError, match=r"pylock\.x\.toml: the resolution cannot be read(.|\n)*delete the file"):
        read_pins(text, requirements(), Path("pylock.x.toml"))
