"""bareboat.lock: the same bytes for the same lock, and damage told with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bareboat.errors import PackagingError
from bareboat.packaging.lock import Environment, Lock, LockedModel, lock_text, read_lock, write_lock
from bareboat.packaging.lock_changes import changes
from bareboat.packaging.pins import Pin, pin_of


def pin(name: str, version: str = "1.0", digest: str = "a") -> Pin:
    url = f"https://files.example/{name}-{version}-py3-none-any.whl"
    return pin_of({"name": name, "version": version, "wheels": [{"url": url, "hashes": {"sha256": digest * 64}}]})


def environment(*pins: Pin, name: str = "project", architecture: str = "arm64", inputs: str = "0") -> Environment:
    said = ("3.13", architecture, "requirements.txt", inputs, ("idna",), ('a "note"',))
    return Environment(name, *said, pins)  # type: ignore[arg-type]


LOCK = (
    Lock()
    .with_environment(environment(pin("six"), pin("idna")))
    .with_environment(environment(pin("idna"), architecture="x86_64"))
    .with_model(LockedModel("s3://boats/lgb.model", "b" * 64, 16820, "v1"))
    .with_model(LockedModel("models/é.model", "c" * 64, 3))
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "bareboat.lock"

    assert write_lock(path, LOCK)

    read = read_lock(path)
    assert read.environments[1] == LOCK.environments[1]
    assert {one.name for one in read.environments[0].packages} == {"six", "idna"}
    assert read.models == LOCK.models
    assert lock_text(read) == lock_text(LOCK)


def test_a_lock_that_says_the_same_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "bareboat.lock"
    write_lock(path, LOCK)
    before = path.stat().st_mtime_ns

    assert not write_lock(path, LOCK)
    assert path.stat().st_mtime_ns == before
    assert [file.name for file in tmp_path.iterdir()] == ["bareboat.lock"]


def test_the_text_does_not_depend_on_the_order_in_which_things_came() -> None:
    other = Lock().with_model(LOCK.models[1]).with_model(LOCK.models[0])
    for one in reversed(LOCK.environments):
        other = other.with_environment(one)

    assert lock_text(other) == lock_text(LOCK)
    assert re.findall(r'\[\[environments\.packages\]\]\nname = "(\w+)"', lock_text(LOCK)) == ["idna", "six", "idna"]


def test_one_environment_and_one_model_stand_for_each_key() -> None:
    lock = LOCK.with_environment(environment(pin("idna", "2.0"))).with_model(LockedModel("models/é.model", "d" * 64, 4))

    assert len(lock.environments) == 2
    assert lock.environment("project", "3.13", "arm64") == environment(pin("idna", "2.0"))
    assert lock.model("models/é.model") == LockedModel("models/é.model", "d" * 64, 4)
    assert lock.environment("project", "3.12", "arm64") is None
    assert lock.model("another") is None


def test_a_lock_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_lock(tmp_path / "bareboat.lock") == Lock()


TEXT = lock_text(LOCK)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("text", "at", "found"),
    [
        (TEXT.replace('\n[[models]]', '\n<<<<<<< HEAD\n[[models]]', 1), "<<<<<<<", "a merge that was not resolved"),
        (TEXT.replace("version = 1\n", "version = 2\n", 1), "version = 2", "has format 2, from a newer bareboat"),
        (TEXT[: TEXT.index("size = 16820")] + 'x = "', 'x = "', "is damaged: "),
        (TEXT.replace('"x86_64"', '"x86"'), '"x86"', "is damaged: Invalid enum value 'x86'"),
        (TEXT.replace("size = 16820", 'size = "big"'), 'size = "big"', "is damaged: Expected `int`, got `str`"),
        (TEXT.replace('source = "models', 'sauce = "models'), '[[models]]', "is damaged: "),
        (TEXT.replace('name = "six"\n', ""), '[[environments.packages]]\nversion', "is damaged: a package cannot be"),
        (TEXT.replace("b" * 64, "b" * 63), '[[models]]\nsource = "s3', "is damaged: sha256 is"),
        (TEXT.replace('sha256 = "aaaa', 'sha256 = "zzzz'), "[[environments.packages]]", "is damaged: idna has no"),
        (TEXT.replace('version = "1.0"', 'version = "1.1"', 1), 'version = "1.1"', "is damaged: idna 1.1 names an"),
        ("version = 1\n[[environments]]\nname = 1\n", "name = 1", "is damaged: Expected `str`, got `int`"),
        ("not TOML", "not", "is damaged: "),
        ("", "", "is damaged: Object missing required field `version`"),
    ],
)  # fmt: skip
def test_damage_is_told_with_its_line(tmp_path: Path, text: str, at: str, found: str) -> None:
    path = tmp_path / "bareboat.lock"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(PackagingError) as caught:
        read_lock(path)

    problem = caught.value.problems[0]
    assert found in problem.found
    assert problem.where.split(":")[:2] == [str(path), str(line_of(text, at))]
    assert problem.expected
    assert problem.fix


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    path = tmp_path / "bareboat.lock"
    path.write_bytes(b"version = 1\n\xff")

    with pytest.raises(PackagingError, match=r"bareboat\.lock:2: is damaged: byte 12 is not UTF-8"):
        read_lock(path)


def test_changes_are_told_package_by_package() -> None:
    after = LOCK.with_environment(environment(pin("idna", "2.0"), pin("six", digest="f"), pin("new"))).with_model(
        LockedModel("models/é.model", "d" * 64, 4)
    )

    assert [str(one) for one in changes(LOCK, after)] == [
        "idna 1.0 -> 2.0",
        "+ new 1.0",
        "six 1.0 (sha256 aaaaaaaaaaaa) -> 1.0 (sha256 ffffffffffff)",
        "models/é.model cccccccccccc -> dddddddddddd",
    ]
    assert changes(after, after) == ()
    assert [str(one) for one in changes(Lock((LOCK.environments[1],)), Lock())] == ["- idna 1.0"]
