""".bareboat/function.json -> ModelFunction: an event in, an answer out."""

from __future__ import annotations

import os
import sys
import time
from json import JSONEncoder, dumps
from json.encoder import encode_basestring_ascii as _QUOTE  # noqa: N812  used as a constant

from bareboat.errors import ArtifactError, InputError
from bareboat.runtime.document import refuse_repeated
from bareboat.runtime.events import document_of, header, is_http, response
from bareboat.runtime.faults import body_of, cut, fault
from bareboat.runtime.models import FOLDER, Models, read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from bareboat.runtime.models import LoadedModel

FORMAT = 2
MAX_ANSWER_BYTES = 6_291_556  # Lambda's limit on a response, recorded: 6 * 1024 * 1024 + 100
VERSION_HEADER = "x-model-version"
_ENCODE = JSONEncoder(allow_nan=False).encode
INTERNAL = '{"message": "Internal Server Error"}'


class ModelFunction:
    """Models behind their signatures, and the functions that wrap them.

    Args:
        name: of the function, for the log.
        models: those that it serves. The default one of a function with a single model is loaded here.
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
        "model",
        "models",
    )

    def __init__(
        self,
        name: str,
        models: Models,
        *,
        before: Callable[[Any], Any] | None = None,
        after: Callable[[Any], Any] | None = None,
    ) -> None:
        self.models = models
        self.model = models.get(models.default)
        self._knows_body = self.model.signature.knows("body")
        self._quoted_name = _QUOTE(name)
        self._second = -1
        self._stamp = ""
        self.before = before
        self.after = after

    def handle(self, event: Any, context: Any) -> Any:
        """Answer one event, as Lambda calls it, and log one line.

        Returns:
            For a gateway's event `{"statusCode", "body"}` (and headers); for any other event the answer itself.
        Raises:
            InputError: an event that no gateway sent does not fit; its text lists the fields.
            Exception: whatever `before`, `after` or the model raised, unless a gateway sent the event.
        """
        started = time.perf_counter()
        through_http = is_http(event, knows_body=self._knows_body)
        try:
            model = self.model
            if through_http:
                wanted = header(event, VERSION_HEADER)
                if wanted and wanted != model.version:
                    model = self._pinned(wanted)
                document, is_text = document_of(event)
            else:
                document, is_text = event, False
            outside: dict[str, int] = {}
            answer, n_rows = self.answer(model, document, is_text=is_text, as_json=through_http, outside=outside)
        except InputError as error:
            self._log("WARNING", context, started, 400, f', "errors": {len(error.problems)}')
            if through_http:
                return response(event, 400, dumps(body_of(error)))
            raise error.with_traceback(None) from None  # callers are told the fields, and this one line of the stack
        except Exception as error:  # noqa: BLE001  logged and raised again, without the stack that is in the log
            found = f', "errorType": {_QUOTE(type(error).__name__)}, "stackTrace": {dumps(_traceback())}'
            self._log("ERROR", context, started, 500, found)
            if through_http:
                return response(event, 500, INTERNAL)
            raise error.with_traceback(None) from None
        found = f', "outsideBounds": {sum(outside.values())}' if outside else ""
        self._log("INFO", context, started, 200, f', "rows": {n_rows}{found}')
        if not through_http:
            return answer
        headers = {VERSION_HEADER: model.version}
        if outside:
            from bareboat.runtime.bounds import warning_of

            headers["x-bareboat-warning"] = warning_of(outside)
        return response(event, 200, answer, headers)

    def answer(
        self,
        model: LoadedModel,
        document: Any,
        *,
        is_text: bool,
        as_json: bool,
        outside: dict[str, int] | None = None,
    ) -> tuple[Any, int]:
        """Return a model's answer to a document, as an object or as the text of JSON, and the number of rows.

        Args:
            is_text: whether the document's values are the texts of a query string.
            outside: filled with the features whose values are outside their bounds, as `Signature.read` does.
        Raises:
            InputError: the document does not fit.
        """
        if self.before is not None:
            refuse_repeated(document)
            document = self.before(document)
            if not isinstance(document, (dict, list, tuple)):
                raise TypeError(f"before returned {type(document).__name__}, expected a dict or a list")
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
        if as_json and len(answer) > MAX_ANSWER_BYTES // 2:
            _check_size(answer, len(rows))
        return answer, len(rows)

    def _pinned(self, version: str) -> LoadedModel:
        versions = self.models.versions[self.models.default]
        if version not in versions:
            raise fault(VERSION_HEADER, f"version {version}", f"one of {', '.join(versions)}")
        return self.models.get(self.models.default, version)

    def _log(self, level: str, context: Any, started: float, status: int, rest: str) -> None:
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
    return ModelFunction(config["function"], models, before=_wrapper(config["before"]), after=_wrapper(config["after"]))


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


def _check_size(body: str, n_rows: int) -> None:
    """Refuse a request whose answer Lambda would not carry, rather than lose it there."""
    # The body is a text inside a JSON document, where each quote and backslash takes two bytes.
    size = len(body) + body.count('"') + body.count("\\") + 100
    if size > MAX_ANSWER_BYTES:
        enough = max(1, n_rows * MAX_ANSWER_BYTES // size)
        found = f"{n_rows} rows, whose answer takes {size / 1e6:.1f} MB"
        raise fault("instances", found, f"at most 6.29 MB, about {enough} rows")


def _traceback() -> list[str]:
    from traceback import format_exc

    return cut(format_exc(), 32_000).splitlines()
