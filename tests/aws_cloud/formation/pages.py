"""Long answers in pages, as CloudFormation's NextToken gives them."""

from __future__ import annotations

from typing import Any

from aws_cloud.messages import Refused

A_PAGE = 100


def page(entries: list[Any], token: str | None, size: int = A_PAGE) -> tuple[list[Any], str | None]:
    """Return one page, and the token of the next.

    Raises:
        Refused: the token is none.
    """
    if token is not None and not token.removeprefix("after-").isdigit():
        raise Refused("ValidationError", "Pagination token is invalid")
    start = int(token.removeprefix("after-")) if token else 0
    end = start + size
    return entries[start:end], f"after-{end}" if end < len(entries) else None
