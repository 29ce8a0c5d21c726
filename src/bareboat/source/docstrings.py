"""A syntax tree -> where its docstrings are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

_OWNERS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)


class Docstring(NamedTuple):
    """A docstring's place: lines from 1 on, columns from 0 on in bytes of UTF-8, as `ast` counts them.

    Args:
        is_whole_body: whether nothing else stands in the body, which then needs another statement.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    is_whole_body: bool


def docstrings(tree: ast.Module) -> Iterator[Docstring]:
    """Yield every docstring, and strings that would become one when those before them are gone."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, _OWNERS):
            first = n_leading_strings(node.body)
            whole = first == len(node.body) and not isinstance(node, ast.Module)
            for number, statement in enumerate(node.body[:first]):
                assert statement.end_lineno is not None
                assert statement.end_col_offset is not None
                yield Docstring(
                    statement.lineno,
                    statement.col_offset,
                    statement.end_lineno,
                    statement.end_col_offset,
                    whole and number == first - 1,
                )
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            below = getattr(node, name, None)
            if isinstance(below, list):
                todo += below


def n_leading_strings(body: list[ast.stmt]) -> int:
    """Count the statements at the beginning of a body that are nothing but a string."""
    count = 0
    for statement in body:
        if not (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Constant)
            and isinstance(statement.value.value, str)
        ):
            break
        count += 1
    return count
