"""The command line: parse, one library call, show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code.

    Args:
        arguments: without the program's name; None takes those of this process.
    Raises:
        SystemExit: always. 0 done, 1 failed, 2 wrong usage or configuration, 3 AWS, Spark or a registry refused,
            130 interrupted.
    """
    try:
        from bareboat.cli.process import run

        run(arguments)
    except KeyboardInterrupt:  # while the modules are read: from then on every end is told by the root command
        raise SystemExit(130) from None
