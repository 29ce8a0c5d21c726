"""Runs AWS's runtime client on a handler: `python -S -B launch.py <handler> [folder ...]` in the task root.

Executed by the function's interpreter (3.8 on), never imported by bareboat. It does what `python -m awslambdaric` does,
with three differences:

- `-S` keeps the interpreter's own site-packages out: Lambda has none of them, so what the artifact lacks must be
  missing here too.
- no runpy, which costs 5 ms.
- the client does not wait for each event in a thread of its own, as it does from python3.12 on so that a handler's
  signal handlers can run meanwhile: that costs half the throughput, and nothing here sends signals while it waits.
"""

import os
import sys


def main() -> None:
    """Set sys.path as `python -m` in the task root has it, then hand over."""
    import builtins

    import _sitebuiltins

    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")  # what site gives and Lambda has
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")
    handler, folders = sys.argv[1], sys.argv[2:]
    sys.path[0] = os.getcwd()
    sys.path += [folder for folder in folders if folder not in sys.path]  # a function may set PYTHONPATH itself

    import awslambdaric.__main__ as client

    try:
        from awslambdaric.lambda_config import LambdaConfigProvider
    except ImportError:
        pass  # the releases for Python 3.8 and 3.9 have no such threads
    else:
        LambdaConfigProvider.SUPPORTED_THREADPOLLING_ENVS = frozenset()
    sys.argv[:] = [client.__file__, handler]
    client.main(sys.argv)


main()
