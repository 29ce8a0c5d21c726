"""CPython's own compileall is the oracle of our bytecode, for every interpreter of this machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bareboat.packaging.bytecode import Job, bytecode_path, compile_files
from bareboat.packaging.interpreters import Interpreter, find_python

SOURCES = {
    "plain.py": "X = {1, 2, 'three', (4, 5)}\ndef f(a, *, b=frozenset({'x', 'y'})):\n    assert a\n    return a\n",
    "pkg/__init__.py": "from . import deep\n",
    "pkg/deep.py": "class C:\n    def m(self):\n        return lambda x: x in {'a', 'b', 'c', 'd'}\n",
    "latin.py": "# -*- coding: latin-1 -*-\nTEXT = '\u00e9'\n",
    "empty.py": "",
    "python2.py": "print 'hello'\n",
    "nul.py": "x = 1\0\n",
}


def interpreters() -> list[Interpreter]:
    return [found for minor in range(8, 16) if (found := find_python(f"3.{minor}")) is not None]


def tree(folder: Path) -> Path:
    for name, text in SOURCES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="latin-1" if name == "latin.py" else "utf-8")
    return folder


@pytest.mark.parametrize("interpreter", interpreters(), ids=lambda one: one.release)
def test_our_bytecode_equals_that_of_compileall(interpreter: Interpreter, tmp_path: Path) -> None:
    ours, theirs = tree(tmp_path / "ours"), tree(tmp_path / "theirs")
    jobs = [
        Job(ours / name, tmp_path / "out" / bytecode_path(name, interpreter.version), f"/var/task/{name}")
        for name in SOURCES
    ]

    failed = compile_files(interpreter, jobs)

    # -d gives the folder that tracebacks show; 3.8 has no -s and -p
    subprocess.run(
        [str(interpreter.path), "-W", "ignore", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-d",
         "/var/task", str(theirs)],
        capture_output=True, timeout=60, check=False, env={**os.environ, "PYTHONHASHSEED": "0"},
    )  # fmt: skip
    expected = {path.relative_to(theirs).as_posix(): path.read_bytes() for path in theirs.rglob("*.pyc")}
    made = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_bytes() for path in (tmp_path / "out").rglob("*.pyc")
    }
    assert made == expected
    assert {path.name for path in failed} == {"python2.py", "nul.py"}


def test_the_order_and_the_number_of_processes_change_no_byte(tmp_path: Path) -> None:
    interpreter = interpreters()[-1]
    (tmp_path / "src").mkdir()
    for number in range(120):
        (tmp_path / "src" / f"m{number}.py").write_text(
            f"NAMES = {{'a{number}', 'b', 'c'}}\ndef f(x): return x == 'b'\n"
        )
    sources = sorted((tmp_path / "src").iterdir())

    def compiled(name: str, chosen: list[Path]) -> list[bytes]:
        out = tmp_path / name
        jobs = [Job(source, out / f"{source.stem}.pyc", f"/var/task/{source.name}") for source in chosen]
        compile_files(interpreter, jobs)
        return [(out / f"{source.stem}.pyc").read_bytes() for source in sources[:10]]

    assert compiled("all", sources) == compiled("few", sources[9::-1])
