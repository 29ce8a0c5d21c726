"""`bareboat loc` against radon, on large code bases: every difference is one of four kinds."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import numpy
import pytest
import sklearn
from radon.raw import analyze

import bareboat
from bareboat.source.count import count_lines

FOLDERS = [
    *sorted(path for path in Path(bareboat.__file__).parent.iterdir() if (path / "__init__.py").exists()),
    *(Path(numpy.__file__).parent / name for name in ("lib", "ma", "polynomial")),
    *(Path(sklearn.__file__).parent / name for name in ("callback", "experimental", "frozen", "_loss")),
]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_every_line_is_counted_as_radon_counts_it(folder: Path) -> None:
    files = [path for path in sorted(folder.rglob("*.py")) if "tests" not in path.parts or "sklearn" in path.parts]
    assert files
    for path in files:
        data = path.read_bytes()
        radon = analyze(data.decode())

        lines, why = count_lines(data)

        in_statements, with_comment, bare, blank_in_strings = differences(data)
        assert why == ""
        assert lines.physical == radon.loc
        # radon takes a comment inside of a statement for code, a docstring with a comment behind it too, a string that
        # is a statement for none, and a blank line of a string for blank
        assert lines.effective + in_statements + with_comment - bare - blank_in_strings == radon.sloc, path
        assert lines.physical == lines.blank + lines.comment + lines.docstring + lines.effective


def differences(data: bytes) -> tuple[int, int, int, int]:
    """Count what radon and bareboat see differently, by `tokenize` and `ast`.

    Returns:
        Lines that are a comment inside of a statement, lines of docstrings with a comment behind them, lines of strings
        that are statements and no docstrings, and blank lines of strings that are neither.
    """
    text = data.decode().splitlines()
    in_statements = with_comment = blank_in_strings = bare = 0
    docstrings: set[int] = set()
    tokens = list(tokenize.tokenize(io.BytesIO(data).readline))
    comments = {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
    for node in ast.walk(ast.parse(data)):
        for name in ("body", "orelse", "finalbody"):
            for number, statement in enumerate(statements(node, name)):
                if isinstance(statement, ast.Expr) and isinstance(getattr(statement.value, "value", None), str):
                    rows = range(statement.lineno, (statement.end_lineno or 0) + 1)
                    owns = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
                    docstrings.update(rows)
                    if owns and number == 0:
                        if rows[-1] in comments:
                            with_comment += sum(1 for row in rows if text[row - 1].strip())
                    else:
                        if rows[-1] not in comments:
                            bare += sum(1 for row in rows if text[row - 1].strip())
                        blank_in_strings += sum(1 for row in rows if not text[row - 1].strip())
    begun = False
    for token in tokens:
        if token.type == tokenize.COMMENT:
            in_statements += begun and not token.line[: token.start[1]].strip()
        elif token.type == tokenize.NEWLINE:
            begun = False
        elif token.type not in {tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}:
            begun = True
            for row in range(token.start[0] + 1, token.end[0]):
                blank_in_strings += row not in docstrings and not text[row - 1].strip()
    return in_statements, with_comment, bare, blank_in_strings


def statements(node: ast.AST, name: str) -> list[ast.stmt]:
    below = getattr(node, name, None)
    return below if isinstance(below, list) else []
