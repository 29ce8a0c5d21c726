"""Runs a handler where AWS's client has no wheel: `client.py <handler> [folder ...] [--layers folder ...]`.

Executed with -S -B in the task root by the function's interpreter (3.8 on), never imported by bareboat; one file,
stdlib only. It answers as awslambdaric does: the same payloads, error types, log records and environment. It lacks
SnapStart hooks.
"""

from __future__ import annotations

import _sitebuiltins
import builtins
import importlib
import json
import logging
import os
import socket
import sys
import time
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Headers = Iterable[tuple[str, object]]

API = "/2018-06-01/runtime/"
REQUEST_ID = "lambda-runtime-aws-request-id"
RAW_UNICODE = {"AWS_Lambda_python3.12", "AWS_Lambda_python3.13", "AWS_Lambda_python3.14", "AWS_Lambda_python3.15"}
LEVELS = {10: 0xA55A000B, 20: 0xA55A000F, 30: 0xA55A0013, 40: 0xA55A0017, 50: 0xA55A001B}  # text; JSON is one less
PLAIN = 0xA55A0003
RAW_MARK = "raw-number-" + os.urandom(8).hex() + "-"


class Fault(Exception):  # noqa: N818 - no error of this program
    """What keeps the handler from being called, or its answer from being sent, with Lambda's name for it."""

    def __init__(self, kind: str, message: str, stack: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.stack = list(stack)


class Connection:
    """HTTP/1.1 to the supervisor, one connection kept open."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = address
        self._data = b""

    def call(
        self, method: str, path: str, body: bytes | str = b"", headers: Headers = ()
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers (names in lower case) and body."""
        if isinstance(body, str):
            body = body.encode()
        lines = [f"{method} {API}{path} HTTP/1.1", f"Host: {self._host}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        sent = "\r\n".join([*lines, "", ""]).encode() + body
        try:  # noqa: SIM105 - contextlib would cost a cold start
            self._socket.sendall(sent)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused half way: the answer says why
        while b"\r\n\r\n" not in self._data:
            self._receive()
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        first, *rest = head.decode("utf-8", "replace").split("\r\n")
        found = {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)}
        length = int(found.get("content-length", 0))
        pieces = [self._data]
        size = len(self._data)
        while size < length:
            self._data = b""
            self._receive()
            pieces.append(self._data)
            size += len(self._data)
        whole = b"".join(pieces)
        self._data = whole[length:]
        return int(first.split(" ")[1]), found, whole[:length]

    def _receive(self) -> None:
        piece = self._socket.recv(262_144)
        if not piece:
            raise SystemExit(1)  # the supervisor is gone
        self._data += piece


class Flushing:
    """A text stream that holds nothing back."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> None:
        """Write and flush."""
        self._stream.write(text)
        self._stream.flush()

    def writelines(self, lines: Iterable[str]) -> None:
        """Write all and flush."""
        self._stream.writelines(lines)
        self._stream.flush()


class Records(logging.Handler):
    """The root logger's handler: framed records to the supervisor's pipe."""

    def __init__(self, pipe: int, as_json: bool) -> None:
        super().__init__()
        self._pipe = pipe
        self.as_json = as_json
        self.request_id = ""
        self.log_sink = self
        form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
        self._text = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
        self._text.converter = time.gmtime

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        record.aws_request_id = self.request_id
        level = min(50, max(0, record.levelno)) // 10 * 10
        text = self._json(record, level) if self.as_json else self._text.format(record)
        self.log(text, LEVELS.get(level, PLAIN) - self.as_json)

    def log(self, text: str, kind: int = PLAIN) -> None:
        """Write one frame."""
        message = text.encode("utf-8", "backslashreplace")
        frame = kind.to_bytes(4, "big") + len(message).to_bytes(4, "big")
        frame += (time.time_ns() // 1000).to_bytes(8, "big") + message
        while frame:
            frame = frame[os.write(self._pipe, frame) :]

    def log_error(self, error: dict[str, Any]) -> None:
        """Write an error document as Lambda logs it."""
        if self.as_json:
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            self.log(json.dumps({"timestamp": moment, "level": "ERROR", **error}), LEVELS[40] - 1)
            return
        lines = [f"[ERROR] {error['errorType']}: {error['errorMessage']}", "Traceback (most recent call last):"]
        for entry in error["stackTrace"]:
            for line in entry.splitlines() or [""]:
                bare = line.lstrip(" ")
                lines.append("\u00a0" * (len(line) - len(bare)) + bare)
        self.log("\n".join(lines), LEVELS[40])

    @staticmethod
    def _json(record: logging.LogRecord, level: int) -> str:
        kind, value, trace = record.exc_info or (None, None, None)
        message = record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage()
        document = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": logging.getLevelName(level),
            "message": message,
            "logger": record.name,
            "stackTrace": traceback.format_tb(trace) if kind else None,
            "errorType": kind.__name__ if kind else None,
            "errorMessage": str(value) if kind else None,
            "requestId": getattr(record, "aws_request_id", None),
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}" if kind else None,
        }
        known = {*logging.makeLogRecord({}).__dict__, *document, "message", "asctime", "aws_request_id"}
        document.update({name: item for name, item in record.__dict__.items() if name not in known})
        document = {name: item for name, item in document.items() if item is not None}
        return json.dumps(document, ensure_ascii=False, default=str) + "\n"


class Named:
    """Attributes out of a JSON object; those that it lacks are None."""

    def __init__(self, names: Iterable[str], values: dict[str, Any]) -> None:
        for name in names:
            setattr(self, name, values.get(name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({vars(self)})"


class LambdaContext:
    """The second argument of a handler."""

    def __init__(self, headers: dict[str, str], records: Records) -> None:
        said = json_header(headers, "lambda-runtime-client-context", "Client Context")
        identity = json_header(headers, "lambda-runtime-cognito-identity", "Cognito Identity") or {}
        self.aws_request_id = headers[REQUEST_ID]
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self.client_context = None
        if said is not None:
            parts = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
            client = said.get("client")
            known = {**said, "client": None if client is None else Named(parts, client)}
            self.client_context = Named(("custom", "env", "client"), known)
        ids = {"cognito_identity_id": "cognitoIdentityId", "cognito_identity_pool_id": "cognitoIdentityPoolId"}
        self.identity = Named(ids, {name: identity.get(key) for name, key in ids.items()})
        self._deadline_ms = int(headers["lambda-runtime-deadline-ms"])
        self._records = records

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""
        return max(self._deadline_ms - int(time.time() * 1000), 0)

    def log(self, message: object) -> None:
        """Write to the log, without a level."""
        self._records.log(str(message))


def json_header(headers: dict[str, str], name: str, title: str) -> Any:
    """Return a header's JSON, None where there is no such header."""
    if not headers.get(name):
        return None
    try:
        return json.loads(headers[name])
    except ValueError as error:
        raise Fault("Runtime.LambdaContextUnmarshalError", f"Unable to parse {title} JSON: {error}") from error


def find_handler(name: str) -> Any:
    """Import `package/module.function`."""
    module, dot, function = name.rpartition(".")
    if not dot:
        message = f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)"
        raise Fault("Runtime.MalformedHandlerName", message)
    if module.split(".")[0] in sys.builtin_module_names:
        message = f"Cannot use built-in module {module} as a handler module"
        raise Fault("Runtime.BuiltInModuleConflict", message)
    try:
        found = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}") from error
    except SyntaxError as error:
        place = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        message = f"Syntax error in module '{module}': {error}"
        raise Fault("Runtime.UserCodeSyntaxError", message, [place]) from error
    if not hasattr(found, function):
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module}'")
    return getattr(found, function)


def encode(value: Any) -> tuple[bytes | str, str]:
    """Return a handler's answer as Lambda sends it: bytes as they are, else JSON; NaN and Decimal included.

    JSON stays text: half of a surrogate pair, which is no UTF-8, ends the process when it is sent, as on Lambda.
    """
    if isinstance(value, bytes):
        return value, "application/unknown"
    ascii_only = os.environ.get("AWS_EXECUTION_ENV") not in RAW_UNICODE
    try:
        text = json.dumps(plain(value, set()), ensure_ascii=ascii_only)
    except Exception as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error
    if RAW_MARK in text:
        first, *rest = text.split('"' + RAW_MARK)
        text = first + "".join(piece.replace('"', "", 1) for piece in rest)
    return text, "application/json"


def plain(value: Any, above: set[int]) -> Any:
    """Turn named tuples into objects and Decimals into marked text: json knows neither."""
    if isinstance(value, (dict, list, tuple)):
        if id(value) in above:
            raise ValueError("Circular reference detected")
        above = above | {id(value)}
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            value = value._asdict()
        if isinstance(value, dict):
            return {key: plain(item, above) for key, item in value.items()}
        return [plain(item, above) for item in value]
    if type(value).__name__ == "Decimal" and type(value).__module__ == "decimal":
        return float("nan") if value.is_nan() else RAW_MARK + str(value)
    return value


def document(error: Exception, request_id: str) -> dict[str, Any]:
    """Return the error document of an exception that is being handled, without frames of this file."""
    if isinstance(error, Fault):
        kind, stack = error.kind, error.stack
    else:
        found = traceback.extract_tb(error.__traceback__)
        frames = [(frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in found]
        while len(frames) > 1 and frames[0][0] == __file__:
            del frames[0]
        kind, stack = type(error).__name__, traceback.format_list(frames)  # without columns: Lambda has no carets
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": stack}


def peak_memory() -> Headers:
    """Return the header that tells the most memory used, where the supervisor cannot see it."""
    if os.path.exists("/proc/self/status"):  # noqa: PTH110 - pathlib would cost a cold start
        return ()
    try:
        import resource
    except ImportError:
        return ()
    return (("Bareboat-Peak-Memory-Bytes", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss),)


def serve(connection: Connection, handler: Any, records: Records) -> None:
    """Answer events until the end."""
    kind = ("Content-Type", "application/json")
    while True:
        _, headers, body = connection.call("GET", "invocation/next")
        records.request_id = request_id = headers[REQUEST_ID]
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
        if not os.environ["_X_AMZN_TRACE_ID"]:
            del os.environ["_X_AMZN_TRACE_ID"]
        path = f"invocation/{request_id}/"
        try:
            context = LambdaContext(headers, records)
            try:
                event = json.loads(body)
            except ValueError as error:
                raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error
            answer, answer_kind = encode(handler(event, context))
        except Exception as error:  # noqa: BLE001 - whatever the handler raises is its answer
            said = document(error, request_id)
            records.log_error(said)
            status, _, _ = connection.call("POST", path + "error", encode(said)[0], (kind, *peak_memory()))
        else:
            said_kind = ("Content-Type", answer_kind)
            status, _, _ = connection.call("POST", path + "response", answer, (said_kind, *peak_memory()))
        if status != 202:
            raise RuntimeError(f"the supervisor refused the answer to {request_id}: status {status}")


def main() -> None:
    """Set the process up as Lambda does, import the handler, and serve."""
    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")
    name, folders = sys.argv[1], sys.argv[2:]
    at = folders.index("--layers") if "--layers" in folders else len(folders)
    folders, layers = folders[:at], folders[at + 1 :]
    sys.argv[1:] = [name]
    sys.path[0] = os.getcwd()  # noqa: PTH109 - pathlib would cost a cold start
    sys.path[1:1] = layers
    sys.path += [folder for folder in folders if folder not in sys.path]
    sys.stdout, sys.stderr = Flushing(sys.stdout), Flushing(sys.stderr)
    pipe = int(os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", "1"))
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper().replace("TRACE", "DEBUG")
    records = Records(pipe, os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON")
    logging.getLogger().addHandler(records)
    if level in ("DEBUG", "INFO", "WARNING", "WARN", "ERROR", "CRITICAL", "FATAL"):
        logging.getLogger().setLevel(level)
    connection = Connection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = find_handler(name)
    except Exception as error:  # noqa: BLE001 - whatever the import raises is the answer
        said = document(error, "")
        logging.warning("LAMBDA_WARNING: the function could not be initialised; see the error that follows.")
        records.log_error(said)
        kind = (("Lambda-Runtime-Function-Error-Type", said["errorType"]),)
        connection.call("POST", "init/error", encode(said)[0], kind)
        raise SystemExit(1) from None
    serve(connection, handler, records)


if __name__ == "__main__":
    main()
