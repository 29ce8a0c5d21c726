"""image.yml is read with every problem at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.container.recipe import Recipe, load_recipe
from bareboat.errors import ConfigurationError


def read(folder: Path, text: str) -> Recipe:
    (folder / "image.yml").write_text(text)
    return load_recipe(folder)


def test_every_key_is_read(tmp_path: Path) -> None:
    (tmp_path / "needs.txt").touch()

    recipe = read(
        tmp_path,
        "name: gan:1\nbase: nvidia/cuda:12.6.3-runtime-ubuntu24.04\npython: '3.12'\nrequirements: needs.txt\n"
        "files: ['*.py', '!test_*.py']\nworkdir: /work/\nenv: {A: 1, B: }\nentrypoint: [python3, x.py]\ncmd: run it\n"
        "ports: [8080, 53/udp]\nuser: 1000\nlabels: {x.y: z}\nvolumes: [/data]\nplatforms: [linux/arm64, x86_64]\n"
        "gpu: {driver: '535.104'}\n",
    )

    assert recipe.name == "gan:1"
    assert recipe.requirements == "needs.txt"
    assert recipe.patterns == ("*.py", "!test_*.py")
    assert recipe.workdir == "/work"
    assert recipe.env == {"A": "1", "B": ""}
    assert recipe.entrypoint == ("python3", "x.py")
    assert recipe.cmd == ("/bin/sh", "-c", "run it")
    assert recipe.ports == ("8080/tcp", "53/udp")
    assert recipe.user == "1000"
    assert [str(one) for one in recipe.platforms] == ["linux/arm64", "linux/amd64"]
    assert recipe.gpu is True
    assert recipe.host_driver == "535.104"


def test_an_empty_file_is_a_project_on_the_default_base(tmp_path: Path) -> None:
    folder = tmp_path / "My Project"
    folder.mkdir()

    recipe = read(folder, "")

    assert (recipe.name, recipe.base, recipe.workdir) == ("my-project", "python:3.13-slim", "/app")


def test_every_problem_has_its_line_and_column(tmp_path: Path) -> None:
    text = (
        "nme: x\nbase: Python:3\npython: 3\nrequirements: torch\nports: [99999]\nentrypoint: []\nworkdir: app\n"
        "platforms: [windows/amd64]\nenv: {'A B': 1}\n"
    )

    with pytest.raises(ConfigurationError) as raised:
        read(tmp_path, text)

    found = [(problem.where.removeprefix(str(tmp_path)), problem.found) for problem in raised.value.problems]
    assert [where for where, _ in found] == [
        f"/image.yml:{place}" for place in ("1:1", "2:7", "3:9", "4:15", "5:9", "6:13", "7:10", "8:12", "9:7")
    ]
    assert raised.value.problems[0].fix == "rename it to 'name'"
    assert raised.value.problems[3].fix == "write a list for requirements themselves: [torch]"


def test_a_base_beside_the_file_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "root.tar").touch()

    assert read(tmp_path, "base: root.tar").base == str(tmp_path / "root.tar")
    assert read(tmp_path, "base: ./other.tar").base == str(tmp_path / "other.tar")


def test_a_missing_file_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_recipe(tmp_path)
