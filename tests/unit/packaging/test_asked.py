"""What requirements ask, in words that are the same on every machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.packaging.asked import asked_digest, asked_lines, credentials
from bareboat.packaging.requirements import Requirements


def requirements(folder: Path, text: str, constraints: str = "", **more: frozenset[str]) -> Requirements:
    return Requirements("requirements.txt", folder, text, constraints, **more)  # type: ignore[arg-type]


def test_another_folder_asks_the_same(tmp_path: Path) -> None:
    digests, lines = set(), set()
    for name in ("a", "b c"):
        folder = tmp_path / name
        (folder / "wheels").mkdir(parents=True)
        (folder / "wheels" / "own-1-py3-none-any.whl").write_bytes(b"wheel")
        text = f"--find-links {folder}/wheels\n./wheels/own-1-py3-none-any.whl\nlib @ {(folder / 'lib').as_uri()}\n"
        digests.add(asked_digest(requirements(folder, text.replace("%20", " "))))
        lines.add(asked_lines(requirements(folder, text.replace("%20", " "))))

    assert len(digests) == 1
    assert lines == {("--find-links ./wheels", "./wheels/own-1-py3-none-any.whl", "lib @ ./lib")}


@pytest.mark.parametrize(
    "other",
    [
        {"text": "idna\n"},
        {"text": "idna==3.10 --hash=sha256:aa\n"},
        {"text": "idna==3.10\n", "constraints": "six<1"},
        {"text": "idna==3.10\n", "no_deploy": frozenset({"six"})},
    ],
)
def test_whatever_may_change_the_choice_changes_the_digest(tmp_path: Path, other: dict[str, str]) -> None:
    assert asked_digest(requirements(tmp_path, "idna==3.10\n")) != asked_digest(requirements(tmp_path, **other))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("./own-1-py3-none-any.whl", "own-1-py3-none-any.whl"),
        ("-c limits.txt", "limits.txt"),
        ("-e ./lib", "lib/pyproject.toml"),
        ("./lib[fast] ; python_version > '3'", "lib/setup.py"),
    ],
)
def test_what_a_line_names_counts_with_its_content(tmp_path: Path, line: str, file: str) -> None:
    (tmp_path / "lib").mkdir()
    asked = requirements(tmp_path, f"{line}\n")
    (tmp_path / file).write_text("1")
    before = asked_digest(asked)

    (tmp_path / file).write_text("2")

    assert asked_digest(asked) != before


def test_passwords_are_neither_kept_nor_do_they_count(tmp_path: Path) -> None:
    one = requirements(tmp_path, "--extra-index-url https://ann:secret@packages.example/simple\nidna\n")
    other = requirements(tmp_path, "--extra-index-url https://bob:word@packages.example/simple\nidna\n")

    assert asked_digest(one) == asked_digest(other)
    assert asked_lines(one) == ("--extra-index-url https://packages.example/simple", "idna")
    assert credentials(one.text) == {"packages.example": "ann:secret"}


def test_a_password_in_a_variable_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t0k")

    assert credentials("-i https://x:${TOKEN}@packages.example/simple") == {"packages.example": "x:t0k"}


def test_hashes_and_what_is_left_out_are_told_apart(tmp_path: Path) -> None:
    asked = requirements(
        tmp_path, "idna==3.10 --hash=sha256:aa --hash=sha256:bb\n", no_deploy=frozenset({"six", "bareboat"})
    )

    assert asked_lines(asked) == ("idna==3.10", "not six")
