"""Changed modules -> a syntax error at once, before anything is built."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from pathlib import Path

from bareboat.errors import LocalError
from bareboat.service.model import Service


def check_syntax(paths: Iterable[str], service: Service) -> None:
    """Compile modules that have changed. Where functions have a newer Python than this one, their init must tell.

    Raises:
        LocalError: one does not compile; a module that no function imports counts too, until it is mended.
    """
    newest = max((tuple(map(int, one.python.split("."))) for one in service.functions.values()), default=(3, 0))
    for path in sorted(paths):
        if not path.endswith(".py"):
            continue
        try:
            source = Path(path).read_bytes()
        except OSError:  # gone; what needs it will say so
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(source, path, "exec", dont_inherit=True)
        except SyntaxError as error:
            if newest > sys.version_info[:2]:
                return
            raise LocalError(f"{type(error).__name__}: {error.msg}", where=f"{path}:{error.lineno or 1}") from error
        except ValueError as error:  # a NUL
            raise LocalError(f"SyntaxError: {error}", where=path) from error
