"""`bareboat loc` against radon, on scikit-learn's own source: every difference is one of three kinds."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest
import sklearn
from radon.raw import analyze

from bareboat.source.count import count_lines

PACKAGES = ("callback", "experimental", "frozen", "_loss")
FILES = sorted(path for name in PACKAGES for path in (Path(sklearn.__file__).parent / name).rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_line_is_counted_as_radon_counts_it(path: Path) -> None:
    data = path.read_bytes()
    radon = analyze(data.decode())

    lines, why = count_lines(data)

    in_statements, bare, blank_in_strings = differences(data)
    assert why == ""
    assert lines.physical == radon.loc
    # radon takes a comment inside of a statement for code, a string that is a statement for none, and a blank line of a
    # string for blank
    assert lines.effective + in_statements - bare - blank_in_strings == radon.sloc
    assert lines.physical == lines.blank + lines.comment + lines.docstring + lines.effective


def differences(data: bytes) -> tuple[int, int, int]:
    """Count what radon and bareboat see differently, by `tokenize` and `ast`.

    Returns:
        Lines that are a comment inside of a statement, lines of strings that are statements and no docstrings, and
        blank lines of strings that are neither.
    """
    text = data.decode().splitlines()
    in_statements = blank_in_strings = bare = 0
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(data)):
        for name in ("body", "orelse", "finalbody"):
            for number, statement in enumerate(statements(node, name)):
                if isinstance(statement, ast.Expr) and isinstance(getattr(statement.value, "value", None), str):
                    rows = range(statement.lineno, (statement.end_lineno or 0) + 1)
                    owns = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
                    docstrings.update(rows)
                    if not (owns and number == 0):
                        bare += sum(1 for row in rows if text[row - 1].strip())
                        blank_in_strings += sum(1 for row in rows if not text[row - 1].strip())
    begun = False
    for token in tokenize.tokenize(io.BytesIO(data).readline):
        if token.type == tokenize.COMMENT:
            in_statements += begun and not token.line[: token.start[1]].strip()
        elif token.type == tokenize.NEWLINE:
            begun = False
        elif token.type not in {tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}:
            begun = True
            for row in range(token.start[0] + 1, token.end[0]):
                blank_in_strings += row not in docstrings and not text[row - 1].strip()
    return in_statements, bare, blank_in_strings


def statements(node: ast.AST, name: str) -> list[ast.stmt]:
    below = getattr(node, name, None)
    return below if isinstance(below, list) else []
