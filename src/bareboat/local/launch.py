"""Runs AWS's runtime client on a handler: `python -S -B launch.py <handler>` in the task root.

Executed by the function's interpreter (3.8 on), never imported by bareboat. `-S` keeps the interpreter's own
site-packages out: Lambda has none of them, so what the artifact lacks must be missing here too. AWS's client is started
without runpy, which costs 5 ms.
"""

import os
import sys


def main() -> None:
    """Set sys.path as `python -m` in the task root has it, then hand over."""
    import builtins

    import _sitebuiltins

    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")  # what site gives and Lambda has
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")
    sys.path[0] = os.getcwd()
    for folder in sys.argv[2:]:
        if folder not in sys.path:  # a function may have set a PYTHONPATH of its own
            sys.path.append(folder)
    del sys.argv[2:]

    import awslambdaric.__main__ as client

    sys.argv[0] = client.__file__
    client.main(sys.argv)


main()
