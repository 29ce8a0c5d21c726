""".bareboat/function.json -> ModelFunction: an event in, an answer out."""

from __future__ import annotations

import os
import sys
import time
from json import JSONEncoder, dumps
from json.encoder import encode_basestring_ascii as _QUOTE  # noqa: N812  used as a constant

from bareboat.errors import ArtifactError, InputError, RemoteError
from bareboat.runtime.document import refuse_repeated
from bareboat.runtime.events import VERSION_HEADER, document_of, header, is_http, response
from bareboat.runtime.faults import body_of, cut, fault, listed, missing
from bareboat.runtime.models import FOLDER, Models, read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from bareboat.runtime.models import LoadedModel

FORMAT = 2
MAX_ANSWER_BYTES = 6_291_556  # Lambda's limit on a response, recorded: 6 * 1024 * 1024 + 100
_ENCODE = JSONEncoder(allow_nan=False).encode
INTERNAL = '{"message": "Internal Server Error"}'
UNAVAILABLE = '{"message": "Service Unavailable"}'  # the store of a model that is fetched on first use


class ModelFunction:
    """Models behind their signatures, and the functions that wrap them.

    Args:
        name: of the function, for the log.
        models: those that it serves. The one of a function with a single model is loaded here.
        several: whether requests name the model that they are for.
        protocol: the module that reads and answers the requests of gateways; None for bareboat's own of one model.
        before: turns the request's document into the one that the signature reads.
        after: turns the answer into what is sent.
    """

    __slots__ = (
        "_knows_body",
        "_quoted_name",
        "_second",
        "_stamp",
        "after",
        "before",
        "models",
        "protocol",
        "several",
    )

    MANY_BYTES = MAX_ANSWER_BYTES // 2

    def __init__(
        self,
        name: str,
        models: Models,
        *,
        several: bool = False,
        protocol: Any = None,
        before: Callable[[Any], Any] | None = None,
        after: Callable[[Any], Any] | None = None,
    ) -> None:
        self.models = models
        self.several = several
        self.protocol = protocol
        self._knows_body = not several and models.get(models.default).signature.knows("body")
        self._quoted_name = _QUOTE(name)
        self._second = -1
        self._stamp = ""
        self.before = before
        self.after = after

    def handle(self, event: Any, context: Any) -> Any:
        """Answer one event, as Lambda calls it, and log one line.

        Returns:
            For a gateway's event `{"statusCode", "body"}` (and headers); for a batch of a queue the messages that
            failed; for any other event the answer itself.
        Raises:
            InputError: an event that no gateway sent does not fit; its text lists the fields.
            Exception: whatever `before`, `after` or the model raised, unless a gateway sent the event.
        """
        started = time.perf_counter()
        through_http = is_http(event, knows_body=self._knows_body)
        if through_http and self.protocol is not None:
            from bareboat.runtime.protocols import respond

            return respond(self, event, context)
        if not through_http and type(event) is dict and ("Records" in event or "detail-type" in event):
            from bareboat.runtime.messages import source_of

            answer_all = source_of(self, event)
            if answer_all is not None:
                return answer_all(self, event, context)
        try:
            is_text = are_many = False
            if through_http:
                model = self.find("", header(event, VERSION_HEADER))
                document, is_text = document_of(event)
            elif self.several:
                from bareboat.runtime.protocols.several import addressed

                model, document, are_many = addressed(self, event)
            else:
                model, document = self.models.get(self.models.default), event
            outside: dict[str, int] = {}
            answer, n_rows = self.answer(
                model, document, is_text=is_text, are_many=are_many, as_json=through_http, outside=outside
            )
        except InputError as error:
            status = getattr(error, "status", 400)
            self.log("WARNING", context, started, status, f', "errors": {len(error.problems)}')
            if through_http:
                return response(event, status, dumps(body_of(error)))
            raise error.with_traceback(None) from None  # callers are told the fields, and this one line of the stack
        except Exception as error:  # noqa: BLE001  logged and raised again, without the stack that is in the log
            status = self.log_failure(error, context, started)
            if through_http:
                return response(event, status, INTERNAL if status == 500 else UNAVAILABLE)
            raise error.with_traceback(None) from None
        found = f', "outsideBounds": {sum(outside.values())}' if outside else ""
        self.log("INFO", context, started, 200, f', "rows": {n_rows}{found}')
        if not through_http:
            return answer
        return response(event, 200, answer, {VERSION_HEADER: model.version, **self.warning(outside)})

    def find(self, name: str, version: str) -> LoadedModel:
        """Return a model.

        Args:
            name, version: "" for the default one.
        Raises:
            InputError: there is none; its status is 404.
        """
        models = self.models
        name = name or models.default
        versions = models.versions.get(name)
        if versions is None:
            raise missing("model", f'"{name}"', listed(list(models.versions)))
        if version and version not in versions:
            raise missing(VERSION_HEADER, f'"{version}"', listed(versions))
        return models.get(name, version)

    def answer(
        self,
        model: LoadedModel,
        document: Any,
        *,
        is_text: bool = False,
        are_many: bool = False,
        as_json: bool,
        outside: dict[str, int] | None = None,
    ) -> tuple[Any, int]:
        """Return a model's answer to a document, as an object or as the text of JSON, and the number of rows.

        Args:
            is_text: whether the document's values are the texts of a query string.
            are_many: whether the document is a list of rows, and none of `instances` around it.
            outside: filled with the features whose values are outside their bounds, as `Signature.read` does.
        Raises:
            InputError: the document does not fit.
        """
        if self.before is not None:
            refuse_repeated(document)
            document = self.before({"instances": document} if are_many else document)
            are_many = False
            if not isinstance(document, (dict, list, tuple)):
                raise TypeError(f"before returned {type(document).__name__}, expected a dict or a list")
        if are_many:
            rows = model.signature.read_rows(document, outside=outside)
        else:
            rows, are_many = model.signature.read(document, is_text=is_text, outside=outside)
        predictor = model.predictor
        answered = predictor.answer_many(rows) if are_many else [predictor.answer(rows[0])]
        answer: Any
        if as_json and self.after is None:
            answer = model.answers.text(answered, are_many=are_many)
        else:
            answer = model.answers.document(answered, are_many=are_many)
            if self.after is not None:
                answer = self.after(answer)
            if as_json:
                answer = _ENCODE(answer)
        if as_json and len(answer) > self.MANY_BYTES:
            self.check_size(answer, len(rows))
        return answer, len(rows)

    @staticmethod
    def predict(model: LoadedModel, rows: list[Any]) -> list[tuple[list[float], int]]:
        """Return what a model answers to rows that its signature has read."""
        predictor = model.predictor
        answered: list[tuple[list[float], int]] = (
            [predictor.answer(rows[0])] if len(rows) == 1 else predictor.answer_many(rows)
        )
        return answered

    @staticmethod
    def check_size(body: str, n_rows: int) -> None:
        """Refuse a request whose answer Lambda would not carry, rather than lose it there.

        Raises:
            InputError: the answer is too large.
        """
        # The body is a text inside a JSON document, where each quote and backslash takes two bytes.
        size = len(body) + body.count('"') + body.count("\\") + 200
        if size > MAX_ANSWER_BYTES:
            enough = max(1, n_rows * MAX_ANSWER_BYTES // size)
            found = f"{n_rows} rows, whose answer takes {size / 1e6:.1f} MB"
            raise fault("instances", found, f"at most 6.29 MB, about {enough} rows")

    @staticmethod
    def warning(outside: Mapping[str, int]) -> dict[str, str]:
        """Return the headers that tell of values outside their bounds.

        Args:
            outside: as `Signature.read_rows` filled it.
        """
        if not outside:
            return {}
        from bareboat.runtime.bounds import warning_of

        return {"x-bareboat-warning": warning_of(outside)}

    def log_failure(self, error: Exception, context: Any, started: float) -> int:
        """Write the line of a request that failed, with the stack; return its status."""
        from traceback import format_exc

        status = 503 if isinstance(error, RemoteError) else 500
        trace = cut(format_exc(), 32_000).splitlines()
        found = f', "errorType": {_QUOTE(type(error).__name__)}, "stackTrace": {dumps(trace)}'
        self.log("ERROR", context, started, status, found)
        return status

    def log(self, level: str, context: Any, started: float, status: int, rest: str) -> None:
        """Write one JSON object a line, with the request id and counts: never a row or a header.

        Put together by hand: json.dumps of seven keys would take a fifth of a warm request.
        """
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        request_id = _QUOTE(getattr(context, "aws_request_id", None) or "")
        took_ms = (time.perf_counter() - started) * 1000
        sys.stdout.write(
            f'{{"timestamp": "{self._stamp}.{int((now - second) * 1000):03d}Z", "level": "{level}", '
            f'"requestId": {request_id}, "function": {self._quoted_name}, "durationMs": {took_ms:.3f}, '
            f'"status": {status}{rest}}}\n'
        )


def load_function(root: str) -> ModelFunction:
    """Load the model function of an unpacked artifact.

    Args:
        root: the artifact's folder, which is on `sys.path`.
    Raises:
        ArtifactError: there is no function.json, or one of another format.
        ModelError: the model is damaged.
        Exception: what importing the modules of `before` and `after` raises.
    """
    config = _config(os.path.join(root, ".bareboat", "function.json"))
    models = Models(
        os.path.join(root, ".bareboat", FOLDER),
        config["models"],
        default=config["default"],
        max_rows=config["max_rows"],
        limit_bytes=_limit_bytes(config["cache_mb"]),
    )
    return ModelFunction(
        config["function"],
        models,
        several=config["several"],
        protocol=_protocol(config),
        before=_wrapper(config["before"]),
        after=_wrapper(config["after"]),
    )


def _protocol(config: Mapping[str, Any]) -> Any:
    """Import the module of the function's protocol; bareboat's own, with one model, needs none."""
    name = config["protocol"]
    if name == "bareboat":
        if not config["several"]:
            return None
        name = "several"
    return __import__(f"bareboat.runtime.protocols.{name}", fromlist=("answer",))


def _limit_bytes(cache_mb: int | None) -> int:
    """Return how much memory loaded models may take: as said, or half of the function's."""
    if cache_mb is None:
        return int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") or 1024) * 524_288
    return cache_mb * 1_000_000


def _config(path: str) -> Mapping[str, Any]:
    config = read_json(path)
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ArtifactError(
            "the artifact's function.json has a format that this version of bareboat does not read",
            expected=f"format {FORMAT}",
            fix="bareboat package, with the version that is in the artifact",
            where=path,
        )
    return config


def _wrapper(name: str | None) -> Callable[[Any], Any] | None:
    """Import `module.function`, written as a handler is: the last dot parts them, and a slash is a dot."""
    if name is None:
        return None
    from importlib import import_module

    module, _, function = name.rpartition(".")
    return getattr(import_module(module.replace("/", ".")), function)  # type: ignore[no-any-return]
