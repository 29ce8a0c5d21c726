"""Runs AWS's runtime client on a handler: `python -S -B launch.py <handler> [folder ...] [--layers folder ...]`.

Executed in the task root by the function's interpreter (3.8 on), never imported by bareboat. It does what
`python -m awslambdaric` does, with layers where Lambda's bootstrap puts them, and with three differences:

- `-S` keeps the interpreter's own site-packages out: Lambda has none of them, so what the artifact lacks must be
  missing here too.
- no runpy, which costs 5 ms.
- the client does not wait for each event in a thread of its own, as it does from python3.12 on so that a handler's
  signal handlers can run meanwhile: that costs half the throughput, and nothing here sends signals while it waits.
"""

import _sitebuiltins
import builtins
import importlib
import os
import sys


def main() -> None:
    """Set sys.path as `python -m` in the task root has it, then hand over."""
    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")  # what site gives and Lambda has
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")
    handler, folders = sys.argv[1], sys.argv[2:]
    at = folders.index("--layers") if "--layers" in folders else len(folders)
    folders, layers = folders[:at], folders[at + 1 :]
    sys.path[0] = os.getcwd()  # noqa: PTH109 - pathlib would cost a cold start
    sys.path[1:1] = layers
    sys.path += [folder for folder in folders if folder not in sys.path]  # a function may set PYTHONPATH itself

    client = importlib.import_module("awslambdaric.__main__")
    try:
        config = importlib.import_module("awslambdaric.lambda_config")
    except ImportError:
        pass  # the releases for Python 3.8 and 3.9 have no such threads
    else:
        config.LambdaConfigProvider.SUPPORTED_THREADPOLLING_ENVS = frozenset()
    sys.argv[:] = [str(client.__file__), handler]
    client.main(sys.argv)


if __name__ == "__main__":
    main()
