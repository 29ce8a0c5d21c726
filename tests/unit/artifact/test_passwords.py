"""Passwords in files that ship are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.artifact.passwords import password_notes
from bareboat.packaging.folder import select_files


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("requirements.txt", "--index-url http://user:s3cret@host.example/simple"),
        ("more/dev-requirements.txt", "own @ git+https://ghp_0123456789abcdef@host.example/own.git"),
        ("Pipfile", 'url = "https://user:s3cret@host.example/simple"'),
        ("uv.toml", 'index-url = "https://:s3cret@host.example/simple"'),
    ],
)
def test_a_password_or_token_is_told_with_its_line_and_not_shown(tmp_path: Path, name: str, line: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(f"# first\n{line}\n")

    (note,) = password_notes(select_files(tmp_path, ()))

    assert note.where == f"{tmp_path / name}:2"
    assert "for host.example that it holds" in note.text
    assert f"package.patterns: ['!{name}']" in note.text
    assert not {"s3cret", "ghp_0123456789abcdef"} & set(note.text.replace(":", " ").replace("@", " ").split())


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("requirements.txt", "--index-url https://${USER}:${TOKEN}@host.example/simple"),
        ("requirements.txt", "own @ git+ssh://git@host.example/own.git"),
        ("requirements.txt", "own @ git+https://host.example/own.git@main"),
        ("handler.py", "URL = 'https://user:s3cret@host.example'"),
    ],
)
def test_variables_and_other_files_are_left_alone(tmp_path: Path, name: str, line: str) -> None:
    (tmp_path / name).write_text(line)

    assert not list(password_notes(select_files(tmp_path, ())))


def test_what_a_pattern_leaves_out_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("--index-url http://user:s3cret@host.example/simple")

    assert not list(password_notes(select_files(tmp_path, ["!requirements.txt"])))
