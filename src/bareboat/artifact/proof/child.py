"""Answers sample events as Lambda would: `python -S -B child.py REPORT`, with the task on stdin as JSON.

Executed in the task root by the function's interpreter (3.8 on), never imported by bareboat; one file, stdlib only.
Each step is one line of JSON in the file REPORT, written when it is done, so that the last line tells how far it came:
`{"import": true}`, then `{"answer": ...}` for each event, or `{"error": [type, text, place, traceback]}` in place of
either, then `{"used": ..., "listed": ...}` when it was asked to trace.
"""

from __future__ import annotations

import _sitebuiltins
import builtins
import errno
import importlib
import json
import os
import sys
import time
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RAW_UNICODE = {"AWS_Lambda_python3.12", "AWS_Lambda_python3.13", "AWS_Lambda_python3.14", "AWS_Lambda_python3.15"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_TRUNC
CHANGING = {  # event of the audit -> paths, the arguments that tell where these start, whether they are to exist
    "os.chmod": (((0, 2),), True),
    "os.link": (((1, 3),), False),
    "os.mkdir": (((0, 2),), False),
    "os.remove": (((0, 1),), None),
    "os.rename": (((0, 2), (1, 3)), None),
    "os.rmdir": (((0, 1),), None),
    "os.symlink": (((1, 2),), False),
    "os.truncate": (((0, None),), True),
    "os.utime": (((0, 3),), True),
}
HERE = os.path.abspath(__file__)  # noqa: PTH100 - pathlib would change what the function finds imported


class Trace:
    """What lies in the task root and is imported, opened, loaded or listed."""

    def __init__(self, root: str) -> None:
        self.root = root + os.sep
        self.used: set[str] = set()
        self.listed: set[str] = set()

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Hear an event of the interpreter's audit, in whatever thread."""
        if event == "open":
            flags = arguments[2] if isinstance(arguments[2], int) else 0
            self.add(self.listed if flags & getattr(os, "O_DIRECTORY", 0) else self.used, arguments[0])
        elif event == "import":
            self.add(self.used, arguments[1])
        elif event == "ctypes.dlopen":
            self.add(self.used, arguments[0])
        elif event in {"os.listdir", "os.scandir"}:
            caller = sys._getframe(1).f_code.co_filename
            if not caller.startswith("<frozen importlib"):  # it lists every folder that it looks in
                self.add(self.listed, "." if arguments[0] is None else arguments[0])

    def add(self, where: set[str], path: Any) -> None:
        """Note a path if it lies in the task root."""
        if isinstance(path, int) or path is None:
            return
        try:
            whole = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
        except (ValueError, TypeError):
            return
        if whole.startswith(self.root):
            where.add(whole[len(self.root) :])

    def end(self) -> dict[str, list[str]]:
        """Return all that was used: modules and mapped libraries too."""
        for module in list(sys.modules.values()):
            try:
                path: object = module.__file__
            except Exception:  # noqa: BLE001, S112 - a module may be any object
                continue
            if isinstance(path, str):
                self.add(self.used, path)
        try:
            with open("/proc/self/maps", "rb") as file:  # noqa: PTH123
                for line in file:
                    parts = line.split(None, 5)
                    if len(parts) == 6:
                        self.add(self.used, parts[5].rstrip(b"\n"))
        except OSError:
            pass
        return {"used": sorted(self.used.copy()), "listed": sorted(self.listed.copy())}


class ReadOnly:
    """Refuses to write where Lambda does, whoever runs this: root may write to files that are read-only.

    Args:
        roots: folders that are read-only as a whole.
    """

    def __init__(self, roots: list[str]) -> None:
        self.roots = tuple(root + os.sep for root in roots if root)

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Hear an event of the interpreter's audit, in whatever thread.

        Raises:
            OSError: EROFS.
        """
        if event == "open":
            path, mode, flags = arguments
            if not isinstance(flags, int) or (mode is None and not is_absolute(path)):
                return  # os.open may mean a path from another folder than this one, and does not say so
            if flags & os.O_EXCL or not flags & WRITING:
                exists: bool | None = False
            else:
                exists = None if flags & os.O_CREAT else True
            if flags & (WRITING | os.O_CREAT):
                self.check(path, exists=exists)
        elif event in CHANGING:
            paths, exists = CHANGING[event]
            for place, start in paths:
                if start is None or arguments[start] == -1:
                    self.check(arguments[place], exists=exists)

    def check(self, path: Any, *, exists: bool | None) -> None:
        """Refuse a path below a root, unless the call itself fails for what is there or not."""
        if isinstance(path, int) or path is None:
            return
        try:
            whole = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
        except (ValueError, TypeError):
            return
        if not whole.startswith(self.roots) or not os.path.isdir(os.path.dirname(whole)):  # noqa: PTH112, PTH120
            return
        if exists is None or exists is os.path.lexists(whole):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)


def is_absolute(path: Any) -> bool:
    """Tell whether a path means the same from wherever."""
    try:
        return os.path.isabs(os.fsdecode(path))  # noqa: PTH117
    except TypeError:
        return False


class Context:
    """The second argument of a handler; the same for every run."""

    def __init__(self, number: int, seconds: float) -> None:
        region, name = os.environ.get("AWS_REGION"), os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.aws_request_id = f"00000000-0000-4000-8000-{number:012d}"
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = name
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = f"arn:aws:lambda:{region}:123456789012:function:{name}"
        self.client_context = None
        self.tenant_id = None
        self.identity = Identity()
        self._deadline = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""
        return max(int((self._deadline - time.monotonic()) * 1000), 0)

    def log(self, message: object) -> None:
        """Write to the log."""
        sys.stdout.write(str(message))


class Identity:
    """That of nobody."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


def find_handler(name: str) -> Any:
    """Import `package/module.function`."""
    module, _, function = name.rpartition(".")
    return getattr(importlib.import_module(module.replace("/", ".")), function)


def encode(value: Any) -> str:
    """Return an answer as text: JSON as Lambda sends it; bytes as they are."""
    if isinstance(value, bytes):
        return "bytes " + value.hex()
    ascii_only = os.environ.get("AWS_EXECUTION_ENV") not in RAW_UNICODE
    return json.dumps(plain(value, frozenset()), ensure_ascii=ascii_only)


def plain(value: Any, above: frozenset[int]) -> Any:
    """Turn named tuples into objects and Decimals into text, which json does not know."""
    if isinstance(value, (dict, list, tuple)):
        if id(value) in above:
            raise ValueError("Circular reference detected")
        above |= {id(value)}
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            value = value._asdict()
        if isinstance(value, dict):
            return {key: plain(item, above) for key, item in value.items()}
        return [plain(item, above) for item in value]
    if type(value).__name__ == "Decimal" and type(value).__module__ == "decimal":
        return "decimal " + str(value)
    return value


def failure(error: BaseException, root: str) -> list[str]:
    """Return an error's type, text, the last place in the task root, and the traceback without frames of this file."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001
        text = ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != HERE]
    files = [frame for frame in frames if not frame.filename.startswith("<")]  # <frozen importlib._bootstrap>
    inside = [frame for frame in files if os.path.abspath(frame.filename).startswith(root + os.sep)]  # noqa: PTH100
    place = f"{inside[-1].filename}:{inside[-1].lineno}" if inside else ""
    return [type(error).__name__, text[:4000], place, "".join(traceback.format_list(frames[-6:]))]


def main() -> None:
    """Import the handler, answer the events, tell what was used."""
    report = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    task = json.loads(sys.stdin.buffer.read())
    root = os.getcwd()  # noqa: PTH109
    names = [(root, "/var/task")] + [(path, shown) for path, shown in task["names"]]

    def tell(document: dict[str, Any]) -> None:
        line = json.dumps(document)
        for path, shown in names:
            line = line.replace(json.dumps(path)[1:-1], shown)
        os.write(report, line.encode("ascii") + b"\n")

    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")  # what site gives and Lambda has
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")
    sys.path[0] = root
    sys.path += [folder for folder in task["path"] if folder not in sys.path]
    sys.argv[:] = [task["handler"]]
    trace = Trace(root) if task["trace"] else None
    if trace is not None:
        sys.addaudithook(trace.hook)
    sys.addaudithook(ReadOnly([root, *task["read_only"]]).hook)
    try:
        handler = find_handler(task["handler"])
    except BaseException as error:  # noqa: BLE001 - SystemExit too ends Lambda's init
        tell({"error": failure(error, root)})
        return
    tell({"import": True})
    for number, event in enumerate(task["events"]):
        try:
            tell({"answer": encode(handler(json.loads(event), Context(number, task["seconds"])))})
        except BaseException as error:  # noqa: BLE001
            tell({"error": failure(error, root)})
            if not isinstance(error, Exception):
                return
    if trace is not None:
        document = trace.end()
        os.write(report, json.dumps(document).encode("ascii") + b"\n")


if __name__ == "__main__":
    main()
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105 - contextlib would change what the function finds imported
            stream.flush()
        except Exception:  # noqa: BLE001, S110 - the handler may have closed it
            pass
    os._exit(0)  # whatever threads and atexit functions the handler left: Lambda runs neither
