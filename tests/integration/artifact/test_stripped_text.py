"""Packs without comments and docstrings: made by the target's interpreter, where the program stays the same."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from bareboat.packaging.interpreters import Interpreter, running_python
from bareboat.packaging.packs import Contents, Pack, PackReader, is_sound, make_packs, read_pack
from bareboat.packaging.text import strip_text

CODE = b'"""About."""\n\n\ndef f():\n    """Tell."""\n    return 1  # one\n'


@pytest.fixture
def interpreter() -> Interpreter:
    found = running_python()
    assert found is not None
    return found


def stripped(folder: Path, interpreter: Interpreter, name: str, files: dict[str, bytes]) -> Pack:
    before, after = folder / "before", folder / "after"
    before.mkdir()
    after.mkdir()
    packs = make_packs([Contents(name, "1", files)], interpreter, before)
    (pack,) = strip_text(packs, interpreter, after, lambda _: None)
    assert is_sound(pack)
    assert read_pack(Path(pack.file)) is not None
    return pack


def text(pack: Pack, path: str) -> bytes:
    (member,) = [one for one in pack.members if one.path == path]
    with PackReader() as reader:
        data = reader.read(pack, member)
    return zlib.decompress(data, -15) if member.deflated else data


def test_comments_and_docstrings_go_and_lines_keep_their_numbers(tmp_path: Path, interpreter: Interpreter) -> None:
    pack = stripped(tmp_path, interpreter, "a", {"a/b.py": CODE, "a/c.json": b'{"x": 1}  # no Python'})

    assert text(pack, "a/b.py") == b"\n\n\ndef f():\n\n    return 1\n"
    assert text(pack, "a/c.json") == b'{"x": 1}  # no Python'
    (removed,) = pack.removed
    assert removed.reason == "comments and docstrings"
    assert list(removed.paths) == ["a/b.py"]
    assert b"Tell." not in text(pack, f"a/__pycache__/b.cpython-{interpreter.version.replace('.', '')}.pyc")


def test_packages_that_read_their_docstrings_keep_them(tmp_path: Path, interpreter: Interpreter) -> None:
    pack = stripped(tmp_path, interpreter, "numpy", {"numpy/b.py": CODE})

    assert text(pack, "numpy/b.py") == CODE.replace(b"  # one", b"")


def test_what_does_not_compile_or_has_nothing_to_lose_stays(tmp_path: Path, interpreter: Interpreter) -> None:
    files = {"a/old.py": b"print 'x'  # Python 2\n", "a/plain.py": b"x = 1\n", "a/empty.py": b""}

    pack = stripped(tmp_path, interpreter, "a", files)

    assert {path: text(pack, path) for path in files} == files
    assert pack.removed == ()
    assert pack.not_compiled == ("a/old.py",)
