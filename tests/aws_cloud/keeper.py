"""The process off which `bareboat` is forked: everything imported, no thread, no connection.

Takes lines of JSON (arguments, cwd, env, out, err, read_s) and answers each with the process it started and, later,
its exit code. Ends with its stdin, when the last of its children has ended.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
from contextlib import suppress


def _child(ask: dict[str, object]) -> None:
    """Become `bareboat ...`."""
    os.setpgid(0, 0)
    for number, name in enumerate((os.devnull, ask["out"], ask["err"])):
        file = os.open(str(name), os.O_WRONLY if number else os.O_RDONLY)
        os.dup2(file, number)
        os.close(file)
    os.chdir(str(ask["cwd"]))
    os.environ.clear()
    os.environ.update(ask["env"])  # type: ignore[call-overload]
    from bareboat.aws.client import Aws
    from bareboat.cli.process import run

    assert Aws.__init__.__kwdefaults__ is not None
    Aws.__init__.__kwdefaults__["read_s"] = ask["read_s"]
    run(ask["arguments"])  # type: ignore[arg-type]


def _ready() -> None:
    """Import what commands need, and be impatient: no seconds between two tries."""
    import botocore.retries.standard
    import botocore.session
    import yaml  # noqa: F401
    from botocore.exceptions import DataNotFoundError, UnknownServiceError
    from botocore.loaders import create_loader

    import bareboat.aws.deploy
    import bareboat.aws.record
    import bareboat.aws.template.build
    import bareboat.aws.upload
    import bareboat.cli.root
    import bareboat.local.cloud  # noqa: F401

    botocore.retries.standard.ExponentialBackoff.delay_amount = lambda self, context: 0.01
    loader = create_loader()
    for service in ("cloudformation", "lambda", "s3", "sts"):
        for kind in ("service-2", "paginators-1", "endpoint-rule-set-1"):
            with suppress(UnknownServiceError, DataNotFoundError):
                loader.load_service_model(service, kind)
    for name in ("partitions", "endpoints", "sdk-default-configuration", "_retry"):
        loader.load_data(name)
    botocore.session.create_loader = lambda *_: loader  # each session would read them anew
    gc.freeze()


def main() -> None:
    """Serve until stdin ends."""
    _ready()
    wake, alarm = os.pipe()
    os.set_blocking(alarm, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(alarm)
    children: set[int] = set()
    tell = sys.stdout
    rest = b""
    is_open = True
    while is_open or children:
        ready, _, _ = select.select([wake, *([0] if is_open else [])], [], [])
        if wake in ready:
            os.read(wake, 64)
            for child in tuple(children):
                found, status = os.waitpid(child, os.WNOHANG)
                if found:
                    children.discard(child)
                    tell.write(json.dumps({"process": child, "code": os.waitstatus_to_exitcode(status)}) + "\n")
                    tell.flush()
        if 0 in ready:
            data = os.read(0, 1 << 16)
            is_open = bool(data)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                child = os.fork()
                if child == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    os.close(wake)
                    os.close(alarm)
                    try:
                        _child(json.loads(line))
                    except SystemExit as leaving:
                        code = leaving.code
                        sys.stdout.flush()
                        sys.stderr.flush()
                        os._exit(code if isinstance(code, int) else int(code is not None))
                    except BaseException:  # noqa: BLE001 - the end of the process
                        import traceback

                        traceback.print_exc()
                        sys.stderr.flush()
                        os._exit(70)
                children.add(child)
                tell.write(json.dumps({"process": child}) + "\n")
                tell.flush()


if __name__ == "__main__":
    main()
