"""Packages of a lock (PEP 751), read: which file of each is installed, and how it is written down."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bareboat.errors import PackagingError
from bareboat.packaging.pins import Pin, as_toml, pin_of, refuse_other_hashes
from bareboat.packaging.requirements import Requirements

# As uv 0.13.9 writes it, with shortened digests.
LOCK = """\
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.13"

[[packages]]
name = "idna"
version = "3.10"
sdist = { url = "https://files.example/idna-3.10.tar.gz", hashes = { sha256 = "93" } }
wheels = [{ url = "https://files.example/idna-3.10-py3-none-any.whl", upload-time = 2026-09-17T14:11:03Z, size = 9, \
hashes = { sha256 = "94" } }]

[[packages]]
name = "docopt"
version = "0.6.2"
sdist = { url = "https://files.example/docopt-0.6.2.tar.gz", hashes = { sha256 = "49" } }

[[packages]]
name = "mine"
version = "1.0+cpu"
wheels = [
    { url = "https://files.example/mine-1.0%2Bcpu-py3-none-any.whl", hashes = { sha256 = "1b" } },
    { url = "https://other.example/mine-1.0%2Bcpu-py3-none-any.whl", hashes = { sha256 = "ee" } },
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


def pins() -> tuple[Pin, ...]:
    return tuple(map(pin_of, tomllib.loads(LOCK)["packages"]))


def requirements(text: str = "") -> Requirements:
    return Requirements(source="requirements.txt", folder=Path("/p"), text=text)


def test_each_kind_of_package_is_told_apart() -> None:
    assert [(pin.name, pin.version, pin.kind, pin.wheel, pin.sha256) for pin in pins()] == [
        ("idna", "3.10", "wheel", "idna-3.10-py3-none-any.whl", "94"),
        ("docopt", "0.6.2", "sdist", "", "49"),
        ("mine", "1.0+cpu", "wheel", "mine-1.0+cpu-py3-none-any.whl", "1b"),
        ("near", "", "directory", "", ""),
        ("own", "1", "archive", "own-1-py3-none-any.whl", "ab"),
        ("git-one", "2", "vcs", "", "c0ffee"),
    ]


def test_a_package_is_written_with_its_one_file_and_nothing_that_differs_between_indexes() -> None:
    assert pins()[0].block == (
        'name = "idna"\nversion = "3.10"\n'
        'wheels = [{ url = "https://files.example/idna-3.10-py3-none-any.whl", hashes = { sha256 = "94" } }]\n'
    )
    assert "other.example" not in pins()[2].block
    assert pins()[3].block == 'name = "near"\ndirectory = { path = "lib" }\n'


@pytest.mark.parametrize("number", range(6))
def test_what_is_written_reads_the_same(number: int) -> None:
    pin = pins()[number]

    assert pin_of(tomllib.loads(pin.block)) == pin
    assert as_toml(tomllib.loads(pin.block)) == pin.block


def test_hashes_of_the_requirements_are_held_against_the_files() -> None:
    refuse_other_hashes(pins(), requirements("idna==3.10 --hash=sha256:94 --hash=sha256:77\n"))
    with pytest.raises(PackagingError) as caught:
        refuse_other_hashes(pins(), requirements("idna --hash=sha256:00\nDocopt --hash=sha512:49\n"))
    assert [problem.found for problem in caught.value.problems] == [
        "idna 3.10: the sha256 of idna-3.10-py3-none-any.whl is 94",
        "docopt 0.6.2: the sha256 of its source is 49",
    ]
