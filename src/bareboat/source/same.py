"""Two syntax trees -> whether they are the same program."""

from __future__ import annotations

import ast
from typing import Any

from bareboat.source.docstrings import n_leading_strings

_POSITIONS = frozenset(["lineno", "end_lineno", "col_offset", "end_col_offset"])
_SIGNED = (float, complex)  # 0.0 and -0.0 are equal and not the same
_OWNERS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)


def first_difference(before: ast.Module, after: ast.Module, *, docstrings: bool, lines: bool) -> str:
    """Compare two trees; return "" or where they first differ.

    Args:
        docstrings: whether those of `before` may be missing in `after`, where `pass` may stand in their place.
        lines: whether each statement and expression must stand on the line where it stood.
    """
    todo: list[tuple[Any, Any]] = [(before, after)]
    line = 0
    while todo:
        one, other = todo.pop()
        kind = type(one)
        if kind is not type(other):
            return _place(line)
        if kind is list:
            if len(one) != len(other):
                return _place(line)
            todo += zip(one, other, strict=True)
        elif isinstance(one, ast.AST):
            fields = one.__dict__
            others = other.__dict__
            line = fields.get("lineno", line)
            if lines and "lineno" in fields and line != others["lineno"]:
                return _place(line)
            for name, value in fields.items():
                if name in _POSITIONS:
                    continue
                counterpart = others.get(name)
                if docstrings and name == "body" and isinstance(one, _OWNERS):
                    todo.append(_without_docstrings(value, counterpart or [], one))
                elif value is not counterpart:
                    todo.append((value, counterpart))
        elif one != other or (kind in _SIGNED and repr(one) != repr(other)):
            return _place(line)
    return ""


def _without_docstrings(body: list[ast.stmt], other: list[ast.stmt], owner: ast.AST) -> tuple[Any, Any]:
    rest = body[n_leading_strings(body) :]
    if not rest and not isinstance(owner, ast.Module) and len(other) == 1 and isinstance(other[0], ast.Pass):
        return [], []
    return rest, other[n_leading_strings(other) :]


def _place(line: int) -> str:
    return f"its syntax tree would be another one from line {line} on" if line else "its syntax tree would be another"
